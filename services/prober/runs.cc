#include "services/prober/runs.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::prober {

absl::StatusOr<std::shared_ptr<RunState>> Runs::Get(const std::string& run) {
  const absl::Time now = clock_.Now();
  if (auto found = runs_.find(run); found != runs_.end()) {
    found->second->last_used = now;
    return found->second;
  }
  for (auto entry = runs_.begin(); entry != runs_.end();) {
    const bool idle = entry->second.use_count() == 1;
    entry = idle && now - entry->second->last_used > kForgetAfter ? runs_.erase(entry) : std::next(entry);
  }
  if (runs_.size() >= kMost) {
    auto oldest = runs_.end();
    for (auto entry = runs_.begin(); entry != runs_.end(); ++entry) {
      if (entry->second.use_count() > 1) continue;
      if (oldest == runs_.end() || entry->second->last_used < oldest->second->last_used) oldest = entry;
    }
    if (oldest == runs_.end()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(kMost, " runs are under way at this prober; wait for one to end"));
    }
    runs_.erase(oldest);
  }
  absl::StatusOr<std::unique_ptr<TargetRun>> opened = target_.OpenRun(run);
  if (!opened.ok()) return opened.status();
  auto state = std::make_shared<RunState>();
  state->target = std::move(*opened);
  state->last_used = now;
  runs_[run] = state;
  return state;
}

void Runs::Forget() {
  for (auto entry = runs_.begin(); entry != runs_.end();) {
    entry = entry->second.use_count() == 1 ? runs_.erase(entry) : std::next(entry);
  }
}

}  // namespace puckdrop::prober
