#ifndef PUCKDROP_CHECKS_REGISTRY_H_
#define PUCKDROP_CHECKS_REGISTRY_H_

#include <string_view>
#include <vector>

#include "checks/check.h"

// The list of all checks. CMake writes its definition from the files in the five folders: explicit, so that a linker
// cannot drop one silently, and generated, so that a new file is enough.
namespace puckdrop::checks {

// In the order of their ids. Built once; never changes.
const std::vector<CheckDefinition>& AllChecks();
// nullptr if there is no such check.
const CheckDefinition* FindCheck(std::string_view id);

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_REGISTRY_H_
