#include "checks/device_support/shared_device.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "checks/media/codec_string.h"
#include "checks/playback/shared_playback.h"

namespace puckdrop::checks::device_support {

const media::DeviceProfile& ProfileOf(const CheckContext& context) {
  // Read once: the rows are part of the binary.
  static const absl::StatusOr<media::DeviceProfiles>& profiles =
      *new absl::StatusOr<media::DeviceProfiles>(media::LoadBuiltInDeviceProfiles());
  if (!profiles.ok()) throw Judged(Inconclusive(std::string(profiles.status().message())));
  const std::string& device = context.customer().device();
  const media::DeviceProfile* profile = profiles->Find(device);
  if (profile == nullptr) {
    throw Judged(Skipped(v1::SKIP_CAUSE_NOT_TOLD, absl::StrCat("there is no device profile '", device, "'")));
  }
  return *profile;
}

Task<media::ManifestReport> ManifestFor(CheckContext& context) {
  Journey& journey = context.journey();
  if (std::shared_ptr<const void> earlier = journey.Shared("device_support.manifest")) {
    co_return *std::static_pointer_cast<const media::ManifestReport>(earlier);
  }
  Ended<target::v1::StartPlaybackResponse> started = co_await playback::TryStart(journey);
  if (!started.ok()) throw OperationEnded(std::move(started.end));
  media::ManifestReport report;
  std::exception_ptr thrown;
  try {
    report = co_await context.player().ReadManifest(playback::StreamOf(journey, started.response), journey.deadline());
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await playback::Stop(journey, started.response.session_id());
  if (thrown) std::rethrow_exception(thrown);
  if (report.trouble) throw Judged(playback::JudgeTrouble(*report.trouble));
  if (report.playlist.kind() == v1::Evidence::KIND_PLAYLIST) context.AddEvidence(report.playlist);
  journey.Share("device_support.manifest", std::make_shared<const media::ManifestReport>(report));
  co_return report;
}

media::VariantFacts FactsOf(const media::RenditionInfo& info, media::Container container) {
  media::VariantFacts facts;
  facts.codecs = media::ParseCodecList(info.codecs);
  facts.width = info.width;
  facts.height = info.height;
  if (info.frame_rate > 0) facts.frame_rate = info.frame_rate;
  facts.video_range = info.video_range;
  facts.container = container;
  return facts;
}

std::string Spelled(const std::string& container) {
  if (container == "ts") return "MPEG-TS";
  if (container == "fmp4") return "fragmented MP4";
  return container;
}

std::string SpelledAll(const std::vector<std::string>& containers) {
  std::vector<std::string> spelled;
  for (const std::string& container : containers) spelled.push_back(Spelled(container));
  return absl::StrJoin(spelled, " or ");
}

}  // namespace puckdrop::checks::device_support
