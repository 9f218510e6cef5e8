// The lexical layer of playlists: numbers, times, attribute lists and quoting for messages. Internal to the HLS parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/media/hls_playlist.h"

namespace puckdrop::media::internal {

// RFC 8216 4.2 decimal-integer; values above 2^62 are refused so that sums stay defined.
std::optional<int64_t> ParseDecimalInteger(absl::string_view text);
// Decimal-floating-point, digits and a point only; values above 1e9 are refused. `sign` allows a leading minus.
std::optional<double> ParseDecimalFloat(absl::string_view text, bool sign = false);
// Enumerated WIDTHxHEIGHT, each at most 65,535.
std::optional<std::pair<int, int>> ParseResolution(absl::string_view text);
// 0x and exactly 32 digits; RFC 8216 4.3.2.4.
std::optional<std::array<uint8_t, 16>> ParseIv(absl::string_view text);
// ISO 8601; without a zone the time is read as UTC and `*zoned` is false.
std::optional<absl::Time> ParseDate(absl::string_view text, bool* zoned);
// "<n>[@<o>]"
struct RawByteRange {
  uint64_t length = 0;
  std::optional<uint64_t> offset;
};
std::optional<RawByteRange> ParseByteRange(absl::string_view text);

// The text in quotes, cut at 80 bytes, control characters and invalid UTF-8 replaced: safe in any message.
std::string Quote(absl::string_view text);

struct AttributeProblem {
  int column = 0;  // within the text, 1-based
  std::string message;
};
// Reads an attribute list; what cannot be read is reported and skipped up to the next comma.
std::vector<HlsAttribute> ParseAttributes(absl::string_view text, std::vector<AttributeProblem>* problems);

struct TextProblem {
  size_t offset = 0;
  std::string message;
};
// First place of a line that is not UTF-8 or holds a control character (RFC 8216 section 4.1).
std::optional<TextProblem> FindBadText(absl::string_view line);

}  // namespace puckdrop::media::internal
