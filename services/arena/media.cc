#include "services/arena/media.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/strings/substitute.h"
#include "services/arena/child_process.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

namespace fs = std::filesystem;

// Raised whenever the commands below change what comes out.
constexpr char kRecipeVersion[] = "arena-media-3";
constexpr int kStillSeconds = 8;
constexpr int kSampleRate = 48'000;
constexpr int kAacFrame = 1024;

constexpr char kCommentary[] =
    "Hyvää iltaa ja tervetuloa areenalle! Kotijoukkue lähtee hyökkäykseen, kiekko kulkee laidan kautta keskialueelle. "
    "Numero "
    "kaksitoista syöttää siniviivalle, laukaus! Maalivahti torjuu, mutta kiekko jää maalin eteen. Nyt on paikka, "
    "vierasjoukkue "
    "purkaa tilanteen ja lähtee vastahyökkäykseen. Kaksi pelaajaa yhtä puolustajaa vastaan, syöttö poikittain, laukaus "
    "yläkulmaan, ja maali! Yleisö nousee seisomaan. Tuomari vahvistaa maalin, tilanne on nyt kaksi yksi. Aloitus "
    "keskiympyrässä, kotijoukkue voittaa kiekon ja rakentaa uuden hyökkäyksen rauhallisesti omalta alueelta. "
    "Puolustaja nostaa "
    "päädyn taakse, kova taklaus laidassa, peli jatkuu kuitenkin. Nyt vaihto lennosta, ja uusi ketju saa kiekon "
    "siniviivan yli.";

const char* Name(Content content) {
  switch (content) {
    case Content::kMatch:
      return "match";
    case Content::kBlack:
      return "black";
    case Content::kFrozen:
      return "frozen";
    case Content::kSilent:
      return "silent";
  }
  return "";
}

// A rink that the camera pans over, six players, a puck and a colourful stand, everything moving: over 120x68 block
// means two frames differ by 8 on average, and by 50 after a second.
std::string Rink(int seconds) {
  std::string graph = absl::Substitute(
      "testsrc2=s=1280x720:r=50:d=$0,scroll=h=0.008:v=0.004,format=yuv420p[stand];"
      "color=c=0xEAF4FF:s=1280x430:r=50:d=$0,drawbox=x=250:y=0:w=24:h=430:color=blue:t=fill,"
      "drawbox=x=1000:y=0:w=24:h=430:color=blue:t=fill,drawbox=x=628:y=0:w=24:h=430:color=red:t=fill,"
      "drawbox=x=520:y=95:w=240:h=240:color=red:t=6,scroll=h=0.006,format=yuv420p[ice];"
      "color=c=0xC01020:s=70x120:r=50:d=$0,format=yuv420p,split=3[p0][p1][p2];"
      "color=c=0x1030A0:s=70x120:r=50:d=$0,format=yuv420p,split=3[p3][p4][p5];"
      "color=c=black:s=20x20:r=50:d=$0,format=yuv420p[puck];[stand][ice]overlay=0:290[x0];",
      seconds);
  constexpr struct {
    double along, phase, across, turn;
  } kPlayers[] = {{2.1, 0, 3.3, 0}, {1.7, 1, 2.9, 2}, {2.6, 3, 2.3, 4},
                  {1.9, 2, 3.1, 1}, {2.3, 4, 2.7, 3}, {1.5, 5, 3.7, 5}};
  int i = 0;
  for (const auto& player : kPlayers) {
    absl::StrAppend(&graph, "[x", i, "][p", i, "]overlay=x='600+560*sin(", player.along, "*t+", player.phase,
                    ")':y='430+120*cos(", player.across, "*t+", player.turn, ")'[x", i + 1, "];");
    ++i;
  }
  absl::StrAppend(&graph, "[x", i, "][puck]overlay=x='630+600*sin(4.1*t)':y='480+150*cos(5.3*t)',format=yuv420p[rink]");
  return graph;
}

// Splits [rink] into one scaled output for each variant: [v0], [v1], ...
std::string Ladder(const MediaRecipe& recipe) {
  std::string graph = absl::StrCat(";[rink]split=", recipe.variants.size());
  for (size_t i = 0; i < recipe.variants.size(); ++i) absl::StrAppend(&graph, "[s", i, "]");
  for (size_t i = 0; i < recipe.variants.size(); ++i) {
    const Variant& variant = recipe.variants[i];
    absl::StrAppend(&graph, ";[s", i, "]fps=", variant.frames_per_second, ",scale=", variant.width, ":", variant.height,
                    ":flags=fast_bilinear,setsar=1[v", i, "]");
  }
  return graph;
}

// A frame of sound more than the length: the encoder's first one is priming and is cut off when the file is read.
std::vector<std::string> SoundOptions(int seconds) {
  return {"-c:a",      "aac",
          "-b:a",      "96k",
          "-ar",       std::to_string(kSampleRate),
          "-frames:a", std::to_string(seconds * kSampleRate / kAacFrame + 1)};
}

std::vector<std::string> PictureOptions(const MediaRecipe& recipe) {
  // ultrafast turns off what makes a stream High profile, so the two tools are named.
  std::vector<std::string> options = {"-c:v",       "libx264", "-preset",      "ultrafast",
                                      "-profile:v", "high",    "-x264-params", "8x8dct=1:cabac=1:bframes=0:scenecut=0",
                                      "-pix_fmt",   "yuv420p"};
  for (size_t i = 0; i < recipe.variants.size(); ++i) {
    const Variant& variant = recipe.variants[i];
    const std::string stream = absl::StrCat(":v:", i), rate = absl::StrCat(variant.kilobits_per_second, "k"),
                      keyframe = std::to_string(variant.frames_per_second);
    options.insert(options.end(), {"-map", absl::StrCat("[v", i, "]")});
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"-b", rate},
                                                                                      {"-maxrate", rate},
                                                                                      {"-bufsize", rate},
                                                                                      {"-level", variant.level},
                                                                                      {"-g", keyframe},
                                                                                      {"-keyint_min", keyframe}}) {
      options.push_back(name + stream);
      options.push_back(value);
    }
  }
  return options;
}

std::vector<std::string> Command(const MediaRecipe& recipe, Content content, const std::string& speech) {
  std::vector<std::string> argv = {"ffmpeg", "-nostdin", "-v", "error", "-y", "-progress", "pipe:1"};
  std::string graph;
  const auto append = [&argv](const std::vector<std::string>& more) {
    argv.insert(argv.end(), more.begin(), more.end());
  };
  const std::string crowd =
      "anoisesrc=color=pink:seed=$0:r=48000:a=0.5:d=$1,bandpass=f=700:w=900,tremolo=f=$2:d=0.4,volume=$3";
  switch (content) {
    case Content::kMatch:
      append({"-i", speech});
      // Two microphones: the crowd in the commentary is not the crowd of the other track.
      graph = absl::StrCat(
          Rink(recipe.seconds), Ladder(recipe), ";[0:a]aresample=48000,apad=whole_dur=", recipe.seconds + 1,
          ",volume=0.75[speech];", absl::Substitute(crowd, 11, recipe.seconds + 1, "0.35", 22),
          "[far];[far][speech]amix=inputs=2:duration=first:normalize=0,aformat=channel_layouts=stereo[a0];",
          absl::Substitute(crowd, 23, recipe.seconds + 1, "0.3", 72), ",aformat=channel_layouts=stereo[a1]");
      break;
    case Content::kBlack:
      graph = absl::StrCat("color=c=black:s=1280x720:r=50:d=", kStillSeconds, ",format=yuv420p[rink]", Ladder(recipe));
      break;
    case Content::kFrozen:
      // One picture of the match, held.
      graph = absl::StrCat(
          Rink(1), ";[rink]trim=start_frame=25:end_frame=26,loop=loop=-1:size=1:start=0,setpts=N/50/TB,trim=duration=",
          kStillSeconds, "[held]", Ladder(recipe));
      graph.replace(graph.find(";[rink]split"), 7, ";[held]");
      break;
    case Content::kSilent:
      // The noise of an open line at -75 dB: silent to everybody, and the two tracks still differ.
      graph = absl::Substitute(
          "anoisesrc=color=white:seed=5:r=48000:a=0.0003:d=$0,aformat=channel_layouts=stereo[a0];"
          "anoisesrc=color=white:seed=7:r=48000:a=0.0003:d=$0,aformat=channel_layouts=stereo[a1]",
          kStillSeconds + 1);
      break;
  }
  append({"-filter_complex", graph});
  if (content != Content::kSilent) append(PictureOptions(recipe));
  if (content == Content::kMatch || content == Content::kSilent) {
    append({"-map", "[a0]", "-map", "[a1]"});
    append(SoundOptions(content == Content::kMatch ? recipe.seconds : kStillSeconds));
  }
  return argv;
}

class FileLock {
 public:
  explicit FileLock(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0) return;
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      spdlog::info("another arena is encoding; waiting for it");
      while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
      }
    }
  }
  ~FileLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace

std::string MediaRecipe::Hash() const {
  std::string text = absl::StrCat(kRecipeVersion, ";", seconds);
  for (const Variant& v : variants) {
    absl::StrAppend(&text, ";", v.name, ",", v.width, "x", v.height, "@", v.frames_per_second, ",",
                    v.kilobits_per_second, ",", v.level);
  }
  return Sha256Hex(text).substr(0, 12);
}

MediaRecipe StandardRecipe() {
  return {32,
          {{"v720", 1280, 720, 50, 2000, "3.2", "avc1.640020"},
           {"v360", 640, 360, 25, 800, "3.0", "avc1.64001e"},
           {"v234", 416, 234, 25, 350, "2.1", "avc1.640015"}}};
}

MediaRecipe TinyRecipe() {
  return {8,
          {{"v720", 160, 90, 25, 150, "3.2", "avc1.640020"},
           {"v360", 128, 72, 25, 100, "3.0", "avc1.64001e"},
           {"v234", 96, 54, 25, 60, "2.1", "avc1.640015"}}};
}

std::string DefaultMediaFolder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return absl::StrCat(cache, "/puckdrop/arena-media");
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return absl::StrCat(home, "/.cache/puckdrop/arena-media");
  return "/tmp/puckdrop-arena-media";
}

absl::StatusOr<std::string> EnsureMedia(const MediaRecipe& recipe, Content content, const std::string& folder) {
  const fs::path home = fs::path(folder) / recipe.Hash();
  const fs::path file = home / absl::StrCat(Name(content), ".mp4");
  std::error_code error;
  if (fs::exists(file, error)) return file.string();
  fs::create_directories(home, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("cannot make ", home.string(), ": ", error.message()));
  const FileLock lock((home / ".lock").string());
  if (fs::exists(file, error)) return file.string();

  const std::string log = (home / "encode.log").string(), speech = (home / "speech.wav").string(),
                    partial = (home / absl::StrCat(Name(content), ".partial.mp4")).string();
  fs::remove(log, error);
  if (content == Content::kMatch) {
    const absl::Status status =
        RunToEnd({"espeak-ng", "-v", "fi", "-s", "150", "-w", speech, kCommentary}, log, absl::Minutes(1));
    if (!status.ok()) return status;
  }
  spdlog::info("encoding the {} once into {}", Name(content), home.string());
  std::vector<std::string> argv = Command(recipe, content, speech);
  argv.push_back(partial);
  int told = 0;
  const int seconds = content == Content::kMatch ? recipe.seconds : kStillSeconds;
  const absl::Status status = RunToEnd(argv, log, absl::Minutes(10), [&](const std::string& line) {
    absl::string_view value = line;
    int64_t microseconds = 0;
    if (!absl::ConsumePrefix(&value, "out_time_us=") || !absl::SimpleAtoi(value, &microseconds)) return;
    const int percent = static_cast<int>(std::min<int64_t>(100, microseconds / (seconds * 10'000)));
    if (percent >= told + 25) spdlog::info("encoding the {}: {} %", Name(content), told = percent);
  });
  fs::remove(speech, error);
  if (!status.ok()) {
    fs::remove(partial, error);
    return status;
  }
  fs::rename(partial, file, error);
  if (error) return absl::InternalError(absl::StrCat("cannot keep ", file.string(), ": ", error.message()));
  return file.string();
}

absl::StatusOr<std::vector<Bandwidth>> MeasureBandwidth(const std::string& file, const std::string& log) {
  std::map<int, std::map<int, int64_t>> bytes;  // by stream, by segment of 2 s
  double end = 0;
  const absl::Status status =
      RunToEnd({"ffprobe", "-v", "error", "-show_entries", "packet=stream_index,pts_time,size", "-of", "csv=p=0", file},
               log, absl::Minutes(1), [&](const std::string& line) {
                 const std::vector<std::string> fields = absl::StrSplit(line, ',');
                 int stream = 0;
                 double time = 0;
                 int64_t size = 0;
                 if (fields.size() < 3 || !absl::SimpleAtoi(fields[0], &stream) ||
                     !absl::SimpleAtod(fields[1], &time) || !absl::SimpleAtoi(fields[2], &size)) {
                   return;
                 }
                 bytes[stream][static_cast<int>(std::max(0.0, time) / 2)] += size;
                 end = std::max(end, time);
               });
  if (!status.ok()) return status;
  if (bytes.empty() || end <= 0) return absl::InternalError(absl::StrCat(file, " holds no packets"));
  std::vector<Bandwidth> bandwidths;
  for (const auto& [stream, segments] : bytes) {
    int64_t peak = 0, total = 0;
    for (const auto& [segment, size] : segments) {
      peak = std::max(peak, size * 4);
      total += size * 8;
    }
    bandwidths.push_back({static_cast<int>(peak), static_cast<int>(static_cast<double>(total) / end)});
  }
  return bandwidths;
}

}  // namespace puckdrop::arena
