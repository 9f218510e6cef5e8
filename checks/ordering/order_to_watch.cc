#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/media/player.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::OrderFact order = co_await journey.Order();
  const absl::Time paid = TimeOf(order.commit_time());
  const absl::Time limit = paid + absl::Seconds(context.thresholds().fail());

  // A customer who has just paid presses play again and again. That the stream itself is broken is for
  // playback.cold_start to say: after a few tries this check is blocked by it.
  int broken = 0;
  for (;;) {
    Ended<target::v1::StartPlaybackResponse> started = co_await playback::TryStart(journey);
    std::string trouble;
    if (started.ok()) {
      const media::FirstPicture first = co_await context.player().ShowFirstPicture(
          playback::StreamOf(journey, started.response), journey.deadline());
      co_await playback::Stop(journey, started.response.session_id());
      if (!first.trouble) {
        co_return AgainstThresholds(absl::ToDoubleSeconds(first.time - paid), context.thresholds(),
                                    "from paying to the picture it took");
      }
      if (first.trouble->kind != media::Trouble::Kind::kTarget) co_return playback::JudgeTrouble(*first.trouble);
      trouble = first.trouble->words;
    } else if (started.end.kind == OperationEnd::Kind::kFault || started.end.kind == OperationEnd::Kind::kUnreadable) {
      trouble = started.end.words;
    } else if (!started.refused(target::v1::REASON_NOT_ENTITLED)) {
      throw OperationEnded(std::move(started.end));
    }
    if (!trouble.empty() && ++broken == 3) {
      Judgement blocked;
      blocked.outcome = v1::OUTCOME_BLOCKED;
      blocked.blocked_by = "playback.cold_start";
      blocked.summary = absl::StrCat("paid, let in, and the stream does not play: ", trouble);
      co_return blocked;
    }
    if (journey.clock_now() + absl::Milliseconds(500) > limit) {
      co_return Failed("never_entitled",
                       absl::StrCat("the customer paid ", absl::ToInt64Seconds(journey.clock_now() - paid),
                                    " s ago and is still refused: ", started.end.words),
                       absl::StrCat("a picture within ", static_cast<int64_t>(context.thresholds().fail()), " s"),
                       started.end.words, "", v1::FAILURE_REASON_TOO_SLOW);
    }
    co_await journey.Sleep(absl::Milliseconds(500));
  }
}

}  // namespace

CheckDefinition order_to_watch() {
  return {{.id = "ordering.order_to_watch",
           .path = v1::PATH_ORDERING,
           .sentence = "I paid and still cannot watch",
           .question = "How long from the pay click to the first decoded picture?",
           .stage = v1::STAGE_VISITOR,
           .order = 45,
           .operations = {"playback.start_playback"},
           .stands_on = {"ordering.order_completes"},
           .warn = 60,
           .fail = 300,
           .unit = "s",
           .source = "Telia's league launch and UFC 257 took longer than the first period; 60 s and 300 s are defaults",
           .runbook = "Follow one order through activation: payment webhook, entitlement write, cache of the playback "
                      "service.",
           .renews_journey = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
