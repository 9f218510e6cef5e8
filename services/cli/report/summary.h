// A gate's report put in order for people: what is broken by its root, what is unknown by its cause. Every report is
// written from this.
#ifndef PUCKDROP_SERVICES_CLI_REPORT_SUMMARY_H_
#define PUCKDROP_SERVICES_CLI_REPORT_SUMMARY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/cli/gate_report.h"

namespace puckdrop::report {

// A check and the customers something is said of.
struct CheckCustomers {
  std::string check;
  std::vector<std::string> customers;  // in the plan's order; `any` alone for checks that are not per customer
};

// A finding, told once for all customers who share it.
struct Symptom {
  v1::Finding finding;  // as the first customer saw it
  std::vector<std::string> customers;
  bool varies = false;  // the others saw it with other words or numbers
};

// What one root check reports, and what hangs on it.
struct Problem {
  std::string check;
  v1::Path path = v1::PATH_UNSPECIFIED;
  v1::CheckDescription description;    // empty if the catalogue does not have it
  std::vector<std::string> customers;  // hit by it or by what it blocks
  double audience_share = 0;           // of these customers
  std::vector<Symptom> symptoms;       // never empty: without findings the summary stands in
  std::vector<CheckCustomers> blocks;
  int blocked_instances = 0;
  std::vector<const v1::Result*> results;  // of the root, one a customer; may be empty
  absl::Time since = absl::InfinitePast();
  bool supporting = false;  // the root was not selected; it ran because a selected check stands on it
  bool advisory = false;    // the root itself cannot stop the launch
  int waiver = -1;          // for waived
  const v1::Result* first() const { return results.empty() ? nullptr : results.front(); }
};

// Instances that are unknown for the same cause.
struct Unknown {
  std::string why;
  std::vector<CheckCustomers> checks;
  int instances = 0;
  bool advisory = false;  // none of them can stop the launch
  const v1::Result* first = nullptr;
};

// One line about a check: flaky, close to a limit.
struct Note {
  CheckCustomers who;
  std::string text;
};

struct Summary {
  std::vector<Problem> broken;    // worst first: share of the audience, then what hangs on it
  std::vector<Problem> advisory;  // failed, but cannot stop the launch
  std::vector<Problem> waived;
  std::vector<Unknown> unknown;  // those that can stop the launch first
  std::vector<Note> flaky;
  std::vector<Note> warnings;
  std::vector<const v1::PromiseState*> broken_promises;
  std::vector<std::string> customers_hit;  // by a blocking failure
  int customers_judged = 0;                // that the verdict asks anything of
  std::map<v1::Path, int> blocked;         // of a path's failed: those that stand on a root
  // Instances that can stop the launch: ok of those asked.
  int ok = 0;
  int asked = 0;
  int failed = 0;
  int waived_instances = 0;
  int unknown_instances = 0;
  int judged = 0;          // instances with a result, of any severity
  int does_not_apply = 0;  // instances not asked because the plan or profile decides so
};

// Points into `report`, which must outlive it.
Summary Summarise(const cli::GateReport& report);

// `37 of 40 ok, 3 failed, 18 blocked`.
std::string PathCounts(const Summary& summary, const v1::PathVerdict& path);
// Why a path is not GO, without what its counts say; empty for GO.
std::string PathWhy(const Summary& summary, const v1::PathVerdict& path);

// The checks as `billing.vat, billing.charged_once and 3 more`.
std::string CheckList(const std::vector<CheckCustomers>& checks, size_t most);

// The words after the verdict on the first line: how many are hit, how much was judged, or why nothing can be said.
std::string Headline(const cli::GateReport& report, const Summary& summary);

}  // namespace puckdrop::report

#endif  // PUCKDROP_SERVICES_CLI_REPORT_SUMMARY_H_
