// Small real media for the tests, made by ffmpeg and espeak-ng in a temporary folder that is removed at exit.
#pragma once

#include <string>
#include <vector>

namespace puckdrop::media {

struct Clip {
  std::string playlist;
  std::string init;  // fMP4 only
  std::vector<std::string> segments;
};

enum class ClipKind { kTs, kFmp4 };

// An HLS recording of 2-second segments, keyframes every 2 s, 320x180 at 25 fps. `video` and `audio` are lavfi sources
// or empty; clips are made once for each process. Throws std::runtime_error with ffmpeg's output when it fails.
const Clip& MakeClip(const std::string& video, const std::string& audio, double seconds, ClipKind kind,
                     const std::string& extra = "");

// 48 kHz stereo sources as arguments of MakeClip: a crowd, and the same crowd with a commentator over it.
std::string CrowdSource();
std::string CommentarySource();

inline constexpr char kMovingVideo[] = "testsrc2=s=320x180:r=25";

}  // namespace puckdrop::media
