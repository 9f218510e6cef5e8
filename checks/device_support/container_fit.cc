#include <algorithm>
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/device_support/shared_device.h"
#include "checks/words.h"

namespace puckdrop::checks::device_support {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  const media::DeviceProfile& profile = ProfileOf(context);
  const media::ManifestReport manifest = co_await ManifestFor(context);
  std::vector<v1::Finding> findings;
  int judged = 0;
  int unread = 0;
  for (const media::RenditionInfo& info : manifest.renditions) {
    if (info.kind == media::RenditionInfo::Kind::kSubtitles) continue;
    if (info.container.empty()) {
      ++unread;
      continue;
    }
    // Packed audio (RFC 8216 3.4) is neither: every HLS player takes it.
    if (info.container == "aac") continue;
    ++judged;
    if (std::count(profile.hls_containers.begin(), profile.hls_containers.end(), info.container) > 0) continue;
    findings.push_back(MakeFinding("container_not_played",
                                   absl::StrCat("a ", profile.name, " does not play HLS in ", Spelled(info.container), " (",
                                                info.name, ")"),
                                   SpelledAll(profile.hls_containers), Spelled(info.container), info.name));
  }
  if (findings.empty() && judged == 0) {
    co_return Inconclusive(absl::StrCat("the container of ", Count(unread, "rendition"), " could not be read"));
  }
  co_return FailedIfAny(std::move(findings), absl::StrCat(Count(judged, "rendition"), " in a container that a ",
                                                          profile.name, " plays"),
                        v1::FAILURE_REASON_MEDIA);
}

}  // namespace

CheckDefinition container_fit() {
  return {{.id = "device_support.container_fit",
           .path = v1::PATH_DEVICE_SUPPORT,
           .sentence = "My television shows an error instead of the match",
           .question = "Are the segments in a container that the device plays?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 20,
           .operations = {"playback.start_playback"},
           .stands_on = {"playback.cold_start"},
           .source = "jellyfin-web's rule: HLS in fMP4 only on Tizen 5, webOS 3.5, iOS 11 and later",
           .runbook = "Look at which manifest the playback service chooses for this device, and by what (User-Agent, profile, app version).",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::device_support
