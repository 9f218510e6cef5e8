// Everything a report may say about one gate: what the writers of services/cli/report/ are pure functions of.
#ifndef PUCKDROP_SERVICES_CLI_GATE_REPORT_H_
#define PUCKDROP_SERVICES_CLI_GATE_REPORT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/obligation.pb.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "puckdrop/v1/result.pb.h"
#include "puckdrop/v1/verdict.pb.h"

namespace puckdrop::cli {

// One gate: judged, settled, over. A value; nothing in it is a secret (results and evidence are redacted where they are
// made).
struct GateReport {
  // A pilot customer of the plan.
  struct Customer {
    std::string id;
    double audience_share = 0;  // 0 to 1
    std::string market;         // `FI`
    std::string device;         // device profile
    std::string payment;        // payment method; may be empty
  };

  // A waiver of the plan; `verdict.waivers` has whether it holds, in the same order.
  struct Waiver {
    std::string check;
    std::string customer;  // empty: all
    std::string owner;
    std::string reason;
    std::string expires;  // YYYY-MM-DD
    std::string notice_url;
    std::string notice_says;
  };

  // -- what was judged
  std::string launch_id;
  std::string launch_title;
  absl::Time puck_drop = absl::InfinitePast();  // InfinitePast: not known
  std::string time_zone;                        // IANA name; times are printed in it
  std::vector<std::string> plan_files;          // as named on the command line, overlays after the plan
  std::string plan_digest;
  std::vector<std::string> target_urls;  // base addresses of the plan's hosts
  std::vector<Customer> customers;       // in the plan's order
  double others_audience_share = 0;      // share of the audience that nobody stands for
  std::vector<Waiver> waivers;           // in the plan's order
  // Every check of the catalogue, by id: sentence, question, source, thresholds, runbook, operations.
  std::map<std::string, v1::CheckDescription> checks;

  // -- what came out
  // verdict.instances holds every instance judged, worst first, each with its result; verdict.causes and
  // verdict.not_judged belong to no check; verdict.selected > 0 says that a filter was given (not a launch verdict).
  v1::Verdict verdict;
  // All results of the run in the order of check and customer, those of supporting checks (Result.supporting) included:
  // a root of a BLOCKED instance may be among these only.
  std::vector<v1::Result> results;
  std::map<std::string, v1::Evidence> evidence;  // by name, as results name it
  std::vector<v1::OperationRecord> operations;   // in the order they ended
  std::vector<v1::Obligation>
      obligations_open;   // still owed, oldest first: a person must act if `manual_action` is set
  std::string state_dir;  // where they are written down; empty if nothing is left

  // -- how it ran
  std::string run;  // run id
  absl::Time start_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  std::string command;   // the command line, for `run again with`; has no secret in it
  std::string version;   // of puckdrop
  std::string vantage;   // the place it was seen from
  int exit_code = 0;     // what the gate is about to return
  std::string ended_by;  // `SIGINT`, `the run's deadline`; empty if it ran to its end
  // Things a person should know that change nothing (`CI is set but …`).
  std::vector<std::string> warnings;
};

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_GATE_REPORT_H_
