#include "checks/media/facts_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/time/time.h"

namespace puckdrop::media {
namespace {

using nlohmann::json;

constexpr size_t kMostItems = 100;

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }
double Round(double value) { return std::round(value * 1000) / 1000; }

// Bytes of a stream are not always UTF-8, and a later dump of such a string would throw.
std::string Clean(const std::string& text) {
  const std::string cut = text.substr(0, 500);
  return json::parse(json(cut).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

json VariantJson(const HlsVariant& variant) {
  json out{{"uri", Clean(variant.uri.text)}, {"bandwidth", variant.bandwidth}, {"line", variant.line}};
  if (!variant.codecs.empty()) {
    for (const std::string& codec : variant.codecs) out["codecs"].push_back(Clean(codec));
  }
  if (variant.width > 0) out["resolution"] = std::to_string(variant.width) + "x" + std::to_string(variant.height);
  if (variant.frame_rate) out["frame_rate"] = *variant.frame_rate;
  if (!variant.audio.empty()) out["audio"] = Clean(variant.audio);
  return out;
}

}  // namespace

json ToJson(const Finding& finding) {
  json out{{"id", finding.id}, {"severity", SeverityName(finding.severity)}, {"message", Clean(finding.message)}};
  if (finding.line > 0) out["line"] = finding.line;
  if (finding.column > 0) out["column"] = finding.column;
  return out;
}

json ToJson(const Findings& findings) {
  json out = json::array();
  for (const Finding& finding : findings) {
    if (out.size() == kMostItems) break;
    out.push_back(ToJson(finding));
  }
  return out;
}

json ToJson(const HlsPlaylist& playlist) {
  json out;
  switch (playlist.kind) {
    case HlsKind::kNotAPlaylist:
      out["kind"] = "not_a_playlist";
      out["content"] = ContentKindWords(playlist.content);
      break;
    case HlsKind::kUndetermined:
      out["kind"] = "undetermined";
      break;
    case HlsKind::kMultivariant:
      out["kind"] = "multivariant";
      break;
    case HlsKind::kMedia:
      out["kind"] = "media";
      break;
  }
  out["version"] = playlist.version;
  out["findings"] = ToJson(playlist.findings);
  if (playlist.kind == HlsKind::kMultivariant) {
    out["variants"] = json::array();
    for (const HlsVariant& variant : playlist.multivariant.variants) {
      if (out["variants"].size() == kMostItems) break;
      out["variants"].push_back(VariantJson(variant));
    }
    out["renditions"] = json::array();
    for (const HlsRendition& rendition : playlist.multivariant.renditions) {
      if (out["renditions"].size() == kMostItems) break;
      out["renditions"].push_back({{"type", Clean(rendition.type)},
                                   {"group", Clean(rendition.group_id)},
                                   {"name", Clean(rendition.name)},
                                   {"language", Clean(rendition.language)},
                                   {"default", rendition.is_default},
                                   {"uri", Clean(rendition.uri.text)}});
    }
  }
  if (playlist.kind == HlsKind::kMedia) {
    const HlsMediaPlaylist& media = playlist.media;
    out["target_duration_seconds"] = media.target_duration_seconds;
    out["media_sequence"] = media.media_sequence;
    out["discontinuity_sequence"] = media.discontinuity_sequence;
    out["segments"] = media.segments.size();
    out["duration_seconds"] = Round(media.duration_seconds());
    out["ended"] = media.ended;
    if (!media.segments.empty()) {
      const HlsSegment& newest = media.segments.back();
      out["newest"] = {{"media_sequence", newest.media_sequence}, {"uri", Clean(newest.uri.text)}};
      if (newest.ends_at()) out["newest"]["ends_at"] = TimeText(*newest.ends_at());
    }
  }
  return out;
}

json ToJson(const SegmentFacts& segment) {
  json out{{"container", ContainerId(segment.container)},
           {"bytes", segment.bytes},
           {"problem", SegmentProblemId(segment.problem)},
           {"cpu_seconds", Round(absl::ToDoubleSeconds(segment.cpu_time))}};
  if (!segment.words.empty()) out["words"] = Clean(segment.words);
  out["streams"] = json::array();
  for (const StreamFacts& stream : segment.streams) {
    json one{{"codec", Clean(stream.codec.text.empty() ? stream.codec_name : stream.codec.text)},
             {"words", Clean(stream.codec.words)},
             {"packets", stream.packets}};
    if (stream.kind == MediaKind::kVideo) {
      one["kind"] = "video";
      one["resolution"] = std::to_string(stream.width) + "x" + std::to_string(stream.height);
      one["frame_rate"] = Round(stream.frame_rate);
      one["keyframes"] = stream.keyframes;
      one["starts_with_keyframe"] = stream.starts_with_keyframe;
    } else if (stream.kind == MediaKind::kAudio) {
      one["kind"] = "audio";
      one["sample_rate"] = stream.sample_rate;
      one["channels"] = stream.channels;
      if (!stream.language.empty()) one["language"] = Clean(stream.language);
    }
    if (stream.encrypted) one["encryption_scheme"] = stream.encryption_scheme;
    if (stream.first_pts_seconds) one["first_pts_seconds"] = Round(*stream.first_pts_seconds);
    if (stream.end_pts_seconds) one["end_pts_seconds"] = Round(*stream.end_pts_seconds);
    if (stream.corrupt_packets > 0) one["corrupt_packets"] = stream.corrupt_packets;
    if (stream.decode_errors > 0) one["decode_errors"] = stream.decode_errors;
    out["streams"].push_back(std::move(one));
  }
  for (const PictureFacts& picture : segment.pictures) {
    if (out.contains("pictures") && out["pictures"].size() == kMostItems) break;
    out["pictures"].push_back({{"pts_seconds", Round(picture.pts_seconds)},
                               {"mean_luma", Round(picture.mean_luma)},
                               {"dark_ratio", Round(picture.dark_ratio)}});
  }
  for (const AudioBlock& block : segment.audio) {
    out["audio"].push_back({{"stream", block.stream_index},
                            {"pts_seconds", Round(block.pts_seconds)},
                            {"seconds", Round(block.seconds())},
                            {"rms_dbfs", Round(RmsDbfs(block))}});
  }
  return out;
}

json ToJson(const LiveMonitor& monitor, absl::Time now) {
  json out{{"polls", monitor.polls()},
           {"failures", monitor.failures()},
           {"segments_seen", monitor.segments_seen()},
           {"target_duration_seconds", monitor.target_duration_seconds()}};
  if (auto since = monitor.SinceChange(now)) out["seconds_since_change"] = Round(absl::ToDoubleSeconds(*since));
  if (auto latency = monitor.Latency(now)) out["latency_seconds"] = Round(absl::ToDoubleSeconds(*latency));
  out["findings"] = json::array();
  for (const LiveFinding& finding : monitor.findings()) {
    json one = ToJson(finding.finding);
    one["at"] = TimeText(finding.at);
    out["findings"].push_back(std::move(one));
  }
  out["states"] = json::array();
  for (const LiveState& state : monitor.states()) {
    json one{{"at", TimeText(state.at)}};
    if (!state.fetched) {
      one["failure"] = Clean(state.failure);
    } else {
      one["changed"] = state.changed;
      one["media_sequence"] = state.media_sequence;
      one["newest"] = state.newest_media_sequence;
      if (state.edge) one["edge"] = TimeText(*state.edge);
    }
    out["states"].push_back(std::move(one));
  }
  return out;
}

}  // namespace puckdrop::media
