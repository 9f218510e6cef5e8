#ifndef PUCKDROP_CHECKS_PLAN_COVERAGE_H_
#define PUCKDROP_CHECKS_PLAN_COVERAGE_H_

#include <map>
#include <string>
#include <vector>

#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/result.pb.h"

// How much of the catalogue of checks a plan lets us judge, and what to map next.
namespace puckdrop::plan {

// What coverage must know of a check.
struct CheckNeeds {
  std::string id;
  v1::Severity severity = v1::SEVERITY_BLOCKING;
  // Operations it cannot do without.
  std::vector<std::string> operations;
  // Fields it needs told: `billing.list_invoices:invoices.lines.vat_basis_points`.
  std::vector<std::string> fields;
};

// Something to add to a plan.
struct NextStep {
  // The operation to map, or with `field` the one to extend.
  std::string operation;
  std::string field;
  // Blocking checks that can be judged once it is there.
  int gain = 0;
};

// The answer.
struct Coverage {
  int blocking = 0;
  int judged = 0;
  // Blocking checks left out on purpose: `not_judged`, or an operation `not_offered`. Part of `blocking`.
  int not_asked = 0;
  // The best first: gains more, then by name. An operation only another one makes useful counts with a gain of 0 and is
  // left out, unless nothing gains alone: then the smallest set that gains is listed, its gain with the last of it.
  std::vector<NextStep> next;
  // Ids of blocking checks that cannot be judged yet, sorted.
  std::vector<std::string> missing;
  // What each of `missing` lacks: operations to map, and fields to return as `operation:field`.
  std::map<std::string, std::vector<std::string>> lacks;
  // Blocking checks left out on purpose by the plan's reason for it, sorted.
  std::map<std::string, std::vector<std::string>> left_out;
};

// Pure. A check is judged if all its operations are mapped (not `not_offered`), all its fields are returned, and
// `not_judged` does not name it.
Coverage ComputeCoverage(const v1::Plan& plan, const std::vector<CheckNeeds>& checks);

// "14 of 30 blocking checks can be judged. Map billing.list_invoices next: +6. Add lines.vat_basis_points: +1."
// At most `most` steps are named.
std::string ToText(const Coverage& coverage, int most = 3);

// What stands behind the first line: each check that cannot be judged yet with what it lacks, and those left out on
// purpose by reason. Lines that end in a newline; empty when there is nothing to say.
std::string Details(const Coverage& coverage);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_COVERAGE_H_
