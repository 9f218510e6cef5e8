// `puckdrop serve <service>`: one service until it is told to end.
#ifndef PUCKDROP_SERVICES_CLI_SERVE_H_
#define PUCKDROP_SERVICES_CLI_SERVE_H_

#include <string>

#include "services/cli/plan_files.h"
#include "services/cli/prober_addresses.h"
#include "services/runtime/security.h"

namespace puckdrop::cli {

struct ServeOptions {
  PlanFiles files;
  std::string service;  // readiness, or the word of a path
  std::string listen;   // empty: loopback and the service's own port
  std::string metrics;  // empty: loopback and the port 2400 higher; `none`: no metrics
  std::string state_directory;
  std::string readiness = "127.0.0.1:7070";  // for a prober
  ProberAddresses probers;                   // for readiness; the default ports where none is given
  std::string vantage = "local";
  runtime::ServerSecurityOptions security;  // its clock is filled in
  runtime::ClientSecurityOptions client;
  bool metrics_beyond_loopback = false;
};

// Serves until SIGINT or SIGTERM; then ends in order, undoing what is owed. SIGHUP reads the plan's files again. Exit
// code.
int RunServe(const ServeOptions& options);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_SERVE_H_
