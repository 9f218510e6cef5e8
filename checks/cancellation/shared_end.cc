#include "checks/cancellation/shared_end.h"

#include "checks/words.h"

namespace puckdrop::checks::cancellation {

Task<absl::Time> EndOfAccess(Journey& journey) {
  const v1::CancelledFact cancelled = co_await journey.Cancel();
  if (cancelled.has_access_end_time()) co_return TimeOf(cancelled.access_end_time());
  const target::v1::Subscription& subscription = cancelled.subscription();
  const std::string& date = subscription.has_end_date() ? subscription.end_date() : subscription.paid_through_date();
  const std::optional<absl::Time> day = journey.StartOfDay(date);
  if (!day) {
    throw Judged(Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                         "the plan returns no end_date or paid_through_date of a subscription as YYYY-MM-DD"));
  }
  const absl::TimeZone zone = journey.time_zone();
  co_return absl::FromCivil(absl::ToCivilDay(*day, zone) + 1, zone);
}

}  // namespace puckdrop::checks::cancellation
