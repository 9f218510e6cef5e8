// What changed since the launch was last GO: the plan, the target's configuration, and what failed first.
#ifndef PUCKDROP_SERVICES_READINESS_SINCE_GO_H_
#define PUCKDROP_SERVICES_READINESS_SINCE_GO_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/verdict.pb.h"

namespace puckdrop::readiness {

// Pure: it is shown verdicts, one after another, and remembers what of them matters. Bounded by the plan's instances.
class SinceGo {
 public:
  explicit SinceGo(std::string time_zone);

  // From an earlier life: under what it was last GO, and when.
  void Restore(absl::Time time, std::string plan_digest, std::string configuration);
  // Takes note of a verdict, and fills its `changed`: nothing while it is GO or was never GO; else one sentence each,
  // what changed first comes first.
  void Observe(v1::Verdict* verdict);

 private:
  struct Change {
    absl::Time time;
    std::string words;
  };
  std::string At(absl::Time time) const;
  void Begin(const v1::Verdict& verdict, absl::Time time);

  const absl::TimeZone zone_;
  bool was_go_ = false;
  absl::Time go_time_;
  std::string plan_digest_;
  std::string configuration_;
  // The last told, so that each change is noticed once.
  std::string last_plan_digest_;
  std::string last_configuration_;
  std::vector<Change> changes_;                                    // of plan and configuration
  std::map<std::pair<std::string, std::string>, Change> failing_;  // by check and customer
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_SINCE_GO_H_
