#include "services/readiness/since_when.h"

#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {

void SinceWhen::Restore(const std::vector<StandingSince>& standings) {
  for (const StandingSince& one : standings) places_[{one.check, one.customer}] = {one.standing, one.since};
}

void SinceWhen::Observe(v1::Verdict* verdict) {
  const absl::Time now = runtime::FromTimestamp(verdict->time());
  std::map<std::pair<std::string, std::string>, Place> next;
  for (v1::InstanceStanding& instance : *verdict->mutable_instances()) {
    const auto before = places_.find({instance.check(), instance.customer()});
    Place place{instance.standing(), now};
    // A clock that was set back must not leave a beginning in the future.
    if (before != places_.end() && before->second.standing == instance.standing() && before->second.since < now) {
      place.since = before->second.since;
    }
    *instance.mutable_since() = runtime::ToTimestamp(place.since);
    next[{instance.check(), instance.customer()}] = place;
  }
  places_ = std::move(next);
}

}  // namespace puckdrop::readiness
