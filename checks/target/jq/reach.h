#ifndef PUCKDROP_CHECKS_TARGET_JQ_REACH_H_
#define PUCKDROP_CHECKS_TARGET_JQ_REACH_H_

#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/program.h"
#include "checks/target/jq/tokens.h"

namespace puckdrop::jq {

// Which parts of its input a program can see. Most expressions take one member out of a body of thousands; what none of
// a request's programs can see is checked for grammar but not built.
struct Reach {
  bool everything = false;
  // `.body.id` and `$body.id` are {"body", "id"}: that value with all below it.
  std::vector<std::vector<std::string>> paths;

  bool Names(std::string_view head) const;
};

// Sound, not sharp: what it does not follow is `everything`. It follows members, literals, operators, `if`, `select(…)
// |` at the front, arrays and objects; after a pipe the input is no longer ours, so anything goes there.
Reach FindReach(std::string_view text, const std::vector<Token>& tokens, Scope scope);

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_REACH_H_
