// What one vantage has seen of a target, for telling the target's faults from ours.
#ifndef PUCKDROP_CHECKS_TARGET_RUN_MEMORY_H_
#define PUCKDROP_CHECKS_TARGET_RUN_MEMORY_H_

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace puckdrop::target {

// One per run and vantage. Thread-safe.
class RunMemory {
 public:
  // An answer, any answer, came from this origin ("https://shop.example:8443").
  void Answered(absl::string_view origin);
  bool HasAnswered(absl::string_view origin) const;

  // The operation ended OK then. Only ever moves forward; a caller may put in what earlier runs knew.
  void ReadWell(absl::string_view operation, absl::Time when);
  std::optional<absl::Time> LastReadWell(absl::string_view operation) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> answered_;
  std::map<std::string, absl::Time, std::less<>> read_well_;
};

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_RUN_MEMORY_H_
