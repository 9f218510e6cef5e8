#ifndef PUCKDROP_CHECKS_TARGET_JQ_TOKENS_H_
#define PUCKDROP_CHECKS_TARGET_JQ_TOKENS_H_

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace puckdrop::jq {

enum class Kind : std::uint8_t { kField, kName, kVariable, kFormat, kNumber, kStringText, kOpen, kClose, kOther };

struct Token {
  Kind kind;
  std::size_t begin;
  std::size_t end;
};

struct Lexed {
  std::vector<Token> tokens;
  // Place and message of what makes the text unfit to stand between our parentheses.
  std::size_t bad_offset = 0;
  std::string bad;
};

inline bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
inline bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The tokens of an expression, as jq 1.6 divides it where brackets, strings, comments and names are concerned. A string
// is the quotes and the pieces of text between its interpolations. Linear; stops at the first thing that cannot be.
Lexed Lex(std::string_view text);

// Which tokens name a member of an object being built: `{input: 1}` and `{a: 1, input}` call no function.
std::vector<bool> KeyPlaces(std::string_view text, const std::vector<Token>& tokens);

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_TOKENS_H_
