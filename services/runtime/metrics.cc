#include "services/runtime/metrics.h"

#include <dirent.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/runtime/text.h"

#ifndef PUCKDROP_REVISION
#define PUCKDROP_REVISION "unknown"
#endif

namespace puckdrop::runtime {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Space(unsigned) { return " "; }

std::string ReadSmallFile(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int CountOpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int count = 0;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count - 1;  // the folder itself
}

double BootTime() {
  for (absl::string_view line : absl::StrSplit(ReadSmallFile("/proc/stat"), '\n')) {
    double seconds = 0;
    if (line.substr(0, 6) == "btime " && absl::SimpleAtod(line.substr(6), &seconds)) return seconds;
  }
  return 0;
}

class Process final : public prometheus::Collectable {
 public:
  std::vector<MetricFamily> Collect() const override {
    const std::string stat = ReadSmallFile("/proc/self/stat");
    // The name in brackets may hold spaces and brackets: fields are counted after the last one (proc(5)).
    std::vector<std::string> fields = absl::StrSplit(stat.substr(std::min(stat.size(), stat.rfind(')') + 2)), ' ');
    const auto number = [&](size_t field) {
      double value = 0;
      if (field - 3 < fields.size()) (void)absl::SimpleAtod(fields[field - 3], &value);
      return value;
    };
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    std::vector<MetricFamily> all;
    const auto add = [&](const char* name, const char* help, MetricType type, double value) {
      all.push_back(std::move(FamilyBuilder(name, help, type).Add({}, value)).Build());
    };
    add("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter,
        (number(14) + number(15)) / ticks);
    add("process_threads", "Threads.", MetricType::Gauge, number(20));
    add("process_start_time_seconds", "When the process began, Unix time.", MetricType::Gauge,
        boot_time_ + number(22) / ticks);
    add("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, number(23));
    add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
        number(24) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    add("process_open_fds", "Open file descriptors.", MetricType::Gauge, CountOpenFiles());
    add("process_max_fds", "Most file descriptors that may be open.", MetricType::Gauge,
        static_cast<double>(files.rlim_cur));
    return all;
  }

 private:
  const double boot_time_ = BootTime();
};

class Fixed final : public prometheus::Collectable {
 public:
  explicit Fixed(std::vector<MetricFamily> families) : families_(std::move(families)) {}
  std::vector<MetricFamily> Collect() const override { return families_; }

 private:
  const std::vector<MetricFamily> families_;
};

}  // namespace

std::string SafeLabel(absl::string_view value) { return CutText(ReplaceControls(ValidUtf8(value), Space), 200); }

std::string SafeHelp(absl::string_view text) {
  return CutText(absl::StrReplaceAll(ReplaceControls(ValidUtf8(text), Space), {{"\\", "/"}}), 500);
}

FamilyBuilder::FamilyBuilder(absl::string_view name, absl::string_view help, MetricType type) {
  family_.name = std::string(name);
  family_.help = SafeHelp(help);
  family_.type = type;
}

FamilyBuilder& FamilyBuilder::Add(const Labels& labels, double value) {
  ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [label, text] : labels) metric.label.push_back({label, SafeLabel(text)});
  if (family_.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return *this;
}

FamilyBuilder& FamilyBuilder::AddHistogram(const Labels& labels, const std::vector<double>& upper_bounds,
                                           const std::vector<uint64_t>& counts, double sum) {
  ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [label, text] : labels) metric.label.push_back({label, SafeLabel(text)});
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    if (i < upper_bounds.size()) metric.histogram.bucket.push_back({total, upper_bounds[i]});
  }
  metric.histogram.bucket.push_back({total, std::numeric_limits<double>::infinity()});
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = sum;
  return *this;
}

std::vector<MetricFamily> SnapshotCollectable::Collect() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return CollectLocked();
}

std::shared_ptr<prometheus::Collectable> ProcessMetrics() { return std::make_shared<Process>(); }

void BuildInfo::SetPlan(std::string plan_digest) {
  std::lock_guard<std::mutex> lock(mutex_);
  plan_digest_ = std::move(plan_digest);
}

std::vector<MetricFamily> BuildInfo::CollectLocked() const {
  FamilyBuilder info("puckdrop_build_info", "What runs here.", MetricType::Gauge);
  info.Add({{"version", PUCKDROP_VERSION}, {"revision", PUCKDROP_REVISION}, {"plan", plan_digest_}}, 1);
  std::vector<MetricFamily> families;
  families.push_back(std::move(info).Build());
  return families;
}

std::shared_ptr<BuildInfo> BuildInfoMetric(const std::string& plan_digest) {
  return std::make_shared<BuildInfo>(plan_digest);
}

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> collectables) {
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint);
  endpoint->collectables_ = std::move(collectables);
  // The library throws when it cannot listen.
  try {
    endpoint->exposer_ = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", listen, "num_threads", "4", "request_timeout_ms", "2000"});
    const std::vector<int> ports = endpoint->exposer_->GetListeningPorts();
    if (!ports.empty()) endpoint->port_ = ports.front();
    for (const auto& collectable : endpoint->collectables_) endpoint->exposer_->RegisterCollectable(collectable);
  } catch (const std::exception& e) {
    return absl::UnavailableError(absl::StrCat("cannot serve metrics on ", listen, ": is the port taken? ", e.what()));
  }
  return endpoint;
}

MetricsEndpoint::~MetricsEndpoint() = default;

std::string MetricsText(const std::vector<std::shared_ptr<prometheus::Collectable>>& collectables) {
  std::vector<MetricFamily> all;
  for (const auto& collectable : collectables) {
    for (MetricFamily& family : collectable->Collect()) all.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace puckdrop::runtime
