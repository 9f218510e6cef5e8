#include <algorithm>
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"

namespace puckdrop::checks::playback {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const std::shared_ptr<const media::Watched> watched = co_await WatchLive(context);
  const double limit = context.thresholds().fail();
  std::vector<v1::Finding> findings;
  double decoded = 0;
  double longest = 0;
  for (const media::RenditionReport& report : watched->renditions) {
    if (report.info.kind != media::RenditionInfo::Kind::kVariant || report.trouble) continue;
    decoded = std::max(decoded, report.decoded_seconds);
    double frozen = 0;
    for (const media::WatchedStretch& stretch : report.frozen) frozen = std::max(frozen, stretch.length());
    longest = std::max(longest, frozen);
    if (frozen < limit) continue;
    findings.push_back(MakeFinding("frozen", absl::StrCat(report.info.name, " showed one still picture for ",
                                                          absl::StrFormat("%.0f", frozen), " s"),
                                   absl::StrFormat("never still for %.0f s", limit),
                                   absl::StrFormat("%.0f of %.0f s", frozen, report.decoded_seconds), report.info.name));
  }
  if (!findings.empty()) AddPictures(context, *watched);
  if (decoded < limit && findings.empty()) {
    co_return Inconclusive(absl::StrFormat(
        "only %.0f s of the picture were decoded, and a freeze is told after %.0f s; use a longer --observe", decoded,
        limit));
  }
  Judgement judgement = FailedIfAny(std::move(findings), absl::StrFormat("the picture moved in %.0f s decoded", decoded),
                                    v1::FAILURE_REASON_MEDIA);
  judgement.observed_value = longest;
  judgement.unit = "s";
  co_return judgement;
}

}  // namespace

CheckDefinition not_frozen() {
  return {{.id = "playback.not_frozen",
           .path = v1::PATH_PLAYBACK,
           .sentence = "The picture is frozen",
           .question = "Does the picture move?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 50,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start", "playback.not_black"},
           .fail = 5,
           .unit = "s",
           .source = "ffmpeg freezedetect; 5 s is a default; TV4 showed a still",
           .runbook = "Look at the picture in the report, twice. A frozen picture with moving playlists is the encoder input or a frame store.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
