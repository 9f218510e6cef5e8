#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::playback {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const std::shared_ptr<const media::Watched> watched = co_await WatchLive(context);
  double worst = 0;
  std::string worst_name;
  bool long_enough = true;
  int judged = 0;
  std::vector<v1::Finding> findings;
  for (const media::RenditionReport& report : watched->renditions) {
    if (report.target_duration_seconds <= 0) continue;
    ++judged;
    const double multiple = report.longest_silence_in_target_durations;
    if (multiple > worst) {
      worst = multiple;
      worst_name = report.info.name;
    }
    if (multiple > context.thresholds().fail()) {
      findings.push_back(MakeFinding(
          "stale",
          absl::StrCat(report.info.name, " stood still for ", absl::StrFormat("%.0f", report.longest_silence_seconds),
                       " s, ", absl::StrFormat("%.1f", multiple), " target durations"),
          absl::StrCat("a new segment within ", context.thresholds().fail(), " target durations"),
          report.new_segments == 0 ? "none" : Count(report.new_segments, "new segment"), report.info.name));
    } else if (report.new_segments == 0 &&
               report.watched_seconds < context.thresholds().fail() * report.target_duration_seconds) {
      long_enough = false;
    }
  }
  if (judged == 0) co_return Inconclusive("no media playlist could be watched");
  if (findings.empty() && !long_enough) {
    co_return Inconclusive("no new segment was seen, and it was watched for too short a time to blame the stream; "
                           "use a longer --observe");
  }
  Judgement judgement =
      FailedIfAny(std::move(findings), absl::StrCat(Count(judged, "playlist"), " kept moving"), v1::FAILURE_REASON_MEDIA);
  if (judgement.outcome == v1::OUTCOME_PASSED && worst > context.thresholds().warn()) {
    judgement.warning = true;
    judgement.summary = absl::StrCat(worst_name, " once stood still for ", absl::StrFormat("%.1f", worst),
                                     " target durations");
  }
  judgement.observed_value = worst;
  judgement.unit = "target durations";
  co_return judgement;
}

}  // namespace

CheckDefinition live_edge_fresh() {
  return {{.id = "playback.live_edge_fresh",
           .path = v1::PATH_PLAYBACK,
           .sentence = "The picture stands and the score moves on",
           .question = "Does a new segment appear in every playlist within 1.5 target durations?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 20,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .warn = 1.5,
           .fail = 3,
           .unit = "target durations",
           .source = "RFC 8216 6.2.2",
           .runbook = "Ask the packager of the named rendition, then the CDN: a playlist that is fresh at the origin and old at the edge is a cache rule.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
