// The waivers of the plan and those made at run time, and what was last seen of their notices.
#ifndef PUCKDROP_SERVICES_READINESS_WAIVERS_H_
#define PUCKDROP_SERVICES_READINESS_WAIVERS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "puckdrop/v1/waiver_service.pb.h"
#include "services/readiness/expectations.h"
#include "services/readiness/history_types.h"
#include "services/readiness/notice_reader.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

// Those made at run time are known by this and their number.
inline constexpr int kFirstRuntimeWaiver = 1000;

// Loop thread only. Everything passed in outlives it.
class Waivers {
 public:
  Waivers(runtime::EventLoop& loop, const runtime::Clock& clock, NoticeReader& notices);

  // Takes the plan's waivers in place of those of the plan before. What was seen of a notice stays known.
  void SetPlan(const Subject& subject);
  // Takes the ones made at run time, all of them.
  void SetRuntime(const std::vector<RuntimeWaiver>& waivers);

  // Looks at every notice of a waiver that has not expired, all at once; bounded to ten seconds.
  awaitable<void> LookAtNotices();

  // As the verdict wants them. How long ago a notice was seen is counted on the steady clock: a wall clock that is set
  // makes no waiver void.
  std::vector<WaiverInput> Inputs() const;
  // As the verdict tells them, with the waivers themselves.
  v1::ListWaiversResponse List() const;
  // NOT_FOUND.
  absl::StatusOr<v1::WaiverState> Find(int number) const;

  // What a waiver made at run time must have, as one of the plan must: owner, reason, an end that lies ahead, a notice
  // on one of the plan's hosts (none else is ever fetched) with words of 12 characters or more, a check and a customer
  // that exist, findings. INVALID_ARGUMENT with every mistake.
  static absl::Status Validate(const Subject& subject, const v1::Waiver& waiver, absl::Time now);
  // The findings that are there now of what the waiver covers, for one that names none.
  static std::vector<std::string> FindingsNow(const v1::Waiver& waiver, const std::vector<const v1::Result*>& results);

 private:
  void Rebuild();

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  NoticeReader& notices_;
  std::vector<v1::Waiver> of_plan_;
  std::vector<RuntimeWaiver> at_run_time_;
  std::string time_zone_;
  std::vector<WaiverInput> inputs_;
  std::map<std::pair<std::string, std::string>, absl::Duration> seen_;  // by address and words, steady
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_WAIVERS_H_
