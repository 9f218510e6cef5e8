#ifndef PUCKDROP_CHECKS_CHECK_H_
#define PUCKDROP_CHECKS_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "puckdrop/v1/prober_service.pb.h"
#include "puckdrop/v1/result.pb.h"

// The anatomy of a check. A check is one file `checks/<path>/<name>.cc` that defines one function
//
//   namespace puckdrop::checks::<path> { CheckDefinition <name>(); }
//
// CMake finds the file and generates the registry (registry.h) that calls it; nothing registers itself.
namespace puckdrop::checks {

class CheckContext;

template <typename T>
using Task = boost::asio::awaitable<T>;

// What a check says after one look. Build one with the functions below.
struct Judgement {
  v1::Outcome outcome = v1::OUTCOME_INCONCLUSIVE;
  // PASSED, but past the `warn` threshold.
  bool warning = false;
  v1::SkipCause skip_cause = v1::SKIP_CAUSE_UNSPECIFIED;
  v1::FailureReason reason = v1::FAILURE_REASON_UNSPECIFIED;
  // For BLOCKED: the id of the check that reports the root.
  std::string blocked_by;
  // One sentence for people. Empty with findings: the first finding's text.
  std::string summary;
  std::vector<v1::Finding> findings;
  std::optional<double> observed_value;
  std::string unit;
};

// PASSED.
Judgement Passed(std::string summary);
// FAILED with one finding; `id` is [a-z0-9_] and stable, since waivers name it.
Judgement Failed(std::string id, std::string text, std::string expected = "", std::string actual = "",
                 std::string where = "", v1::FailureReason reason = v1::FAILURE_REASON_WRONG_ANSWER);
// SKIPPED. The cause must rest on the plan or the device profile, never on something missing in an answer.
Judgement Skipped(v1::SkipCause cause, std::string summary);
// INCONCLUSIVE: we could not tell.
Judgement Inconclusive(std::string summary, v1::FailureReason reason = v1::FAILURE_REASON_OURS);
// PASSED, PASSED with a warning, or FAILED (finding `too_slow` or `over_limit`), by where `value` lies among the
// thresholds. `what` begins the sentence: "order to picture took" -> "order to picture took 17.2 s, the limit is 15 s".
Judgement AgainstThresholds(double value, const v1::Thresholds& thresholds, const std::string& what,
                            const std::string& finding_id = "too_slow",
                            v1::FailureReason reason = v1::FAILURE_REASON_TOO_SLOW);
// A finding.
v1::Finding MakeFinding(std::string id, std::string text, std::string expected = "", std::string actual = "",
                        std::string where = "");
// FAILED with these findings if there are any, else PASSED with `summary`.
Judgement FailedIfAny(std::vector<v1::Finding> findings, std::string summary,
                      v1::FailureReason reason = v1::FAILURE_REASON_WRONG_ANSWER);

// What a check declares about itself.
struct CheckInfo {
  // `<path>.<name>`, the same as the file.
  std::string id;
  v1::Path path = v1::PATH_UNSPECIFIED;
  // What a customer would say when it fails: "I was charged twice".
  std::string sentence;
  // What is asked, for the engineer.
  std::string question;
  v1::Severity severity = v1::SEVERITY_BLOCKING;
  v1::Stage stage = v1::STAGE_VISITOR;
  // Within a stage and path, checks run one after another by `order`, then by id.
  int order = 100;
  // Operations it cannot do without: not mapped -> SKIPPED before it is judged.
  std::vector<std::string> operations;
  // Checks it stands on: when one of them FAILED (or is BLOCKED) for this customer, this one is BLOCKED by it without
  // being judged, also across processes. Selecting a check runs these as supporting checks.
  std::vector<std::string> stands_on;
  // Response fields that the plan must return, `billing.list_invoices:invoices.lines.vat_basis_points`; not returned
  // -> SKIPPED (NOT_TOLD).
  std::vector<std::string> needs_told;
  // Defaults; the plan's `checks:` overrides them.
  std::optional<double> warn;
  std::optional<double> fail;
  std::string unit;
  // Law, standard or incident that the threshold rests on.
  std::string source;
  // What to do when it is red.
  std::string runbook;
  // Walks a side journey with its own account, so a second look starts afresh by itself.
  bool own_account = false;
  // Judges an act of the main journey that creates something: its second look needs a fresh main journey.
  bool renews_journey = false;
  // Judged once for all customers (customer `any`).
  bool per_launch = false;
  // What it takes to ask it every few seconds, creating nothing. Unspecified: it needs an order of its own.
  v1::CheckDescription::Watch watch = v1::CheckDescription::WATCH_UNSPECIFIED;
};

// A check.
struct CheckDefinition {
  CheckInfo info;
  // One look. May throw OperationEnded (journey.h), which the runner turns into FAILED, BLOCKED, INCONCLUSIVE or SKIPPED
  // by DESIGN section 6; any other exception is INCONCLUSIVE with its words. Must end by the context's deadline.
  Task<Judgement> (*judge)(CheckContext& context) = nullptr;
};

// As sent over the wire and printed by `puckdrop checks`.
v1::CheckDescription Describe(const CheckInfo& info);

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_CHECK_H_
