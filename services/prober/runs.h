// What a prober keeps of a run between its requests: sessions, limits and counters.
#ifndef PUCKDROP_SERVICES_PROBER_RUNS_H_
#define PUCKDROP_SERVICES_PROBER_RUNS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/prober/target_port.h"
#include "services/runtime/clock.h"

namespace puckdrop::prober {

// One run at the target, shared by its requests.
struct RunState {
  std::unique_ptr<TargetRun> target;
  // Accounts signed up so far, by customer: their names are unique in a run. Addresses are stable.
  std::map<std::string, int> account_counters;
  absl::Time last_used;
};

// Bounded: a run that nothing uses any more is forgotten after ten minutes, or as soon as room is needed. Loop thread
// only.
class Runs {
 public:
  static constexpr size_t kMost = 64;
  static constexpr absl::Duration kForgetAfter = absl::Minutes(10);

  Runs(TargetPort& target, const runtime::Clock& clock) : target_(target), clock_(clock) {}

  // The state of a run, made when it is new; whoever holds it keeps it. RESOURCE_EXHAUSTED when kMost are in use.
  absl::StatusOr<std::shared_ptr<RunState>> Get(const std::string& run);
  // Drops what nobody holds.
  void Forget();
  size_t size() const { return runs_.size(); }

 private:
  TargetPort& target_;
  const runtime::Clock& clock_;
  std::map<std::string, std::shared_ptr<RunState>> runs_;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_RUNS_H_
