#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "checks/media/hls_parser.h"

namespace puckdrop::media::internal {

void Parser::Version(const HlsTag& tag) {
  if (!seen_.insert(tag.name).second) {
    Error("H-VERSION", 1, "#EXT-X-VERSION appears twice");
    return;
  }
  auto version = Integer(tag, "H-VERSION");
  if (!version) return;
  if (*version < 1 || *version > 1000) {
    Error("H-VERSION", ValueColumn(tag), absl::StrCat("version ", *version, " does not exist"));
    return;
  }
  out_.version = static_cast<int>(*version);
}

void Parser::Define(const HlsTag& tag) {
  const HlsAttribute* name = tag.Find("NAME");
  const HlsAttribute* import = tag.Find("IMPORT");
  const HlsAttribute* query = tag.Find("QUERYPARAM");
  Needs(query != nullptr ? 11 : 8, query != nullptr ? "EXT-X-DEFINE:QUERYPARAM" : "EXT-X-DEFINE");
  const HlsAttribute* chosen = name != nullptr ? name : import != nullptr ? import : query;
  if (chosen == nullptr || (name != nullptr) + (import != nullptr) + (query != nullptr) != 1) {
    Error("H-SYNTAX", 1, "#EXT-X-DEFINE needs exactly one of NAME, IMPORT and QUERYPARAM");
    return;
  }
  std::string value;
  if (name != nullptr) {
    if (!tag.Has("VALUE")) {
      Error("H-SYNTAX", name->column, "#EXT-X-DEFINE with NAME needs VALUE");
      return;
    }
    value = tag.Get("VALUE");
  } else if (import != nullptr) {
    auto found = options_.imported_variables.find(import->value);
    if (found == options_.imported_variables.end()) {
      Error("H-SYNTAX", import->column,
            absl::StrCat("the multivariant playlist does not define ", Quote(import->value)));
      return;
    }
    value = found->second;
  } else {
    auto found = QueryParameter(options_.base_url, query->value);
    if (!found || found->empty()) {
      Error("H-SYNTAX", query->column, absl::StrCat("the playlist's URL has no parameter ", Quote(query->value)));
      return;
    }
    value = *found;
  }
  if (out_.variables.size() >= 1000) return;
  if (!out_.variables.emplace(chosen->value, std::move(value)).second) {
    Error("H-SYNTAX", chosen->column, absl::StrCat("the variable ", Quote(chosen->value), " is defined twice"));
  }
}

void Parser::MediaTag(const HlsTag& tag) {
  HlsMediaPlaylist& media = out_.media;
  const bool after_segments = segment_count_ > 0;
  if (tag.name == "EXTINF") {
    Extinf(tag);
  } else if (tag.name == "EXT-X-TARGETDURATION") {
    if (!seen_.insert(tag.name).second) {
      Error("H-TD", 1, "#EXT-X-TARGETDURATION appears twice");
    } else if (auto value = Integer(tag, "H-TD")) {
      if (*value == 0 || *value > 86400) {
        Error("H-TD", ValueColumn(tag), absl::StrCat("a target duration of ", *value, " s"));
      } else {
        media.target_duration_seconds = static_cast<double>(*value);
      }
    }
  } else if (tag.name == "EXT-X-MEDIA-SEQUENCE") {
    Once(tag, "H-SYNTAX");
    if (auto value = Integer(tag, "H-SYNTAX")) {
      if (after_segments) {
        Error("H-SYNTAX", 1, "#EXT-X-MEDIA-SEQUENCE must come before the first segment");
      } else {
        media.media_sequence = *value;
      }
    }
  } else if (tag.name == "EXT-X-DISCONTINUITY-SEQUENCE") {
    Once(tag, "H-SYNTAX");
    if (auto value = Integer(tag, "H-SYNTAX")) {
      if (after_segments || next_.discontinuity) {
        Error("H-SYNTAX", 1, "#EXT-X-DISCONTINUITY-SEQUENCE must come before the first segment and discontinuity");
      } else {
        media.discontinuity_sequence = *value;
        next_.discontinuity_sequence = *value;
      }
    }
  } else if (tag.name == "EXT-X-DISCONTINUITY") {
    next_.discontinuity = true;
    ++next_.discontinuity_sequence;
  } else if (tag.name == "EXT-X-ENDLIST") {
    media.ended = true;
  } else if (tag.name == "EXT-X-PLAYLIST-TYPE") {
    Once(tag, "H-TYPE");
    if (tag.value == "EVENT" || tag.value == "VOD") {
      media.type = tag.value;
    } else {
      Error("H-TYPE", ValueColumn(tag),
            absl::StrCat("#EXT-X-PLAYLIST-TYPE must be EVENT or VOD, not ", Quote(tag.value)));
    }
  } else if (tag.name == "EXT-X-I-FRAMES-ONLY") {
    media.i_frames_only = true;
    Needs(4, "EXT-X-I-FRAMES-ONLY");
  } else if (tag.name == "EXT-X-PART-INF") {
    media.part_target_seconds = FloatAttribute(tag, "PART-TARGET", "LL-PART");
    if (!tag.Has("PART-TARGET")) Error("LL-PART", 1, "#EXT-X-PART-INF needs PART-TARGET");
  } else if (tag.name == "EXT-X-SERVER-CONTROL") {
    ServerControl(tag);
  } else if (tag.name == "EXT-X-BYTERANGE") {
    Needs(4, "EXT-X-BYTERANGE");
    next_range_ = ParseByteRange(tag.value);
    if (!next_range_) Error("H-SYNTAX", ValueColumn(tag), absl::StrCat("not a byte range: ", Quote(tag.value)));
  } else if (tag.name == "EXT-X-KEY") {
    Key(tag);
  } else if (tag.name == "EXT-X-MAP") {
    Map(tag);
  } else if (tag.name == "EXT-X-PROGRAM-DATE-TIME") {
    DateTime(tag);
  } else if (tag.name == "EXT-X-GAP") {
    next_.gap = true;
  } else if (tag.name == "EXT-X-BITRATE") {
    bitrate_ = Integer(tag, "H-SYNTAX");
  } else if (tag.name == "EXT-X-PART") {
    Part(tag);
  } else if (tag.name == "EXT-X-DATERANGE") {
    DateRange(tag);
  } else if (tag.name == "EXT-X-SKIP") {
    Needs(9, "EXT-X-SKIP");
    if (auto skipped = IntegerAttribute(tag, "SKIPPED-SEGMENTS", "LL-SKIP")) {
      if (after_segments || *skipped == 0 || *skipped > 1'000'000) {
        Error("LL-SKIP", 1, absl::StrCat("#EXT-X-SKIP of ", *skipped, " segments here"));
      } else {
        media.skipped_segments = *skipped;
      }
    } else if (!tag.Has("SKIPPED-SEGMENTS")) {
      Error("LL-SKIP", 1, "#EXT-X-SKIP needs SKIPPED-SEGMENTS");
    }
  } else if (tag.name == "EXT-X-PRELOAD-HINT") {
    if (!tag.Has("TYPE") || !tag.Has("URI")) Error("LL-HINT", 1, "#EXT-X-PRELOAD-HINT needs TYPE and URI");
    media.preload_hints.push_back(tag);
  } else if (tag.name == "EXT-X-RENDITION-REPORT") {
    if (!tag.Has("URI")) Error("LL-REPORT", 1, "#EXT-X-RENDITION-REPORT needs URI");
    media.rendition_reports.push_back(tag);
  }
}

void Parser::Extinf(const HlsTag& tag) {
  if (has_extinf_) Error("H-EXTINF", 1, "#EXTINF appears twice before one segment");
  has_extinf_ = true;
  size_t comma = tag.value.find(',');
  absl::string_view number = absl::StripAsciiWhitespace(absl::string_view(tag.value).substr(0, comma));
  if (comma != std::string::npos) next_.title = tag.value.substr(comma + 1);
  auto duration = ParseDecimalFloat(number);
  if (!duration) {
    Error("H-EXTINF", ValueColumn(tag), absl::StrCat("#EXTINF needs a duration in seconds, not ", Quote(number)));
    return;
  }
  if (number.find('.') != absl::string_view::npos) Needs(3, "a fractional EXTINF", ValueColumn(tag));
  if (comma == std::string::npos)
    Add("H-EXTINF", Severity::kNote, line_, ValueColumn(tag), "#EXTINF without the comma");
  next_.duration_seconds = *duration;
}

HlsKey Parser::ReadKey(const HlsTag& tag) {
  HlsKey key;
  key.line = line_;
  key.method = tag.Get("METHOD");
  key.uri = Uri(tag.Get("URI"));
  if (tag.Has("KEYFORMAT")) key.keyformat = tag.Get("KEYFORMAT");
  key.keyformat_versions = tag.Get("KEYFORMATVERSIONS");
  const bool none = key.method == "NONE";
  if (key.method.empty()) {
    Error("H-KEY", 1, absl::StrCat("#", tag.name, " without METHOD"));
  } else if (!none && key.method != "AES-128" && key.method != "SAMPLE-AES" && key.method != "SAMPLE-AES-CTR") {
    Error("H-KEY", tag.Find("METHOD")->column, absl::StrCat("the method ", Quote(key.method), " is not defined"));
  }
  if (none && (tag.attributes.size() > 1 || tag.name == "EXT-X-SESSION-KEY")) {
    Error("H-KEY", 1, "METHOD=NONE must stand alone, and never in a session key");
  }
  if (!none && !key.method.empty() && key.uri.empty()) {
    Error("H-KEY", 1, absl::StrCat("METHOD=", key.method, " without URI: no player can fetch the key"));
  }
  if (const HlsAttribute* iv = tag.Find("IV")) {
    Needs(2, "the IV attribute", iv->column);
    key.iv = ParseIv(iv->value);
    if (!key.iv)
      Error("H-KEY", iv->column, absl::StrCat("IV must be 0x and 32 hexadecimal digits, not ", Quote(iv->value)));
  }
  if (const HlsAttribute* format = tag.Find("KEYFORMAT")) {
    Needs(5, "KEYFORMAT", format->column);
    std::string lower = absl::AsciiStrToLower(format->value);
    bool known = lower == "identity" || lower == "com.apple.streamingkeydelivery" ||
                 lower == "com.microsoft.playready" || lower == "com.widevine" ||
                 absl::StartsWith(lower, "urn:uuid:") || lower == "org.w3.clearkey";
    if (!known)
      Warn("H-KEY", format->column, absl::StrCat("no player is known to handle KEYFORMAT ", Quote(format->value)));
  }
  if (const HlsAttribute* versions = tag.Find("KEYFORMATVERSIONS")) Needs(5, "KEYFORMATVERSIONS", versions->column);
  if (key.method == "SAMPLE-AES" || key.method == "SAMPLE-AES-CTR") Needs(5, "METHOD=SAMPLE-AES");
  return key;
}

void Parser::Key(const HlsTag& tag) {
  HlsKey key = ReadKey(tag);
  if (key.method == "NONE") {
    keys_ = nullptr;
    return;
  }
  auto keys = std::make_shared<HlsKeys>();
  if (keys_) *keys = *keys_;
  keys->erase(std::remove_if(keys->begin(), keys->end(),
                             [&](const HlsKey& old) {
                               // A method's keys end where another method begins; formats of one method stand side by
                               // side.
                               return old.keyformat == key.keyformat || old.method != key.method;
                             }),
              keys->end());
  if (keys->size() < 32) keys->push_back(std::move(key));
  keys_ = std::move(keys);
}

HlsByteRange Parser::ContinueRange(const RawByteRange& raw, const std::string& uri, int column) {
  HlsByteRange range;
  range.length = raw.length;
  if (raw.offset) {
    range.offset = *raw.offset;
  } else if (auto previous = range_end_.find(uri); previous != range_end_.end()) {
    range.offset = previous->second;
  } else {
    Error("H-SYNTAX", column, "a byte range without an offset must follow a range of the same resource");
  }
  range_end_[uri] = range.offset + range.length;
  return range;
}

void Parser::Map(const HlsTag& tag) {
  // RFC 8216 section 7: 5 in an I-frame playlist, 6 elsewhere; judged at the end, the order of the tags is free.
  Needs(5, "EXT-X-MAP");
  auto map = std::make_shared<HlsMap>();
  map->line = line_;
  map->uri = Uri(tag.Get("URI"));
  if (map->uri.empty()) Error("H-MAP", 1, "#EXT-X-MAP without URI");
  if (const HlsAttribute* range = tag.Find("BYTERANGE")) {
    auto raw = ParseByteRange(range->value);
    if (!raw) {
      Error("H-MAP", range->column, absl::StrCat("not a byte range: ", Quote(range->value)));
    } else {
      map->byte_range = HlsByteRange{raw->length, raw->offset.value_or(0)};
    }
  }
  map_ = std::move(map);
}

void Parser::DateTime(const HlsTag& tag) {
  bool zoned = true;
  auto time = ParseDate(tag.value, &zoned);
  if (!time) {
    Error("H-PDT", ValueColumn(tag), absl::StrCat("not a date and time of ISO 8601: ", Quote(tag.value)));
    return;
  }
  if (!zoned) Warn("H-PDT", ValueColumn(tag), "no time zone: players read it differently (taken as UTC here)");
  next_.program_date_time = time;
}

void Parser::Part(const HlsTag& tag) {
  HlsPart part;
  part.line = line_;
  part.uri = Uri(tag.Get("URI"));
  part.independent = YesNo(tag, "INDEPENDENT", "LL-PART");
  part.gap = YesNo(tag, "GAP", "LL-PART");
  auto duration = FloatAttribute(tag, "DURATION", "LL-PART");
  if (part.uri.empty() || !tag.Has("DURATION")) Error("LL-PART", 1, "#EXT-X-PART needs URI and DURATION");
  part.duration_seconds = duration.value_or(0);
  if (const HlsAttribute* range = tag.Find("BYTERANGE")) {
    auto raw = ParseByteRange(range->value);
    if (!raw) {
      Error("LL-PART", range->column, absl::StrCat("not a byte range: ", Quote(range->value)));
    } else {
      part.byte_range = ContinueRange(*raw, part.uri.text, range->column);
    }
  }
  next_.parts.push_back(std::move(part));
}

void Parser::DateRange(const HlsTag& tag) {
  HlsDateRange range;
  range.id = tag.Get("ID");
  range.range_class = tag.Get("CLASS");
  auto date = [&](const char* name) -> std::optional<absl::Time> {
    const HlsAttribute* attribute = tag.Find(name);
    if (attribute == nullptr) return std::nullopt;
    bool zoned = true;
    auto time = ParseDate(attribute->value, &zoned);
    if (!time) Error("H-DATERANGE", attribute->column, absl::StrCat(name, " is not a date: ", Quote(attribute->value)));
    return time;
  };
  range.start = date("START-DATE");
  range.end = date("END-DATE");
  range.duration_seconds = FloatAttribute(tag, "DURATION", "H-DATERANGE");
  range.planned_duration_seconds = FloatAttribute(tag, "PLANNED-DURATION", "H-DATERANGE");
  range.scte35_out = tag.Has("SCTE35-OUT");
  range.scte35_in = tag.Has("SCTE35-IN");
  range.tag = tag;
  out_.media.date_ranges.push_back(std::move(range));
}

void Parser::ServerControl(const HlsTag& tag) {
  Once(tag, "LL-HOLDBACK");
  HlsServerControl& control = out_.media.server_control;
  control.present = true;
  control.line = line_;
  control.can_block_reload = YesNo(tag, "CAN-BLOCK-RELOAD", "LL-HOLDBACK");
  control.can_skip_until = FloatAttribute(tag, "CAN-SKIP-UNTIL", "LL-HOLDBACK");
  control.hold_back = FloatAttribute(tag, "HOLD-BACK", "LL-HOLDBACK");
  control.part_hold_back = FloatAttribute(tag, "PART-HOLD-BACK", "LL-HOLDBACK");
}

void Parser::MultivariantTag(const HlsTag& tag) {
  HlsMultivariantPlaylist& list = out_.multivariant;
  if (tag.name == "EXT-X-STREAM-INF") {
    StreamInf(tag, false);
  } else if (tag.name == "EXT-X-I-FRAME-STREAM-INF") {
    StreamInf(tag, true);
  } else if (tag.name == "EXT-X-MEDIA") {
    Rendition(tag);
  } else if (tag.name == "EXT-X-SESSION-KEY") {
    list.session_keys.push_back(ReadKey(tag));
  } else if (tag.name == "EXT-X-SESSION-DATA") {
    if (!tag.Has("DATA-ID") || tag.Has("VALUE") == tag.Has("URI")) {
      Error("H-SYNTAX", 1, "#EXT-X-SESSION-DATA needs DATA-ID and one of VALUE and URI");
    }
    list.session_data.push_back(tag);
  } else {
    Once(tag, "H-SYNTAX");
    if (!tag.Has("SERVER-URI")) Error("H-SYNTAX", 1, "#EXT-X-CONTENT-STEERING needs SERVER-URI");
    list.content_steering = tag;
  }
}

void Parser::StreamInf(const HlsTag& tag, bool i_frame) {
  const char* id = i_frame ? "H-IFRAME" : "H-STREAMINF";
  if (variant_) {
    Add("H-STREAMINF", Severity::kError, variant_line_, 1, "#EXT-X-STREAM-INF without a URI on the next line");
    variant_.reset();
  }
  HlsVariant variant;
  variant.i_frame = i_frame;
  variant.line = line_;
  variant.tag = tag;
  variant.bandwidth = IntegerAttribute(tag, "BANDWIDTH", id).value_or(0);
  variant.average_bandwidth = IntegerAttribute(tag, "AVERAGE-BANDWIDTH", id);
  variant.frame_rate = FloatAttribute(tag, "FRAME-RATE", id);
  auto split = [&](const char* name) {
    std::vector<std::string> codecs;
    for (absl::string_view codec : absl::StrSplit(tag.Get(name), ',', absl::SkipWhitespace())) {
      codecs.emplace_back(absl::StripAsciiWhitespace(codec));
    }
    return codecs;
  };
  variant.codecs = split("CODECS");
  variant.supplemental_codecs = split("SUPPLEMENTAL-CODECS");
  if (const HlsAttribute* resolution = tag.Find("RESOLUTION")) {
    if (auto size = ParseResolution(resolution->value)) {
      variant.width = size->first;
      variant.height = size->second;
    } else {
      Error(id, resolution->column, absl::StrCat("RESOLUTION is not WIDTHxHEIGHT: ", Quote(resolution->value)));
    }
  }
  variant.hdcp_level = tag.Get("HDCP-LEVEL");
  variant.video_range = tag.Get("VIDEO-RANGE");
  variant.stable_variant_id = tag.Get("STABLE-VARIANT-ID");
  variant.pathway_id = tag.Get("PATHWAY-ID");
  variant.audio = tag.Get("AUDIO");
  variant.video = tag.Get("VIDEO");
  variant.subtitles = tag.Get("SUBTITLES");
  variant.closed_captions = tag.Get("CLOSED-CAPTIONS");
  if (i_frame) {
    variant.uri = Uri(tag.Get("URI"));
    if (variant.uri.empty()) Error(id, 1, "#EXT-X-I-FRAME-STREAM-INF without URI");
    out_.multivariant.i_frame_variants.push_back(std::move(variant));
  } else {
    variant_line_ = line_;
    variant_ = std::move(variant);
  }
}

void Parser::Rendition(const HlsTag& tag) {
  HlsRendition rendition;
  rendition.type = tag.Get("TYPE");
  rendition.group_id = tag.Get("GROUP-ID");
  rendition.name = tag.Get("NAME");
  rendition.language = tag.Get("LANGUAGE");
  rendition.assoc_language = tag.Get("ASSOC-LANGUAGE");
  rendition.instream_id = tag.Get("INSTREAM-ID");
  rendition.channels = tag.Get("CHANNELS");
  rendition.characteristics = tag.Get("CHARACTERISTICS");
  rendition.uri = Uri(tag.Get("URI"));
  rendition.is_default = YesNo(tag, "DEFAULT", "H-MEDIAGROUP");
  rendition.autoselect = YesNo(tag, "AUTOSELECT", "H-MEDIAGROUP");
  rendition.forced = YesNo(tag, "FORCED", "H-MEDIAGROUP");
  rendition.line = line_;
  rendition.tag = tag;
  if (absl::StartsWith(rendition.instream_id, "SERVICE")) Needs(7, "INSTREAM-ID of a SERVICE");
  out_.multivariant.renditions.push_back(std::move(rendition));
}

}  // namespace puckdrop::media::internal
