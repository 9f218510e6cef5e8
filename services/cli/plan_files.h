// A plan from the command line, loaded and checked against everything this binary knows.
#ifndef PUCKDROP_SERVICES_CLI_PLAN_FILES_H_
#define PUCKDROP_SERVICES_CLI_PLAN_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checks/plan/secrets.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/readiness/expectations.h"

namespace puckdrop::cli {

struct PlanFiles {
  std::string plan;
  std::vector<std::string> overlays;
};

// A plan that is whole and right. Shared by everything of a process.
struct LoadedPlan {
  std::shared_ptr<const v1::Plan> plan;
  std::string digest;
  std::shared_ptr<const readiness::Subject> subject;  // the plan with the catalogue of this binary
  std::shared_ptr<plan::SecretStore> secrets;
  PlanFiles files;
  std::vector<std::string> forbidden_operations;  // that a read-only plan maps but may not perform
};

// INVALID_ARGUMENT with every mistake at its place, one after another, ready to print. UNAVAILABLE when the expressions
// cannot be checked on this machine. Blocks.
absl::StatusOr<LoadedPlan> LoadPlan(const PlanFiles& files);

// Descriptions of all checks of this binary, by id.
std::vector<v1::CheckDescription> Catalogue();

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_PLAN_FILES_H_
