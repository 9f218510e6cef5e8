#include "services/arena/live.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace puckdrop::arena {
namespace {

namespace fs = std::filesystem;

constexpr int kSegmentSeconds = 2;
constexpr int kListSize = 6;
constexpr int kReadySegments = 3;
constexpr int kMissingSegments = 3;
constexpr size_t kMaxViewers = 10'000;
constexpr char kPlaylistType[] = "application/vnd.apple.mpegurl";
// What MPEG-TS or fragments add to the elementary streams, generously: a bandwidth is an upper bound.
constexpr double kPictureOverhead = 1.10;
constexpr double kSoundOverhead = 1.35;

const std::vector<std::string>& Sounds() {
  static const auto& sounds = *new std::vector<std::string>{"audio_fi", "audio_none"};
  return sounds;
}

std::optional<std::string> ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

struct Listed {
  int64_t first = 0;  // media sequence number
  std::vector<std::string> segments;
  int64_t Newest() const { return first + static_cast<int64_t>(segments.size()) - 1; }
};

Listed ParsePlaylist(const std::string& text) {
  Listed listed;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "#EXT-X-MEDIA-SEQUENCE:")) {
      (void)absl::SimpleAtoi(line, &listed.first);
    } else if (!line.empty() && line[0] != '#') {
      listed.segments.emplace_back(line);
    }
  }
  return listed;
}

// ffmpeg writes zones as +0000, which strict readers of RFC 3339 refuse.
std::string NormaliseDates(const std::string& text) {
  std::string normal;
  for (absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (absl::StartsWith(line, "#EXT-X-PROGRAM-DATE-TIME:") && absl::ConsumeSuffix(&line, "+0000")) {
      absl::StrAppend(&normal, line, "Z\n");
    } else {
      absl::StrAppend(&normal, line, "\n");
    }
  }
  return normal;
}

std::string Garbage(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

LiveStreams::LiveStreams(LiveOptions options, const FaultSet* faults, std::vector<Bandwidth> bandwidths)
    : options_(std::move(options)), faults_(faults), bandwidths_(std::move(bandwidths)) {}

absl::StatusOr<std::unique_ptr<LiveStreams>> LiveStreams::Start(LiveOptions options, const FaultSet* faults) {
  auto match = EnsureMedia(options.recipe, Content::kMatch, options.media_folder);
  if (!match.ok()) return match.status();
  std::error_code error;
  fs::create_directories(options.work_folder, error);
  if (error)
    return absl::FailedPreconditionError(absl::StrCat("cannot make ", options.work_folder, ": ", error.message()));
  auto bandwidths = MeasureBandwidth(*match, options.work_folder + "/ffprobe.log");
  if (!bandwidths.ok()) return bandwidths.status();
  if (bandwidths->size() != options.recipe.variants.size() + Sounds().size()) {
    return absl::InternalError(
        absl::StrCat(*match, " has ", bandwidths->size(), " streams; remove it, it is made again"));
  }
  std::unique_ptr<LiveStreams> live(new LiveStreams(std::move(options), faults, *std::move(bandwidths)));
  live->match_ = *match;
  live->channels_["match"] = live->StartChannel("match", *match, *match);
  return live;
}

std::shared_ptr<LiveStreams::Channel> LiveStreams::StartChannel(const std::string& name, const std::string& pictures,
                                                                const std::string& sounds) {
  auto channel = std::make_shared<Channel>();
  channel->folder = absl::StrCat(options_.work_folder, "/", name, "-", absl::ToUnixMillis(absl::Now()));
  std::vector<std::string> renditions;
  for (const Variant& variant : options_.recipe.variants) renditions.push_back(variant.name);
  for (const std::string& sound : Sounds()) renditions.push_back(sound);
  for (const char* container : {"ts", "fmp4"}) {
    for (const std::string& rendition : renditions)
      fs::create_directories(channel->folder + "/" + container + "/" + rendition);
  }
  const size_t variants = options_.recipe.variants.size();
  const bool one_file = pictures == sounds;
  const std::string folder = channel->folder;
  channel->packager = std::make_unique<Supervisor>(
      "packager of the " + name,
      [=](int starts) {
        std::vector<std::string> argv = {"ffmpeg",       "-nostdin", "-v", "error", "-re",
                                         "-stream_loop", "-1",       "-i", pictures};
        if (!one_file) argv.insert(argv.end(), {"-re", "-stream_loop", "-1", "-i", sounds});
        // Numbers follow the clock, so that they go on after a restart of the arena, and are the same in every
        // rendition.
        const std::string number = std::to_string(absl::ToUnixSeconds(absl::Now()) / kSegmentSeconds);
        const std::string flags = absl::StrCat("delete_segments+program_date_time+independent_segments+temp_file",
                                               starts > 0 ? "+discont_start" : "");
        for (size_t i = 0; i < renditions.size(); ++i) {
          const bool sound = i >= variants;
          const std::string map = one_file ? absl::StrCat("0:", i)
                                  : sound  ? absl::StrCat("1:a:", i - variants)
                                           : absl::StrCat("0:", i);
          for (const bool fragments : {false, true}) {
            const std::string home = absl::StrCat(folder, fragments ? "/fmp4/" : "/ts/", renditions[i], "/");
            argv.insert(argv.end(),
                        {"-map", map, "-c", "copy", "-f", "hls", "-hls_time", std::to_string(kSegmentSeconds),
                         "-hls_list_size", std::to_string(kListSize), "-hls_delete_threshold",
                         std::to_string(kListSize), "-start_number", number, "-hls_flags", flags});
            if (fragments)
              argv.insert(argv.end(), {"-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"});
            argv.insert(argv.end(), {"-hls_segment_filename", absl::StrCat(home, fragments ? "%d.m4s" : "%d.ts"),
                                     home + "index.m3u8"});
          }
        }
        return argv;
      },
      absl::StrCat(folder, "/ffmpeg.log"));
  return channel;
}

bool LiveStreams::ChannelReady(const Channel& channel) const {
  const auto filled = [&](const std::string& rendition) {
    for (const char* container : {"ts", "fmp4"}) {
      const auto text = ReadFile(absl::StrCat(channel.folder, "/", container, "/", rendition, "/index.m3u8"));
      if (!text || ParsePlaylist(*text).segments.size() < kReadySegments) return false;
    }
    return true;
  };
  for (const Variant& variant : options_.recipe.variants) {
    if (!filled(variant.name)) return false;
  }
  return std::all_of(Sounds().begin(), Sounds().end(), filled);
}

bool LiveStreams::Ready() {
  std::map<std::string, std::shared_ptr<Channel>> channels;
  {
    const std::lock_guard lock(mutex_);
    if (!applied_) return false;
    channels = channels_;
  }
  for (const auto& [name, channel] : channels) {
    if (!ChannelReady(*channel)) return false;
  }
  return true;
}

absl::Status LiveStreams::WaitReady(absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  while (!Ready()) {
    if (absl::Now() > until)
      return absl::UnavailableError("the live stream has not come up; see ffmpeg's log in the work folder");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return absl::OkStatus();
}

absl::Status LiveStreams::ApplyFaults() {
  const std::lock_guard apply(apply_mutex_);
  struct Wanted {
    Fault fault;
    const char* name;
    Content content;
  };
  for (const Wanted& wanted :
       {Wanted{Fault::kBlack, "black", Content::kBlack}, Wanted{Fault::kFrozen, "frozen", Content::kFrozen},
        Wanted{Fault::kSilent, "silent", Content::kSilent}}) {
    std::shared_ptr<Channel> old;  // its packager is stopped outside the lock
    {
      const std::lock_guard lock(mutex_);
      const auto found = channels_.find(wanted.name);
      if (faults_->On(wanted.fault) == (found != channels_.end())) continue;
      if (found != channels_.end()) {
        old = std::move(found->second);
        channels_.erase(found);
        continue;
      }
    }
    const auto media = EnsureMedia(options_.recipe, wanted.content, options_.media_folder);
    if (!media.ok()) return media.status();
    auto channel = wanted.content == Content::kSilent ? StartChannel(wanted.name, match_, *media)
                                                      : StartChannel(wanted.name, *media, match_);
    const std::lock_guard lock(mutex_);
    channels_[wanted.name] = std::move(channel);
  }
  {
    const std::lock_guard lock(mutex_);
    applied_ = true;
  }
  if (absl::Status ready = WaitReady(absl::Seconds(30)); !ready.ok()) return ready;
  bool frozen = false;
  {
    const std::lock_guard lock(mutex_);
    if (!faults_->On(Fault::kStale)) frozen_folder_.clear();
    frozen = !frozen_folder_.empty();
  }
  return faults_->On(Fault::kStale) && !frozen ? Freeze() : absl::OkStatus();
}

absl::Status LiveStreams::Freeze() {
  const std::string folder = absl::StrCat(options_.work_folder, "/stale-", ++freezes_);
  std::vector<std::string> renditions = Sounds();
  for (const Variant& variant : options_.recipe.variants) renditions.push_back(variant.name);
  for (const char* container : {"ts", "fmp4"}) {
    for (const std::string& rendition : renditions) {
      const fs::path from = Folder(container, rendition), to = fs::path(folder) / container / rendition;
      std::error_code error;
      fs::create_directories(to, error);
      const auto text = ReadFile(from / "index.m3u8");
      if (!text) return absl::UnavailableError("the playlists are not there yet");
      std::ofstream(to / "index.m3u8") << *text;
      // Hard links: the segments stay readable after the packager deletes its own names.
      for (const std::string& segment : ParsePlaylist(*text).segments)
        fs::create_hard_link(from / segment, to / segment, error);
      fs::create_hard_link(from / "init.mp4", to / "init.mp4", error);
    }
  }
  const std::lock_guard lock(mutex_);
  frozen_folder_ = folder;
  return absl::OkStatus();
}

bool LiveStreams::IsVariant(const std::string& rendition) const {
  return std::any_of(options_.recipe.variants.begin(), options_.recipe.variants.end(),
                     [&](const Variant& variant) { return variant.name == rendition; });
}

std::string LiveStreams::Folder(const std::string& container, const std::string& rendition) {
  const std::lock_guard lock(mutex_);
  std::string name = rendition;
  if (name == "audio_fi" && faults_->On(Fault::kCommentaryIsCrowd)) name = "audio_none";
  const std::string tail = absl::StrCat("/", container, "/", name);
  if (!frozen_folder_.empty() && faults_->On(Fault::kStale)) return frozen_folder_ + tail;
  std::shared_ptr<Channel> channel = channels_["match"];
  // The sound of a black picture comes from the same packager, so that both have the same clock.
  for (const auto& [fault, key] : {std::pair{Fault::kFrozen, "frozen"}, std::pair{Fault::kBlack, "black"}}) {
    if (const auto found = channels_.find(key); faults_->On(fault) && found != channels_.end()) channel = found->second;
  }
  if (const auto found = channels_.find("silent"); faults_->On(Fault::kSilent) && found != channels_.end()) {
    const bool pictures_too = !faults_->On(Fault::kFrozen) && !faults_->On(Fault::kBlack);
    if (pictures_too || !IsVariant(rendition)) channel = found->second;
  }
  return channel->folder + tail;
}

std::string LiveStreams::Multivariant(const std::string& container) const {
  std::string text =
      absl::StrCat("#EXTM3U\n#EXT-X-VERSION:", container == "ts" ? 6 : 7, "\n#EXT-X-INDEPENDENT-SEGMENTS\n");
  const size_t variants = options_.recipe.variants.size();
  if (!faults_->On(Fault::kCommentaryMissing)) {
    absl::StrAppend(
        &text,
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Suomi\",LANGUAGE=\"fi\",DEFAULT=YES,AUTOSELECT=YES,"
        "CHANNELS=\"2\",URI=\"audio_fi/index.m3u8\"\n");
  }
  absl::StrAppend(&text, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"No commentary\",LANGUAGE=\"zxx\",DEFAULT=",
                  faults_->On(Fault::kCommentaryMissing) ? "YES" : "NO",
                  ",AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio_none/index.m3u8\"\n");
  const int sound_peak = std::max(bandwidths_[variants].peak, bandwidths_[variants + 1].peak);
  const int sound_average = std::max(bandwidths_[variants].average, bandwidths_[variants + 1].average);
  // The middle one first: players begin with the first variant, and a television on a bad line begins sooner.
  std::vector<size_t> order(variants);
  for (size_t i = 0; i < variants; ++i) order[i] = i;
  if (variants > 1) std::swap(order[0], order[1]);
  for (const size_t i : order) {
    const Variant& variant = options_.recipe.variants[i];
    const std::string codecs = i == 0 && faults_->On(Fault::kLevelTooHigh) ? "avc1.640033" : variant.codecs;
    absl::StrAppend(&text, "#EXT-X-STREAM-INF:BANDWIDTH=",
                    static_cast<int>(bandwidths_[i].peak * kPictureOverhead + sound_peak * kSoundOverhead),
                    ",AVERAGE-BANDWIDTH=",
                    static_cast<int>(bandwidths_[i].average * kPictureOverhead + sound_average * kSoundOverhead),
                    ",CODECS=\"", codecs, ",mp4a.40.2\",RESOLUTION=", variant.width, "x", variant.height,
                    ",FRAME-RATE=", absl::StrFormat("%d.000", variant.frames_per_second),
                    ",AUDIO=\"sound\",CLOSED-CAPTIONS=NONE\n", variant.name, "/index.m3u8\n");
  }
  return text;
}

LiveStreams::Answer LiveStreams::Serve(const std::string& container, const std::vector<std::string>& path,
                                       const std::string& viewer) {
  const Answer missing{404, "", "", ""};
  if ((container != "ts" && container != "fmp4") || path.empty() || path.size() > 2) return missing;
  const std::string& file = path.back();
  if (absl::EndsWith(file, ".m3u8") && faults_->On(Fault::kManifestMissing)) return missing;
  if (path.size() == 1) {
    if (file != "master.m3u8") return missing;
    return {200, kPlaylistType, "max-age=10", Multivariant(container)};
  }
  const std::string& rendition = path.front();
  if (!IsVariant(rendition) && std::find(Sounds().begin(), Sounds().end(), rendition) == Sounds().end()) return missing;
  const fs::path folder = Folder(container, rendition);
  const std::string& top = options_.recipe.variants.front().name;
  if (file == "index.m3u8") {
    const auto text = ReadFile(folder / file);
    if (!text) return missing;
    if (rendition == top && faults_->On(Fault::kTopVariantMissing)) {
      const std::lock_guard lock(mutex_);
      if (newest_seen_.size() >= kMaxViewers) newest_seen_.clear();
      newest_seen_[viewer] = ParsePlaylist(*text).Newest();
    }
    return {200, kPlaylistType, "max-age=1", NormaliseDates(*text)};
  }
  if (file == "init.mp4" && container == "fmp4") {
    auto body = ReadFile(folder / file);
    if (!body) return missing;
    return {200, "video/mp4", "max-age=3600", *std::move(body)};
  }
  // Only digits reach the file system.
  absl::string_view digits = file;
  int64_t number = 0;
  if (!absl::ConsumeSuffix(&digits, container == "ts" ? ".ts" : ".m4s") || digits.empty() || digits.size() > 18 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }) ||
      !absl::SimpleAtoi(digits, &number)) {
    return missing;
  }
  if (rendition == top && faults_->On(Fault::kTopVariantMissing)) {
    const std::lock_guard lock(mutex_);
    const auto seen = newest_seen_.find(viewer);
    // Seen from the viewer's own last playlist, so that a slow one does not find what has become older meanwhile.
    if (seen == newest_seen_.end() || number > seen->second - kMissingSegments) return missing;
  }
  auto body = ReadFile(folder / absl::StrCat(number, container == "ts" ? ".ts" : ".m4s"));
  if (!body) return missing;
  if (rendition == options_.recipe.variants.back().name && faults_->On(Fault::kSegmentsCorrupt)) {
    body = Garbage(body->size(), static_cast<uint64_t>(number));
  }
  return {200, container == "ts" ? "video/mp2t" : "video/mp4", "max-age=3600", *std::move(body)};
}

std::vector<pid_t> LiveStreams::Pids() {
  const std::lock_guard lock(mutex_);
  std::vector<pid_t> pids;
  for (const auto& [name, channel] : channels_) pids.push_back(channel->packager->pid());
  return pids;
}

}  // namespace puckdrop::arena
