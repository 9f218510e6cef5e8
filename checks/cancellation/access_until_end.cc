#include "absl/strings/str_cat.h"
#include "checks/cancellation/shared_end.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

struct Look {
  bool allowed = false;
  std::string words;
};

// Throws OperationEnded when it ended neither OK nor with the one refusal that answers the question.
Task<Look> TryToWatch(Journey& journey) {
  Ended<target::v1::StartPlaybackResponse> started = co_await playback::TryStart(journey);
  Look look;
  look.allowed = started.ok();
  look.words = started.end.words;
  if (started.ok()) {
    co_await playback::Stop(journey, started.response.session_id());
  } else if (!started.refused(target::v1::REASON_NOT_ENTITLED)) {
    throw OperationEnded(std::move(started.end));
  }
  co_return look;
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  co_await journey.Cancel();
  // A second look comes after time was moved: what was allowed before the end cannot be asked again.
  const absl::Time end = co_await EndOfAccess(journey);
  absl::Time now = co_await journey.Now();
  if (now < end) {
    const Look at_once = co_await TryToWatch(journey);
    if (!at_once.allowed) {
      co_return Failed("locked_out", absl::StrCat("the period is paid until ", journey.Date(end - absl::Seconds(1)),
                                                  ", and the customer was locked out at the cancellation"),
                       "may watch to the end", at_once.words);
    }
    if (now < end - absl::Minutes(1)) {
      co_await journey.AdvanceClock(end - absl::Minutes(1));
      const Look last_minute = co_await TryToWatch(journey);
      if (!last_minute.allowed) {
        co_return Failed("locked_out_early", "the customer is locked out before the end of the paid period",
                         absl::StrCat("may watch until ", journey.Date(end - absl::Seconds(1))), last_minute.words);
      }
    }
  }
  const absl::Duration grace = absl::Seconds(context.Parameter("grace", 60));
  co_await journey.AdvanceClock(end + grace);
  const Look after = co_await TryToWatch(journey);
  if (after.allowed) {
    co_return Failed("never_ends", absl::StrCat("the paid period ended on ", journey.Date(end - absl::Seconds(1)),
                                                ", and the customer still watches"),
                     "refused NOT_ENTITLED", "plays");
  }
  co_return Passed(absl::StrCat("watches to the end of ", journey.Date(end - absl::Seconds(1)), " and no longer"));
}

}  // namespace

CheckDefinition access_until_end() {
  return {{.id = "cancellation.access_until_end",
           .path = v1::PATH_CANCELLATION,
           .sentence = "I paid for the month and was locked out when I cancelled",
           .question = "Does a customer who cancelled watch to the end of the paid period, and not after it?",
           .stage = v1::STAGE_LEAVER,
           .order = 10,
           .operations = {"playback.start_playback", "cancellation.cancel_subscription"},
           .stands_on = {"cancellation.takes_effect", "ordering.order_completes", "ordering.unentitled_refused"},
           .source = "what was paid for",
           .runbook = "Compare the entitlement's end with the subscription's paid-through date, in the launch's time zone."},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
