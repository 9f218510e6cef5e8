#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.SideJourney("unentitled");
  co_await journey.Account();
  Ended<target::v1::StartPlaybackResponse> started = co_await playback::TryStart(journey);
  if (started.ok()) {
    co_await playback::Stop(journey, started.response.session_id());
    co_return Failed("plays_without_buying", "somebody who bought nothing gets the stream", "refused NOT_ENTITLED",
                     started.response.manifests_size() > 0 ? "a manifest" : "a playback session");
  }
  if (started.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(started.end));
  // Any other no is not this no: a 401 for everybody would look like a shut door.
  if (!started.refused(target::v1::REASON_NOT_ENTITLED)) {
    co_return Failed("refused_for_another_reason",
                     absl::StrCat("somebody who bought nothing is refused for another reason: ", started.end.words),
                     "refused NOT_ENTITLED", started.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }
  co_return Passed("refused: not entitled");
}

}  // namespace

CheckDefinition unentitled_refused() {
  return {{.id = "ordering.unentitled_refused",
           .path = v1::PATH_ORDERING,
           .sentence = "My neighbour watches without paying",
           .question = "Is a customer who bought nothing refused, and for that reason?",
           .stage = v1::STAGE_VISITOR,
           .order = 80,
           .operations = {"playback.start_playback"},
           .stands_on = {"ordering.sign_up", "ordering.order_to_watch"},
           .source = "401 or 403 with a reason code, never 200 with a slate and never a 5xx",
           .runbook = "Look at what the playback service asks the entitlement service, and what it does when that does not "
                      "answer.",
           .own_account = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
