// /metrics: what every process exports, and the shape that a service's own metrics have.
#ifndef PUCKDROP_SERVICES_RUNTIME_METRICS_H_
#define PUCKDROP_SERVICES_RUNTIME_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace prometheus {
class Exposer;
}

namespace puckdrop::runtime {

// prometheus-cpp writes label values and help as they come, and one bad byte loses the whole scrape. Valid UTF-8
// without control characters, at most 200 bytes; what is cut ends in "…".
std::string SafeLabel(absl::string_view value);
// As SafeLabel, without backslashes, at most 500 bytes.
std::string SafeHelp(absl::string_view text);

using Labels = std::vector<std::pair<std::string, std::string>>;

// Builds one family; values are made safe.
class FamilyBuilder {
 public:
  FamilyBuilder(absl::string_view name, absl::string_view help, prometheus::MetricType type);
  FamilyBuilder& Add(const Labels& labels, double value);
  // `upper_bounds` ascending without +Inf; `counts` per bucket (not cumulative), one more than bounds.
  FamilyBuilder& AddHistogram(const Labels& labels, const std::vector<double>& upper_bounds,
                              const std::vector<uint64_t>& counts, double sum);
  prometheus::MetricFamily Build() && { return std::move(family_); }
  bool empty() const { return family_.metric.empty(); }

 private:
  prometheus::MetricFamily family_;
};

// All families of a service from one snapshot under one lock, so that a scrape never sees a new success with an old
// timestamp. Subclasses change their numbers under `mutex_`.
class SnapshotCollectable : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const final;

 protected:
  // Called with the mutex held; must not block.
  virtual std::vector<prometheus::MetricFamily> CollectLocked() const = 0;
  mutable std::mutex mutex_;
};

// process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_threads, from /proc/self.
std::shared_ptr<prometheus::Collectable> ProcessMetrics();

// puckdrop_build_info{version,revision,plan} 1; `plan` is the plan's digest, empty for none. Thread-safe.
class BuildInfo final : public SnapshotCollectable {
 public:
  explicit BuildInfo(std::string plan_digest) : plan_digest_(std::move(plan_digest)) {}
  void SetPlan(std::string plan_digest);

 private:
  std::vector<prometheus::MetricFamily> CollectLocked() const override;
  std::string plan_digest_;
};
std::shared_ptr<BuildInfo> BuildInfoMetric(const std::string& plan_digest);

// The HTTP end. Thread-safe.
class MetricsEndpoint {
 public:
  // `127.0.0.1:9471`; port 0 for any. UNAVAILABLE when it cannot listen there. Four threads, requests of 2 s at most;
  // no TLS ever (a TLS client would crash this library): bind it to loopback or the management network.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> collectables);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  int port() const { return port_; }

 private:
  MetricsEndpoint() = default;
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  int port_ = 0;
};

// What a scrape would read, for tests.
std::string MetricsText(const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_METRICS_H_
