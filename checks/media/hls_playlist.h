// HLS playlists (RFC 8216 and draft-pantos-hls-rfc8216bis): a parser that is total on any input and judges as it reads.
//
// ParseHlsPlaylist is a pure function: it fetches nothing, never throws, and returns an object for every byte string.
// What is wrong with the text is in `findings`, under the fault ids of the catalogue (H-MAGIC … H-IFRAME) with line and
// column; every tag and attribute is kept with its place, known or not. Values that could not be read are left at
// their defaults and have a finding. Cost is linear in the input; HlsOptions bounds it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/media/finding.h"
#include "checks/media/url.h"

namespace puckdrop::media {

struct HlsOptions {
  // The playlist's own URL after redirects. Empty: URIs are kept but not resolved, and H-URI is not judged.
  std::string base_url;
  // Hosts a playlist may refer to beside its own. Empty: any host.
  std::vector<std::string> allowed_hosts;
  // The Content-Type header; judged (H-MIME) when given.
  std::optional<std::string> content_type;
  // A live event that must not have ended: judges H-ENDLIST, H-SIZE and the absence of H-PDT.
  bool expect_live = false;
  // Variables of the multivariant playlist, for EXT-X-DEFINE:IMPORT.
  std::map<std::string, std::string> imported_variables;

  // Bounds. The text past them is not read; H-SIZE says so.
  size_t max_bytes = 4u << 20;
  size_t max_lines = 100'000;
  size_t max_line_bytes = 64u << 10;
  size_t max_findings = 200;
};

struct HlsAttribute {
  std::string name;
  std::string value;  // without quotes, variables substituted
  bool quoted = false;
  int column = 0;  // of the name
};

struct HlsTag {
  std::string name;                      // without '#': "EXT-X-KEY"
  std::string value;                     // after the colon, as written
  std::vector<HlsAttribute> attributes;  // only for tags whose value is an attribute list
  int line = 0;

  const HlsAttribute* Find(absl::string_view attribute) const;
  // The value, or empty when absent.
  std::string Get(absl::string_view attribute) const;
  bool Has(absl::string_view attribute) const { return Find(attribute) != nullptr; }
};

// A reference as written and, when the options name a base URL, resolved against it.
struct HlsUri {
  std::string text;
  std::string resolved;  // equals text without a base URL
  bool empty() const { return text.empty(); }
};

struct HlsByteRange {
  uint64_t length = 0;
  uint64_t offset = 0;  // already continued from the previous range of the same resource where it was left out
};

struct HlsKey {
  std::string method;  // "NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"
  HlsUri uri;
  std::optional<std::array<uint8_t, 16>> iv;
  std::string keyformat = "identity";
  std::string keyformat_versions;
  int line = 0;
};
// The EXT-X-KEYs in force for a segment, one for each KEYFORMAT; empty when it is in the clear.
using HlsKeys = std::vector<HlsKey>;

struct HlsMap {
  HlsUri uri;
  std::optional<HlsByteRange> byte_range;
  int line = 0;
};

struct HlsPart {
  HlsUri uri;
  double duration_seconds = 0;
  bool independent = false;
  bool gap = false;
  std::optional<HlsByteRange> byte_range;
  int line = 0;
};

struct HlsSegment {
  int64_t media_sequence = 0;
  int64_t discontinuity_sequence = 0;
  HlsUri uri;
  double duration_seconds = 0;
  std::string title;
  std::optional<HlsByteRange> byte_range;
  std::shared_ptr<const HlsKeys> keys;  // null: in the clear
  std::shared_ptr<const HlsMap> map;    // null: none
  bool discontinuity = false;           // EXT-X-DISCONTINUITY before it
  bool gap = false;
  std::optional<absl::Time> program_date_time;  // as written before this segment
  std::optional<absl::Time> starts_at;          // written, or carried on from an earlier one by the durations
  std::optional<int64_t> bitrate_kbps;
  std::vector<HlsPart> parts;
  int line = 0;  // of the URI

  std::optional<absl::Time> ends_at() const {
    if (!starts_at) return std::nullopt;
    return *starts_at + absl::Seconds(duration_seconds);
  }
};

struct HlsDateRange {
  std::string id;
  std::string range_class;
  std::optional<absl::Time> start;
  std::optional<absl::Time> end;
  std::optional<double> duration_seconds;
  std::optional<double> planned_duration_seconds;
  bool scte35_out = false;
  bool scte35_in = false;
  HlsTag tag;
};

struct HlsServerControl {
  bool present = false;
  bool can_block_reload = false;
  std::optional<double> can_skip_until;
  std::optional<double> hold_back;
  std::optional<double> part_hold_back;
  int line = 0;
};

struct HlsMediaPlaylist {
  double target_duration_seconds = 0;  // 0 when missing
  int64_t media_sequence = 0;
  int64_t discontinuity_sequence = 0;
  std::string type;  // "", "EVENT", "VOD"
  bool ended = false;
  bool i_frames_only = false;
  std::optional<double> part_target_seconds;
  int64_t skipped_segments = 0;  // EXT-X-SKIP: the first listed segment follows so many that are not listed
  HlsServerControl server_control;
  std::vector<HlsSegment> segments;
  std::vector<HlsPart> trailing_parts;  // parts of the segment that is still being made
  std::vector<HlsDateRange> date_ranges;
  std::vector<HlsTag> preload_hints;
  std::vector<HlsTag> rendition_reports;

  double duration_seconds() const;
};

struct HlsVariant {
  HlsUri uri;
  int64_t bandwidth = 0;  // bits per second
  std::optional<int64_t> average_bandwidth;
  std::vector<std::string> codecs;  // RFC 6381, split
  std::vector<std::string> supplemental_codecs;
  int width = 0;  // 0 when RESOLUTION is absent
  int height = 0;
  std::optional<double> frame_rate;
  std::string hdcp_level, video_range, stable_variant_id, pathway_id;
  std::string audio, video, subtitles, closed_captions;  // group ids; closed_captions may be "NONE"
  bool i_frame = false;
  int line = 0;
  HlsTag tag;

  // "1280x720 2.8 Mb/s", for messages.
  std::string Words() const;
};

struct HlsRendition {
  std::string type;  // "AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"
  std::string group_id, name, language, assoc_language, instream_id, channels, characteristics;
  HlsUri uri;  // empty: the media is inside the variants that name the group
  bool is_default = false, autoselect = false, forced = false;
  int line = 0;
  HlsTag tag;
};

struct HlsMultivariantPlaylist {
  std::vector<HlsVariant> variants;
  std::vector<HlsVariant> i_frame_variants;
  std::vector<HlsRendition> renditions;
  std::vector<HlsTag> session_data;
  std::vector<HlsKey> session_keys;
  std::optional<HlsTag> content_steering;

  std::vector<const HlsRendition*> Group(absl::string_view type, absl::string_view group_id) const;
};

enum class HlsKind {
  kNotAPlaylist,  // the bytes are something else: see HlsPlaylist::content
  kUndetermined,  // begins with #EXTM3U but has no tag that decides
  kMultivariant,
  kMedia,
};

struct HlsPlaylist {
  HlsKind kind = HlsKind::kNotAPlaylist;
  ContentKind content = ContentKind::kUnknown;  // what the bytes look like
  int version = 1;
  bool independent_segments = false;
  std::optional<double> start_offset_seconds;
  std::map<std::string, std::string> variables;  // EXT-X-DEFINE
  HlsMultivariantPlaylist multivariant;          // filled when kind is kMultivariant
  HlsMediaPlaylist media;                        // filled when kind is kMedia
  std::vector<HlsTag> tags;                      // every tag in order, known or not, comments left out
  Findings findings;                             // in order of line, findings about the whole first
  bool truncated = false;                        // a bound of HlsOptions cut the text

  bool IsPlaylist() const { return kind != HlsKind::kNotAPlaylist; }
};

HlsPlaylist ParseHlsPlaylist(absl::string_view text, const HlsOptions& options = {});

}  // namespace puckdrop::media
