#ifndef PUCKDROP_CHECKS_PLAN_SCHEMA_H_
#define PUCKDROP_CHECKS_PLAN_SCHEMA_H_

#include <string>

#include "checks/plan/operation_catalogue.h"

namespace puckdrop::plan {

// The plan language as JSON Schema (draft 2020-12), for editors: keys, forms of texts, enums, and for each operation of
// the catalogue its id and the fields its `returns` may give. It knows shapes only; `plan check` knows the rest.
std::string JsonSchema(const OperationCatalogue& operations);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SCHEMA_H_
