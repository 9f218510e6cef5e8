#ifndef PUCKDROP_CHECKS_CHECK_CONTEXT_H_
#define PUCKDROP_CHECKS_CHECK_CONTEXT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "checks/check.h"
#include "checks/journey.h"

namespace puckdrop::media {
class Player;
}

namespace puckdrop::checks {

// Everything a check may touch. One per check and look; lives on the loop's thread.
class CheckContext {
 public:
  struct Parts {
    const CheckInfo* info = nullptr;
    Journey* journey = nullptr;
    // In force: the plan's over the check's own.
    v1::Thresholds thresholds;
    // How long to watch a live stream.
    absl::Duration observe = absl::Seconds(20);
    // 1, then 2 for the second look at a failure.
    int look = 1;
    // Fetches and decodes streams; nullptr in probers that never do.
    media::Player* player = nullptr;
    // Shows work going on; may be empty.
    std::function<void(const std::string&)> progress;
  };

  explicit CheckContext(Parts parts);

  const CheckInfo& info() const { return *parts_.info; }
  const v1::Plan& plan() const { return journey().plan(); }
  const v1::Plan::Customer& customer() const { return journey().customer(); }
  const v1::Thresholds& thresholds() const { return parts_.thresholds; }
  // A number of `checks: <id>: {name: …}` in the plan, in seconds for a duration; `otherwise` when not given.
  double Parameter(std::string_view name, double otherwise) const;
  absl::Duration observe() const { return parts_.observe; }
  int look() const { return parts_.look; }
  absl::Time deadline() const { return journey().deadline(); }

  // The customer's main journey.
  Journey& journey() const { return *parts_.journey; }
  // A journey beside it with an account of its own, kept until the check ends; its obligations are settled with the run.
  Journey& SideJourney(std::string_view label);
  std::vector<std::unique_ptr<Journey>>& side_journeys() { return side_journeys_; }

  // Never nullptr for playback and device_support; throws Judged (SKIPPED, TOOL_MISSING) where there is none.
  media::Player& player() const;

  void Progress(const std::string& text) const;
  // Evidence beside the exchanges, which the runner collects by itself.
  void AddEvidence(v1::Evidence evidence);
  // JSON numbers as evidence.
  void AddNumbers(std::string title, std::string json);
  std::vector<v1::Evidence> TakeEvidence();

 private:
  Parts parts_;
  std::vector<std::unique_ptr<Journey>> side_journeys_;
  std::vector<v1::Evidence> evidence_;
};

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_CHECK_CONTEXT_H_
