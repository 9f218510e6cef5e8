#include "checks/media/hls_rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/media/codec_string.h"
#include "checks/media/hls_text.h"

namespace puckdrop::media::internal {
namespace {

bool HasVideo(const HlsVariant& variant) {
  if (variant.width > 0) return true;
  return std::any_of(variant.codecs.begin(), variant.codecs.end(), [](const std::string& codec) {
    auto info = ParseCodecString(codec);
    return info.ok() && info->kind == MediaKind::kVideo;
  });
}

// The path of a reference, for its file name's ending.
std::string PathOf(const HlsUri& uri) { return SplitUrl(uri.text).path; }

bool LooksFragmentedMp4(const HlsUri& uri) {
  std::string path = PathOf(uri);
  for (const char* ending : {".m4s", ".mp4", ".m4v", ".m4a", ".cmfv", ".cmfa", ".cmft"}) {
    if (absl::EndsWithIgnoreCase(path, ending)) return true;
  }
  return false;
}

void JudgeRenditions(const HlsMultivariantPlaylist& list, const AddFinding& add) {
  std::map<std::pair<std::string, std::string>, std::vector<const HlsRendition*>> groups;
  for (const HlsRendition& rendition : list.renditions) {
    auto error = [&](std::string message) {
      add("H-MEDIAGROUP", Severity::kError, rendition.line, 1, std::move(message));
    };
    const bool known = rendition.type == "AUDIO" || rendition.type == "VIDEO" || rendition.type == "SUBTITLES" ||
                       rendition.type == "CLOSED-CAPTIONS";
    if (!known) error(absl::StrCat("#EXT-X-MEDIA of the type ", Quote(rendition.type)));
    if (rendition.group_id.empty() || rendition.name.empty()) error("#EXT-X-MEDIA needs GROUP-ID and NAME");
    if (rendition.type == "SUBTITLES" && rendition.uri.empty()) error("subtitles need a URI");
    if (rendition.type == "CLOSED-CAPTIONS") {
      if (!rendition.uri.empty()) error("closed captions are inside the video; they must not have a URI");
      if (rendition.instream_id.empty()) error("closed captions need INSTREAM-ID");
    }
    if (rendition.is_default && rendition.tag.Get("AUTOSELECT") == "NO") error("DEFAULT=YES with AUTOSELECT=NO");
    groups[{rendition.type, rendition.group_id}].push_back(&rendition);
  }
  for (const auto& [key, members] : groups) {
    std::set<std::string> names;
    int defaults = 0;
    for (const HlsRendition* member : members) {
      if (!names.insert(member->name).second) {
        add("H-MEDIAGROUP", Severity::kError, member->line, 1,
            absl::StrCat("the name ", Quote(member->name), " appears twice in the group ", Quote(key.second)));
      }
      if (member->is_default && ++defaults == 2) {
        add("H-MEDIAGROUP", Severity::kError, member->line, 1,
            absl::StrCat("the group ", Quote(key.second), " has more than one DEFAULT=YES"));
      }
    }
  }
  auto refers = [&](const HlsVariant& variant, const char* type, const char* attribute, const std::string& group) {
    if (group.empty() || groups.count({type, group}) > 0) return;
    const HlsAttribute* place = variant.tag.Find(attribute);
    add("H-MEDIAGROUP", Severity::kError, variant.line, place == nullptr ? 1 : place->column,
        absl::StrCat(attribute, " names the group ", Quote(group), ", which no #EXT-X-MEDIA defines"));
  };
  for (const HlsVariant& variant : list.variants) {
    refers(variant, "AUDIO", "AUDIO", variant.audio);
    refers(variant, "VIDEO", "VIDEO", variant.video);
    refers(variant, "SUBTITLES", "SUBTITLES", variant.subtitles);
    const HlsAttribute* captions = variant.tag.Find("CLOSED-CAPTIONS");
    if (captions != nullptr && (captions->quoted || captions->value != "NONE")) {
      refers(variant, "CLOSED-CAPTIONS", "CLOSED-CAPTIONS", variant.closed_captions);
    }
  }
}

void JudgeDateRanges(const HlsMediaPlaylist& media, const AddFinding& add) {
  std::map<std::string, const HlsDateRange*> by_id;
  std::set<std::string> closed_by_in;
  for (const HlsDateRange& range : media.date_ranges) {
    if (range.scte35_in) closed_by_in.insert(range.id);
  }
  std::optional<absl::Time> edge;
  if (!media.segments.empty()) edge = media.segments.back().ends_at();
  std::set<std::string> judged_out;
  for (const HlsDateRange& range : media.date_ranges) {
    auto error = [&](std::string message) {
      add("H-DATERANGE", Severity::kError, range.tag.line, 1, std::move(message));
    };
    if (range.id.empty()) error("#EXT-X-DATERANGE without ID");
    auto [first, fresh] = by_id.emplace(range.id, &range);
    if (!fresh) {
      // The same ID may add attributes; it must not change one (RFC 8216 section 4.3.2.7).
      for (const HlsAttribute& attribute : range.tag.attributes) {
        const HlsAttribute* before = first->second->tag.Find(attribute.name);
        if (before != nullptr && before->value != attribute.value) {
          add("H-DATERANGE", Severity::kError, range.tag.line, attribute.column,
              absl::StrCat("the ID ", Quote(range.id), " appears again with another ", attribute.name));
        }
      }
    } else if (!range.tag.Has("START-DATE")) {
      error("#EXT-X-DATERANGE without START-DATE");
    }
    if (range.start && range.end && *range.end < *range.start) error("END-DATE is before START-DATE");
    if (range.start && range.end && range.duration_seconds &&
        absl::AbsDuration(*range.end - *range.start - absl::Seconds(*range.duration_seconds)) >
            absl::Milliseconds(100)) {
      error("END-DATE is not START-DATE plus DURATION");
    }
    if (range.tag.Get("END-ON-NEXT") == "YES") {
      if (range.range_class.empty()) error("END-ON-NEXT needs CLASS");
      if (range.end || range.duration_seconds) error("END-ON-NEXT with DURATION or END-DATE");
    }
    if (range.scte35_out && !closed_by_in.contains(range.id) && !range.end && !range.duration_seconds && range.start &&
        judged_out.insert(range.id).second) {
      // An ad break that has outlived its plan by ten seconds and was never closed: viewers stay in the break.
      absl::Time due = *range.start + absl::Seconds(range.planned_duration_seconds.value_or(600)) + absl::Seconds(10);
      if (media.ended || (edge && *edge > due)) error("SCTE35-OUT is never followed by SCTE35-IN");
    }
  }
}

void JudgeDates(const HlsMediaPlaylist& media, bool expect_live, const AddFinding& add) {
  const HlsSegment* previous = nullptr;
  bool any = false;
  for (const HlsSegment& segment : media.segments) {
    if (segment.program_date_time) {
      any = true;
      if (previous != nullptr && previous->starts_at) {
        absl::Duration step = *segment.program_date_time - *previous->ends_at();
        if (*segment.program_date_time < *previous->starts_at) {
          add("H-PDT", Severity::kError, segment.line, 0,
              absl::StrFormat("the date of segment %d is before that of the one before it", segment.media_sequence));
        } else if (!segment.discontinuity && absl::AbsDuration(step) > absl::Milliseconds(100)) {
          add("H-PDT", Severity::kWarning, segment.line, 0,
              absl::StrFormat("the date of segment %d is %.3f s away from the previous date plus its duration",
                              segment.media_sequence, absl::ToDoubleSeconds(step)));
        }
      }
    }
    previous = &segment;
  }
  if (expect_live && !any && !media.segments.empty()) {
    add("H-PDT", Severity::kWarning, 0, 0, "a live playlist without #EXT-X-PROGRAM-DATE-TIME");
  }
}

void JudgeKeys(const HlsMediaPlaylist& media, const AddFinding& add) {
  std::set<std::pair<std::string, std::array<uint8_t, 16>>> used;
  for (const HlsSegment& segment : media.segments) {
    if (!segment.keys) continue;
    for (const HlsKey& key : *segment.keys) {
      // One initialisation vector and key over two segments shows which of them begin alike.
      if (key.method != "AES-128" || !key.iv || key.uri.empty()) continue;
      if (!used.insert({key.uri.text, *key.iv}).second) {
        add("H-KEY", Severity::kWarning, segment.line, 0,
            absl::StrCat("segment ", segment.media_sequence, " reuses the IV of an earlier segment with the same key"));
        return;
      }
    }
  }
}

void JudgeLowLatency(const HlsMediaPlaylist& media, const AddFinding& add) {
  bool any = !media.trailing_parts.empty();
  auto judge = [&](const std::vector<HlsPart>& parts) {
    for (size_t i = 0; i < parts.size(); ++i) {
      any = true;
      if (!media.part_target_seconds) continue;
      const double target = *media.part_target_seconds;
      if (parts[i].duration_seconds > target + 0.001) {
        add("LL-PART", Severity::kError, parts[i].line, 1,
            absl::StrFormat("a part of %.3f s is longer than PART-TARGET %.3f s", parts[i].duration_seconds, target));
      } else if (i + 1 != parts.size() && !parts[i].gap && parts[i].duration_seconds < 0.85 * target) {
        add("LL-PART", Severity::kWarning, parts[i].line, 1,
            absl::StrFormat("a part of %.3f s is shorter than 85%% of PART-TARGET %.3f s", parts[i].duration_seconds,
                            target));
      }
    }
  };
  for (const HlsSegment& segment : media.segments) judge(segment.parts);
  judge(media.trailing_parts);
  if (any && !media.part_target_seconds) add("LL-PART", Severity::kError, 0, 0, "#EXT-X-PART without #EXT-X-PART-INF");
  const HlsServerControl& control = media.server_control;
  if (control.hold_back && media.target_duration_seconds > 0 &&
      *control.hold_back < 3 * media.target_duration_seconds - 0.001) {
    add("LL-HOLDBACK", Severity::kError, control.line, 1,
        absl::StrFormat("HOLD-BACK %.3f s is below three target durations", *control.hold_back));
  }
  if (media.part_target_seconds) {
    if (!control.part_hold_back) {
      add("LL-HOLDBACK", Severity::kError, control.line, 0, "#EXT-X-PART-INF without PART-HOLD-BACK");
    } else if (*control.part_hold_back < 2 * *media.part_target_seconds - 0.001) {
      add("LL-HOLDBACK", Severity::kError, control.line, 1,
          absl::StrFormat("PART-HOLD-BACK %.3f s is below twice PART-TARGET", *control.part_hold_back));
    }
  }
}

}  // namespace

void JudgeMultivariant(const HlsPlaylist& playlist, const HlsOptions& options, const AddFinding& add) {
  const HlsMultivariantPlaylist& list = playlist.multivariant;
  bool video = false;
  for (const HlsVariant& variant : list.variants) {
    const std::string words = variant.Words();
    if (variant.bandwidth == 0 && !variant.tag.Has("BANDWIDTH")) {
      add("H-STREAMINF", Severity::kError, variant.line, 1, "#EXT-X-STREAM-INF without BANDWIDTH");
    }
    if (variant.average_bandwidth && variant.bandwidth > 0 && *variant.average_bandwidth > variant.bandwidth) {
      add("H-STREAMINF", Severity::kWarning, variant.line, variant.tag.Find("AVERAGE-BANDWIDTH")->column,
          "AVERAGE-BANDWIDTH is above BANDWIDTH");
    }
    if (variant.codecs.empty()) {
      add("H-STREAMINF", Severity::kWarning, variant.line, 1,
          absl::StrCat("no CODECS: a device cannot tell whether it plays the variant of ", words));
    }
    const bool has_video = HasVideo(variant);
    video = video || has_video;
    if (has_video && variant.width == 0 && !variant.tag.Has("RESOLUTION")) {
      add("H-STREAMINF", Severity::kWarning, variant.line, 1, absl::StrCat("no RESOLUTION for the variant of ", words));
    }
    if (has_video && !variant.frame_rate && !variant.tag.Has("FRAME-RATE")) {
      add("H-STREAMINF", Severity::kNote, variant.line, 1, absl::StrCat("no FRAME-RATE for the variant of ", words));
    }
  }
  if (list.variants.empty()) add("H-STREAMINF", Severity::kError, 0, 0, "a multivariant playlist without a variant");
  for (const HlsVariant& variant : list.i_frame_variants) {
    if (!variant.tag.Has("BANDWIDTH")) {
      add("H-IFRAME", Severity::kError, variant.line, 1, "#EXT-X-I-FRAME-STREAM-INF without BANDWIDTH");
    }
  }
  if (video && list.i_frame_variants.empty()) {
    add("H-IFRAME", Severity::kNote, 0, 0, "no I-frame playlist: fast forward shows no pictures");
  }
  JudgeRenditions(list, add);
}

void JudgeMedia(const HlsPlaylist& playlist, const HlsOptions& options, size_t text_bytes, const AddFinding& add) {
  const HlsMediaPlaylist& media = playlist.media;
  const double target = media.target_duration_seconds;
  const bool target_given = std::any_of(playlist.tags.begin(), playlist.tags.end(),
                                        [](const HlsTag& tag) { return tag.name == "EXT-X-TARGETDURATION"; });
  if (!target_given) add("H-TD", Severity::kError, 0, 0, "no #EXT-X-TARGETDURATION");
  int long_segments = 0;
  for (const HlsSegment& segment : media.segments) {
    if (target > 0 && std::round(segment.duration_seconds) > target && ++long_segments <= 5) {
      add("H-EXTINF", Severity::kError, segment.line, 0,
          absl::StrFormat("segment %d lasts %.3f s, more than the target duration of %.0f s", segment.media_sequence,
                          segment.duration_seconds, target));
    }
  }
  for (const HlsSegment& segment : media.segments) {
    if (!segment.map && LooksFragmentedMp4(segment.uri)) {
      add("H-MAP", Severity::kError, segment.line, 1,
          absl::StrCat("the fMP4 segment ", Quote(segment.uri.text), " has no #EXT-X-MAP"));
      break;
    }
  }
  if (options.expect_live && media.ended) {
    add("H-ENDLIST", Severity::kError, 0, 0, "#EXT-X-ENDLIST in a live playlist: players stop at its end");
  }
  if (media.type == "VOD" && !media.ended) {
    add("H-TYPE", Severity::kWarning, 0, 0, "a playlist of the type VOD without #EXT-X-ENDLIST");
  }
  if (options.expect_live && !media.segments.empty() && media.segments.back().gap) {
    add("H-GAP", Severity::kWarning, media.segments.back().line, 1, "the newest segment is marked as a gap");
  }
  if (options.expect_live && !media.ended && target > 0 && media.type.empty() && media.skipped_segments == 0 &&
      media.duration_seconds() < 3 * target - 0.5) {
    add("H-SIZE", Severity::kWarning, 0, 0,
        absl::StrFormat("the playlist holds %.1f s, less than three target durations (%.0f s)",
                        media.duration_seconds(), 3 * target));
  }
  if (text_bytes > 1'000'000 && text_bytes <= options.max_bytes) {
    add("H-SIZE", Severity::kWarning, 0, 0, absl::StrCat("the playlist has ", text_bytes, " bytes"));
  }
  JudgeDates(media, options.expect_live && !media.ended, add);
  JudgeDateRanges(media, add);
  JudgeKeys(media, add);
  JudgeLowLatency(media, add);
}

void JudgeUris(const HlsPlaylist& playlist, const HlsOptions& options, const AddFinding& add) {
  if (options.base_url.empty()) return;
  const UrlParts base = SplitUrl(options.base_url);
  const std::string base_host = HostOf(options.base_url);
  const bool base_private = IsPrivateHost(base_host);
  const bool base_staging = IsStagingHost(base_host);
  std::set<std::string> reported;
  auto judge = [&](const HlsUri& uri, int line, const char* what) {
    if (uri.empty()) return;
    auto error = [&](const std::string& subject, std::string message, Severity severity = Severity::kError) {
      if (reported.insert(subject).second) add("H-URI", severity, line, 0, absl::StrCat(what, " ", message));
    };
    const std::string scheme = SplitUrl(uri.resolved).scheme.value_or("");
    if (uri.text.find(' ') != std::string::npos) error("space", absl::StrCat("has a space: ", Quote(uri.text)));
    if (scheme.empty()) return error("unresolved", absl::StrCat("cannot be resolved: ", Quote(uri.text)));
    if (scheme == "file") return error("file", absl::StrCat("points into somebody's disk: ", Quote(uri.text)));
    if (scheme != "http" && scheme != "https") return;  // data:, skd: and the like are for the player
    const std::string host = HostOf(uri.resolved);
    if (host.empty()) return error("unresolved", absl::StrCat("has no host: ", Quote(uri.text)));
    if (scheme == "http" && base.scheme == "https") {
      error(absl::StrCat("mixed ", host), absl::StrCat("is plain http inside https: ", Quote(uri.text)));
    }
    if (host == base_host) return;
    if (IsPrivateHost(host) && !base_private) {
      return error(host, absl::StrCat("points to a private address: ", Quote(host)));
    }
    if (IsStagingHost(host) && !base_staging) {
      return error(host, absl::StrCat("points to a staging host: ", Quote(host)), Severity::kWarning);
    }
    const auto& allowed = options.allowed_hosts;
    if (!allowed.empty() && std::none_of(allowed.begin(), allowed.end(),
                                         [&](const std::string& name) { return absl::EqualsIgnoreCase(name, host); })) {
      error(host, absl::StrCat("points to a host outside the plan: ", Quote(host)));
    }
  };
  for (const HlsVariant& variant : playlist.multivariant.variants) judge(variant.uri, variant.line, "the variant");
  for (const HlsVariant& variant : playlist.multivariant.i_frame_variants) {
    judge(variant.uri, variant.line, "the I-frame playlist");
  }
  for (const HlsRendition& rendition : playlist.multivariant.renditions) {
    judge(rendition.uri, rendition.line, "the rendition");
  }
  for (const HlsKey& key : playlist.multivariant.session_keys) judge(key.uri, key.line, "the session key");
  const HlsKeys* keys = nullptr;
  const HlsMap* map = nullptr;
  for (const HlsSegment& segment : playlist.media.segments) {
    if (segment.map.get() != map) {
      map = segment.map.get();
      if (map != nullptr) judge(map->uri, map->line, "the initialisation segment");
    }
    if (segment.keys.get() != keys) {
      keys = segment.keys.get();
      if (keys != nullptr) {
        for (const HlsKey& key : *keys) judge(key.uri, key.line, "the key");
      }
    }
    judge(segment.uri, segment.line, "the segment");
    for (const HlsPart& part : segment.parts) judge(part.uri, part.line, "the part");
  }
  for (const HlsPart& part : playlist.media.trailing_parts) judge(part.uri, part.line, "the part");
}

}  // namespace puckdrop::media::internal
