// What the plan says about one check, over what the check says itself.
#ifndef PUCKDROP_SERVICES_PROBER_SETTINGS_H_
#define PUCKDROP_SERVICES_PROBER_SETTINGS_H_

#include <optional>

#include "absl/time/time.h"
#include "checks/check.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::prober {

struct Settings {
  v1::Severity severity = v1::SEVERITY_BLOCKING;
  v1::Thresholds thresholds;
  // Looks that may end INCONCLUSIVE, 1 to 3. Default 2.
  int attempts = 2;
  // Of one look; InfiniteDuration when the plan gives none.
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration observe = absl::Seconds(20);
};

// `observe`: the run's, if it has one; the plan's for this check wins.
Settings SettingsInForce(const v1::Plan& plan, const checks::CheckInfo& info,
                         std::optional<absl::Duration> observe = std::nullopt);

// Older results are stale: the plan's, else 3 intervals at `now` and 2 deadlines. Without a schedule an interval is ten
// minutes.
// `interval`: of the run, where it says how often it is walked.
absl::Duration MaxAge(const v1::Plan& plan, const checks::CheckInfo& info, absl::Time now, absl::Duration deadline,
                      std::optional<absl::Duration> interval = std::nullopt);

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_SETTINGS_H_
