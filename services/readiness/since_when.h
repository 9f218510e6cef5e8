// Since when each instance stands where it stands.
#ifndef PUCKDROP_SERVICES_READINESS_SINCE_WHEN_H_
#define PUCKDROP_SERVICES_READINESS_SINCE_WHEN_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/history_types.h"

namespace puckdrop::readiness {

// Is shown verdicts of the launch, one after another. Bounded by the plan's instances. Not thread-safe.
class SinceWhen {
 public:
  // From an earlier life.
  void Restore(const std::vector<StandingSince>& standings);
  // Fills `since` of every instance: the time of the first verdict that had it there without a break.
  void Observe(v1::Verdict* verdict);

 private:
  struct Place {
    v1::Standing standing = v1::STANDING_UNSPECIFIED;
    absl::Time since;
  };
  std::map<std::pair<std::string, std::string>, Place> places_;  // by check and customer
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_SINCE_WHEN_H_
