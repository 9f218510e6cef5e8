#include "checks/media/hls_text.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace puckdrop::media::internal {
namespace {

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// The length of the UTF-8 sequence at the front, 0 when it is not one (overlong forms and surrogates included).
size_t Utf8Length(absl::string_view text, uint32_t* code_point) {
  auto at = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = at(0);
  size_t length = first < 0x80                    ? 1
                  : first >= 0xc2 && first < 0xe0 ? 2
                  : (first & 0xf0) == 0xe0        ? 3
                  : first >= 0xf0 && first < 0xf5 ? 4
                                                  : 0;
  if (length == 0 || text.size() < length) return 0;
  uint32_t value = length == 1 ? first : first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    value = value << 6 | (at(i) & 0x3fu);
  }
  if ((length == 3 && value < 0x800) || (length == 4 && (value < 0x10000 || value > 0x10ffff)) ||
      (value >= 0xd800 && value < 0xe000)) {
    return 0;
  }
  *code_point = value;
  return length;
}

}  // namespace

std::optional<int64_t> ParseDecimalInteger(absl::string_view text) {
  int64_t value = 0;
  if (!AllDigits(text) || text.size() > 20 || !absl::SimpleAtoi(text, &value) || value > (int64_t{1} << 62)) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> ParseDecimalFloat(absl::string_view text, bool sign) {
  absl::string_view digits = text;
  if (sign && absl::StartsWith(digits, "-")) digits.remove_prefix(1);
  bool legal =
      !digits.empty() && digits.size() <= 40 && digits != "." &&
      std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return absl::ascii_isdigit(c) || c == '.'; });
  double value = 0;
  if (!legal || !absl::SimpleAtod(text, &value) || value > 1e9 || value < -1e9) return std::nullopt;
  return value;
}

std::optional<std::pair<int, int>> ParseResolution(absl::string_view text) {
  size_t x = text.find('x');
  if (x == absl::string_view::npos) return std::nullopt;
  auto width = ParseDecimalInteger(text.substr(0, x));
  auto height = ParseDecimalInteger(text.substr(x + 1));
  if (!width || !height || *width > 65535 || *height > 65535 || *width == 0 || *height == 0) return std::nullopt;
  return std::make_pair(static_cast<int>(*width), static_cast<int>(*height));
}

std::optional<std::array<uint8_t, 16>> ParseIv(absl::string_view text) {
  if (text.size() != 34 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) return std::nullopt;
  std::array<uint8_t, 16> iv{};
  for (size_t i = 0; i < 32; ++i) {
    unsigned char c = static_cast<unsigned char>(text[i + 2]);
    if (!absl::ascii_isxdigit(c)) return std::nullopt;
    int digit = absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
    iv[i / 2] = static_cast<uint8_t>(iv[i / 2] << 4 | digit);
  }
  return iv;
}

std::optional<absl::Time> ParseDate(absl::string_view text, bool* zoned) {
  *zoned = true;
  if (text.size() > 64 || text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0])))
    return std::nullopt;
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return time;
  *zoned = false;
  if (absl::ParseTime("%Y-%m-%d%ET%H:%M:%E*S", text, &time, nullptr)) return time;
  return std::nullopt;
}

std::optional<RawByteRange> ParseByteRange(absl::string_view text) {
  size_t at = text.find('@');
  auto length = ParseDecimalInteger(text.substr(0, at));
  if (!length || *length > int64_t{1} << 50) return std::nullopt;
  RawByteRange range;
  range.length = static_cast<uint64_t>(*length);
  if (at != absl::string_view::npos) {
    auto offset = ParseDecimalInteger(text.substr(at + 1));
    if (!offset || *offset > int64_t{1} << 50) return std::nullopt;
    range.offset = static_cast<uint64_t>(*offset);
  }
  return range;
}

std::string Quote(absl::string_view text) {
  constexpr size_t kLongest = 80;
  std::string out = "\"";
  size_t used = 0;
  absl::string_view rest = text;
  while (!rest.empty() && used < kLongest) {
    uint32_t code_point = 0;
    size_t length = Utf8Length(rest, &code_point);
    if (length == 0 || code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint8_t>(rest[0]));
      rest.remove_prefix(1);
      used += 4;
      continue;
    }
    out.append(rest.data(), length);
    rest.remove_prefix(length);
    used += length;
  }
  out += rest.empty() ? "\"" : "…\"";
  return out;
}

std::vector<HlsAttribute> ParseAttributes(absl::string_view text, std::vector<AttributeProblem>* problems) {
  constexpr size_t kMostAttributes = 256;
  std::vector<HlsAttribute> attributes;
  size_t i = 0;
  auto column = [&i] { return static_cast<int>(i) + 1; };
  auto to_next_comma = [&] {
    while (i < text.size() && text[i] != ',') ++i;
  };
  while (i < text.size()) {
    if (attributes.size() == kMostAttributes) {
      problems->push_back({column(), absl::StrCat("more than ", kMostAttributes, " attributes; the rest is ignored")});
      break;
    }
    if (text[i] == ' ' || text[i] == '\t') {
      problems->push_back({column(), "white space between attributes"});
      while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
      continue;
    }
    HlsAttribute attribute;
    attribute.column = column();
    size_t begin = i;
    while (i < text.size() && (absl::ascii_isupper(static_cast<unsigned char>(text[i])) ||
                               absl::ascii_isdigit(static_cast<unsigned char>(text[i])) || text[i] == '-')) {
      ++i;
    }
    attribute.name = std::string(text.substr(begin, i - begin));
    if (attribute.name.empty() || i >= text.size() || text[i] != '=') {
      size_t from = begin;
      to_next_comma();
      problems->push_back({static_cast<int>(from) + 1,
                           absl::StrCat("expected NAME=value, found ", Quote(text.substr(from, i - from)))});
      if (i < text.size()) ++i;
      continue;
    }
    ++i;
    if (i < text.size() && text[i] == '"') {
      attribute.quoted = true;
      size_t close = text.find('"', i + 1);
      if (close == absl::string_view::npos) {
        problems->push_back({column(), absl::StrCat("the quote of ", attribute.name, " is never closed")});
        attribute.value = std::string(text.substr(i + 1));
        i = text.size();
      } else {
        attribute.value = std::string(text.substr(i + 1, close - i - 1));
        i = close + 1;
      }
    } else {
      size_t value = i;
      to_next_comma();
      attribute.value = std::string(text.substr(value, i - value));
      if (attribute.value.empty()) {
        problems->push_back({static_cast<int>(value) + 1, absl::StrCat(attribute.name, " has no value")});
      }
    }
    bool duplicate = std::any_of(attributes.begin(), attributes.end(),
                                 [&](const HlsAttribute& other) { return other.name == attribute.name; });
    if (duplicate) {
      problems->push_back({attribute.column, absl::StrCat(attribute.name, " appears twice; the first one counts")});
    } else {
      attributes.push_back(std::move(attribute));
    }
    if (i < text.size() && text[i] != ',') {
      size_t from = i;
      to_next_comma();
      problems->push_back({static_cast<int>(from) + 1,
                           absl::StrCat("unexpected ", Quote(text.substr(from, i - from)), " after a value")});
    }
    if (i < text.size()) {
      ++i;
      if (i == text.size()) problems->push_back({column() - 1, "the attribute list ends with a comma"});
    }
  }
  return attributes;
}

std::optional<TextProblem> FindBadText(absl::string_view line) {
  size_t offset = 0;
  while (offset < line.size()) {
    uint8_t byte = static_cast<uint8_t>(line[offset]);
    if (byte >= 0x20 && byte < 0x7f) {
      ++offset;
      continue;
    }
    uint32_t code_point = 0;
    size_t length = Utf8Length(line.substr(offset), &code_point);
    if (length == 0) return TextProblem{offset, absl::StrFormat("byte 0x%02x is not UTF-8", byte)};
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) {
      return TextProblem{offset, absl::StrFormat("control character U+%04X", code_point)};
    }
    if (code_point == 0xfeff) return TextProblem{offset, "a byte order mark inside the text"};
    offset += length;
  }
  return std::nullopt;
}

}  // namespace puckdrop::media::internal
