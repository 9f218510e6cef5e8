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
    decoded += report.decoded_seconds;
    double black = 0;
    for (const media::WatchedStretch& stretch : report.black) black = std::max(black, stretch.length());
    longest = std::max(longest, black);
    if (black < limit) continue;
    findings.push_back(MakeFinding("black", absl::StrCat(report.info.name, " was black for ",
                                                         absl::StrFormat("%.0f", black), " s"),
                                   absl::StrFormat("never black for %.0f s", limit),
                                   absl::StrFormat("%.0f of %.0f s", black, report.decoded_seconds), report.info.name));
  }
  if (!findings.empty()) AddPictures(context, *watched);
  if (decoded < limit && findings.empty()) {
    co_return Inconclusive("too little of the picture could be decoded to tell");
  }
  Judgement judgement = FailedIfAny(std::move(findings), absl::StrFormat("a picture in %.0f s decoded", decoded),
                                    v1::FAILURE_REASON_MEDIA);
  judgement.observed_value = longest;
  judgement.unit = "s";
  co_return judgement;
}

}  // namespace

CheckDefinition not_black() {
  return {{.id = "playback.not_black",
           .path = v1::PATH_PLAYBACK,
           .sentence = "The screen is black",
           .question = "Is there a picture in every variant that was decoded?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 40,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .fail = 2,
           .unit = "s",
           .source = "ffmpeg blackdetect defaults: 2 s, pixel threshold 0.10",
           .runbook = "Look at the picture in the report. If the contribution feed has a picture, the encoder input is wrong.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
