// Judgements over decoded sound: silence, how alike two tracks are, loudness.
// Times are presentation seconds of the stream's own clock; levels are dBFS of the RMS over all channels.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace puckdrop::media {

// Decoded samples of one track over one segment.
struct AudioBlock {
  int stream_index = 0;
  int sample_rate = 0;
  int channels = 0;            // 1 or 2; more are mixed down to 2
  double pts_seconds = 0;      // of the first sample
  std::vector<float> samples;  // interleaved, full scale is 1.0
  bool cut = false;            // DecodeOptions::max_audio_seconds ended it

  double seconds() const {
    return sample_rate > 0 && channels > 0
               ? static_cast<double>(samples.size() / static_cast<size_t>(channels)) / sample_rate
               : 0;
  }
};

// The floor that stands for digital silence.
inline constexpr double kSilenceFloorDbfs = -120.0;

// RMS of each window of the block; a last window of less than half the length is left out.
std::vector<double> RmsWindows(const AudioBlock& block, double window_seconds = 0.1);
// RMS of the whole block.
double RmsDbfs(const AudioBlock& block);

struct SilenceRules {
  double threshold_dbfs = -60.0;  // catalogue M-SILENCE, ffmpeg's silencedetect
  double seconds = 5.0;
  double window_seconds = 0.1;
  double longest_gap_seconds = 0.5;  // a hole in the clock longer than this ends a stretch
};
struct SilentStretch {
  double begin = 0;
  double end = 0;
  double seconds() const { return end - begin; }
};
// Blocks of one track in time order, across segments.
std::vector<SilentStretch> FindSilence(absl::Span<const AudioBlock> blocks, const SilenceRules& rules = {});

// How alike two tracks are, compared sample by sample on their common time.
//
// Both are mixed to mono and averaged into 8 kHz bins of the presentation clock, which aligns them by PTS whatever
// their rates. The lag within ±200 ms that fits best is searched on 1 kHz bins, where crowd noise still has its own
// waveform, then refined at 8 kHz. `correlation` is the normalised cross-correlation there: 1 for a copy (a re-encoded
// one of 96 kb/s or more stays above 0.98), the root of the crowd's share of the power where one track adds commentary
// to the other's crowd, about 0 for unrelated sound. Waveforms, not envelopes, because two envelopes of one match rise
// together by nature: commentary over the same crowd must be told apart from a copy of the crowd. Commentary pauses, so
// the quietest stretches of a different track can be equal: `lowest_window` is the 10th percentile over windows of one
// second at the same lag.
struct TrackLikeness {
  bool comparable = false;   // false: less than one second in common, or a silent track
  std::string reason;        // why it is not comparable
  double correlation = 0;    // -1 to 1
  double lowest_window = 0;  // -1 to 1
  double lag_seconds = 0;    // positive: b is behind a
  double common_seconds = 0;
  // The catalogue's rule for audio_tracks: commentary differs from the crowd when this is false.
  bool IdenticalCopy() const { return comparable && correlation > 0.98; }
};
TrackLikeness CompareTracks(absl::Span<const AudioBlock> a, absl::Span<const AudioBlock> b);

// EBU R 128 over all blocks added, by libebur128. Not thread-safe; one object measures one track.
class LoudnessMeter {
 public:
  LoudnessMeter();
  ~LoudnessMeter();
  LoudnessMeter(LoudnessMeter&&) noexcept;
  LoudnessMeter& operator=(LoudnessMeter&&) noexcept;

  // A block whose rate or channels differ from the first one's is not measured and gives false.
  bool Add(const AudioBlock& block);

  struct Loudness {
    double integrated_lufs = kSilenceFloorDbfs;  // gated; the floor for silence
    double range_lu = 0;
    double true_peak_dbtp = kSilenceFloorDbfs;
    double seconds = 0;  // how much was measured
  };
  // Nothing when less than 0.4 s was added (one gating block).
  std::optional<Loudness> Result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace puckdrop::media
