// The codec strings of manifests (RFC 6381 and the codecs' own registrations), read into facts and words for people.
// Pure functions; any input gives a codec or an InvalidArgument that names the string and what is wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace puckdrop::media {

enum class MediaKind { kUnknown, kVideo, kAudio, kText };

enum class CodecFamily {
  kUnknown,  // well formed, but of no family we know
  kAvc,
  kHevc,
  kDolbyVision,
  kAv1,
  kVp8,
  kVp9,
  kVvc,
  kAac,
  kMp3,
  kAc3,
  kEac3,
  kAc4,
  kOpus,
  kFlac,
  kAlac,
  kDts,
  kMpegH,
  kWebVtt,
  kTtml,
};

// "avc", "hevc", "dolby_vision", …: the word used in device profiles.
const char* CodecFamilyId(CodecFamily family);
CodecFamily CodecFamilyOf(absl::string_view id);

struct CodecInfo {
  std::string text;          // as given
  std::string sample_entry;  // "avc1"
  CodecFamily family = CodecFamily::kUnknown;
  MediaKind kind = MediaKind::kUnknown;
  int profile = -1;          // the codec's own number: profile_idc, general_profile_idc, object type; -1 not given
  std::string profile_name;  // "High", "Main 10", "LC"
  uint32_t constraints = 0;  // AVC: the constraint_set byte; HEVC: the compatibility flags
  int level = -1;            // level × 10 for every codec: 51 is 5.1, 9 is AVC's 1b; -1 not given
  bool high_tier = false;    // HEVC and AV1
  int bit_depth = 0;         // of one sample; 0 not given
  std::string words;         // "H.264 High level 5.1", "AAC-LC"
};

absl::StatusOr<CodecInfo> ParseCodecString(absl::string_view text);

// A comma-separated list as in CODECS="…". Elements that cannot be read become CodecFamily::kUnknown with their text.
std::vector<CodecInfo> ParseCodecList(absl::string_view list);

// The string and words of what was found in a stream itself.
CodecInfo MakeAvcCodec(int profile_idc, int constraint_flags, int level_idc);
CodecInfo MakeHevcCodec(int profile_idc, bool high_tier, int level_idc);
CodecInfo MakeAacCodec(int object_type);

// "5.1" from 51.
std::string LevelText(int level);

}  // namespace puckdrop::media
