// A small launch to judge: two customers, the paths' checks in all stages.
#ifndef PUCKDROP_TESTS_SERVICES_READINESS_SUBJECT_SAMPLES_H_
#define PUCKDROP_TESTS_SERVICES_READINESS_SUBJECT_SAMPLES_H_

#include <string>
#include <vector>

#include "services/readiness/expectations.h"

namespace puckdrop::readiness {

inline v1::CheckDescription Check(const std::string& id, v1::Stage stage,
                                  const std::vector<std::string>& stands_on = {}) {
  v1::CheckDescription check;
  check.set_check(id);
  check.set_path(PathOfCheck(id));
  check.set_severity(v1::SEVERITY_BLOCKING);
  check.set_stage(stage);
  check.set_sentence("It does not work");
  for (const std::string& under : stands_on) check.add_stands_on(under);
  return check;
}

inline Subject MakeSubject() {
  Subject subject;
  subject.digest = "digest";
  subject.plan.mutable_launch()->set_id("liiga");
  subject.plan.mutable_launch()->set_time_zone("Europe/Helsinki");
  const std::pair<const char*, double> customers[] = {{"sofa", 0.6}, {"cabin", 0.4}};
  for (const auto& [id, share] : customers) {
    v1::Plan::Customer* customer = subject.plan.add_customers();
    customer->set_id(id);
    customer->set_audience_share(share);
    customer->set_market("FI");
    customer->set_device("chrome_desktop");
  }
  subject.catalogue = {
      Check("ordering.offer_visible", v1::STAGE_VISITOR),
      Check("ordering.order_completes", v1::STAGE_VISITOR),
      Check("cancellation.takes_effect", v1::STAGE_SUBSCRIBER, {"ordering.order_completes"}),
      Check("cancellation.access_until_end", v1::STAGE_LEAVER, {"cancellation.takes_effect"}),
      Check("device_support.concurrent_streams", v1::STAGE_SUBSCRIBER, {"ordering.order_completes"}),
      Check("playback.cold_start", v1::STAGE_SUBSCRIBER, {"ordering.order_completes"}),
      Check("billing.charged_once", v1::STAGE_SUBSCRIBER, {"ordering.order_completes"}),
      Check("billing.no_charge_after", v1::STAGE_LEAVER, {"billing.charged_once", "cancellation.takes_effect"}),
  };
  return subject;
}

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_TESTS_SERVICES_READINESS_SUBJECT_SAMPLES_H_
