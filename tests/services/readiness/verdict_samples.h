// Small makers of results and inputs for the verdict's tests.
#ifndef PUCKDROP_TESTS_SERVICES_READINESS_VERDICT_SAMPLES_H_
#define PUCKDROP_TESTS_SERVICES_READINESS_VERDICT_SAMPLES_H_

#include <string>

#include "services/readiness/verdict.h"

namespace puckdrop::readiness {

inline const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

inline v1::Result MakeResult(const std::string& check, const std::string& customer, v1::Outcome outcome,
                             absl::Time end = kNow) {
  v1::Result result;
  result.set_check(check);
  result.set_customer(customer);
  result.set_outcome(outcome);
  if (outcome == v1::OUTCOME_FAILED) {
    result.set_confirmed(true);
    result.set_summary("customers are charged twice");
    result.add_findings()->set_id("charged_twice");
  }
  result.mutable_end_time()->set_seconds(absl::ToUnixSeconds(end));
  return result;
}

inline v1::Result Blocked(const std::string& check, const std::string& customer, const std::string& root) {
  v1::Result result = MakeResult(check, customer, v1::OUTCOME_BLOCKED);
  result.set_blocked_by(root);
  return result;
}

inline v1::Result Skipped(const std::string& check, const std::string& customer, v1::SkipCause cause) {
  v1::Result result = MakeResult(check, customer, v1::OUTCOME_SKIPPED);
  result.set_skip_cause(cause);
  result.set_summary("the shop has none");
  return result;
}

inline Instance MakeInstance(const std::string& check, const std::string& customer, double share,
                             v1::Severity severity = v1::SEVERITY_BLOCKING) {
  Instance instance;
  instance.check = check;
  instance.customer = customer;
  instance.path = PathOfCheck(check);
  instance.severity = severity;
  instance.sentence = "I was charged twice";
  instance.audience_share = share;
  return instance;
}

// One customer who is the whole audience; one check a path, all passed.
inline VerdictInput AllPassed() {
  VerdictInput input;
  input.launch = "liiga";
  input.now = kNow;
  for (const char* check : {"ordering.order_completes", "playback.cold_start", "billing.charged_once"}) {
    input.expected.push_back(MakeInstance(check, "sofa", 1));
    input.results.push_back(MakeResult(check, "sofa", v1::OUTCOME_PASSED));
  }
  input.expected_of_plan = 3;
  return input;
}

inline WaiverInput HonouredWaiver(const std::string& check) {
  WaiverInput waiver;
  waiver.check = check;
  waiver.owner = "video-team";
  waiver.reason = "4K from January";
  waiver.expires = kNow + absl::Hours(24);
  waiver.notice_says = "4K broadcasts start in January";
  waiver.notice = WaiverInput::Notice::kSaid;
  waiver.notice_seen = kNow - absl::Minutes(1);
  return waiver;
}

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_TESTS_SERVICES_READINESS_VERDICT_SAMPLES_H_
