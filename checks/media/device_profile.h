// What kinds of devices can play, and whether a variant of a stream fits one.
//
// Profiles are data (profiles/*.yaml), each row with its source and date, embedded into the binary at build time. A
// level is judged in the band of the resolution: a set that decodes H.264 level 5.1 in UHD may freeze on 5.1 at 1080p.
// Fit names the first dimension that fails, in a sentence fit for a public notice. Values only; safe to share between
// threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checks/media/codec_string.h"
#include "checks/media/container.h"
#include "checks/media/hls_playlist.h"

namespace puckdrop::media {

// One row per resolution a decoder is specified for. The smallest band that holds a picture judges it.
struct DecodeBand {
  int width = 0;  // 0: any size
  int height = 0;
  double frame_rate = 0;  // the most
  int level = 0;          // the most, × 10
};

struct VideoCapability {
  CodecFamily codec = CodecFamily::kUnknown;
  std::vector<int> profiles;            // the codec's profile numbers; empty: any
  std::vector<std::string> containers;  // when this codec needs other ones than the device; empty: the device's
  std::string depends_on;               // in words: the class of devices has it only with this; empty: always
  std::vector<DecodeBand> bands;        // ascending by size
};

struct DrmCapability {
  std::string system;  // "widevine", "playready", "fairplay", "aes_128"
  std::string level;   // "L1", "SL3000"; empty: not known
};

struct DeviceProfile {
  std::string id;            // [a-z0-9_.]+
  std::string name;          // as in a sentence: "Samsung television of 2018 (Tizen 4.0)"
  std::string device_class;  // tv, stick, console, phone, browser
  std::string source;
  std::string date;        // when the row was entered, YYYY-MM-DD
  std::string confidence;  // "read" or "unverified"
  std::string note;
  std::vector<VideoCapability> video;  // a codec that is not listed is not decoded
  std::vector<CodecFamily> audio;
  std::string hls_player;                   // "native", "hls.js", "application"
  std::vector<std::string> hls_containers;  // "ts", "fmp4"
  std::vector<std::string> video_ranges;    // of EXT-X-STREAM-INF: SDR, PQ, HLG
  std::vector<int> dolby_vision_profiles;
  std::vector<DrmCapability> drm;  // over HLS
  std::vector<std::string> encryption_schemes;
};

class DeviceProfiles {
 public:
  explicit DeviceProfiles(std::vector<DeviceProfile> profiles) : profiles_(std::move(profiles)) {}
  const std::vector<DeviceProfile>& all() const { return profiles_; }
  const DeviceProfile* Find(absl::string_view id) const;  // null when there is none

 private:
  std::vector<DeviceProfile> profiles_;
};

// Reads one YAML file. InvalidArgument names file:line:column and what is wrong; unknown keys, a bad id and a second
// row of one id are mistakes. At most 1 MB; anchors and aliases are refused.
absl::StatusOr<std::vector<DeviceProfile>> ParseDeviceProfiles(absl::string_view yaml, absl::string_view file_name);

// The rows this binary was built with. An error would be a defect of the build, and a test reads them all.
absl::StatusOr<DeviceProfiles> LoadBuiltInDeviceProfiles();

// What is known of one variant; what is empty or unknown is not judged.
struct VariantFacts {
  std::vector<CodecInfo> codecs;
  int width = 0;
  int height = 0;
  std::optional<double> frame_rate;
  std::string video_range;  // empty: SDR
  Container container = Container::kUnknown;
  std::vector<std::string> drm_systems;  // any one suffices; empty: in the clear
  std::string encryption_scheme;         // "cenc", "cbcs"; empty: not known
};
VariantFacts FactsOf(const HlsVariant& variant, Container container);

struct FitResult {
  bool fits = false;
  // codec, profile, resolution, level, frame_rate, video_range, container, audio_codec, drm, encryption_scheme; in this
  // order the first that fails, empty when it fits.
  std::string dimension;
  std::string sentence;                 // for a notice; empty when it fits
  std::vector<std::string> not_judged;  // dimensions nothing was known about, or that depend on the single device
};
FitResult Fit(const DeviceProfile& profile, const VariantFacts& variant);

}  // namespace puckdrop::media
