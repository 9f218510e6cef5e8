#include "services/prober/settings.h"

#include <algorithm>

#include "checks/plan/settings.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::prober {

Settings SettingsInForce(const v1::Plan& plan, const checks::CheckInfo& info, std::optional<absl::Duration> observe) {
  const v1::Plan::CheckSettings given = plan::SettingsFor(plan, info.id);
  Settings settings;
  settings.severity = given.severity() != v1::SEVERITY_UNSPECIFIED ? given.severity() : info.severity;
  if (info.warn) settings.thresholds.set_warn(*info.warn);
  if (info.fail) settings.thresholds.set_fail(*info.fail);
  settings.thresholds.set_unit(info.unit);
  if (given.has_warn()) settings.thresholds.set_warn(plan::ThresholdValue(given.warn()));
  if (given.has_fail()) settings.thresholds.set_fail(plan::ThresholdValue(given.fail()));
  if (given.has_attempts()) settings.attempts = std::clamp(given.attempts(), 1, 3);
  if (given.has_timeout()) settings.timeout = runtime::FromProtoDuration(given.timeout());
  if (observe) settings.observe = *observe;
  if (given.has_observe()) settings.observe = runtime::FromProtoDuration(given.observe());
  return settings;
}

absl::Duration MaxAge(const v1::Plan& plan, const checks::CheckInfo& info, absl::Time now, absl::Duration deadline,
                      std::optional<absl::Duration> asked_every) {
  const v1::Plan::CheckSettings given = plan::SettingsFor(plan, info.id);
  if (given.has_max_age()) return runtime::FromProtoDuration(given.max_age());
  absl::Duration interval = absl::Minutes(10);
  const plan::Pace pace = plan::PaceAt(plan, now - runtime::FromTimestamp(plan.launch().puck_drop()));
  if (given.has_every()) {
    interval = runtime::FromProtoDuration(given.every());
  } else if (asked_every) {
    interval = *asked_every;
  } else if (pace.journeys_every) {
    interval = *pace.journeys_every;
  }
  const absl::Duration limit = given.has_timeout() ? runtime::FromProtoDuration(given.timeout()) : deadline;
  return 3 * interval + 2 * limit;
}

}  // namespace puckdrop::prober
