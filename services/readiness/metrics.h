// What readiness exports: what is expected, and its own verdict. METRICS.md is the contract.
#ifndef PUCKDROP_SERVICES_READINESS_METRICS_H_
#define PUCKDROP_SERVICES_READINESS_METRICS_H_

#include <memory>
#include <string>
#include <vector>

#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/expectations.h"
#include "services/runtime/metrics.h"

namespace puckdrop::readiness {

// Thread-safe. A scrape sees one verdict whole.
class ReadinessMetrics final : public runtime::SnapshotCollectable {
 public:
  // Before the first verdict everything the plan expects is exported as expected, and the verdict as 1.
  explicit ReadinessMetrics(std::shared_ptr<const Subject> subject);

  void Update(const v1::Verdict& verdict);

 private:
  std::vector<prometheus::MetricFamily> CollectLocked() const override;
  runtime::Labels InstanceLabels(const v1::InstanceStanding& instance) const;

  const std::shared_ptr<const Subject> subject_;
  v1::Verdict verdict_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_METRICS_H_
