#ifndef PUCKDROP_CHECKS_TARGET_JQ_SCAN_H_
#define PUCKDROP_CHECKS_TARGET_JQ_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/program.h"
#include "checks/target/jq/reach.h"

namespace puckdrop::jq {

// What a reading of an expression's tokens tells, before the compiler sees it. Pure, total on any text, and linear in
// its length.
struct Scan {
  // Mistakes that the compiler would not see or would explain badly.
  std::vector<ProgramError> errors;
  // False when the text must not reach the compiler: in one source with others it could close our parentheses and begin
  // something else, or it names what no expression may use.
  bool compilable = false;
  // The names of StandardNames() and Program::names that appear as `$name`, each once.
  std::vector<std::string> variables;
  // Which parts of the input the expression can see.
  Reach reach;
  // Whether it can see the response's body, and its bytes. A conservative reading: true when in doubt.
  bool looks_at_body = false;
  bool looks_at_body_base64 = false;
};

constexpr std::size_t kMaxProgramBytes = 16 << 10;
constexpr std::size_t kMaxTokens = 4000;
constexpr std::size_t kMaxNesting = 100;

Scan ScanProgram(const Program& program);

// The token that begins at, or contains, byte `offset`; empty past the end.
std::string TokenAt(std::string_view text, std::size_t offset);

// Line and column, from 1, of byte `offset`.
void LocateOffset(std::string_view text, std::size_t offset, int* line, int* column);

// The candidate nearest to `name` when it is near enough to be a misspelling, else empty.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// "sub/2", "money/1", …: every function an expression may call.
const std::vector<std::string>& KnownFunctions();

// Turns one message of jq's compiler into a sentence. `offset` is the place in `program.text` it points to (its size:
// the end).
ProgramError HumanError(const Program& program, ProgramId id, std::string_view jq_message, std::size_t offset);

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_SCAN_H_
