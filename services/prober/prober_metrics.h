// The pass and fail metrics of one path: METRICS.md.
#ifndef PUCKDROP_SERVICES_PROBER_PROBER_METRICS_H_
#define PUCKDROP_SERVICES_PROBER_PROBER_METRICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "checks/check.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/runtime/metrics.h"

namespace puckdrop::prober {

// Thread-safe. Labels are closed sets of the plan and the code; every series there can be is there from the start.
class ProberMetrics final : public runtime::SnapshotCollectable {
 public:
  // `deadline`: of a run, for the maximum age before the first result.
  ProberMetrics(std::shared_ptr<const v1::Plan> plan, const std::string& path_word,
                const std::vector<checks::CheckDefinition>& checks, absl::Time now, absl::Duration deadline);

  // Takes another plan in place of the one before; what both know goes on counting.
  void Replace(std::shared_ptr<const v1::Plan> plan, const std::vector<checks::CheckDefinition>& checks, absl::Time now,
               absl::Duration deadline);
  // `max_age`: in force for this result. A result of a check or customer that was not known at the start is ignored.
  // `limit`: of a run of the schedule; zero: it was asked once. `watch`: of one that only watches.
  void Record(const v1::Result& result, absl::Duration max_age, absl::Duration limit = absl::ZeroDuration(),
              bool watch = false);
  // `1xx` … `5xx`, `none`; any other counts as `none`.
  void CountRequest(const std::string& code_class);
  // The loop turns. A longer pace is exported from its beginning; a shorter one with the first result taken at it.
  void Beat(absl::Time now);

 protected:
  std::vector<prometheus::MetricFamily> CollectLocked() const override;

 private:
  static constexpr int kOutcomes = 5;
  struct Series {
    runtime::Labels labels;
    std::optional<double> success;
    int consecutive_failures = 0;
    std::array<uint64_t, kOutcomes> runs{};
    absl::Time last_run = absl::UnixEpoch();
    absl::Time last_success = absl::UnixEpoch();
    absl::Duration max_age;
    absl::Duration limit;  // of the last run of the schedule
    bool watch = false;
    std::optional<double> observed;
  };
  struct PerCheck {
    std::map<v1::FailureReason, uint64_t> failures;
    std::vector<uint64_t> durations;
    double duration_sum = 0;
    // The plan gives it a pace or an age of its own.
    bool own_pace = false;
  };
  void Fill(const std::vector<checks::CheckDefinition>& checks, absl::Time now, absl::Duration deadline);

  std::shared_ptr<const v1::Plan> plan_;
  std::string launch_;
  const std::string path_;
  std::map<std::pair<std::string, std::string>, Series> series_;  // by check and customer
  std::map<std::string, PerCheck> checks_;
  std::map<std::string, uint64_t> requests_;
  absl::Time heartbeat_;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_PROBER_METRICS_H_
