#ifndef PUCKDROP_SERVICES_ARENA_PROBLEM_H_
#define PUCKDROP_SERVICES_ARENA_PROBLEM_H_

#include <string>
#include <utility>
#include <vector>

namespace puckdrop::arena {

// A refusal or failure that the customer is told about, RFC 9457. Thrown by the shop and caught at one place, the HTTP
// dispatcher, which turns it into `application/problem+json` (or an HTML page). This is the only exception that crosses
// the arena's interfaces.
struct Problem {
  int status = 500;
  std::string code;    // the machine's word, e.g. "card_declined"
  std::string title;   // the same for every occurrence
  std::string detail;  // this occurrence, in words for a customer
  std::string link;    // where to go instead; empty: nowhere
  int retry_after_seconds = 0;
  std::vector<std::pair<std::string, std::string>> field_errors;  // field, what is wrong with it
};

// The document of `problem` for the request at `instance`.
std::string ToJson(const Problem& problem, const std::string& instance);

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_PROBLEM_H_
