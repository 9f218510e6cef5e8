// Demuxes and decodes one media segment from memory: what is in it, its keyframes reduced, its sound.
//
// A blocking function for an executor, never for an event loop. It opens no file, URL or protocol: libav* reads the
// bytes given and nothing else, and only as MPEG-TS, MP4, ADTS AAC or AC-3. Any bytes give an answer: corrupt data ends
// as a problem in words, and every loop is bounded by DecodeOptions. By default only keyframes are decoded, and all
// sound: that finds every black or frozen stretch of some seconds at a tenth of the cost of decoding all pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/media/codec_string.h"
#include "checks/media/container.h"
#include "checks/media/picture.h"
#include "checks/media/sound.h"

namespace puckdrop::media {

struct DecodeOptions {
  size_t max_bytes = 64u << 20;                   // of init and segment together
  absl::Duration cpu_budget = absl::Seconds(10);  // CPU time of the calling thread
  int64_t max_pixels = int64_t{8192} * 4320;      // of one picture
  int max_pictures = 64;                          // decoded in one segment
  int max_packets = 200'000;
  int max_streams = 16;
  double max_audio_seconds = 60;  // of each track
  bool decode_video = true;
  bool decode_audio = true;
  bool every_picture = false;  // not only keyframes
  bool make_jpeg = false;      // of the last decoded picture
  int jpeg_max_width = 640;
};

struct StreamFacts {
  int index = 0;
  uint32_t id = 0;  // PID or track id
  MediaKind kind = MediaKind::kUnknown;
  CodecInfo codec;         // as the stream itself says it: for AVC from its parameter set, in RFC 6381 form
  std::string codec_name;  // libavcodec's word, "h264"
  std::string language;    // ISO 639-2, empty when not said
  bool encrypted = false;  // its samples are not decoded
  std::string encryption_scheme;
  int width = 0;
  int height = 0;
  double frame_rate = 0;  // measured from the time stamps; 0 with fewer than two pictures
  int sample_rate = 0;
  int channels = 0;
  int64_t packets = 0;
  int64_t bytes = 0;
  int64_t corrupt_packets = 0;  // the demuxer saw a continuity or transport error
  int64_t decode_errors = 0;
  int64_t keyframes = 0;  // marked so in the container or the stream
  bool starts_with_keyframe = false;
  std::optional<double> first_pts_seconds;
  std::optional<double> last_pts_seconds;  // of the last packet's beginning
  std::optional<double> end_pts_seconds;   // with its duration
};

struct SegmentFacts {
  Container container = Container::kUnknown;
  SegmentProblem problem = SegmentProblem::kNone;
  std::string words;  // the problem as a sentence
  int64_t bytes = 0;
  std::vector<StreamFacts> streams;
  std::vector<PictureFacts> pictures;  // of the first video stream, by time
  std::vector<AudioBlock> audio;       // one for each decoded track
  std::string jpeg;                    // empty unless asked for and possible
  absl::Duration cpu_time;

  bool ok() const { return problem == SegmentProblem::kNone; }
  // The first stream of the kind, or null.
  const StreamFacts* First(MediaKind kind) const;
};

// Keeps the codecs of one representation open between its segments, which costs less than opening them each time.
// Not thread-safe; use one object for one representation, in order. Reset after a discontinuity is not needed.
class SegmentDecoder {
 public:
  explicit SegmentDecoder(DecodeOptions options = {});
  ~SegmentDecoder();
  SegmentDecoder(SegmentDecoder&&) noexcept;
  SegmentDecoder& operator=(SegmentDecoder&&) noexcept;

  // `init` is the EXT-X-MAP bytes for fMP4, else empty. Both views must stay valid during the call only.
  SegmentFacts Decode(absl::string_view init, absl::string_view segment);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same for a single segment.
SegmentFacts DecodeSegment(absl::string_view init, absl::string_view segment, const DecodeOptions& options = {});

}  // namespace puckdrop::media
