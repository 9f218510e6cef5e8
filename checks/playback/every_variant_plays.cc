#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"
#include "checks/words.h"

namespace puckdrop::checks::playback {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const std::shared_ptr<const media::Watched> watched = co_await WatchLive(context);
  AddPictures(context, *watched);
  std::vector<v1::Finding> findings;
  std::optional<media::Trouble> ours;
  int plays = 0;
  for (const media::RenditionReport& report : watched->renditions) {
    if (!report.trouble) {
      ++plays;
    } else if (report.trouble->kind == media::Trouble::Kind::kTarget) {
      findings.push_back(MakeFinding(report.trouble->id, absl::StrCat(report.info.name, ": ", report.trouble->words),
                                     "the newest segment plays", report.trouble->id, report.info.name));
    } else {
      ours = report.trouble;
    }
  }
  if (findings.empty() && ours) co_return JudgeTrouble(*ours);
  if (findings.empty() && plays == 0) co_return Inconclusive("the stream lists nothing to play");
  co_return FailedIfAny(std::move(findings), absl::StrCat(Count(plays, "rendition"), " played their newest segment"),
                        v1::FAILURE_REASON_MEDIA);
}

}  // namespace

CheckDefinition every_variant_plays() {
  return {{.id = "playback.every_variant_plays",
           .path = v1::PATH_PLAYBACK,
           .sentence = "It breaks when the quality changes",
           .question = "Does the newest segment of every variant and sound track decode, from a keyframe?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 30,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .source = "RFC 8216; CATALOGUE L-SEG-404, L-SEG-SHORT, M-IDR",
           .runbook = "Fetch the named rendition by hand. A 404 at the live edge is the packager or a cached 404; garbage is the encoder or the origin store.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
