#include "checks/media/sound.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace puckdrop::media {
namespace {

constexpr int kBinRate = 8000;
constexpr int kCoarse = 8;  // bins of 1 kHz
constexpr double kLongestLagSeconds = 0.2;
constexpr double kLongestComparedSeconds = 120;

double ToDbfs(double mean_square) {
  if (!(mean_square > 0)) return kSilenceFloorDbfs;
  return std::max(kSilenceFloorDbfs, 10 * std::log10(mean_square));
}

double MeanSquare(const float* samples, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<double>(samples[i]) * samples[i];
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

bool Sane(const AudioBlock& block) {
  return block.sample_rate > 0 && block.channels > 0 && !block.samples.empty() && std::isfinite(block.pts_seconds);
}

struct Interval {
  double begin = 0;
  double end = 0;
};

Interval Extent(absl::Span<const AudioBlock> blocks) {
  Interval extent{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const AudioBlock& block : blocks) {
    if (!Sane(block)) continue;
    extent.begin = std::min(extent.begin, block.pts_seconds);
    extent.end = std::max(extent.end, block.pts_seconds + block.seconds());
  }
  return extent;
}

// Mono in bins of 1/8000 s from `begin`; bins without a sample stay 0.
std::vector<float> Bins(absl::Span<const AudioBlock> blocks, double begin, size_t count) {
  std::vector<float> bins(count, 0.0f);
  std::vector<uint16_t> samples(count, 0);
  for (const AudioBlock& block : blocks) {
    if (!Sane(block)) continue;
    const size_t channels = static_cast<size_t>(block.channels);
    const size_t frames = block.samples.size() / channels;
    const double offset = (block.pts_seconds - begin) * kBinRate;
    const double step = static_cast<double>(kBinRate) / block.sample_rate;
    for (size_t i = 0; i < frames; ++i) {
      const double position = std::floor(offset + static_cast<double>(i) * step + 1e-6);
      if (position < 0) continue;
      if (position >= static_cast<double>(count)) break;
      const size_t bin = static_cast<size_t>(position);
      float sum = 0;
      for (size_t c = 0; c < channels; ++c) sum += block.samples[i * channels + c];
      bins[bin] += sum / static_cast<float>(channels);
      if (samples[bin] < 0xffff) ++samples[bin];
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (samples[i] > 1) bins[i] /= static_cast<float>(samples[i]);
  }
  return bins;
}

std::vector<float> Decimate(const std::vector<float>& bins) {
  std::vector<float> coarse(bins.size() / kCoarse);
  for (size_t i = 0; i < coarse.size(); ++i) {
    float sum = 0;
    for (int j = 0; j < kCoarse; ++j) sum += bins[i * kCoarse + static_cast<size_t>(j)];
    coarse[i] = sum / kCoarse;
  }
  return coarse;
}

// Normalised cross-correlation of a[i] with b[i + lag] over [from, to).
double Correlate(const std::vector<float>& a, const std::vector<float>& b, int64_t lag, int64_t from, int64_t to) {
  from = std::max<int64_t>({from, 0, -lag});
  to = std::min<int64_t>({to, static_cast<int64_t>(a.size()), static_cast<int64_t>(b.size()) - lag});
  double cross = 0, power_a = 0, power_b = 0;
  for (int64_t i = from; i < to; ++i) {
    const double x = a[static_cast<size_t>(i)];
    const double y = b[static_cast<size_t>(i + lag)];
    cross += x * y;
    power_a += x * x;
    power_b += y * y;
  }
  const double power = std::sqrt(power_a * power_b);
  return power > 0 ? cross / power : 0;
}

int64_t BestLag(const std::vector<float>& a, const std::vector<float>& b, int64_t from, int64_t to, double* best) {
  int64_t chosen = 0;
  *best = -2;
  // From the middle outwards, so that of equal fits the smallest lag is taken.
  const int64_t reach = std::max(std::abs(from), std::abs(to));
  for (int64_t distance = 0; distance <= reach; ++distance) {
    for (int64_t lag : {distance, -distance}) {
      if (lag < from || lag > to) continue;
      const double value = Correlate(a, b, lag, 0, static_cast<int64_t>(a.size()));
      if (value > *best + 1e-9) {
        *best = value;
        chosen = lag;
      }
    }
  }
  return chosen;
}

}  // namespace

std::vector<double> RmsWindows(const AudioBlock& block, double window_seconds) {
  std::vector<double> windows;
  if (!Sane(block) || !(window_seconds > 0)) return windows;
  const size_t channels = static_cast<size_t>(block.channels);
  const size_t frames = block.samples.size() / channels;
  const size_t length = std::max<size_t>(1, static_cast<size_t>(std::lround(window_seconds * block.sample_rate)));
  for (size_t at = 0; at < frames; at += length) {
    const size_t count = std::min(length, frames - at);
    if (count * 2 < length && at > 0) break;
    windows.push_back(ToDbfs(MeanSquare(block.samples.data() + at * channels, count * channels)));
  }
  return windows;
}

double RmsDbfs(const AudioBlock& block) {
  if (!Sane(block)) return kSilenceFloorDbfs;
  return ToDbfs(MeanSquare(block.samples.data(), block.samples.size()));
}

std::vector<SilentStretch> FindSilence(absl::Span<const AudioBlock> blocks, const SilenceRules& rules) {
  constexpr double kRounding = 1e-3;
  std::vector<SilentStretch> found;
  std::optional<SilentStretch> open;
  auto close = [&] {
    if (open && open->seconds() + kRounding >= rules.seconds) found.push_back(*open);
    open.reset();
  };
  double previous_end = 0;
  bool first = true;
  for (const AudioBlock& block : blocks) {
    if (!Sane(block)) continue;
    const double gap = block.pts_seconds - previous_end;
    if (!first && (gap > rules.longest_gap_seconds || gap < -rules.longest_gap_seconds)) close();
    first = false;
    const double end = block.pts_seconds + block.seconds();
    const std::vector<double> windows = RmsWindows(block, rules.window_seconds);
    for (size_t i = 0; i < windows.size(); ++i) {
      const double from = block.pts_seconds + static_cast<double>(i) * rules.window_seconds;
      const double to = i + 1 == windows.size() ? end : std::min(end, from + rules.window_seconds);
      if (windows[i] > rules.threshold_dbfs) {
        close();
      } else if (open) {
        open->end = to;
      } else {
        open = SilentStretch{from, to};
      }
    }
    previous_end = end;
  }
  close();
  return found;
}

TrackLikeness CompareTracks(absl::Span<const AudioBlock> a, absl::Span<const AudioBlock> b) {
  TrackLikeness likeness;
  const Interval extent_a = Extent(a);
  const Interval extent_b = Extent(b);
  const double begin = std::max(extent_a.begin, extent_b.begin);
  double end = std::min(extent_a.end, extent_b.end);
  if (!(end - begin >= 1.0)) {
    likeness.reason = "the tracks have less than one second in common";
    return likeness;
  }
  end = std::min(end, begin + kLongestComparedSeconds);
  likeness.common_seconds = end - begin;
  const size_t count = static_cast<size_t>((end - begin) * kBinRate);
  const std::vector<float> bins_a = Bins(a, begin, count);
  const std::vector<float> bins_b = Bins(b, begin, count);
  const double level_a = ToDbfs(MeanSquare(bins_a.data(), bins_a.size()));
  const double level_b = ToDbfs(MeanSquare(bins_b.data(), bins_b.size()));
  if (level_a < -80 || level_b < -80) {
    likeness.reason = absl::StrCat(level_a < -80 ? "the first" : "the second", " track is silent");
    return likeness;
  }
  const int64_t coarse_reach = static_cast<int64_t>(kLongestLagSeconds * kBinRate / kCoarse);
  double best = 0;
  const int64_t coarse = BestLag(Decimate(bins_a), Decimate(bins_b), -coarse_reach, coarse_reach, &best);
  const int64_t middle = coarse * kCoarse;
  const int64_t lag = BestLag(bins_a, bins_b, middle - 2 * kCoarse, middle + 2 * kCoarse, &best);
  likeness.comparable = true;
  likeness.correlation = best;
  likeness.lag_seconds = static_cast<double>(lag) / kBinRate;
  std::vector<double> windows;
  for (int64_t at = 0; at + kBinRate <= static_cast<int64_t>(count); at += kBinRate) {
    windows.push_back(Correlate(bins_a, bins_b, lag, at, at + kBinRate));
  }
  std::sort(windows.begin(), windows.end());
  likeness.lowest_window = windows.empty() ? best : windows[windows.size() / 10];
  return likeness;
}

struct LoudnessMeter::State {
  ebur128_state* meter = nullptr;
  int sample_rate = 0;
  int channels = 0;
  double seconds = 0;
  ~State() {
    if (meter != nullptr) ebur128_destroy(&meter);
  }
};

LoudnessMeter::LoudnessMeter() : state_(std::make_unique<State>()) {}
LoudnessMeter::~LoudnessMeter() = default;
LoudnessMeter::LoudnessMeter(LoudnessMeter&&) noexcept = default;
LoudnessMeter& LoudnessMeter::operator=(LoudnessMeter&&) noexcept = default;

bool LoudnessMeter::Add(const AudioBlock& block) {
  if (!Sane(block)) return false;
  State& state = *state_;
  if (state.meter == nullptr) {
    state.meter = ebur128_init(static_cast<unsigned>(block.channels), static_cast<unsigned long>(block.sample_rate),
                               EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    if (state.meter == nullptr) return false;
    state.sample_rate = block.sample_rate;
    state.channels = block.channels;
  }
  if (block.sample_rate != state.sample_rate || block.channels != state.channels) return false;
  const size_t frames = block.samples.size() / static_cast<size_t>(block.channels);
  if (ebur128_add_frames_float(state.meter, block.samples.data(), frames) != EBUR128_SUCCESS) return false;
  state.seconds += static_cast<double>(frames) / block.sample_rate;
  return true;
}

std::optional<LoudnessMeter::Loudness> LoudnessMeter::Result() const {
  const State& state = *state_;
  if (state.meter == nullptr || state.seconds < 0.4) return std::nullopt;
  Loudness loudness;
  loudness.seconds = state.seconds;
  double value = 0;
  if (ebur128_loudness_global(state.meter, &value) == EBUR128_SUCCESS && std::isfinite(value)) {
    loudness.integrated_lufs = value;
  }
  if (ebur128_loudness_range(state.meter, &value) == EBUR128_SUCCESS && std::isfinite(value)) loudness.range_lu = value;
  double peak = 0;
  for (int channel = 0; channel < state.channels; ++channel) {
    if (ebur128_true_peak(state.meter, static_cast<unsigned>(channel), &value) == EBUR128_SUCCESS) {
      peak = std::max(peak, value);
    }
  }
  if (peak > 0) loudness.true_peak_dbtp = std::max(kSilenceFloorDbfs, 20 * std::log10(peak));
  return loudness;
}

}  // namespace puckdrop::media
