// `puckdrop try OPERATION`: one operation of the plan, step by step, and then undone; or mapped anew from what it was
// answered the last time.
#ifndef PUCKDROP_SERVICES_CLI_TRY_OPERATION_H_
#define PUCKDROP_SERVICES_CLI_TRY_OPERATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cli/plan_files.h"

namespace puckdrop::cli {

struct TryOptions {
  PlanFiles files;
  std::string operation;
  std::string customer;                // empty: the plan's first
  std::string payment_case;            // as the plan writes it: declined_card; empty: accepted
  std::vector<std::string> arguments;  // name=value of the request; name may be a path, value JSON or text
  bool keep = false;                   // leave what it made
  bool again = false;                  // from the recording of the last try, without the target
  std::string state_directory;         // empty: the launch's default
  absl::Duration timeout = absl::Minutes(2);
};

// Signs up a pilot account first where the operation needs one and the customer has no standing ones. Exit code: 0 it
// ended OK or was refused, 1 it failed, 3 (the plan is invalid, or there is no recording), 64, 70.
int RunTry(const TryOptions& options);

// The arguments as protobuf JSON: `device.profile=x` is {"device":{"profile":"x"}}, and what reads as JSON is taken as
// such. INVALID_ARGUMENT for one without `=`.
absl::StatusOr<std::string> ArgumentsJson(const std::vector<std::string>& arguments);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_TRY_OPERATION_H_
