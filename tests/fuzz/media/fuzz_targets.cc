#include "fuzz_targets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "checks/media/codec_string.h"
#include "checks/media/decoder.h"
#include "checks/media/device_profile.h"
#include "checks/media/facts_json.h"
#include "checks/media/hls_playlist.h"
#include "checks/media/live_monitor.h"
#include "checks/media/url.h"

namespace puckdrop::media {
namespace {

absl::string_view View(const uint8_t* data, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace

void FuzzHlsPlaylist(const uint8_t* data, size_t size) {
  const absl::string_view text = View(data, size);
  HlsOptions options;
  options.base_url = "https://cdn.example.com/a/b/c.m3u8?token=1";
  options.allowed_hosts = {"cdn.example.com"};
  options.expect_live = true;
  options.max_bytes = 1 << 20;
  const HlsPlaylist playlist = ParseHlsPlaylist(text, options);
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const Finding& finding : playlist.findings) {
    Require(finding.line >= 0 && finding.line <= lines, "a finding's line is in the text");
    Require(!finding.id.empty() && !finding.message.empty(), "a finding says what it is");
    FindingText(finding);
  }
  Require(playlist.IsPlaylist() || !playlist.findings.empty(), "what is no playlist has a finding");
  Require(playlist.findings.size() <= options.max_findings, "findings are bounded");
  ToJson(playlist).dump();
  // Whatever was read can be watched, also when it comes back changed.
  LiveMonitor monitor;
  const absl::Time start = absl::FromUnixSeconds(1'773'513'000);
  monitor.Observe(start, playlist);
  monitor.Observe(start + absl::Seconds(5), ParseHlsPlaylist(text.substr(0, size / 2), options));
  monitor.Observe(start + absl::Seconds(30), playlist);
  ToJson(monitor, start + absl::Seconds(31)).dump();
}

void FuzzCodecString(const uint8_t* data, size_t size) {
  const absl::string_view text = View(data, size);
  auto codec = ParseCodecString(text);
  if (codec.ok()) {
    Require(!codec->words.empty(), "a codec has words");
    Require(codec->level < 2000, "a level is small");
  } else {
    Require(!codec.status().message().empty(), "a refusal has a reason");
  }
  for (const CodecInfo& item : ParseCodecList(text)) Require(!item.words.empty(), "each codec of a list has words");
  const std::string resolved = ResolveUrl("http://a/b/c/d;p?q", text);
  HostOf(resolved);
  IsPrivateHost(text);
  IsStagingHost(text);
  KindOfContentType(text);
}

void FuzzDecoder(const uint8_t* data, size_t size) {
  if (size < 2) return;
  const size_t wanted = data[0] | static_cast<size_t>(data[1]) << 8;
  const size_t init_size = std::min(wanted, size - 2);
  DecodeOptions options;
  options.max_bytes = 1 << 20;
  options.cpu_budget = absl::Seconds(2);
  options.max_pixels = 640 * 480;
  options.max_pictures = 4;
  options.max_packets = 2000;
  options.max_audio_seconds = 2;
  options.make_jpeg = (size & 1) != 0;
  const SegmentFacts facts =
      DecodeSegment(View(data + 2, init_size), View(data + 2 + init_size, size - 2 - init_size), options);
  Require(facts.ok() || !facts.words.empty(), "a problem has words");
  Require(facts.pictures.size() <= 4, "pictures are bounded");
  for (const AudioBlock& block : facts.audio) Require(block.seconds() <= 2.0, "sound is bounded");
  FindBlack(facts.pictures);
  FindFrozen(facts.pictures);
  FindSilence(facts.audio);
  if (facts.audio.size() >= 2) {
    CompareTracks(absl::MakeConstSpan(&facts.audio[0], 1), absl::MakeConstSpan(&facts.audio[1], 1));
  }
  ToJson(facts).dump();
}

void FuzzDeviceProfile(const uint8_t* data, size_t size) {
  auto profiles = ParseDeviceProfiles(View(data, size), "fuzz.yaml");
  if (!profiles.ok()) {
    Require(!profiles.status().message().empty(), "a refusal has a reason");
    return;
  }
  VariantFacts facts;
  facts.codecs = ParseCodecList("avc1.640033,mp4a.40.2");
  facts.width = 1920;
  facts.height = 1080;
  facts.frame_rate = 50;
  facts.container = Container::kFmp4;
  for (const DeviceProfile& profile : *profiles) {
    const FitResult fit = Fit(profile, facts);
    Require(fit.fits == fit.sentence.empty(), "an unfit device has its sentence");
  }
}

}  // namespace puckdrop::media
