#include "checks/media/device_profile.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "checks/media/hls_text.h"
#include "checks/media/profile_data.h"

namespace puckdrop::media {
namespace {

constexpr size_t kMostBytes = 1'000'000;

// Reads one file; the first mistake is kept and ends the reading.
class Reader {
 public:
  explicit Reader(absl::string_view file) : file_(file) {}

  absl::StatusOr<std::vector<DeviceProfile>> Read(absl::string_view yaml);

 private:
  void Fail(const YAML::Node& node, const std::string& what) {
    if (!status_.ok()) return;
    const YAML::Mark mark = node.Mark();
    status_ = absl::InvalidArgumentError(absl::StrCat(file_, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
  }
  // Every key of the map is one of `known`, once.
  bool Keys(const YAML::Node& map, const std::set<std::string>& known, const char* what) {
    if (!map.IsMap()) {
      Fail(map, absl::StrCat(what, " must be a map"));
      return false;
    }
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (known.count(key) == 0) Fail(entry.first, absl::StrCat("unknown key ", internal::Quote(key), " in ", what));
      if (!seen.insert(key).second) Fail(entry.first, absl::StrCat("the key ", internal::Quote(key), " appears twice"));
    }
    return status_.ok();
  }
  std::string Text(const YAML::Node& map, const char* key, bool required = true) {
    const YAML::Node node = map[key];
    if (!node) {
      if (required) Fail(map, absl::StrCat("\"", key, "\" is missing"));
      return "";
    }
    if (!node.IsScalar() || (required && node.Scalar().empty())) {
      Fail(node, absl::StrCat("\"", key, "\" must be text"));
      return "";
    }
    return node.Scalar();
  }
  std::vector<std::string> List(const YAML::Node& map, const char* key, const std::set<std::string>& allowed,
                                bool required = true) {
    std::vector<std::string> values;
    const YAML::Node node = map[key];
    if (!node) {
      if (required) Fail(map, absl::StrCat("\"", key, "\" is missing"));
      return values;
    }
    if (!node.IsSequence()) {
      Fail(node, absl::StrCat("\"", key, "\" must be a list"));
      return values;
    }
    for (const YAML::Node& item : node) {
      const std::string value = item.IsScalar() ? item.Scalar() : "";
      if (!allowed.empty() && allowed.count(value) == 0) {
        Fail(item, absl::StrCat(internal::Quote(value), " is not one of ", absl::StrJoin(allowed, ", ")));
      }
      values.push_back(value);
    }
    return values;
  }
  std::vector<int> Numbers(const YAML::Node& map, const char* key) {
    std::vector<int> numbers;
    for (const std::string& text : List(map, key, {})) {
      auto number = internal::ParseDecimalInteger(text);
      if (!number || *number > 1000) {
        Fail(map[key], absl::StrCat(internal::Quote(text), " is not a number of 0 to 1000"));
        return numbers;
      }
      numbers.push_back(static_cast<int>(*number));
    }
    return numbers;
  }
  DecodeBand Band(const YAML::Node& node);
  VideoCapability Video(const YAML::Node& node);
  DeviceProfile Profile(const YAML::Node& node);

  std::string file_;
  absl::Status status_;
};

const std::set<std::string>& Containers() {
  static const auto* const containers = new std::set<std::string>{"ts", "fmp4"};
  return *containers;
}

DecodeBand Reader::Band(const YAML::Node& node) {
  DecodeBand band;
  if (!Keys(node, {"size", "fps", "level"}, "a band")) return band;
  if (const YAML::Node size = node["size"]) {
    auto pixels = size.IsScalar() ? internal::ParseResolution(size.Scalar()) : std::nullopt;
    if (!pixels) {
      Fail(size, "\"size\" must be WIDTHxHEIGHT");
      return band;
    }
    band.width = pixels->first;
    band.height = pixels->second;
  }
  auto rate = internal::ParseDecimalFloat(Text(node, "fps"));
  auto level = internal::ParseDecimalFloat(Text(node, "level"));
  if (!rate || *rate <= 0 || *rate > 1000) Fail(node, "\"fps\" must be a number");
  if (!level || *level < 1 || *level > 10) Fail(node, "\"level\" must be a number like 5.1");
  if (!status_.ok()) return band;
  band.frame_rate = *rate;
  band.level = static_cast<int>(*level * 10 + 0.5);
  return band;
}

VideoCapability Reader::Video(const YAML::Node& node) {
  VideoCapability video;
  if (!Keys(node, {"codec", "profiles", "containers", "depends_on", "bands"}, "a video codec")) return video;
  video.codec = CodecFamilyOf(Text(node, "codec"));
  if (status_.ok() && video.codec == CodecFamily::kUnknown) {
    Fail(node["codec"], absl::StrCat("unknown codec ", internal::Quote(node["codec"].Scalar())));
  }
  video.profiles = Numbers(node, "profiles");
  video.containers = List(node, "containers", Containers(), false);
  video.depends_on = Text(node, "depends_on", false);
  const YAML::Node bands = node["bands"];
  if (!bands || !bands.IsSequence() || bands.size() == 0) {
    Fail(bands ? bands : node, "\"bands\" must list at least one band");
    return video;
  }
  for (const YAML::Node& band : bands) {
    video.bands.push_back(Band(band));
    if (!status_.ok()) return video;
    if (video.bands.size() < 2) continue;
    const DecodeBand& before = video.bands[video.bands.size() - 2];
    const DecodeBand& after = video.bands.back();
    if (after.width < before.width || after.height < before.height) Fail(band, "bands must ascend by size");
  }
  return video;
}

DeviceProfile Reader::Profile(const YAML::Node& node) {
  DeviceProfile profile;
  if (!Keys(node,
            {"id", "name", "class", "source", "date", "confidence", "note", "video", "audio", "hls", "video_ranges",
             "dolby_vision_profiles", "drm", "encryption_schemes"},
            "a profile")) {
    return profile;
  }
  profile.id = Text(node, "id");
  for (unsigned char c : profile.id) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_' && c != '.') {
      Fail(node["id"], absl::StrCat("the id ", internal::Quote(profile.id), " may hold a-z, 0-9, _ and . only"));
    }
  }
  profile.name = Text(node, "name");
  profile.device_class = Text(node, "class");
  profile.source = Text(node, "source");
  profile.date = Text(node, "date");
  profile.confidence = Text(node, "confidence");
  profile.note = Text(node, "note", false);
  static const std::set<std::string>* const classes =
      new std::set<std::string>{"tv", "stick", "console", "phone", "browser"};
  if (status_.ok() && classes->count(profile.device_class) == 0) {
    Fail(node["class"], absl::StrCat("\"class\" must be one of ", absl::StrJoin(*classes, ", ")));
  }
  if (status_.ok() && profile.confidence != "read" && profile.confidence != "unverified") {
    Fail(node["confidence"], "\"confidence\" must be read or unverified");
  }
  bool zoned = false;
  if (status_.ok() && (profile.date.size() != 10 || !internal::ParseDate(profile.date + "T00:00:00Z", &zoned))) {
    Fail(node["date"], "\"date\" must be YYYY-MM-DD");
  }
  const YAML::Node video = node["video"];
  if (!video || !video.IsSequence()) {
    Fail(video ? video : node, "\"video\" must be a list");
    return profile;
  }
  for (const YAML::Node& item : video) {
    if (!status_.ok()) return profile;
    profile.video.push_back(Video(item));
  }
  for (const std::string& codec : List(node, "audio", {})) {
    profile.audio.push_back(CodecFamilyOf(codec));
    if (profile.audio.back() == CodecFamily::kUnknown) {
      Fail(node["audio"], absl::StrCat("unknown codec ", internal::Quote(codec)));
    }
  }
  const YAML::Node hls = node["hls"];
  if (!hls) {
    Fail(node, "\"hls\" is missing");
    return profile;
  }
  if (!Keys(hls, {"player", "containers"}, "\"hls\"")) return profile;
  profile.hls_player = Text(hls, "player");
  profile.hls_containers = List(hls, "containers", Containers());
  profile.video_ranges = List(node, "video_ranges", {"SDR", "PQ", "HLG"});
  profile.dolby_vision_profiles = Numbers(node, "dolby_vision_profiles");
  profile.encryption_schemes = List(node, "encryption_schemes", {"cenc", "cbcs"});
  const YAML::Node drm = node["drm"];
  if (!drm || !drm.IsSequence()) {
    Fail(drm ? drm : node, "\"drm\" must be a list");
    return profile;
  }
  for (const YAML::Node& item : drm) {
    if (!Keys(item, {"system", "level"}, "a DRM system")) return profile;
    profile.drm.push_back({Text(item, "system"), Text(item, "level", false)});
  }
  return profile;
}

// Aliases make a small file endless to walk, and yaml-cpp's nodes hide them: refuse them in the text.
bool HasAnchors(absl::string_view yaml) {
  bool at_value = true;
  char quote = 0;
  for (size_t i = 0; i < yaml.size(); ++i) {
    const char c = yaml[i];
    if (c == '\n') {
      at_value = true;
      quote = 0;
      continue;
    }
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    if (at_value && (c == '&' || c == '*')) return true;
    if (at_value && (c == '"' || c == '\'')) quote = c;
    if (c == '#' && at_value) {
      while (i + 1 < yaml.size() && yaml[i + 1] != '\n') ++i;
      continue;
    }
    at_value =
        c == ' ' || c == '[' || c == '{' || c == ',' || c == '-' || c == ':' || c == '\t' || c == '?' || c == '\r';
  }
  return false;
}

absl::StatusOr<std::vector<DeviceProfile>> Reader::Read(absl::string_view yaml) {
  if (yaml.size() > kMostBytes) return absl::InvalidArgumentError(absl::StrCat(file_, ": larger than 1 MB"));
  if (HasAnchors(yaml)) return absl::InvalidArgumentError(absl::StrCat(file_, ": anchors and aliases are not allowed"));
  std::vector<DeviceProfile> profiles;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!Keys(root, {"profiles"}, "the file")) return status_;
    const YAML::Node list = root["profiles"];
    if (!list || !list.IsSequence()) {
      Fail(root, "\"profiles\" must be a list");
      return status_;
    }
    std::set<std::string> ids;
    for (const YAML::Node& node : list) {
      profiles.push_back(Profile(node));
      if (status_.ok() && !ids.insert(profiles.back().id).second) {
        Fail(node, absl::StrCat("the id ", internal::Quote(profiles.back().id), " appears twice"));
      }
      if (!status_.ok()) return status_;
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_, ":", error.mark.line + 1, ":", error.mark.column + 1, ": ", error.msg));
  }
  return profiles;
}

bool Contains(const std::vector<std::string>& list, absl::string_view value) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& item) { return item == value; });
}

std::string RateText(double rate) {
  std::string text = absl::StrFormat("%.2f", rate);
  while (!text.empty() && text.back() == '0') text.pop_back();
  if (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

const char* FamilyWords(CodecFamily family) {
  switch (family) {
    case CodecFamily::kAvc:
      return "H.264";
    case CodecFamily::kHevc:
      return "HEVC";
    case CodecFamily::kDolbyVision:
      return "Dolby Vision";
    case CodecFamily::kAv1:
      return "AV1";
    case CodecFamily::kVp9:
      return "VP9";
    default:
      return "this codec";
  }
}

FitResult Unfit(FitResult result, const char* dimension, const DeviceProfile& profile, const std::string& reason) {
  result.fits = false;
  result.dimension = dimension;
  result.sentence = absl::StrCat("Does not play on ", profile.name, ": ", reason, ".");
  return result;
}

}  // namespace

const DeviceProfile* DeviceProfiles::Find(absl::string_view id) const {
  for (const DeviceProfile& profile : profiles_) {
    if (profile.id == id) return &profile;
  }
  return nullptr;
}

absl::StatusOr<std::vector<DeviceProfile>> ParseDeviceProfiles(absl::string_view yaml, absl::string_view file_name) {
  return Reader(file_name).Read(yaml);
}

absl::StatusOr<DeviceProfiles> LoadBuiltInDeviceProfiles() {
  std::vector<DeviceProfile> all;
  std::set<std::string> ids;
  for (const internal::ProfileFile& file : internal::BuiltInProfileFiles()) {
    auto profiles = ParseDeviceProfiles(file.text, file.name);
    if (!profiles.ok()) return profiles.status();
    for (DeviceProfile& profile : *profiles) {
      if (!ids.insert(profile.id).second) {
        return absl::InvalidArgumentError(absl::StrCat(file.name, ": the id ", profile.id, " is in another file too"));
      }
      all.push_back(std::move(profile));
    }
  }
  return DeviceProfiles(std::move(all));
}

VariantFacts FactsOf(const HlsVariant& variant, Container container) {
  VariantFacts facts;
  facts.codecs = ParseCodecList(absl::StrJoin(variant.codecs, ","));
  facts.width = variant.width;
  facts.height = variant.height;
  facts.frame_rate = variant.frame_rate;
  facts.video_range = variant.video_range;
  facts.container = container;
  return facts;
}

FitResult Fit(const DeviceProfile& profile, const VariantFacts& variant) {
  FitResult result;
  const CodecInfo* video = nullptr;
  for (const CodecInfo& codec : variant.codecs) {
    if (codec.family == CodecFamily::kUnknown) {
      return Unfit(std::move(result), "codec", profile, absl::StrCat("the stream uses ", codec.words));
    }
    if (codec.kind == MediaKind::kVideo && video == nullptr) video = &codec;
  }
  const VideoCapability* capability = nullptr;
  if (variant.codecs.empty()) {
    result.not_judged.push_back("codec");
  } else if (video != nullptr && video->family == CodecFamily::kDolbyVision) {
    const auto& known = profile.dolby_vision_profiles;
    if (std::find(known.begin(), known.end(), video->profile) == known.end()) {
      return Unfit(std::move(result), "codec", profile,
                   absl::StrCat("the stream is ", video->words, ", which this device does not show"));
    }
  } else if (video != nullptr) {
    for (const VideoCapability& candidate : profile.video) {
      if (candidate.codec == video->family) capability = &candidate;
    }
    if (capability == nullptr) {
      return Unfit(std::move(result), "codec", profile,
                   absl::StrCat("the picture is ", video->words, ", and the device does not decode ",
                                FamilyWords(video->family)));
    }
    if (!capability->depends_on.empty()) {
      result.not_judged.push_back(absl::StrCat("codec: depends on ", capability->depends_on));
    }
    if (video->profile < 0) {
      result.not_judged.push_back("profile");
    } else if (!capability->profiles.empty() && std::find(capability->profiles.begin(), capability->profiles.end(),
                                                          video->profile) == capability->profiles.end()) {
      return Unfit(std::move(result), "profile", profile,
                   absl::StrCat("the picture is ", FamilyWords(video->family), " ", video->profile_name,
                                ", a profile the device does not decode"));
    }
  }
  if (capability != nullptr) {
    const std::string size = absl::StrCat(variant.width, "x", variant.height);
    const DecodeBand* band = nullptr;
    if (variant.width <= 0 || variant.height <= 0) {
      result.not_judged.push_back("resolution");
      band = &capability->bands.back();  // the most the device does at any size
    } else {
      for (const DecodeBand& candidate : capability->bands) {
        const bool upright = variant.width <= candidate.width && variant.height <= candidate.height;
        if (candidate.width == 0 || upright) {
          band = &candidate;
          break;
        }
      }
      if (band == nullptr) {
        const DecodeBand& largest = capability->bands.back();
        return Unfit(std::move(result), "resolution", profile,
                     absl::StrCat("the picture is ", size, ", and the device decodes ", FamilyWords(video->family),
                                  " up to ", largest.width, "x", largest.height));
      }
    }
    if (video->level < 0) {
      result.not_judged.push_back("level");
    } else if (video->level > band->level) {
      return Unfit(
          std::move(result), "level", profile,
          absl::StrCat("the stream says ", FamilyWords(video->family), " level ", LevelText(video->level),
                       variant.width > 0 ? absl::StrCat(" at ", size) : "", ", and the device decodes at most level ",
                       LevelText(band->level), variant.width > 0 ? " at that size" : ""));
    }
    constexpr double kRounding = 0.1;  // 59.94 and 60 are one class
    if (!variant.frame_rate) {
      result.not_judged.push_back("frame_rate");
    } else if (*variant.frame_rate > band->frame_rate + kRounding) {
      return Unfit(std::move(result), "frame_rate", profile,
                   absl::StrCat("the stream has ", RateText(*variant.frame_rate), " pictures a second at ", size,
                                ", and the device shows at most ", RateText(band->frame_rate), " at that size"));
    }
    const std::string range = variant.video_range.empty() ? "SDR" : variant.video_range;
    if (!Contains(profile.video_ranges, range)) {
      return Unfit(std::move(result), "video_range", profile,
                   absl::StrCat("the picture is HDR (", internal::Quote(range), "), which this device does not show"));
    }
  }
  const std::vector<std::string>& containers =
      capability != nullptr && !capability->containers.empty() ? capability->containers : profile.hls_containers;
  if (variant.container == Container::kUnknown) {
    result.not_judged.push_back("container");
  } else if (variant.container == Container::kMpegTs || variant.container == Container::kFmp4 ||
             variant.container == Container::kMp4) {
    const char* id = variant.container == Container::kMpegTs ? "ts" : "fmp4";
    if (!Contains(containers, id)) {
      const char* words = variant.container == Container::kMpegTs ? "MPEG-TS" : "fragmented MP4";
      return Unfit(std::move(result), "container", profile,
                   absl::StrCat("the stream is packed as ", words, ", which this device does not play ",
                                capability != nullptr && !capability->containers.empty()
                                    ? absl::StrCat("with ", FamilyWords(video->family))
                                    : "over HLS"));
    }
  }
  for (const CodecInfo& codec : variant.codecs) {
    if (codec.kind != MediaKind::kAudio) continue;
    if (std::find(profile.audio.begin(), profile.audio.end(), codec.family) == profile.audio.end()) {
      return Unfit(std::move(result), "audio_codec", profile,
                   absl::StrCat("the sound is ", codec.words, ", which this device does not decode"));
    }
  }
  if (!variant.drm_systems.empty()) {
    const bool any = std::any_of(profile.drm.begin(), profile.drm.end(),
                                 [&](const DrmCapability& drm) { return Contains(variant.drm_systems, drm.system); });
    if (!any) {
      return Unfit(std::move(result), "drm", profile,
                   absl::StrCat("the stream is protected with ", absl::StrJoin(variant.drm_systems, ", "),
                                ", which this device cannot unlock over HLS"));
    }
    if (variant.encryption_scheme.empty()) {
      result.not_judged.push_back("encryption_scheme");
    } else if (!Contains(profile.encryption_schemes, variant.encryption_scheme)) {
      return Unfit(
          std::move(result), "encryption_scheme", profile,
          absl::StrCat("the stream is encrypted as ", variant.encryption_scheme, ", which this device cannot decrypt"));
    }
  }
  result.fits = true;
  return result;
}

}  // namespace puckdrop::media
