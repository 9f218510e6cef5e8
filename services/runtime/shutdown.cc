#include "services/runtime/shutdown.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "services/runtime/clock.h"

namespace puckdrop::runtime {

void ShutdownPlan::Add(std::string name, absl::Duration limit, std::function<void(absl::Duration)> end) {
  steps_.push_back({std::move(name), limit, std::move(end)});
}

void ShutdownPlan::Run() {
  RealClock clock;
  while (!steps_.empty()) {
    Step step = std::move(steps_.back());
    steps_.pop_back();
    const absl::Duration start = clock.Monotonic();
    step.end(step.limit);
    const absl::Duration took = clock.Monotonic() - start;
    if (took > step.limit + absl::Milliseconds(500)) {
      spdlog::warn("shutting down {} took {}, longer than its {}", step.name, absl::FormatDuration(took),
                   absl::FormatDuration(step.limit));
    }
  }
}

}  // namespace puckdrop::runtime
