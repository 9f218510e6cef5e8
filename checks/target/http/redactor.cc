#include "checks/target/http/redactor.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace puckdrop::http {

namespace {

constexpr size_t kShortestSecret = 4;
constexpr size_t kMostSecrets = 10'000;

std::string PercentEncoded(absl::string_view text, bool upper, bool plus) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  for (unsigned char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~", static_cast<char>(c))) {
      out += static_cast<char>(c);
    } else if (plus && c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  }
  return out;
}

std::string JsonEscaped(absl::string_view text, bool slashes, bool ascii_only) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '/':
        out += slashes ? "\\/" : "/";
        break;
      default:
        if (c < 0x20) {
          absl::StrAppend(&out, "\\u", absl::Hex(c, absl::kZeroPad4));
        } else if (ascii_only && c >= 0xc0) {
          // A UTF-8 sequence as a \u escape (a pair above the basic plane).
          int length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
          uint32_t code = c & (0x7f >> length);
          for (int k = 1; k < length && i + 1 < text.size(); ++k) code = code << 6 | (text[++i] & 0x3f);
          if (code >= 0x10000) {
            code -= 0x10000;
            absl::StrAppend(&out, "\\u", absl::Hex(0xd800 + (code >> 10), absl::kZeroPad4));
            code = 0xdc00 + (code & 0x3ff);
          }
          absl::StrAppend(&out, "\\u", absl::Hex(code, absl::kZeroPad4));
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  return out;
}

std::vector<std::string> FormsOf(absl::string_view value) {
  std::vector<std::string> forms = {
      std::string(value),
      PercentEncoded(value, true, false),
      PercentEncoded(value, false, false),
      PercentEncoded(value, true, true),
      JsonEscaped(value, false, false),
      JsonEscaped(value, true, false),
      JsonEscaped(value, false, true),
      // Without padding, which then stays in the text and tells nothing.
      std::string(absl::StripSuffix(absl::StripSuffix(absl::Base64Escape(value), "="), "=")),
      std::string(absl::StripSuffix(absl::StripSuffix(absl::WebSafeBase64Escape(value), "="), "=")),
  };
  std::vector<std::string> distinct;
  for (std::string& form : forms) {
    if (std::find(distinct.begin(), distinct.end(), form) == distinct.end()) distinct.push_back(std::move(form));
  }
  return distinct;
}

std::string Placeholder(absl::string_view name) {
  std::string out;
  for (unsigned char c : name) out += absl::ascii_isalnum(c) ? static_cast<char>(absl::ascii_toupper(c)) : '_';
  if (!out.empty() && absl::ascii_isdigit(static_cast<unsigned char>(out[0]))) out.insert(0, "_");
  return out;
}

uint32_t FirstFour(const char* at) {
  uint32_t key;
  std::memcpy(&key, at, sizeof key);
  return key;
}

// Of FirstFour, among Index::may_start.
size_t Spread(uint32_t key) { return (key * 0x9E3779B1u) >> 16; }

// Lower case, without what separates words.
std::string Plain(absl::string_view name) {
  std::string plain;
  for (unsigned char c : name) {
    if (absl::ascii_isalnum(c)) plain += static_cast<char>(absl::ascii_tolower(c));
  }
  return plain;
}

bool IsOneOf(const std::unordered_set<std::string>& set, absl::string_view name) {
  return set.contains(absl::AsciiStrToLower(name));
}

// The end of the JSON value that begins at `at`, without judging it.
size_t EndOfJsonValue(absl::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '"') {
      ++at;
      while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
      at = std::min(at + 1, text.size());
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    }
    if (depth == 0 && (c == ',' || absl::ascii_isspace(static_cast<unsigned char>(c)))) return at;
    ++at;
  }
  return at;
}

// Looks at names and values without parsing, so that cut and broken JSON is hidden as well.
std::string HideJsonMembers(absl::string_view text) {
  std::string out;
  size_t at = 0, copied = 0;
  while (at < text.size()) {
    if (text[at] != '"') {
      ++at;
      continue;
    }
    size_t start = ++at;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    at = std::min(at, text.size());
    absl::string_view name = text.substr(start, at - start);
    at = std::min(at + 1, text.size());
    size_t colon = at;
    while (colon < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[colon]))) ++colon;
    if (colon >= text.size() || text[colon] != ':') continue;
    size_t value = colon + 1;
    while (value < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[value]))) ++value;
    if (!Redactor::NameIsSecret(name)) {
      at = value;
      continue;
    }
    size_t end = EndOfJsonValue(text, value);
    absl::StrAppend(&out, text.substr(copied, value - copied), "\"", kRedacted, "\"");
    copied = at = std::max(end, value);
  }
  absl::StrAppend(&out, text.substr(copied));
  return out;
}

std::string HideFormFields(absl::string_view text) {
  std::string out;
  for (absl::string_view field : absl::StrSplit(text, '&')) {
    std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    if (!out.empty()) out += '&';
    if (Redactor::NameIsSecret(pair.first) && !pair.second.empty()) {
      absl::StrAppend(&out, pair.first, "=", kRedacted);
    } else {
      absl::StrAppend(&out, field);
    }
  }
  return out;
}

}  // namespace

struct Redactor::Index {
  struct Pattern {
    std::string bytes;
    std::string placeholder;
  };
  std::unordered_set<std::string> values;
  std::vector<Pattern> patterns;
  // By the first four bytes, longer ones first.
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_start;
  // Which of them may be there, because at nearly every place of a text there is none.
  std::bitset<1 << 16> may_start;
  size_t longest = 0;
  bool full = false;
};

Redactor::Redactor() : index_(std::make_unique<Index>()) {}
Redactor::~Redactor() = default;

bool Redactor::AddSecret(absl::string_view value, absl::string_view name) {
  if (value.size() < kShortestSecret) return false;
  std::unique_lock<std::shared_mutex> lock(mutex_);
  Index& index = *index_;
  if (index.values.contains(std::string(value))) return true;
  if (index.values.size() >= kMostSecrets) {
    index.full = true;
    return false;
  }
  index.values.emplace(value);
  bool as_it_is = true;
  for (std::string& form : FormsOf(value)) {
    if (form.size() < kShortestSecret) continue;
    uint32_t number = static_cast<uint32_t>(index.patterns.size());
    std::vector<uint32_t>& same_start = index.by_start[FirstFour(form.data())];
    index.may_start.set(Spread(FirstFour(form.data())));
    index.longest = std::max(index.longest, form.size());
    index.patterns.push_back({std::move(form), as_it_is ? Placeholder(name) : ""});
    as_it_is = false;
    auto longer = [&index](uint32_t a, uint32_t b) {
      return index.patterns[a].bytes.size() > index.patterns[b].bytes.size();
    };
    same_start.insert(std::upper_bound(same_start.begin(), same_start.end(), number, longer), number);
  }
  return true;
}

std::vector<Redactor::Piece> Redactor::SplitFirst(absl::string_view text, size_t most) const {
  std::vector<Piece> pieces;
  std::shared_lock<std::shared_mutex> lock(mutex_);
  const Index& index = *index_;
  if (index.full) {
    pieces.push_back(Piece{.is_secret = true});
    return pieces;
  }
  most = std::min(most, text.size());
  size_t copied = 0, at = 0;
  auto copy = [&](size_t end) {
    if (end > copied) pieces.push_back(Piece{.text = std::string(text.substr(copied, end - copied))});
  };
  while (!index.patterns.empty() && at < most && text.size() - at >= kShortestSecret) {
    const uint32_t key = FirstFour(text.data() + at);
    if (!index.may_start.test(Spread(key))) {
      ++at;
      continue;
    }
    auto candidates = index.by_start.find(key);
    const Index::Pattern* found = nullptr;
    if (candidates != index.by_start.end()) {
      for (uint32_t number : candidates->second) {
        const Index::Pattern& pattern = index.patterns[number];
        if (absl::StartsWith(text.substr(at), pattern.bytes)) {
          found = &pattern;
          break;
        }
      }
    }
    if (found == nullptr) {
      ++at;
      continue;
    }
    copy(at);
    pieces.push_back(Piece{.is_secret = true, .placeholder = found->placeholder});
    at += found->bytes.size();
    copied = at;
  }
  copy(most);
  return pieces;
}

std::vector<Redactor::Piece> Redactor::Split(absl::string_view text) const {
  return SplitFirst(text, std::numeric_limits<size_t>::max());
}

std::string Redactor::Redact(absl::string_view text) const {
  std::vector<Piece> pieces = Split(text);
  if (pieces.size() == 1 && !pieces[0].is_secret) return std::move(pieces[0].text);
  std::string out;
  for (const Piece& piece : pieces) absl::StrAppend(&out, piece.is_secret ? kRedacted : piece.text);
  return out;
}

std::string Redactor::HeaderValue(absl::string_view name, absl::string_view value) const {
  if (!HeaderMayBeShown(name)) return std::string(kRedacted);
  std::string plain = absl::AsciiStrToLower(name);
  if (plain == "location" || plain == "content-location" || plain == "referer") return Url(value);
  return Redact(value);
}

std::string Redactor::Url(absl::string_view url) const {
  absl::string_view rest = url;
  std::string out;
  size_t scheme = rest.find("://");
  if (scheme != absl::string_view::npos) {
    size_t start = scheme + 3;
    size_t end = std::min(rest.find_first_of("/?#", start), rest.size());
    absl::string_view authority = rest.substr(start, end - start);
    size_t at = authority.rfind('@');
    if (at != absl::string_view::npos) authority.remove_prefix(at + 1);
    absl::StrAppend(&out, rest.substr(0, start), authority);
    rest.remove_prefix(end);
  }
  size_t fragment = rest.find('#');
  bool has_fragment = fragment != absl::string_view::npos;
  rest = rest.substr(0, fragment);
  size_t question = rest.find('?');
  absl::StrAppend(&out, rest.substr(0, question));
  if (question != absl::string_view::npos) {
    out += '?';
    bool first = true;
    for (absl::string_view field : absl::StrSplit(rest.substr(question + 1), '&')) {
      if (!std::exchange(first, false)) out += '&';
      size_t equals = field.find('=');
      absl::string_view name = field.substr(0, equals);
      if (equals == absl::string_view::npos || equals + 1 == field.size() || QueryMayBeShown(name)) {
        absl::StrAppend(&out, field);
      } else {
        absl::StrAppend(&out, name, "=", kRedacted);
      }
    }
  }
  // An implicit grant's token stands there.
  if (has_fragment) absl::StrAppend(&out, "#", kRedacted);
  return Redact(out);
}

std::string Redactor::Body(absl::string_view content_type, absl::string_view body, size_t most) const {
  size_t margin;
  {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    margin = index_->longest;
  }
  // Names are looked at in what will be shown, and far enough behind it for a secret that begins there.
  absl::string_view looked_at = body.substr(0, most + margin);
  std::string type = absl::AsciiStrToLower(content_type);
  std::string hidden;
  absl::string_view first = absl::StripLeadingAsciiWhitespace(looked_at);
  if (absl::StrContains(type, "x-www-form-urlencoded")) {
    hidden = HideFormFields(looked_at);
  } else if (absl::StrContains(type, "json") || absl::StartsWith(first, "{") || absl::StartsWith(first, "[")) {
    hidden = HideJsonMembers(looked_at);
  } else {
    hidden = std::string(looked_at);
  }
  // A secret that begins in what is shown must end in what is looked at.
  bool whole = looked_at.size() == body.size();
  size_t shown = std::min(most, whole ? hidden.size() : hidden.size() - std::min(margin, hidden.size()));
  if (body.size() <= most) shown = hidden.size();
  while (shown > 0 && shown < hidden.size() && (static_cast<unsigned char>(hidden[shown]) & 0xc0) == 0x80) --shown;
  std::string out;
  for (const Piece& piece : SplitFirst(hidden, shown)) absl::StrAppend(&out, piece.is_secret ? kRedacted : piece.text);
  if (body.size() > most) absl::StrAppend(&out, "… (", body.size() - most, " bytes more)");
  return out;
}

size_t Redactor::size() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return index_->values.size();
}

bool Redactor::HeaderMayBeShown(absl::string_view name) {
  static const auto* shown = new std::unordered_set<std::string>{"accept",
                                                                 "accept-encoding",
                                                                 "accept-language",
                                                                 "accept-ranges",
                                                                 "access-control-allow-origin",
                                                                 "age",
                                                                 "allow",
                                                                 "alt-svc",
                                                                 "cache-control",
                                                                 "connection",
                                                                 "content-disposition",
                                                                 "content-encoding",
                                                                 "content-language",
                                                                 "content-length",
                                                                 "content-location",
                                                                 "content-range",
                                                                 "content-type",
                                                                 "date",
                                                                 "deprecation",
                                                                 "etag",
                                                                 "expires",
                                                                 "host",
                                                                 "idempotency-key",
                                                                 "if-match",
                                                                 "if-modified-since",
                                                                 "if-none-match",
                                                                 "last-modified",
                                                                 "location",
                                                                 "origin",
                                                                 "pragma",
                                                                 "range",
                                                                 "referer",
                                                                 "retry-after",
                                                                 "server",
                                                                 "server-timing",
                                                                 "strict-transport-security",
                                                                 "sunset",
                                                                 "te",
                                                                 "trailer",
                                                                 "transfer-encoding",
                                                                 "upgrade",
                                                                 "user-agent",
                                                                 "vary",
                                                                 "via",
                                                                 "x-cache",
                                                                 "x-correlation-id",
                                                                 "x-request-id",
                                                                 "x-synthetic"};
  return IsOneOf(*shown, name);
}

bool Redactor::QueryMayBeShown(absl::string_view name) {
  static const auto* shown = new std::unordered_set<std::string>{
      "_hls_msn",  "_hls_part", "_hls_push", "_hls_skip", "bitrate", "country", "currency", "device", "format",
      "from",      "lang",      "language",  "limit",     "locale",  "market",  "offset",   "order",  "page",
      "page_size", "pagesize",  "per_page",  "profile",   "quality", "region",  "size",     "skip",   "sort",
      "status",    "take",      "to",        "type",      "v",       "version"};
  return IsOneOf(*shown, name);
}

bool Redactor::NameIsSecret(absl::string_view name) {
  // Every name of every body is looked at: nothing is allocated for those that are as short as names are.
  std::array<char, 64> buffer;
  std::string longer;
  absl::string_view plain;
  if (name.size() <= buffer.size()) {
    size_t size = 0;
    for (unsigned char c : name) {
      if (absl::ascii_isalnum(c)) buffer[size++] = static_cast<char>(absl::ascii_tolower(c));
    }
    plain = absl::string_view(buffer.data(), size);
  } else {
    longer = Plain(name);
    plain = longer;
  }
  static constexpr absl::string_view kWhole[] = {"auth", "bearer", "cookie", "cvc", "cvv", "iban", "jwt",
                                                 "otp",  "pan",    "pass",   "pin", "pwd", "sid",  "securitycode"};
  for (absl::string_view whole : kWhole) {
    if (plain.size() == whole.size() && plain == whole) return true;
  }
  for (size_t at = 0; at < plain.size(); ++at) {
    const absl::string_view rest = plain.substr(at);
    const auto begins = [rest](std::initializer_list<absl::string_view> parts) {
      return std::any_of(parts.begin(), parts.end(), [rest](absl::string_view part) {
        return rest.size() >= part.size() && rest[1] == part[1] && absl::StartsWith(rest, part);
      });
    };
    switch (rest[0]) {
      case 'a':
        if (begins({"apikey", "authorization", "accesskey"})) return true;
        break;
      case 'c':
        if (begins({"cardnumber", "credential"})) return true;
        break;
      case 'p':
        if (begins({"password", "passwd", "passphrase", "privatekey"})) return true;
        break;
      case 's':
        if (begins({"secret", "sessionid", "signature", "setcookie"})) return true;
        break;
      case 't':
        if (begins({"token"})) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

}  // namespace puckdrop::http
