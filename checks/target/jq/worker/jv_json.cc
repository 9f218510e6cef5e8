#include "checks/target/jq/worker/jv_json.h"

#include <algorithm>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace puckdrop::jq::worker {
namespace {

constexpr std::string_view kMaxExact = "9007199254740992";  // 2^53

void AppendUtf8(std::uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  bool Run(const Wanted* wanted, jv* value, std::string* error) {
    if (end_ - at_ >= 3 && std::memcmp(at_, "\xEF\xBB\xBF", 3) == 0) at_ += 3;
    Space();
    if (at_ == end_) {
      *value = jv_null();
      return true;
    }
    *value = Value(0, wanted != nullptr && wanted->everything() ? nullptr : wanted);
    if (error_.empty()) {
      Space();
      if (at_ != end_) Fail("something follows the end of the JSON text");
    }
    if (error_.empty()) return true;
    jv_free(*value);
    *value = jv_null();
    *error = std::move(error_);
    return false;
  }

 private:
  void Fail(const char* what) {
    if (!error_.empty()) return;
    const auto line = 1 + std::count(begin_, at_, '\n');
    error_ =
        std::string(what) + " at byte " + std::to_string(at_ - begin_ + 1) + " (line " + std::to_string(line) + ")";
  }

  void Space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool Word(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
      Fail("a value is expected");
      return false;
    }
    at_ += word.size();
    return true;
  }

  // Without `wanted` all is built.
  jv Value(int depth, const Wanted* wanted) {
    if (at_ == end_) {
      Fail("the text ends too early");
      return jv_null();
    }
    switch (*at_) {
      case '{':
        return Object(depth + 1, wanted);
      case '[':
        return Array(depth + 1);
      case '"':
        return String();
      case 't':
        return Word("true") ? jv_true() : jv_null();
      case 'f':
        return Word("false") ? jv_false() : jv_null();
      case 'n':
        Word("null");
        return jv_null();
      default:
        return Number();
    }
  }

  jv Array(int depth) {
    jv array = jv_array();
    if (depth > kMaxDepth) {
      Fail("nested deeper than 200 levels");
      return array;
    }
    ++at_;
    Space();
    if (at_ < end_ && *at_ == ']') {
      ++at_;
      return array;
    }
    while (true) {
      array = jv_array_append(array, Value(depth, nullptr));
      if (!error_.empty()) return array;
      Space();
      if (at_ < end_ && *at_ == ',') {
        ++at_;
        Space();
      } else if (at_ < end_ && *at_ == ']') {
        ++at_;
        return array;
      } else {
        Fail(at_ == end_ ? "the text ends too early" : "',' or ']' is expected");
        return array;
      }
    }
  }

  jv Object(int depth, const Wanted* wanted) {
    jv object = jv_object();
    if (depth > kMaxDepth) {
      Fail("nested deeper than 200 levels");
      return object;
    }
    ++at_;
    Space();
    if (at_ < end_ && *at_ == '}') {
      ++at_;
      return object;
    }
    while (true) {
      if (at_ == end_ || *at_ != '"') {
        Fail(at_ == end_ ? "the text ends too early" : "a member's name in quotes is expected");
        return object;
      }
      jv key = Key();
      Space();
      if (!error_.empty() || at_ == end_ || *at_ != ':') {
        Fail(at_ == end_ ? "the text ends too early" : "':' is expected");
        jv_free(key);
        return object;
      }
      ++at_;
      Space();
      const Wanted* inner = wanted == nullptr ? nullptr : wanted->Member(View(key));
      if (wanted != nullptr && inner == nullptr) {
        jv_free(key);
        Skip(depth);
      } else {
        object = jv_object_set(object, key, Value(depth, inner == nullptr || inner->everything() ? nullptr : inner));
      }
      if (!error_.empty()) return object;
      Space();
      if (at_ < end_ && *at_ == ',') {
        ++at_;
        Space();
      } else if (at_ < end_ && *at_ == '}') {
        ++at_;
        return object;
      } else {
        Fail(at_ == end_ ? "the text ends too early" : "',' or '}' is expected");
        return object;
      }
    }
  }

  // Names repeat from item to item and from answer to answer: one string, already checked and hashed, serves them all.
  jv Key() {
    const char* from = at_ + 1;
    const char* end = from;
    while (end < end_ && *end != '"' && *end != '\\' && static_cast<unsigned char>(*end) >= 0x20 &&
           static_cast<unsigned char>(*end) < 0x80) {
      ++end;
    }
    const auto size = static_cast<std::size_t>(end - from);
    if (end == end_ || *end != '"' || size == 0 || size > 40) return String();
    std::size_t hash = size;
    for (const char* c = from; c < end; ++c) hash = hash * 31 + static_cast<unsigned char>(*c);
    Interned& slot = Names()[hash % kNames];
    at_ = end + 1;
    if (!slot.used || View(slot.name) != std::string_view(from, size)) {
      if (slot.used) jv_free(slot.name);
      slot.name = jv_string_sized(from, static_cast<int>(size));
      slot.used = true;
    }
    return jv_copy(slot.name);
  }

  // Checks a value without building it.
  void Skip(int depth) {
    if (at_ == end_) return Fail("the text ends too early");
    switch (*at_) {
      case '{':
      case '[':
        return SkipAll(depth + 1);
      case '"':
        return SkipString();
      case 't':
        Word("true");
        return;
      case 'f':
        Word("false");
        return;
      case 'n':
        Word("null");
        return;
      default:
        SkipNumber();
    }
  }

  void SkipAll(int depth) {
    if (depth > kMaxDepth) return Fail("nested deeper than 200 levels");
    const bool object = *at_ == '{';
    const char closing = object ? '}' : ']';
    ++at_;
    Space();
    if (at_ < end_ && *at_ == closing) {
      ++at_;
      return;
    }
    while (true) {
      if (object) {
        if (at_ == end_ || *at_ != '"')
          return Fail(at_ == end_ ? "the text ends too early" : "a member's name in quotes is expected");
        SkipString();
        Space();
        if (!error_.empty()) return;
        if (at_ == end_ || *at_ != ':') return Fail(at_ == end_ ? "the text ends too early" : "':' is expected");
        ++at_;
        Space();
      }
      Skip(depth);
      if (!error_.empty()) return;
      Space();
      if (at_ == end_) return Fail("the text ends too early");
      const char c = *at_;
      if (c != ',' && c != closing) return Fail(object ? "',' or '}' is expected" : "',' or ']' is expected");
      ++at_;
      if (c == closing) return;
      Space();
    }
  }

  void SkipString() {
    ++at_;
    while (at_ < end_ && *at_ != '"') {
      if (static_cast<unsigned char>(*at_) < 0x20) return Fail("a control character stands in a string");
      if (*at_ == '\\') {
        scratch_.clear();
        if (!Escape(&scratch_)) return;
      } else {
        ++at_;
      }
    }
    if (at_ == end_) return Fail("the text ends in a string");
    ++at_;
  }

  jv String() {
    ++at_;
    const char* from = at_;
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    if (at_ < end_ && *at_ == '"') {  // nearly every string
      jv string = jv_string_sized(from, static_cast<int>(at_ - from));
      ++at_;
      return string;
    }
    std::string text(from, at_);
    while (at_ < end_ && *at_ != '"') {
      if (static_cast<unsigned char>(*at_) < 0x20) {
        Fail("a control character stands in a string");
        return jv_null();
      }
      if (*at_ == '\\') {
        if (!Escape(&text)) return jv_null();
      } else {
        from = at_;
        while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
        text.append(from, at_);
      }
    }
    if (at_ == end_) {
      Fail("the text ends in a string");
      return jv_null();
    }
    ++at_;
    return ToJvString(text);
  }

  bool Hex4(std::uint32_t* code) {
    if (end_ - at_ < 4) return false;
    const auto [end, ec] = std::from_chars(at_, at_ + 4, *code, 16);
    if (ec != std::errc() || end != at_ + 4) return false;
    at_ += 4;
    return true;
  }

  bool Escape(std::string* out) {
    if (end_ - at_ < 2) {
      Fail("the text ends in a string");
      return false;
    }
    const char c = at_[1];
    at_ += 2;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out->push_back(c);
        return true;
      case 'b':
        out->push_back('\b');
        return true;
      case 'f':
        out->push_back('\f');
        return true;
      case 'n':
        out->push_back('\n');
        return true;
      case 'r':
        out->push_back('\r');
        return true;
      case 't':
        out->push_back('\t');
        return true;
      case 'u':
        break;
      default:
        at_ -= 1;
        Fail("an escape that JSON does not have");
        return false;
    }
    std::uint32_t code = 0;
    if (!Hex4(&code)) {
      Fail("four hexadecimal digits are expected");
      return false;
    }
    if (code >= 0xD800 && code <= 0xDBFF && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      const char* back = at_;
      at_ += 2;
      std::uint32_t low = 0;
      if (Hex4(&low) && low >= 0xDC00 && low <= 0xDFFF) {
        AppendUtf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), out);
        return true;
      }
      at_ = back;
    }
    AppendUtf8(code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code, out);
    return true;
  }

  bool Digits() {
    const char* from = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ > from;
  }

  // The form of a number: `*whole` are its digits before the point.
  void Form(std::string_view* whole, bool* integer) {
    const char* from = at_;
    if (*at_ == '-') ++at_;
    const char* digits = at_;
    if (!Digits()) {
      at_ = from;
      return Fail("a value is expected");
    }
    if (*digits == '0' && at_ - digits > 1) {
      at_ = from;
      return Fail("a number with leading zeros is not JSON");
    }
    *whole = std::string_view(digits, static_cast<std::size_t>(at_ - digits));
    *integer = true;
    if (at_ < end_ && *at_ == '.') {
      *integer = false;
      ++at_;
      if (!Digits()) Fail("a digit is expected after '.'");
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      *integer = false;
      ++at_;
      if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!Digits()) Fail("a digit is expected in the exponent");
    }
  }

  void SkipNumber() {
    std::string_view whole;
    bool integer = true;
    Form(&whole, &integer);
  }

  jv Number() {
    const char* from = at_;
    std::string_view whole;
    bool integer = true;
    Form(&whole, &integer);
    if (!error_.empty()) return jv_null();
    if (integer && whole.size() <= 15) {
      std::int64_t exact = 0;
      for (char c : whole) exact = exact * 10 + (c - '0');
      return jv_number(static_cast<double>(*from == '-' ? -exact : exact));
    }
    if (integer && (whole.size() > kMaxExact.size() || (whole.size() == kMaxExact.size() && whole > kMaxExact))) {
      return jv_string_sized(from, static_cast<int>(at_ - from));
    }
    double number = 0;
    const auto [end, ec] = std::from_chars(from, at_, number);
    if (ec == std::errc::result_out_of_range) number = std::strtod(std::string(from, at_).c_str(), nullptr);
    if (std::isinf(number)) number = number < 0 ? -DBL_MAX : DBL_MAX;
    return jv_number(number);
  }

  struct Interned {
    jv name;
    bool used = false;
  };
  static constexpr std::size_t kNames = 1024;
  static Interned* Names() {
    static auto* names = new Interned[kNames];
    return names;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string error_;
  std::string scratch_;
};

void WriteString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    out->append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\r':
        out->append("\\r");
        break;
      default:
        out->append("\\u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
    }
  }
  out->append(text.substr(from));
  out->push_back('"');
}

// `value` is borrowed: jv_copy where the library would consume it.
WriteEnd Write(const jv& value, int depth, std::size_t max_size, std::string* out) {
  if (out->size() > max_size) return WriteEnd::kTooLarge;
  switch (jv_get_kind(value)) {
    case JV_KIND_INVALID:
    case JV_KIND_NULL:
      out->append("null");
      break;
    case JV_KIND_FALSE:
      out->append("false");
      break;
    case JV_KIND_TRUE:
      out->append("true");
      break;
    case JV_KIND_NUMBER: {
      double number = jv_number_value(value);
      if (std::isnan(number)) {
        out->append("null");
        break;
      }
      if (std::isinf(number)) number = number < 0 ? -DBL_MAX : DBL_MAX;
      char digits[40];
      if (number == std::floor(number) && std::fabs(number) < 1e17) {
        out->append(digits, std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr);
      } else {
        out->append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
      }
      break;
    }
    case JV_KIND_STRING:
      WriteString(View(value), out);
      break;
    case JV_KIND_ARRAY: {
      if (depth >= kMaxDepth) return WriteEnd::kTooDeep;
      out->push_back('[');
      const int length = jv_array_length(jv_copy(value));
      for (int i = 0; i < length; ++i) {
        if (i > 0) out->push_back(',');
        jv item = jv_array_get(jv_copy(value), i);
        const WriteEnd end = Write(item, depth + 1, max_size, out);
        jv_free(item);
        if (end != WriteEnd::kOk) return end;
      }
      out->push_back(']');
      break;
    }
    case JV_KIND_OBJECT: {
      if (depth >= kMaxDepth) return WriteEnd::kTooDeep;
      out->push_back('{');
      bool first = true;
      for (int i = jv_object_iter(value); jv_object_iter_valid(value, i); i = jv_object_iter_next(value, i)) {
        if (!first) out->push_back(',');
        first = false;
        jv key = jv_object_iter_key(value, i);
        WriteString(View(key), out);
        jv_free(key);
        out->push_back(':');
        jv item = jv_object_iter_value(value, i);
        const WriteEnd end = Write(item, depth + 1, max_size, out);
        jv_free(item);
        if (end != WriteEnd::kOk) return end;
      }
      out->push_back('}');
      break;
    }
  }
  return WriteEnd::kOk;
}

}  // namespace

void Wanted::Add(const std::vector<std::string>& path, std::size_t from) {
  if (everything_) return;
  if (from >= path.size()) {
    everything_ = true;
    members_.clear();
    return;
  }
  members_[path[from]].Add(path, from + 1);
}

const Wanted* Wanted::Member(std::string_view name) const {
  const auto found = members_.find(name);
  return found == members_.end() ? nullptr : &found->second;
}

bool ParseJson(std::string_view text, jv* value, std::string* error, const Wanted* wanted) {
  return Parser(text).Run(wanted, value, error);
}

jv ToJvString(std::string_view text) { return jv_string_sized(text.data(), static_cast<int>(text.size())); }

std::string_view View(const jv& string) {
  return {jv_string_value(string), static_cast<std::size_t>(jv_string_length_bytes(jv_copy(string)))};
}

WriteEnd WriteJson(const jv& value, std::size_t max_size, std::string* out) {
  const WriteEnd end = Write(value, 0, max_size, out);
  return end == WriteEnd::kOk && out->size() > max_size ? WriteEnd::kTooLarge : end;
}

std::string PlainNumber(double number) {
  char digits[400];
  return {digits, std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr};
}

}  // namespace puckdrop::jq::worker
