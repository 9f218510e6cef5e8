#include "checks/target/jq/tokens.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "checks/target/jq/scan.h"

namespace puckdrop::jq {
namespace {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Lexed Run() {
    while (at_ < text_.size() && out_.bad.empty()) {
      if (out_.tokens.size() >= kMaxTokens) {
        Bad(at_, absl::StrCat("the expression has more than ", kMaxTokens, " words and signs"));
      } else {
        Step();
      }
    }
    if (out_.bad.empty() && !open_.empty()) {
      const Open& last = open_.back();
      Bad(last.offset, last.bracket == '"' ? std::string("this string is never closed")
                                           : absl::StrCat("this '", std::string(1, last.bracket), "' is never closed"));
    }
    return std::move(out_);
  }

 private:
  struct Open {
    char bracket;  // ( [ { or " for a string; i for an interpolation
    std::size_t offset;
  };

  void Bad(std::size_t offset, std::string message) {
    out_.bad_offset = offset;
    out_.bad = std::move(message);
  }

  void Push(Kind kind, std::size_t end) {
    out_.tokens.push_back({kind, at_, end});
    at_ = end;
  }

  void Enter(char bracket, std::size_t offset) {
    open_.push_back({bracket, offset});
    if (open_.size() > kMaxNesting) Bad(offset, absl::StrCat("brackets are nested deeper than ", kMaxNesting));
  }

  void StringText() {
    const std::size_t begin = at_;
    std::size_t i = at_;
    while (i < text_.size() && text_[i] != '"') {
      if (text_[i] != '\\') {
        ++i;
        continue;
      }
      if (i + 1 < text_.size() && text_[i + 1] == '(') {
        if (i > begin) out_.tokens.push_back({Kind::kStringText, begin, i});
        out_.tokens.push_back({Kind::kOpen, i, i + 2});
        at_ = i + 2;
        Enter('i', i);
        return;
      }
      i = std::min(i + 2, text_.size());
    }
    if (i > begin) out_.tokens.push_back({Kind::kStringText, begin, i});
    if (i >= text_.size()) {
      at_ = i;
      return;  // reported as never closed
    }
    at_ = i;
    Push(Kind::kOther, i + 1);
    open_.pop_back();
  }

  void Close(char c) {
    const char wanted = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (open_.empty()) {
      Bad(at_, absl::StrCat("unexpected '", std::string(1, c), "': nothing is open here"));
      return;
    }
    const char have = open_.back().bracket;
    if (have != wanted && !(have == 'i' && c == ')')) {
      Bad(at_, absl::StrCat("unexpected '", std::string(1, c), "': '", have == 'i' ? "\\(" : std::string(1, have),
                            "' is still open"));
      return;
    }
    open_.pop_back();
    Push(Kind::kClose, at_ + 1);
  }

  void Step() {
    if (!open_.empty() && open_.back().bracket == '"') return StringText();
    const char c = text_[at_];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == '"') {
      Enter('"', at_);
      Push(Kind::kOther, at_ + 1);
    } else if (c == '(' || c == '[' || c == '{') {
      Enter(c, at_);
      Push(Kind::kOpen, at_ + 1);
    } else if (c == ')' || c == ']' || c == '}') {
      Close(c);
    } else if (c == '.' && Next(1, IsNameStart)) {
      Push(Kind::kField, NameEnd(at_ + 1));
    } else if (c == '$' && Next(1, IsNameStart)) {
      Push(Kind::kVariable, NameEnd(at_ + 1));
    } else if (c == '@' && Next(1, IsNameChar)) {
      Push(Kind::kFormat, NameEnd(at_ + 1));
    } else if (IsNameStart(c)) {
      std::size_t end = NameEnd(at_);
      while (end + 2 < text_.size() && text_.substr(end, 2) == "::" && IsNameStart(text_[end + 2]))
        end = NameEnd(end + 2);
      Push(Kind::kName, end);
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      std::size_t end = at_;
      while (end < text_.size() && (IsNameChar(text_[end]) || text_[end] == '.')) ++end;
      Push(Kind::kNumber, end);
    } else if (c == '\'' || c == '`' || c == '&' || c == '\\' || c == '~' || c == '^' ||
               static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
      std::size_t end = at_ + 1;
      while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
      if (c == '\'') {
        Bad(at_, "unexpected ''': strings stand in double quotes");
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        Bad(at_, "a control character is not allowed here");
      } else {
        Bad(at_, absl::StrCat("unexpected '", std::string(text_.substr(at_, end - at_)), "'",
                              c == '&' ? ": jq says 'and'" : ""));
      }
    } else {
      static constexpr std::array<std::string_view, 16> kLong = {
          "?//", "//=", "!=", "==", "//", "|=", "+=", "-=", "*=", "/=", "%=", "<=", ">=", "..", "?", "."};
      for (std::string_view sign : kLong) {
        if (text_.substr(at_, sign.size()) == sign) return Push(Kind::kOther, at_ + sign.size());
      }
      Push(Kind::kOther, at_ + 1);
    }
  }

  template <typename Predicate>
  bool Next(std::size_t ahead, Predicate predicate) const {
    return at_ + ahead < text_.size() && predicate(text_[at_ + ahead]);
  }
  std::size_t NameEnd(std::size_t from) const {
    while (from < text_.size() && IsNameChar(text_[from])) ++from;
    return from;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  Lexed out_;
};

}  // namespace

Lexed Lex(std::string_view text) { return Lexer(text).Run(); }

std::vector<bool> KeyPlaces(std::string_view text, const std::vector<Token>& tokens) {
  std::vector<bool> keys(tokens.size(), false);
  std::vector<char> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const char c = text[tokens[i].begin];
    if (tokens[i].kind == Kind::kOpen) {
      open.push_back(c);
    } else if (tokens[i].kind == Kind::kClose) {
      if (!open.empty()) open.pop_back();
    } else if (!open.empty() && open.back() == '{' && i > 0) {
      const char before = text[tokens[i - 1].begin];
      keys[i] = (before == '{' && tokens[i - 1].kind == Kind::kOpen) || before == ',';
    }
  }
  return keys;
}

}  // namespace puckdrop::jq
