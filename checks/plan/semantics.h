#ifndef PUCKDROP_CHECKS_PLAN_SEMANTICS_H_
#define PUCKDROP_CHECKS_PLAN_SEMANTICS_H_

#include <string>
#include <vector>

#include "checks/plan/load.h"
#include "checks/plan/mistake.h"
#include "checks/plan/reader.h"
#include "puckdrop/v1/plan.pb.h"

// What a plan must be beyond its shape; internal to this library. Each adds to `mistakes` whatever it finds.
namespace puckdrop::plan {

// Launch, claims, target, customers, payments, checks, waivers, schedule, and every name that refers to another.
void CheckPlan(const v1::Plan& plan, const Reading& reading, const LoadOptions& options, Mistakes* mistakes);

// Operations against their types: steps, returns, undo. Fills `reading.unsure`.
void CheckOperations(const v1::Plan& plan, Reading& reading, const OperationCatalogue& catalogue, Mistakes* mistakes);

// Names that expressions use, and, with `compile`, the programs.
void CheckExpressions(const v1::Plan& plan, const Reading& reading, const CompileExpressions& compile,
                      Mistakes* mistakes);

// What `.name` may be in every expression.
const std::vector<std::string>& StandardNames();

Location ToLocation(const v1::SourcePosition& position);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SEMANTICS_H_
