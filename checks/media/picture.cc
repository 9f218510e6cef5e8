#include "checks/media/picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace puckdrop::media {
namespace {

// blackdetect's pixel_black_th of .10 over the nominal range.
constexpr double kPixelThreshold = 0.10;

bool IsBlack(const PictureFacts& picture, const PictureRules& rules) { return picture.dark_ratio >= rules.black_ratio; }

// False where the clock went back, stands still or left a hole: such neighbours belong to different stretches.
bool Continues(const PictureFacts& before, const PictureFacts& after, const PictureRules& rules) {
  const double step = after.pts_seconds - before.pts_seconds;
  return step > 0 && step <= rules.longest_gap_seconds;
}

// Stretches in which `joins(first, previous, current)` holds for each picture after the first.
template <typename Starts, typename Joins>
std::vector<Stretch> FindStretches(absl::Span<const PictureFacts> pictures, double seconds, const PictureRules& rules,
                                   Starts starts, Joins joins) {
  constexpr double kRounding = 1e-3;
  std::vector<Stretch> found;
  size_t i = 0;
  while (i < pictures.size()) {
    if (!starts(pictures[i])) {
      ++i;
      continue;
    }
    size_t last = i;
    while (last + 1 < pictures.size() && Continues(pictures[last], pictures[last + 1], rules) &&
           joins(pictures[i], pictures[last + 1])) {
      ++last;
    }
    Stretch stretch{pictures[i].pts_seconds, pictures[last].pts_seconds, pictures[last].pts_seconds};
    if (last + 1 < pictures.size() && Continues(pictures[last], pictures[last + 1], rules)) {
      stretch.before_end = pictures[last + 1].pts_seconds;
    }
    if (stretch.seconds() + kRounding >= seconds) found.push_back(stretch);
    i = last + 1;
  }
  return found;
}

template <typename Sample>
void Reduce(const uint8_t* plane, int64_t stride, int width, int height, int depth, uint32_t dark_limit,
            PictureFacts& facts) {
  std::array<int, kBlockColumns + 1> column{};
  for (int b = 0; b <= kBlockColumns; ++b)
    column[b] = static_cast<int>(static_cast<int64_t>(b) * width / kBlockColumns);
  uint64_t total = 0;
  uint64_t dark = 0;
  facts.blocks.reserve(static_cast<size_t>(kBlockColumns) * kBlockRows);
  std::array<uint64_t, kBlockColumns> sums{};
  int next_row = 0;  // rows below it are already in the totals
  for (int block_row = 0; block_row < kBlockRows; ++block_row) {
    // A picture smaller than the grid repeats its pixels, so that every block has one.
    const int top = static_cast<int>(static_cast<int64_t>(block_row) * height / kBlockRows);
    const int bottom = std::max(top + 1, static_cast<int>(static_cast<int64_t>(block_row + 1) * height / kBlockRows));
    sums.fill(0);
    for (int y = top; y < bottom; ++y) {
      const uint8_t* row_bytes = plane + y * stride;
      const Sample* row = reinterpret_cast<const Sample*>(row_bytes);
      for (int b = 0; b < kBlockColumns; ++b) {
        const int right = std::max(column[b] + 1, column[b + 1]);
        uint64_t sum = 0;
        for (int x = column[b]; x < right; ++x) sum += row[x];
        sums[b] += sum;
      }
      if (y >= next_row) {
        next_row = y + 1;
        uint64_t row_total = 0;
        uint32_t row_dark = 0;
        for (int x = 0; x < width; ++x) {
          row_total += row[x];
          row_dark += row[x] <= dark_limit;
        }
        total += row_total;
        dark += row_dark;
      }
    }
    for (int b = 0; b < kBlockColumns; ++b) {
      const uint64_t pixels = static_cast<uint64_t>(std::max(column[b] + 1, column[b + 1]) - column[b]) *
                              static_cast<uint64_t>(bottom - top);
      facts.blocks.push_back(static_cast<uint16_t>(std::min<uint64_t>((sums[b] << 8 >> (depth - 8)) / pixels, 65535)));
    }
  }
  const double pixels = static_cast<double>(width) * height;
  facts.mean_luma = static_cast<double>(total) / pixels / static_cast<double>(1 << (depth - 8));
  facts.dark_ratio = static_cast<double>(dark) / pixels;
}

}  // namespace

PictureFacts ReduceLuma(const uint8_t* plane, int64_t stride, int width, int height, int depth, bool full_range) {
  PictureFacts facts;
  facts.width = width;
  facts.height = height;
  if (plane == nullptr || width <= 0 || height <= 0 || depth < 8 || depth > 16) return facts;
  const double limit = full_range ? kPixelThreshold * 255 : 16 + kPixelThreshold * (235 - 16);
  const auto dark_limit = static_cast<uint32_t>(limit * (1 << (depth - 8)));
  if (depth == 8) {
    Reduce<uint8_t>(plane, stride, width, height, depth, dark_limit, facts);
  } else {
    Reduce<uint16_t>(plane, stride, width, height, depth, dark_limit, facts);
  }
  return facts;
}

double BlockDifference(const PictureFacts& a, const PictureFacts& b) {
  if (a.blocks.size() != b.blocks.size() || a.blocks.empty() || a.width != b.width || a.height != b.height) return 255;
  uint64_t sum = 0;
  for (size_t i = 0; i < a.blocks.size(); ++i) {
    sum += static_cast<uint64_t>(std::abs(static_cast<int>(a.blocks[i]) - static_cast<int>(b.blocks[i])));
  }
  return static_cast<double>(sum) / 256.0 / static_cast<double>(a.blocks.size());
}

std::vector<Stretch> FindBlack(absl::Span<const PictureFacts> pictures, const PictureRules& rules) {
  return FindStretches(
      pictures, rules.black_seconds, rules, [&](const PictureFacts& picture) { return IsBlack(picture, rules); },
      [&](const PictureFacts&, const PictureFacts& current) { return IsBlack(current, rules); });
}

std::vector<Stretch> FindFrozen(absl::Span<const PictureFacts> pictures, const PictureRules& rules) {
  return FindStretches(
      pictures, rules.frozen_seconds, rules, [&](const PictureFacts& picture) { return !IsBlack(picture, rules); },
      [&](const PictureFacts& first, const PictureFacts& current) {
        return !IsBlack(current, rules) && BlockDifference(first, current) < rules.still_difference;
      });
}

}  // namespace puckdrop::media
