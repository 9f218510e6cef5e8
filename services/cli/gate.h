// `puckdrop gate`: one command that lives through a launch and says GO or NO-GO.
#ifndef PUCKDROP_SERVICES_CLI_GATE_H_
#define PUCKDROP_SERVICES_CLI_GATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cli/gate_report.h"
#include "services/cli/plan_files.h"

namespace puckdrop::cli {

struct ReportFile {
  std::string kind;  // junit, json, html, md, text, annotations
  std::string file;  // `-`: stdout, after the first screen
};

struct GateOptions {
  PlanFiles files;
  std::vector<std::string> checks;
  std::vector<std::string> paths;
  std::vector<std::string> customers;
  absl::Duration observe = absl::Seconds(20);
  absl::Duration timeout = absl::Minutes(10);
  std::vector<ReportFile> reports;
  std::string state_directory;  // empty: the default, removed when nothing is owed
  std::string readiness;        // address of a running service; empty: embedded
  std::string vantage = "local";
  bool json = false;    // JSON on stdout in place of text
  bool quiet = false;   // no progress
  std::string command;  // as typed
};

// Runs it, prints the first screen on stdout and everything else on stderr, writes the reports, and gives the exit
// code. In a GitHub action (GITHUB_ACTIONS=true) its annotations are printed on stderr, which the runner reads too, unless
// they are asked for as a report.
int RunGate(const GateOptions& options);

// `junit=file`. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<ReportFile> ParseReportFile(const std::string& text);

// The plan's part of a report: launch, customers, waivers, checks.
void FillPlanFacts(const LoadedPlan& plan, GateReport* report);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_GATE_H_
