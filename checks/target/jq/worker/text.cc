#include "checks/target/jq/worker/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace puckdrop::jq::worker {
namespace {

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void AppendCodePoint(std::uint32_t code, std::string* out) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    *out += {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
  } else if (code < 0x10000) {
    *out += {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
             static_cast<char>(0x80 | (code & 0x3F))};
  } else {
    *out += {static_cast<char>(0xF0 | (code >> 18)), static_cast<char>(0x80 | ((code >> 12) & 0x3F)),
             static_cast<char>(0x80 | ((code >> 6) & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
  }
}

struct Reference {
  std::string_view name;
  std::uint32_t code;
};
constexpr std::array<Reference, 35> kReferences = {{
    {"amp", '&'},      {"lt", '<'},        {"gt", '>'},       {"quot", '"'},     {"apos", '\''},    {"nbsp", ' '},
    {"euro", 0x20AC},  {"pound", 0xA3},    {"yen", 0xA5},     {"cent", 0xA2},    {"copy", 0xA9},    {"reg", 0xAE},
    {"trade", 0x2122}, {"hellip", 0x2026}, {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019},
    {"ldquo", 0x201C}, {"rdquo", 0x201D},  {"laquo", 0xAB},   {"raquo", 0xBB},   {"bull", 0x2022},  {"middot", 0xB7},
    {"times", 0xD7},   {"auml", 0xE4},     {"ouml", 0xF6},    {"aring", 0xE5},   {"Auml", 0xC4},    {"Ouml", 0xD6},
    {"Aring", 0xC5},   {"uuml", 0xFC},     {"eacute", 0xE9},  {"szlig", 0xDF},   {"oslash", 0xF8},
}};

// Reads the reference at `at` ('&'); returns how many bytes it takes, 0 when it is none.
std::size_t AppendReference(std::string_view html, std::size_t at, std::string* out) {
  const std::size_t end = html.substr(0, std::min(html.size(), at + 12)).find(';', at);
  if (end == std::string_view::npos) return 0;
  const std::string_view name = html.substr(at + 1, end - at - 1);
  if (name.size() >= 2 && name[0] == '#') {
    const bool hex = name[1] == 'x' || name[1] == 'X';
    std::uint32_t code = 0;
    for (char c : name.substr(hex ? 2 : 1)) {
      const int digit = HexDigit(c);
      if (digit < 0 || (!hex && digit > 9)) return 0;
      code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit), 0x110000);
    }
    AppendCodePoint(code == 0xA0 ? ' ' : code, out);
    return end - at + 1;
  }
  for (const Reference& reference : kReferences) {
    if (reference.name == name) {
      AppendCodePoint(reference.code, out);
      return end - at + 1;
    }
  }
  return 0;
}

bool IsInline(std::string_view tag) {
  static constexpr std::array<std::string_view, 22> kInline = {
      "a",     "abbr", "b", "bdi", "cite",  "code", "em",     "font", "i",   "img", "kbd",
      "label", "mark", "q", "s",   "small", "span", "strong", "sub",  "sup", "u",   "wbr"};
  return std::find(kInline.begin(), kInline.end(), tag) != kInline.end();
}

// The end of the tag that begins at `at` ('<'), past its '>', heeding quotes.
std::size_t TagEnd(std::string_view html, std::size_t at) {
  char quote = 0;
  for (; at < html.size(); ++at) {
    const char c = html[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at + 1;
    }
  }
  return html.size();
}

}  // namespace

std::string PercentEncode(std::string_view text, Escaping escaping) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const std::string_view kept = escaping == Escaping::kForm ? "*-._" : "-._~";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (IsAlnum(c) || (kept.find(c) != std::string_view::npos)) {
      out.push_back(c);
    } else if (c == ' ' && escaping == Escaping::kForm) {
      out.push_back('+');
    } else {
      out.push_back('%');
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> QueryPairs(std::string_view url_or_query) {
  std::string_view query = url_or_query;
  const std::size_t hash = query.find('#');
  const std::string_view fragment = hash == std::string_view::npos ? std::string_view() : query.substr(hash + 1);
  query = query.substr(0, hash);
  const std::size_t mark = query.find('?');
  const std::size_t equals = query.find('=');
  if (mark != std::string_view::npos && (equals == std::string_view::npos || mark < equals)) {
    query = query.substr(mark + 1);
  } else if (query.find("://") != std::string_view::npos && equals == std::string_view::npos) {
    query = {};
  } else if (!query.empty() && query[0] == '/') {
    query = {};
  }
  if (query.empty() && fragment.find('=') != std::string_view::npos) query = fragment;

  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t sign = pair.find('=');
    pairs.emplace_back(PercentDecode(pair.substr(0, sign)),
                       sign == std::string_view::npos ? std::string() : PercentDecode(pair.substr(sign + 1)));
  }
  return pairs;
}

std::string HtmlText(std::string_view html) {
  std::string text;
  bool space = false;
  bool line = false;
  const auto add = [&](std::string_view piece) {
    if (!text.empty()) {
      if (line) {
        text.push_back('\n');
      } else if (space) {
        text.push_back(' ');
      }
    }
    line = space = false;
    text += piece;
  };
  std::size_t at = 0;
  while (at < html.size()) {
    const char c = html[at];
    if (c == '<' && html.substr(at, 4) == "<!--") {
      const std::size_t end = html.find("-->", at + 4);
      at = end == std::string_view::npos ? html.size() : end + 3;
    } else if (c == '<' && at + 1 < html.size() &&
               (IsAlnum(html[at + 1]) || html[at + 1] == '/' || html[at + 1] == '!' || html[at + 1] == '?')) {
      const bool closing = html[at + 1] == '/';
      std::string tag;
      for (std::size_t i = at + (closing ? 2 : 1); i < html.size() && IsAlnum(html[i]); ++i) {
        tag.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(html[i]))));
      }
      at = TagEnd(html, at);
      if (!IsInline(tag)) line = true;
      if (!closing && (tag == "script" || tag == "style" || tag == "title" || tag == "template" || tag == "noscript")) {
        // Raw text up to the closing tag, whose name may be in any case.
        std::size_t end = at;
        while (end < html.size()) {
          end = html.find("</", end);
          if (end == std::string_view::npos) break;
          const std::string_view name = html.substr(end + 2, tag.size());
          if (name.size() == tag.size() && std::equal(tag.begin(), tag.end(), name.begin(), [](char a, char b) {
                return a == std::tolower(static_cast<unsigned char>(b));
              })) {
            break;
          }
          end += 2;
        }
        at = end == std::string_view::npos || end >= html.size() ? html.size() : TagEnd(html, end);
      }
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
      space = true;
      ++at;
    } else if (c == '&') {
      std::string piece;
      const std::size_t size = AppendReference(html, at, &piece);
      if (size == 0) {
        add("&");
        ++at;
      } else {
        if (piece == " ") {
          space = true;
        } else {
          add(piece);
        }
        at += size;
      }
    } else {
      add(html.substr(at, 1));
      ++at;
    }
  }
  return text;
}

}  // namespace puckdrop::jq::worker
