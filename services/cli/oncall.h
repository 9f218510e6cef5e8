// What the engineer on call asks a running readiness: `puckdrop status watch explain history run waive pause resume`.
// grpcurl gives the same answers; these are for people in a hurry.
#ifndef PUCKDROP_SERVICES_CLI_ONCALL_H_
#define PUCKDROP_SERVICES_CLI_ONCALL_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/runtime/security.h"

namespace puckdrop::cli {

// Where readiness is: the flag, else PUCKDROP_READINESS, else loopback and its own port.
std::string ReadinessAddress(const std::string& flag);

struct OncallOptions {
  std::string readiness;  // as typed; see ReadinessAddress
  runtime::ClientSecurityOptions client;
  bool json = false;
};

// All of these: the exit code; 2 when readiness cannot be reached, 70 when puckdrop itself failed.

struct StatusOptions : OncallOptions {
  bool all = false;  // not cut to a screen
};
// As `gate`: 0, 1 or 2 by the verdict.
int RunStatus(const StatusOptions& options);

struct WatchOptions : OncallOptions {
  bool bell = true;  // on a change of the verdict
};
// Until it is ended or readiness goes; it comes back by itself when readiness does. A terminal is redrawn, anything else
// gets a line a change; JSON: a line a verdict.
int RunWatch(const WatchOptions& options);

struct ExplainOptions : OncallOptions {
  std::string check;
  std::string customer;  // empty: all
  std::string evidence;  // a name of evidence: its content to a file or stdout, in place of explaining
  std::string to = "-";
};
// 0 it is ok or not asked, 1 it fails, 2 unknown; 64 for a check that is not known.
int RunExplain(const ExplainOptions& options);

struct HistoryQuery : OncallOptions {
  std::string check;     // empty: how the verdict changed
  std::string customer;  // only with a check
  bool runs = false;     // the runs
  int limit = 20;
};
int RunHistory(const HistoryQuery& options);

struct RunNowOptions : OncallOptions {
  std::vector<std::string> checks, paths, customers;
  absl::Duration observe = absl::Seconds(20);
  absl::Duration timeout = absl::Minutes(10);
  bool quiet = false;
};
// Starts a run now and follows it; ending this command does not end the run. As `gate`.
int RunNow(const RunNowOptions& options);

struct WaiveOptions : OncallOptions {
  bool list = false;
  int revoke = -1;
  std::string check, customer, owner, reason, until, notice_url, notice_says;
  std::vector<std::string> findings;
};
// 0; 1 when the waiver does not hold (its notice says something else, or cannot be reached); 64 when it is refused.
int RunWaive(const WaiveOptions& options);

struct PauseOptions : OncallOptions {
  std::string reason;
};
int RunPause(const PauseOptions& options);
int RunResume(const OncallOptions& options);
// Reads the plan's files again. 3 with every mistake when it is broken: the old one stays.
int RunReload(const OncallOptions& options);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_ONCALL_H_
