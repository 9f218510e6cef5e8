#include <algorithm>
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/check_context.h"
#include "checks/playback/shared_playback.h"

namespace puckdrop::checks::playback {
namespace {

// RFC 5646: the primary language is what stands before the first hyphen.
std::string Primary(const std::string& language) {
  return absl::AsciiStrToLower(language.substr(0, language.find('-')));
}

// A track without commentary has no language (`zxx`, RFC 5646) or says so in its name.
bool HasNoCommentary(const media::RenditionInfo& info) {
  const std::string label = absl::AsciiStrToLower(info.label);
  return Primary(info.language) == "zxx" || absl::StrContains(label, "no commentary") ||
         absl::StrContains(label, "ambient") || absl::StrContains(label, "crowd");
}

Task<Judgement> Judge(CheckContext& context) {
  const auto& promised = context.plan().claims().streams().audio();
  if (promised.empty()) {
    co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "the plan promises no sound tracks (claims: streams: audio)");
  }
  const std::shared_ptr<const media::Watched> watched = co_await WatchLive(context);
  std::vector<v1::Finding> findings;
  std::vector<int> found;
  std::string there;
  for (const media::RenditionReport& report : watched->renditions) {
    if (report.info.kind != media::RenditionInfo::Kind::kAudio) continue;
    absl::StrAppend(&there, there.empty() ? "" : ", ", report.info.name);
  }
  for (const std::string& language : promised) {
    int match = -1;
    for (int i = 0; i < static_cast<int>(watched->renditions.size()); ++i) {
      const media::RenditionInfo& info = watched->renditions[static_cast<size_t>(i)].info;
      if (info.kind != media::RenditionInfo::Kind::kAudio) continue;
      const bool none = HasNoCommentary(info);
      if (language == "none" ? none : !none && Primary(info.language) == Primary(language)) match = i;
    }
    if (match >= 0) {
      found.push_back(match);
      continue;
    }
    const std::string name = language == "none" ? "a track without commentary" : absl::StrCat("commentary in ", language);
    findings.push_back(MakeFinding("track_missing", absl::StrCat(name, " is promised and not there"), name,
                                   there.empty() ? "no sound tracks" : there, language));
  }
  const double limit = context.Parameter("alike", 0.98);
  for (const media::AudioLikeness& pair : watched->likeness) {
    const bool both = std::count(found.begin(), found.end(), pair.first) > 0 &&
                      std::count(found.begin(), found.end(), pair.second) > 0;
    if (!both || pair.first == pair.second || pair.correlation < limit) continue;
    const std::string& first = watched->renditions[static_cast<size_t>(pair.first)].info.name;
    const std::string& second = watched->renditions[static_cast<size_t>(pair.second)].info.name;
    findings.push_back(MakeFinding("tracks_alike", absl::StrCat(first, " and ", second, " are the same sound"),
                                   absl::StrFormat("correlation under %.2f", limit),
                                   absl::StrFormat("%.3f", pair.correlation), first));
  }
  if (findings.empty() && found.size() > 1 && watched->likeness.empty()) {
    co_return Inconclusive("the promised tracks are there, and too little of them was heard to tell them apart");
  }
  co_return FailedIfAny(std::move(findings), absl::StrCat("promised and there: ", there), v1::FAILURE_REASON_MEDIA);
}

}  // namespace

CheckDefinition audio_tracks() {
  return {{.id = "playback.audio_tracks",
           .path = v1::PATH_PLAYBACK,
           .sentence = "The commentary I was promised is not there",
           .question = "Are all promised sound tracks there, and do they differ?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 70,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start", "playback.not_silent"},
           .source = "RFC 8216 4.3.4.1; RFC 5646 (zxx); Telia's rehearsal broadcast",
           .runbook = "Listen to each track; compare the playlist with the encoder's sound routing.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::playback
