#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::playback {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  // A device that was just switched on: no session, no token, no connection.
  journey.UseDevice(journey.NewDevice());
  PerformOptions cold;
  cold.cold = true;
  const absl::Time pressed = journey.clock_now();
  Ended<target::v1::StartPlaybackResponse> started = co_await TryStart(journey, cold);
  if (!started.ok()) throw OperationEnded(std::move(started.end));
  media::FirstPicture first;
  std::exception_ptr thrown;
  try {
    first = co_await context.player().ShowFirstPicture(StreamOf(journey, started.response), journey.deadline());
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await Stop(journey, started.response.session_id());
  if (thrown) std::rethrow_exception(thrown);
  if (first.trouble) co_return JudgeTrouble(*first.trouble);
  if (first.picture.kind() == v1::Evidence::KIND_PICTURE) context.AddEvidence(first.picture);
  co_return AgainstThresholds(absl::ToDoubleSeconds(first.time - pressed), context.thresholds(),
                              "from pressing play to a picture it took");
}

}  // namespace

CheckDefinition cold_start() {
  return {{.id = "playback.cold_start",
           .path = v1::PATH_PLAYBACK,
           .sentence = "I press play and no picture comes",
           .question = "From play on a device just switched on to one decoded picture: how long?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 10,
           .operations = {"playback.start_playback"},
           .stands_on = {"ordering.order_completes", "ordering.sign_in"},
           .warn = 5,
           .fail = 15,
           .unit = "s",
           .source = "5 s and 15 s are defaults; start-up time as CTA-2066 names it",
           .runbook = "The evidence says which part is slow or missing: entitlement, manifest, playlist, segment. Fetch that one by hand.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
