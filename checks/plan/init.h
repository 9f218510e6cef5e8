#ifndef PUCKDROP_CHECKS_PLAN_INIT_H_
#define PUCKDROP_CHECKS_PLAN_INIT_H_

#include <string>

namespace puckdrop::plan {

// A commented plan to start from, as `puckdrop plan init` writes it. It loads without a mistake as it is; what a person
// must change is marked with `CHANGE`.
std::string StarterPlan();

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_INIT_H_
