#ifndef PUCKDROP_TESTS_CHECKS_PLAN_SUPPORT_H_
#define PUCKDROP_TESTS_CHECKS_PLAN_SUPPORT_H_

#include <map>
#include <string>
#include <vector>

#include "checks/plan/load.h"

namespace puckdrop::plan::testing {

// A hand-made catalogue over some of the real messages.
const OperationCatalogue& TestOperations();

// Against the catalogue above, a few checks and profiles, and a compiler that refuses the word BROKEN.
LoadOptions TestOptions(std::map<std::string, std::string> environment = {});

// Loads texts as if they were files of these names; `main` and the overlays are names among them.
LoadResult LoadTexts(const std::map<std::string, std::string>& files, const std::vector<std::string>& main,
                     const std::vector<std::string>& overlays = {}, LoadOptions options = TestOptions());

// tests/golden/plan.
std::string GoldenFolder();

// A plan without a mistake.
std::string BasePlan();

// Whether golden files are to be rewritten (`--update`).
extern bool update_golden;

}  // namespace puckdrop::plan::testing

#endif  // PUCKDROP_TESTS_CHECKS_PLAN_SUPPORT_H_
