#ifndef PUCKDROP_CHECKS_PLAN_SUGGEST_H_
#define PUCKDROP_CHECKS_PLAN_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace puckdrop::plan {

// Damerau-Levenshtein distance (insert, delete, replace, swap neighbours) without regard to case; texts beyond 64 bytes
// are compared by their first 64.
int EditDistance(absl::string_view a, absl::string_view b);

// The nearest of `known` if it is near enough to be meant, else empty. Ties go to the first.
std::string Nearest(absl::string_view name, const std::vector<std::string>& known);

// "did you mean `x`?", or "known are: a, b, c" (at most 12 of them), or empty.
std::string DidYouMean(absl::string_view name, const std::vector<std::string>& known);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SUGGEST_H_
