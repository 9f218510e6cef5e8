#include <string>
#include <vector>
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::device_support {
namespace {

struct Opened {
  std::string device;
  std::string session_id;
};

Task<void> StopAll(Journey& journey, const std::vector<Opened>& opened) {
  for (const Opened& stream : opened) {
    journey.UseDevice(stream.device);
    co_await playback::Stop(journey, stream.session_id);
  }
}

Task<Judgement> Walk(CheckContext& context, int limit, std::vector<Opened>& opened) {
  Journey& journey = context.journey();
  for (int i = 0; i < limit; ++i) {
    journey.UseDevice(journey.NewDevice());
    Ended<target::v1::StartPlaybackResponse> started = co_await playback::TryStart(journey);
    if (started.ok()) {
      opened.push_back({journey.device_instance(), started.response.session_id()});
      continue;
    }
    if (!started.refused(target::v1::REASON_CONCURRENCY_LIMIT)) throw OperationEnded(std::move(started.end));
    co_return Failed("fewer_than_promised", absl::StrCat("the launch claims ", Count(limit, "stream"),
                                                         " at once, and number ", i + 1, " is refused"),
                     Count(limit, "stream"), Count(i, "stream"));
  }
  journey.UseDevice(journey.NewDevice());
  Ended<target::v1::StartPlaybackResponse> over = co_await playback::TryStart(journey);
  if (over.ok()) {
    opened.push_back({journey.device_instance(), over.response.session_id()});
    co_return Failed("not_enforced", absl::StrCat("the launch claims ", Count(limit, "stream"), " at once, and number ",
                                                  limit + 1, " plays too"),
                     absl::StrCat("number ", limit + 1, " refused"), "plays");
  }
  if (over.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(over.end));
  if (!over.refused(target::v1::REASON_CONCURRENCY_LIMIT)) {
    co_return Failed("refused_for_another_reason",
                     absl::StrCat("one stream too many is refused for another reason: ", over.end.words),
                     "refused CONCURRENCY_LIMIT", over.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }
  if (journey.operations().Mapping("playback.stop_playback").state != OperationMapping::State::kMapped) {
    co_return Passed(absl::StrCat(Count(limit, "stream"), " play and one more is refused (stopping is not mapped)"));
  }

  // Somebody in the house switches off: the slot must come free.
  journey.UseDevice(opened.back().device);
  co_await playback::Stop(journey, opened.back().session_id);
  opened.pop_back();
  const absl::Time stopped = journey.clock_now();
  const absl::Time until = stopped + absl::Seconds(context.thresholds().fail());
  journey.UseDevice(journey.NewDevice());
  for (;;) {
    Ended<target::v1::StartPlaybackResponse> again = co_await playback::TryStart(journey);
    if (again.ok()) {
      opened.push_back({journey.device_instance(), again.response.session_id()});
      Judgement judgement = AgainstThresholds(absl::ToDoubleSeconds(journey.clock_now() - stopped), context.thresholds(),
                                              absl::StrCat(Count(limit, "stream"),
                                                           " play, one more is refused, and a slot was free after"));
      co_return judgement;
    }
    if (!again.refused(target::v1::REASON_CONCURRENCY_LIMIT)) throw OperationEnded(std::move(again.end));
    if (journey.clock_now() + absl::Seconds(1) > until) {
      co_return Failed("slot_not_freed", absl::StrCat("a stream was stopped, and its slot is still taken after ",
                                                      static_cast<int64_t>(context.thresholds().fail()), " s"),
                       "free", "taken");
    }
    co_await journey.Sleep(absl::Seconds(1));
  }
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  if (!context.plan().claims().has_concurrent_streams()) {
    co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "the plan claims no number of streams at once");
  }
  const std::string before = journey.device_instance();
  std::vector<Opened> opened;
  Judgement judgement;
  std::exception_ptr thrown;
  try {
    judgement = co_await Walk(context, context.plan().claims().concurrent_streams(), opened);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await StopAll(journey, opened);
  journey.UseDevice(before);
  if (thrown) std::rethrow_exception(thrown);
  co_return judgement;
}

}  // namespace

CheckDefinition concurrent_streams() {
  return {{.id = "device_support.concurrent_streams",
           .path = v1::PATH_DEVICE_SUPPORT,
           .sentence = "The second television in the house does not work",
           .question = "Do n streams play at once, is one more refused, and is a slot free again?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 40,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .warn = 10,
           .fail = 60,
           .unit = "s",
           .source = "the launch plan (claims: concurrent_streams); 60 s is a default",
           .runbook = "Look at how sessions are counted and when they end: an app that crashed must not hold a slot for hours."},
          &Judge};
}

}  // namespace puckdrop::checks::device_support
