#include "clips.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <tuple>

namespace puckdrop::media {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "puckdrop-media-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const fs::path& Temp() {
  static Folder folder;
  return folder.path();
}

void Run(const std::string& command) {
  const fs::path log = Temp() / "log";
  if (std::system((command + " >" + log.string() + " 2>&1 </dev/null").c_str()) != 0) {
    throw std::runtime_error(command + "\n" + Slurp(log));
  }
}

std::string SpeechFile() {
  const fs::path path = Temp() / "speech.wav";
  if (!fs::exists(path)) {
    Run("espeak-ng -s 165 -a 180 -w " + path.string() +
        " 'And he takes the puck behind the net, passes to the blue line, a slap shot, and what a save by the keeper! "
        "The"
        " rebound comes out to the left wing, he shoots again, and it is in! The home team takes the lead.'");
  }
  return path.string();
}

}  // namespace

std::string CrowdSource() {
  // A seeded crowd, so that both tracks hold the very same one; it swells slowly.
  return "anoisesrc=c=pink:r=48000:a=0.3:seed=7,tremolo=f=0.3:d=0.5,aformat=channel_layouts=stereo";
}

std::string CommentarySource() {
  return CrowdSource() + "[crowd];amovie=" + SpeechFile() +
         ",aresample=48000,aformat=channel_layouts=stereo,apad[speech];[crowd][speech]amix=inputs=2:normalize=0:"
         "duration="
         "shortest";
}

const Clip& MakeClip(const std::string& video, const std::string& audio, double seconds, ClipKind kind,
                     const std::string& extra) {
  static std::map<std::tuple<std::string, std::string, double, ClipKind, std::string>, std::unique_ptr<Clip>> clips;
  auto& slot = clips[{video, audio, seconds, kind, extra}];
  if (slot) return *slot;
  const fs::path folder = Temp() / std::to_string(clips.size());
  fs::create_directory(folder);
  std::string command = "cd " + folder.string() + " && ffmpeg -hide_banner -nostdin -y -threads 1";
  if (!video.empty()) command += " -f lavfi -i '" + video + "'";
  if (!audio.empty()) command += " -f lavfi -i '" + audio + "'";
  command += " -t " + std::to_string(seconds);
  if (!video.empty()) {
    command += " -c:v libx264 -preset ultrafast -pix_fmt yuv420p -threads 1 -g 50 -keyint_min 50 -sc_threshold 0";
  }
  if (!audio.empty()) command += " -c:a aac -b:a 128k -ar 48000";
  command += " " + extra + " -f hls -hls_time 2 -hls_list_size 0 -hls_playlist_type vod";
  command += kind == ClipKind::kTs
                 ? " -hls_segment_filename 's%03d.ts'"
                 : " -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 -hls_segment_filename 's%03d.m4s'";
  Run(command + " list.m3u8");
  auto clip = std::make_unique<Clip>();
  clip->playlist = Slurp(folder / "list.m3u8");
  if (kind == ClipKind::kFmp4) clip->init = Slurp(folder / "init.mp4");
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".ts" || extension == ".m4s") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) clip->segments.push_back(Slurp(file));
  fs::remove_all(folder);
  slot = std::move(clip);
  return *slot;
}

}  // namespace puckdrop::media
