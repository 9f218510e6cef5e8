#include "checks/target/run_memory.h"

#include <algorithm>

namespace puckdrop::target {

void RunMemory::Answered(absl::string_view origin) {
  std::lock_guard lock(mutex_);
  if (answered_.find(std::string(origin)) == answered_.end()) answered_.emplace(origin);
}

bool RunMemory::HasAnswered(absl::string_view origin) const {
  std::lock_guard lock(mutex_);
  return answered_.find(std::string(origin)) != answered_.end();
}

void RunMemory::ReadWell(absl::string_view operation, absl::Time when) {
  std::lock_guard lock(mutex_);
  absl::Time& last = read_well_.try_emplace(std::string(operation), when).first->second;
  last = std::max(last, when);
}

std::optional<absl::Time> RunMemory::LastReadWell(absl::string_view operation) const {
  std::lock_guard lock(mutex_);
  const auto found = read_well_.find(std::string(operation));
  return found == read_well_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace puckdrop::target
