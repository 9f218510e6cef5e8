#include "checks/media/codec_string.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace puckdrop::media {
namespace {

struct Entry {
  const char* name;
  CodecFamily family;
  MediaKind kind;
  const char* words;
};
// Sample entries and names that say everything themselves, and those whose parameters are read below.
constexpr Entry kEntries[] = {
    {"avc1", CodecFamily::kAvc, MediaKind::kVideo, "H.264"},
    {"avc2", CodecFamily::kAvc, MediaKind::kVideo, "H.264"},
    {"avc3", CodecFamily::kAvc, MediaKind::kVideo, "H.264"},
    {"avc4", CodecFamily::kAvc, MediaKind::kVideo, "H.264"},
    {"hvc1", CodecFamily::kHevc, MediaKind::kVideo, "HEVC"},
    {"hev1", CodecFamily::kHevc, MediaKind::kVideo, "HEVC"},
    {"dvh1", CodecFamily::kDolbyVision, MediaKind::kVideo, "Dolby Vision"},
    {"dvhe", CodecFamily::kDolbyVision, MediaKind::kVideo, "Dolby Vision"},
    {"dva1", CodecFamily::kDolbyVision, MediaKind::kVideo, "Dolby Vision"},
    {"dvav", CodecFamily::kDolbyVision, MediaKind::kVideo, "Dolby Vision"},
    {"dav1", CodecFamily::kDolbyVision, MediaKind::kVideo, "Dolby Vision"},
    {"av01", CodecFamily::kAv1, MediaKind::kVideo, "AV1"},
    {"vp08", CodecFamily::kVp8, MediaKind::kVideo, "VP8"},
    {"vp8", CodecFamily::kVp8, MediaKind::kVideo, "VP8"},
    {"vp09", CodecFamily::kVp9, MediaKind::kVideo, "VP9"},
    {"vp9", CodecFamily::kVp9, MediaKind::kVideo, "VP9"},
    {"vvc1", CodecFamily::kVvc, MediaKind::kVideo, "VVC"},
    {"vvi1", CodecFamily::kVvc, MediaKind::kVideo, "VVC"},
    {"mp4a", CodecFamily::kAac, MediaKind::kAudio, "MPEG-4 audio"},
    {"mp3", CodecFamily::kMp3, MediaKind::kAudio, "MP3"},
    {"ac-3", CodecFamily::kAc3, MediaKind::kAudio, "Dolby Digital (AC-3)"},
    {"ec-3", CodecFamily::kEac3, MediaKind::kAudio, "Dolby Digital Plus (E-AC-3)"},
    {"ac-4", CodecFamily::kAc4, MediaKind::kAudio, "Dolby AC-4"},
    {"opus", CodecFamily::kOpus, MediaKind::kAudio, "Opus"},
    {"flac", CodecFamily::kFlac, MediaKind::kAudio, "FLAC"},
    {"alac", CodecFamily::kAlac, MediaKind::kAudio, "Apple Lossless"},
    {"dtsc", CodecFamily::kDts, MediaKind::kAudio, "DTS"},
    {"dtse", CodecFamily::kDts, MediaKind::kAudio, "DTS Express"},
    {"dtsh", CodecFamily::kDts, MediaKind::kAudio, "DTS-HD"},
    {"dtsx", CodecFamily::kDts, MediaKind::kAudio, "DTS:X"},
    {"mhm1", CodecFamily::kMpegH, MediaKind::kAudio, "MPEG-H"},
    {"mha1", CodecFamily::kMpegH, MediaKind::kAudio, "MPEG-H"},
    {"wvtt", CodecFamily::kWebVtt, MediaKind::kText, "WebVTT"},
    {"stpp", CodecFamily::kTtml, MediaKind::kText, "TTML"},
};

struct FamilyId {
  CodecFamily family;
  const char* id;
};
constexpr FamilyId kFamilyIds[] = {
    {CodecFamily::kUnknown, "unknown"}, {CodecFamily::kAvc, "avc"},
    {CodecFamily::kHevc, "hevc"},       {CodecFamily::kDolbyVision, "dolby_vision"},
    {CodecFamily::kAv1, "av1"},         {CodecFamily::kVp8, "vp8"},
    {CodecFamily::kVp9, "vp9"},         {CodecFamily::kVvc, "vvc"},
    {CodecFamily::kAac, "aac"},         {CodecFamily::kMp3, "mp3"},
    {CodecFamily::kAc3, "ac3"},         {CodecFamily::kEac3, "eac3"},
    {CodecFamily::kAc4, "ac4"},         {CodecFamily::kOpus, "opus"},
    {CodecFamily::kFlac, "flac"},       {CodecFamily::kAlac, "alac"},
    {CodecFamily::kDts, "dts"},         {CodecFamily::kMpegH, "mpegh"},
    {CodecFamily::kWebVtt, "webvtt"},   {CodecFamily::kTtml, "ttml"},
};

std::optional<int64_t> Number(absl::string_view text, int base = 10) {
  constexpr int kMostDigits = 8;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  int64_t value = 0;
  for (char c : text) {
    unsigned char u = static_cast<unsigned char>(c);
    int digit = absl::ascii_isdigit(u) ? u - '0' : absl::ascii_isalpha(u) ? absl::ascii_tolower(u) - 'a' + 10 : 99;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("codec \"", absl::Utf8SafeCEscape(text.substr(0, 80)), "\": ", why));
}

// ISO/IEC 14496-10 annex A.
std::string AvcProfileName(int profile, int constraints) {
  switch (profile) {
    case 66:
      return (constraints & 0x40) != 0 ? "Constrained Baseline" : "Baseline";
    case 77:
      return "Main";
    case 88:
      return "Extended";
    case 100:
      return "High";
    case 110:
      return "High 10";
    case 122:
      return "High 4:2:2";
    case 244:
      return "High 4:4:4 Predictive";
    case 44:
      return "CAVLC 4:4:4";
    case 118:
      return "Multiview High";
    case 128:
      return "Stereo High";
  }
  return absl::StrCat("profile ", profile);
}

// ISO/IEC 23008-2 annex A.
std::string HevcProfileName(int profile) {
  switch (profile) {
    case 1:
      return "Main";
    case 2:
      return "Main 10";
    case 3:
      return "Main Still Picture";
    case 4:
      return "Range Extensions";
    case 5:
      return "High Throughput";
    case 9:
      return "Screen Content Coding";
  }
  return absl::StrCat("profile ", profile);
}

// ISO/IEC 14496-3 table 1.17.
std::string AacObjectName(int object_type) {
  switch (object_type) {
    case 1:
      return "AAC Main";
    case 2:
      return "AAC-LC";
    case 5:
      return "HE-AAC";
    case 23:
      return "AAC-LD";
    case 29:
      return "HE-AAC v2";
    case 34:
      return "MP3";
    case 39:
      return "AAC-ELD";
    case 42:
      return "xHE-AAC";
  }
  return absl::StrCat("MPEG-4 audio object type ", object_type);
}

void FinishAvc(CodecInfo& info, int level_idc) {
  // Level 1b is 11 with constraint_set3 in the older profiles, 9 in the newer ones.
  const bool old = info.profile == 66 || info.profile == 77 || info.profile == 88;
  const bool one_b = level_idc == 9 || (level_idc == 11 && old && (info.constraints & 0x10) != 0);
  info.level = one_b ? 9 : level_idc;
  info.profile_name = AvcProfileName(info.profile, static_cast<int>(info.constraints));
  info.bit_depth = info.profile == 110 || info.profile == 122 ? 10 : 8;
  info.words = absl::StrCat("H.264 ", info.profile_name, " level ", LevelText(info.level));
}

void FinishHevc(CodecInfo& info, int level_idc) {
  info.level = level_idc / 3;
  info.profile_name = HevcProfileName(info.profile);
  info.bit_depth = info.profile == 1 ? 8 : info.profile == 2 ? 10 : 0;
  info.words =
      absl::StrCat("HEVC ", info.profile_name, " level ", LevelText(info.level), info.high_tier ? " (high tier)" : "");
}

using Fields = std::vector<absl::string_view>;

absl::Status ParseAvc(const Fields& fields, CodecInfo& info) {
  if (fields.size() == 1) {
    info.words = "H.264";
    return absl::OkStatus();
  }
  // The historical decimal form of some packagers: avc1.66.30 (RFC 6381 section 3.3 asks for six hexadecimal digits).
  if (fields.size() == 3) {
    auto profile = Number(fields[1]);
    auto level = Number(fields[2]);
    if (!profile || !level || *profile > 255 || *level > 255) return Bad(info.text, "expected avc1.PPCCLL");
    info.profile = static_cast<int>(*profile);
    FinishAvc(info, static_cast<int>(*level));
    return absl::OkStatus();
  }
  auto value = Number(fields[1], 16);
  if (fields.size() != 2 || fields[1].size() != 6 || !value) {
    return Bad(info.text, "expected six hexadecimal digits: profile, constraints, level");
  }
  info.profile = static_cast<int>(*value >> 16);
  info.constraints = static_cast<uint32_t>(*value >> 8 & 0xff);
  FinishAvc(info, static_cast<int>(*value & 0xff));
  return absl::OkStatus();
}

// ISO/IEC 14496-15 annex E.3: hvc1.[A-C]?P.flags.(L|H)level.constraints…
absl::Status ParseHevc(const Fields& fields, CodecInfo& info) {
  if (fields.size() == 1) {
    info.words = "HEVC";
    return absl::OkStatus();
  }
  if (fields.size() < 4 || fields.size() > 10) return Bad(info.text, "expected profile, compatibility flags and level");
  absl::string_view profile = fields[1];
  if (!profile.empty() && profile[0] >= 'A' && profile[0] <= 'C') profile.remove_prefix(1);
  auto profile_number = Number(profile);
  if (!profile_number || *profile_number > 31) return Bad(info.text, "the profile is not a number of 0 to 31");
  auto flags = Number(fields[2], 16);
  if (!flags) return Bad(info.text, "the compatibility flags are not hexadecimal");
  if (fields[3].empty() || (fields[3][0] != 'L' && fields[3][0] != 'H'))
    return Bad(info.text, "the tier is neither L nor H");
  auto level = Number(fields[3].substr(1));
  if (!level || *level > 255) return Bad(info.text, "the level is not a number of 0 to 255");
  for (size_t i = 4; i < fields.size(); ++i) {
    if (!Number(fields[i], 16) || fields[i].size() > 2) return Bad(info.text, "a constraint is not a hexadecimal byte");
  }
  info.profile = static_cast<int>(*profile_number);
  info.constraints = static_cast<uint32_t>(*flags);
  info.high_tier = fields[3][0] == 'H';
  FinishHevc(info, static_cast<int>(*level));
  return absl::OkStatus();
}

// Dolby Vision streams within HLS/DASH: dvh1.PP.LL
absl::Status ParseDolbyVision(const Fields& fields, CodecInfo& info) {
  auto profile = fields.size() == 3 ? Number(fields[1]) : std::nullopt;
  auto level = fields.size() == 3 ? Number(fields[2]) : std::nullopt;
  if (!profile || !level) return Bad(info.text, "expected profile and level as two digits each");
  info.profile = static_cast<int>(*profile);
  info.profile_name = absl::StrCat("profile ", *profile);
  // Dolby's levels 1 to 13 are steps of resolution and rate of their own, not comparable with a level of HEVC.
  info.level = -1;
  info.bit_depth = 10;
  info.words = absl::StrFormat("Dolby Vision profile %d level %d", *profile, *level);
  return absl::OkStatus();
}

// AV1 in ISOBMFF section 5: av01.P.LLT.DD…
absl::Status ParseAv1(const Fields& fields, CodecInfo& info) {
  if (fields.size() < 4 || fields.size() > 10) return Bad(info.text, "expected profile, level with tier and bit depth");
  auto profile = Number(fields[1]);
  absl::string_view level_text = fields[2];
  if (!profile || *profile > 2) return Bad(info.text, "the profile is not 0, 1 or 2");
  if (level_text.size() != 3 || (level_text[2] != 'M' && level_text[2] != 'H')) {
    return Bad(info.text, "the level is not two digits and M or H");
  }
  auto level = Number(level_text.substr(0, 2));
  auto depth = Number(fields[3]);
  if (!level || *level > 31) return Bad(info.text, "the level index is not a number of 0 to 31");
  if (!depth || (*depth != 8 && *depth != 10 && *depth != 12))
    return Bad(info.text, "the bit depth is not 08, 10 or 12");
  static constexpr const char* kNames[] = {"Main", "High", "Professional"};
  info.profile = static_cast<int>(*profile);
  info.profile_name = kNames[*profile];
  info.high_tier = level_text[2] == 'H';
  info.level = *level == 31 ? -1 : static_cast<int>((2 + *level / 4) * 10 + *level % 4);
  info.bit_depth = static_cast<int>(*depth);
  info.words = absl::StrCat("AV1 ", info.profile_name, info.level < 0 ? "" : " level ",
                            info.level < 0 ? "" : LevelText(info.level), info.high_tier ? " (high tier)" : "", " ",
                            *depth, "-bit");
  return absl::OkStatus();
}

// VP Codec ISO Media File Format Binding: vp09.PP.LL.DD…
absl::Status ParseVp(const Fields& fields, CodecInfo& info) {
  const char* name = info.family == CodecFamily::kVp9 ? "VP9" : "VP8";
  if (fields.size() == 1) {
    info.words = name;
    return absl::OkStatus();
  }
  if (fields.size() < 4 || fields.size() > 9) return Bad(info.text, "expected profile, level and bit depth");
  auto profile = Number(fields[1]);
  auto level = Number(fields[2]);
  auto depth = Number(fields[3]);
  if (!profile || *profile > 3) return Bad(info.text, "the profile is not 00 to 03");
  if (!level || *level > 99) return Bad(info.text, "the level is not two digits");
  if (!depth || (*depth != 8 && *depth != 10 && *depth != 12))
    return Bad(info.text, "the bit depth is not 08, 10 or 12");
  info.profile = static_cast<int>(*profile);
  info.profile_name = absl::StrCat("profile ", *profile);
  info.level = static_cast<int>(*level);
  info.bit_depth = static_cast<int>(*depth);
  info.words = absl::StrCat(name, " ", info.profile_name, " level ", LevelText(info.level), " ", *depth, "-bit");
  return absl::OkStatus();
}

// RFC 6381 section 3.3: mp4a.OTI[.object type].
absl::Status ParseMp4a(const Fields& fields, CodecInfo& info) {
  if (fields.size() == 1) {
    info.words = "AAC";
    return absl::OkStatus();
  }
  auto oti = Number(fields[1], 16);
  if (!oti || fields[1].size() > 2) return Bad(info.text, "the object type indication is not a hexadecimal byte");
  if (*oti == 0x40) {
    if (fields.size() == 2) {
      info.words = "AAC";
      return absl::OkStatus();
    }
    auto object_type = Number(fields[2]);
    if (fields.size() != 3 || !object_type || *object_type < 1 || *object_type > 95) {
      return Bad(info.text, "the audio object type is not a number of 1 to 95");
    }
    info.profile = static_cast<int>(*object_type);
    info.profile_name = AacObjectName(static_cast<int>(*object_type));
    info.words = info.profile_name;
    if (*object_type == 34) info.family = CodecFamily::kMp3;
    return absl::OkStatus();
  }
  if (fields.size() != 2) return Bad(info.text, "fields after the object type indication");
  switch (*oti) {
    case 0x66:
    case 0x67:
    case 0x68:
      info.words = "MPEG-2 AAC";
      return absl::OkStatus();
    case 0x69:
    case 0x6b:
      info.family = CodecFamily::kMp3;
      info.words = "MP3";
      return absl::OkStatus();
    case 0xa5:
      info.family = CodecFamily::kAc3;
      info.words = "Dolby Digital (AC-3)";
      return absl::OkStatus();
    case 0xa6:
      info.family = CodecFamily::kEac3;
      info.words = "Dolby Digital Plus (E-AC-3)";
      return absl::OkStatus();
    case 0xa9:
    case 0xac:
      info.family = CodecFamily::kDts;
      info.words = "DTS";
      return absl::OkStatus();
    case 0xad:
      info.family = CodecFamily::kOpus;
      info.words = "Opus";
      return absl::OkStatus();
  }
  info.family = CodecFamily::kUnknown;
  info.words = absl::StrFormat("MPEG-4 audio of object type indication 0x%02x", *oti);
  return absl::OkStatus();
}

}  // namespace

const char* CodecFamilyId(CodecFamily family) {
  for (const FamilyId& entry : kFamilyIds) {
    if (entry.family == family) return entry.id;
  }
  return "unknown";
}

CodecFamily CodecFamilyOf(absl::string_view id) {
  for (const FamilyId& entry : kFamilyIds) {
    if (id == entry.id) return entry.family;
  }
  return CodecFamily::kUnknown;
}

std::string LevelText(int level) {
  if (level < 0) return "unknown";
  if (level == 9) return "1b";
  return level % 10 == 0 ? absl::StrCat(level / 10) : absl::StrCat(level / 10, ".", level % 10);
}

absl::StatusOr<CodecInfo> ParseCodecString(absl::string_view text) {
  CodecInfo info;
  text = absl::StripAsciiWhitespace(text);
  info.text = std::string(text.substr(0, 256));
  if (text.empty()) return Bad(text, "is empty");
  if (text.size() > 256) return Bad(text, "is longer than 256 bytes");
  for (char c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c)) || c == ' ' || c == ',') {
      return Bad(text, "has a character that no codec string has");
    }
  }
  Fields fields = absl::StrSplit(text, '.');
  std::string name = absl::AsciiStrToLower(fields[0]);
  info.sample_entry = std::string(fields[0]);
  const Entry* entry = nullptr;
  for (const Entry& candidate : kEntries) {
    if (name == candidate.name) entry = &candidate;
  }
  if (entry == nullptr) {
    info.words = absl::StrCat("unknown codec ", info.text);
    return info;
  }
  info.family = entry->family;
  info.kind = entry->kind;
  info.words = entry->words;
  absl::Status status;
  switch (entry->family) {
    case CodecFamily::kAvc:
      status = ParseAvc(fields, info);
      break;
    case CodecFamily::kHevc:
      status = ParseHevc(fields, info);
      break;
    case CodecFamily::kDolbyVision:
      status = ParseDolbyVision(fields, info);
      break;
    case CodecFamily::kAv1:
      status = ParseAv1(fields, info);
      break;
    case CodecFamily::kVp8:
    case CodecFamily::kVp9:
      status = ParseVp(fields, info);
      break;
    case CodecFamily::kAac:
      status = ParseMp4a(fields, info);
      break;
    default:
      break;
  }
  if (!status.ok()) return status;
  return info;
}

std::vector<CodecInfo> ParseCodecList(absl::string_view list) {
  constexpr size_t kMostCodecs = 64;
  std::vector<CodecInfo> codecs;
  for (absl::string_view item : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    if (codecs.size() == kMostCodecs) break;
    auto info = ParseCodecString(item);
    if (info.ok()) {
      codecs.push_back(*std::move(info));
    } else {
      CodecInfo unknown;
      unknown.text = std::string(absl::StripAsciiWhitespace(item).substr(0, 256));
      unknown.words = absl::StrCat("unreadable codec \"", absl::Utf8SafeCEscape(unknown.text), "\"");
      codecs.push_back(std::move(unknown));
    }
  }
  return codecs;
}

CodecInfo MakeAvcCodec(int profile_idc, int constraint_flags, int level_idc) {
  CodecInfo info;
  info.text = absl::StrFormat("avc1.%02x%02x%02x", profile_idc & 0xff, constraint_flags & 0xff, level_idc & 0xff);
  info.sample_entry = "avc1";
  info.family = CodecFamily::kAvc;
  info.kind = MediaKind::kVideo;
  info.profile = profile_idc;
  info.constraints = static_cast<uint32_t>(constraint_flags & 0xff);
  FinishAvc(info, level_idc);
  return info;
}

CodecInfo MakeHevcCodec(int profile_idc, bool high_tier, int level_idc) {
  CodecInfo info;
  // The compatibility flags are the profile's own bit (and Main's for Main 10), bit-reversed as the string wants them.
  const int flags = profile_idc == 1 ? 6 : 1 << (profile_idc & 15);
  info.text = absl::StrFormat("hvc1.%d.%X.%c%d.B0", profile_idc, flags, high_tier ? 'H' : 'L', level_idc);
  info.sample_entry = "hvc1";
  info.family = CodecFamily::kHevc;
  info.kind = MediaKind::kVideo;
  info.profile = profile_idc;
  info.high_tier = high_tier;
  FinishHevc(info, level_idc);
  return info;
}

CodecInfo MakeAacCodec(int object_type) {
  CodecInfo info;
  info.text = absl::StrCat("mp4a.40.", object_type);
  info.sample_entry = "mp4a";
  info.family = CodecFamily::kAac;
  info.kind = MediaKind::kAudio;
  info.profile = object_type;
  info.profile_name = AacObjectName(object_type);
  info.words = info.profile_name;
  return info;
}

}  // namespace puckdrop::media
