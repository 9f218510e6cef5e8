#include <algorithm>
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::playback {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const std::shared_ptr<const media::Watched> watched = co_await WatchLive(context);
  const double limit = context.thresholds().fail();
  std::vector<v1::Finding> findings;
  int tracks = 0;
  double decoded = 0;
  double longest = 0;
  for (const media::RenditionReport& report : watched->renditions) {
    if (report.info.kind != media::RenditionInfo::Kind::kAudio || report.trouble) continue;
    ++tracks;
    decoded = std::max(decoded, report.decoded_seconds);
    double silent = 0;
    for (const media::WatchedStretch& stretch : report.silent) silent = std::max(silent, stretch.length());
    longest = std::max(longest, silent);
    if (silent < limit) continue;
    findings.push_back(MakeFinding("silent", absl::StrCat(report.info.name, " was silent for ",
                                                          absl::StrFormat("%.0f", silent), " s"),
                                   absl::StrFormat("never silent for %.0f s", limit),
                                   absl::StrFormat("%.0f of %.0f s", silent, report.decoded_seconds), report.info.name));
  }
  if (tracks == 0) {
    co_return Failed("no_sound", "the stream has no sound", "at least one sound track", "none", "",
                     v1::FAILURE_REASON_MEDIA);
  }
  if (decoded < limit && findings.empty()) {
    co_return Inconclusive(absl::StrFormat(
        "only %.0f s of sound were decoded, and silence is told after %.0f s; use a longer --observe", decoded, limit));
  }
  Judgement judgement = FailedIfAny(std::move(findings), absl::StrCat("sound in ", Count(tracks, "track")),
                                    v1::FAILURE_REASON_MEDIA);
  judgement.observed_value = longest;
  judgement.unit = "s";
  co_return judgement;
}

}  // namespace

CheckDefinition not_silent() {
  return {{.id = "playback.not_silent",
           .path = v1::PATH_PLAYBACK,
           .sentence = "There is no sound",
           .question = "Is every sound track heard?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 60,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .fail = 5,
           .unit = "s",
           .source = "ffmpeg silencedetect: -60 dB; 5 s is a default",
           .runbook = "Listen to the named track; look at the sound routing into the encoder.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
