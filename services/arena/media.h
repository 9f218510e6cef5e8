#ifndef PUCKDROP_SERVICES_ARENA_MEDIA_H_
#define PUCKDROP_SERVICES_ARENA_MEDIA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace puckdrop::arena {

struct Variant {
  std::string name;  // also the folder of its playlist
  int width = 0, height = 0, frames_per_second = 0;
  int kilobits_per_second = 0;
  std::string level;   // H.264, as the encoder takes it: "3.2"
  std::string codecs;  // RFC 6381 of the video: "avc1.640020"
};

// What is encoded once. Its hash names the folder in the cache, so a changed recipe never plays old content.
struct MediaRecipe {
  int seconds = 32;  // a multiple of 8: then AAC's 1024-sample frames at 48 kHz fit exactly and the loop has no seam
  std::vector<Variant> variants;  // best first
  std::string Hash() const;
};

MediaRecipe StandardRecipe();
// Pictures of a hundred pixels, for tests: encodes in a second.
MediaRecipe TinyRecipe();

// What there is to encode: the match (all variants, then commentary and crowd), and what stream faults show instead
// (pictures only, or sound only).
enum class Content { kMatch, kBlack, kFrozen, kSilent };

struct Bandwidth {
  int peak = 0;     // bits per second over the worst 2 s
  int average = 0;  // bits per second
};

// Makes sure that `content` is in `folder`/<hash>/ and returns the file's path. Encodes at most once at a time, also
// across processes (a lock file); an encode that was cut short leaves nothing behind. Takes about 25 CPU-seconds for
// the standard match.
absl::StatusOr<std::string> EnsureMedia(const MediaRecipe& recipe, Content content, const std::string& folder);

// Measures each stream of an encoded file, in the file's order.
absl::StatusOr<std::vector<Bandwidth>> MeasureBandwidth(const std::string& file, const std::string& log);

// ${XDG_CACHE_HOME:-~/.cache}/puckdrop/arena-media
std::string DefaultMediaFolder();

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_MEDIA_H_
