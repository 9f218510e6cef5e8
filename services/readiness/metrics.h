// What readiness exports: what is expected, and its own verdict. METRICS.md is the contract.
#ifndef PUCKDROP_SERVICES_READINESS_METRICS_H_
#define PUCKDROP_SERVICES_READINESS_METRICS_H_

#include <memory>
#include <string>
#include <vector>

#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/expectations.h"
#include "services/runtime/clock.h"
#include "services/runtime/metrics.h"

namespace puckdrop::readiness {

// Thread-safe. A scrape sees one verdict whole.
class ReadinessMetrics final : public runtime::SnapshotCollectable {
 public:
  // Older than this by `clock`, a verdict that nobody renewed is exported as 1: whoever should have computed it hangs.
  static constexpr absl::Duration kVerdictHolds = absl::Seconds(15);

  // Before the first verdict everything the plan expects is exported as expected, and the verdict as 1. `clock`
  // outlives it; nullptr: a verdict holds until the next.
  explicit ReadinessMetrics(std::shared_ptr<const Subject> subject, const runtime::Clock* clock = nullptr);

  // A verdict by that plan, which takes the place of the one before.
  void Update(std::shared_ptr<const Subject> subject, const v1::Verdict& verdict);

 private:
  std::vector<prometheus::MetricFamily> CollectLocked() const override;
  runtime::Labels InstanceLabels(const v1::InstanceStanding& instance) const;

  const runtime::Clock* const clock_;
  std::shared_ptr<const Subject> subject_;
  v1::Verdict verdict_;
  absl::Duration updated_;  // steady
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_METRICS_H_
