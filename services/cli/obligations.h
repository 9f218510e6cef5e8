// `puckdrop obligations`: what we owe the target.
#ifndef PUCKDROP_SERVICES_CLI_OBLIGATIONS_H_
#define PUCKDROP_SERVICES_CLI_OBLIGATIONS_H_

#include <string>
#include <vector>

#include "puckdrop/v1/obligation.pb.h"
#include "services/cli/plan_files.h"
#include "services/runtime/security.h"

namespace puckdrop::cli {

struct ObligationsOptions {
  PlanFiles files;
  std::string state_directory;            // empty: the launch's default
  std::string readiness;                  // address of a running service; empty: the state on this machine
  runtime::ClientSecurityOptions client;  // towards it
  bool settle = false;                    // undo what nobody alive owns
  bool json = false;
};

// Exit code: 0 nothing is owed, 1 something is, 2 readiness cannot be reached, 3, 64, 70.
int RunObligations(const ObligationsOptions& options);

// For people: one block an obligation, oldest first.
std::string ObligationsText(const std::vector<v1::Obligation>& obligations);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_OBLIGATIONS_H_
