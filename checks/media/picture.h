// Judgements over decoded pictures in time order: black and frozen stretches.
// Pure functions over what SegmentDecoder returns; times are presentation seconds of the stream's own clock.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace puckdrop::media {

inline constexpr int kBlockColumns = 120;
inline constexpr int kBlockRows = 68;

// One decoded picture, reduced.
struct PictureFacts {
  double pts_seconds = 0;
  int width = 0;
  int height = 0;
  double mean_luma = 0;   // 0 to 255
  double dark_ratio = 0;  // share of pixels that ffmpeg's blackdetect calls black with pix_th .10
  // Means of kBlockRows × kBlockColumns blocks, row by row, in 1/256 of an 8-bit luma step.
  std::vector<uint16_t> blocks;
};

// Reduces a luma plane. `depth` bits in one byte (8) or two little-endian bytes (9 to 16); `stride` in bytes.
// `full_range`: black is 0, else 16 of 255. Returns no blocks when width or height is not positive.
PictureFacts ReduceLuma(const uint8_t* plane, int64_t stride, int width, int height, int depth, bool full_range);

// The mean absolute difference of two pictures' blocks in 8-bit luma steps. Pictures of different size or shape compare
// as 255.
double BlockDifference(const PictureFacts& a, const PictureFacts& b);

struct PictureRules {
  double black_ratio = 0.98;          // blackdetect's picture_black_ratio_th
  double black_seconds = 2.0;         // catalogue M-BLACK
  double still_difference = 1.0;      // measured: re-encoded stills differ by less than 1, moving pictures by 8 or more
  double frozen_seconds = 5.0;        // catalogue M-FREEZE
  double longest_gap_seconds = 10.0;  // pictures farther apart than this are not joined into one stretch
};

// A stretch is known to the distance of the pictures: it lasts at least from `begin` to `end` and less than up to
// `before_end`, the next picture that differs (or, at the end of what was seen, `end` again).
struct Stretch {
  double begin = 0;
  double end = 0;
  double before_end = 0;
  double seconds() const { return end - begin; }
};

// Stretches of at least the rule's length, proven: every decoded picture from begin to end is black.
std::vector<Stretch> FindBlack(absl::Span<const PictureFacts> pictures, const PictureRules& rules = {});

// Stretches in which no picture differs from the first one by still_difference or more. Black pictures do not count:
// they are FindBlack's.
std::vector<Stretch> FindFrozen(absl::Span<const PictureFacts> pictures, const PictureRules& rules = {});

}  // namespace puckdrop::media
