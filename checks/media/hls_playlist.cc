#include "checks/media/hls_playlist.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "checks/media/hls_parser.h"
#include "checks/media/hls_rules.h"
#include "checks/media/hls_text.h"

namespace puckdrop::media {
namespace internal {
namespace {

constexpr TagRule kTagRules[] = {
    {"EXT-X-VERSION", Scope::kBoth, false, "H-VERSION"},
    {"EXT-X-INDEPENDENT-SEGMENTS", Scope::kBoth, false, "H-SYNTAX"},
    {"EXT-X-START", Scope::kBoth, true, "H-SYNTAX"},
    {"EXT-X-DEFINE", Scope::kBoth, true, "H-SYNTAX"},
    {"EXTINF", Scope::kMedia, false, "H-EXTINF"},
    {"EXT-X-TARGETDURATION", Scope::kMedia, false, "H-TD"},
    {"EXT-X-MEDIA-SEQUENCE", Scope::kMedia, false, "H-SYNTAX"},
    {"EXT-X-DISCONTINUITY-SEQUENCE", Scope::kMedia, false, "H-SYNTAX"},
    {"EXT-X-DISCONTINUITY", Scope::kMedia, false, "H-SYNTAX"},
    {"EXT-X-ENDLIST", Scope::kMedia, false, "H-ENDLIST"},
    {"EXT-X-PLAYLIST-TYPE", Scope::kMedia, false, "H-TYPE"},
    {"EXT-X-I-FRAMES-ONLY", Scope::kMedia, false, "H-IFRAME"},
    {"EXT-X-PART-INF", Scope::kMedia, true, "LL-PART"},
    {"EXT-X-SERVER-CONTROL", Scope::kMedia, true, "LL-HOLDBACK"},
    {"EXT-X-BYTERANGE", Scope::kMedia, false, "H-SYNTAX"},
    {"EXT-X-KEY", Scope::kMedia, true, "H-KEY"},
    {"EXT-X-MAP", Scope::kMedia, true, "H-MAP"},
    {"EXT-X-PROGRAM-DATE-TIME", Scope::kMedia, false, "H-PDT"},
    {"EXT-X-GAP", Scope::kMedia, false, "H-GAP"},
    {"EXT-X-BITRATE", Scope::kMedia, false, "H-SYNTAX"},
    {"EXT-X-PART", Scope::kMedia, true, "LL-PART"},
    {"EXT-X-DATERANGE", Scope::kMedia, true, "H-DATERANGE"},
    {"EXT-X-SKIP", Scope::kMedia, true, "LL-SKIP"},
    {"EXT-X-PRELOAD-HINT", Scope::kMedia, true, "LL-HINT"},
    {"EXT-X-RENDITION-REPORT", Scope::kMedia, true, "LL-REPORT"},
    {"EXT-X-MEDIA", Scope::kMultivariant, true, "H-MEDIAGROUP"},
    {"EXT-X-STREAM-INF", Scope::kMultivariant, true, "H-STREAMINF"},
    {"EXT-X-I-FRAME-STREAM-INF", Scope::kMultivariant, true, "H-IFRAME"},
    {"EXT-X-SESSION-DATA", Scope::kMultivariant, true, "H-SYNTAX"},
    {"EXT-X-SESSION-KEY", Scope::kMultivariant, true, "H-KEY"},
    {"EXT-X-CONTENT-STEERING", Scope::kMultivariant, true, "H-SYNTAX"},
};

const TagRule* RuleOf(absl::string_view name) {
  for (const TagRule& rule : kTagRules) {
    if (name == rule.name) return &rule;
  }
  return nullptr;
}

}  // namespace

bool Parser::Begin() {
  if (absl::ConsumePrefix(&text_, "\xef\xbb\xbf")) {
    line_ = 1;
    Error("H-MAGIC", 1, "the playlist begins with a byte order mark; players that follow RFC 8216 refuse it");
  }
  absl::string_view first = text_.substr(0, text_.find('\n'));
  first = absl::StripTrailingAsciiWhitespace(first);
  out_.content = SniffContent(text_);
  if (first == "#EXTM3U") {
    out_.kind = HlsKind::kUndetermined;
    out_.content = ContentKind::kHlsPlaylist;
    return true;
  }
  line_ = 1;
  if (out_.content == ContentKind::kHlsPlaylist ||
      text_.substr(0, 1u << 16).find("#EXTM3U") != absl::string_view::npos ||
      text_.substr(0, 1u << 16).find("#EXT-X-") != absl::string_view::npos ||
      text_.substr(0, 1u << 16).find("#EXTINF:") != absl::string_view::npos) {
    // HTML that happens to quote a playlist is still HTML.
    if (out_.content != ContentKind::kHtml && out_.content != ContentKind::kJson) {
      out_.kind = HlsKind::kUndetermined;
      out_.content = ContentKind::kHlsPlaylist;
      Error("H-MAGIC", 1, absl::StrCat("the first line must be #EXTM3U, not ", Quote(first)));
      return true;
    }
  }
  Error("H-MAGIC", 1,
        absl::StrCat("not a playlist: ", ContentKindWords(out_.content),
                     out_.content == ContentKind::kEmpty ? "" : absl::StrCat(", beginning with ", Quote(first))));
  return false;
}

HlsPlaylist Parser::Run() {
  const size_t total = text_.size();
  if (text_.size() > options_.max_bytes) {
    out_.truncated = true;
    Add("H-SIZE", Severity::kError, 0, 0,
        absl::StrCat("the playlist has ", text_.size(), " bytes; only the first ", options_.max_bytes, " are read"));
    text_ = text_.substr(0, options_.max_bytes);
  }
  const bool is_playlist = Begin();
  if (!is_playlist) return std::move(out_);
  if (options_.content_type) {
    if (auto problem = ContentTypeMismatch(*options_.content_type, ContentKind::kHlsPlaylist)) {
      Add("H-MIME", Severity::kWarning, 0, 0, *problem);
    }
  }
  line_ = 0;
  absl::string_view rest = text_;
  while (!rest.empty()) {
    if (static_cast<size_t>(line_) == options_.max_lines) {
      out_.truncated = true;
      Add("H-SIZE", Severity::kError, line_, 0,
          absl::StrCat("more than ", options_.max_lines, " lines; the rest is not read"));
      break;
    }
    size_t end = rest.find('\n');
    absl::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    ++line_;
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    if (line.size() > options_.max_line_bytes) {
      out_.truncated = true;
      Error("H-SIZE", 1,
            absl::StrCat("a line of ", line.size(), " bytes is longer than ", options_.max_line_bytes,
                         "; it is not read"));
      continue;
    }
    Line(line);
  }
  Finish();
  AddFinding add = [this](const char* id, Severity severity, int line, int column, std::string message) {
    Add(id, severity, line, column, std::move(message));
  };
  if (!mixed_) {
    if (out_.kind == HlsKind::kMultivariant) JudgeMultivariant(out_, options_, add);
    if (out_.kind == HlsKind::kMedia) JudgeMedia(out_, options_, total, add);
  }
  JudgeUris(out_, options_, add);
  // Rules over the whole come last but belong to their lines; findings of one line keep their order.
  std::vector<std::pair<int, size_t>> order;
  for (size_t i = 0; i < out_.findings.size(); ++i) order.emplace_back(out_.findings[i].line, i);
  std::sort(order.begin(), order.end());
  Findings sorted;
  sorted.reserve(order.size());
  for (const auto& [line, index] : order) sorted.push_back(std::move(out_.findings[index]));
  out_.findings = std::move(sorted);
  return std::move(out_);
}

void Parser::Line(absl::string_view line) {
  if (bad_text_ < 5) {
    if (auto problem = FindBadText(line)) {
      ++bad_text_;
      Error("H-UTF8", static_cast<int>(problem->offset) + 1, problem->message);
    }
  }
  absl::string_view stripped = absl::StripAsciiWhitespace(line);
  if (stripped.empty()) return;
  if (stripped.size() != line.size()) Warn("H-SYNTAX", 1, "white space at the beginning or end of the line");
  if (stripped[0] == '#') {
    if (absl::StartsWith(stripped, "#EXT")) TagLine(stripped.substr(1));
    return;
  }
  UriLine(stripped);
}

std::string Parser::Substitute(absl::string_view text, int column) {
  if (out_.variables.empty() || text.find("{$") == absl::string_view::npos) return std::string(text);
  std::string result;
  while (!text.empty()) {
    size_t open = text.find("{$");
    absl::StrAppend(&result, text.substr(0, open));
    if (open == absl::string_view::npos) break;
    text.remove_prefix(open);
    size_t close = text.find('}');
    if (close == absl::string_view::npos) {
      absl::StrAppend(&result, text);
      break;
    }
    std::string name(text.substr(2, close - 2));
    auto variable = out_.variables.find(name);
    if (variable == out_.variables.end()) {
      Error("H-SYNTAX", column, absl::StrCat("the variable ", Quote(name), " is not defined"));
      absl::StrAppend(&result, text.substr(0, close + 1));
    } else {
      // One variable used in every line could multiply the text without end.
      substituted_bytes_ += variable->second.size();
      if (substituted_bytes_ > options_.max_bytes || result.size() > options_.max_line_bytes) {
        if (!out_.truncated) Error("H-SIZE", column, "variable substitution makes the playlist too large");
        out_.truncated = true;
        return result;
      }
      result += variable->second;
    }
    text.remove_prefix(close + 1);
  }
  return result;
}

void Parser::TagLine(absl::string_view line) {
  HlsTag tag;
  size_t colon = line.find(':');
  tag.name = std::string(line.substr(0, colon));
  if (colon != absl::string_view::npos) tag.value = std::string(line.substr(colon + 1));
  tag.line = line_;
  if (tag.name == "EXTM3U") {
    if (line_ > 1 && !seen_.insert(tag.name).second) Error("H-SYNTAX", 1, "#EXTM3U appears again");
    seen_.insert(tag.name);
    return;
  }
  const TagRule* rule = RuleOf(tag.name);
  if (rule != nullptr && rule->attribute_list) {
    std::vector<AttributeProblem> problems;
    tag.attributes = ParseAttributes(tag.value, &problems);
    const int offset = ValueColumn(tag) - 1;
    for (auto& problem : problems) Error(rule->id, problem.column + offset, std::move(problem.message));
    for (HlsAttribute& attribute : tag.attributes) {
      attribute.column += offset;
      if (tag.name != "EXT-X-DEFINE" && attribute.value.find("{$") != std::string::npos) {
        attribute.value = Substitute(attribute.value, attribute.column);
      }
    }
  }
  if (rule != nullptr) {
    HlsKind wanted = rule->scope == Scope::kMedia          ? HlsKind::kMedia
                     : rule->scope == Scope::kMultivariant ? HlsKind::kMultivariant
                                                           : out_.kind;
    if (out_.kind == HlsKind::kUndetermined) {
      out_.kind = wanted;
    } else if (wanted != out_.kind && !mixed_) {
      mixed_ = true;
      Error("H-MIXED", 1,
            absl::StrCat("#", tag.name, " belongs to a ",
                         wanted == HlsKind::kMedia ? "media playlist" : "multivariant playlist", ", but this is a ",
                         out_.kind == HlsKind::kMedia ? "media playlist" : "multivariant playlist"));
    }
    Dispatch(tag, *rule);
  }
  out_.tags.push_back(std::move(tag));
}

void Parser::Dispatch(const HlsTag& tag, const TagRule& rule) {
  if (tag.name == "EXT-X-VERSION") {
    Version(tag);
  } else if (tag.name == "EXT-X-INDEPENDENT-SEGMENTS") {
    out_.independent_segments = true;
  } else if (tag.name == "EXT-X-START") {
    out_.start_offset_seconds = FloatAttribute(tag, "TIME-OFFSET", "H-SYNTAX", true);
    if (!tag.Has("TIME-OFFSET")) Error("H-SYNTAX", 1, "#EXT-X-START needs TIME-OFFSET");
  } else if (tag.name == "EXT-X-DEFINE") {
    Define(tag);
  } else if (rule.scope == Scope::kMedia) {
    MediaTag(tag);
  } else {
    MultivariantTag(tag);
  }
}

void Parser::UriLine(absl::string_view line) {
  std::string uri = Substitute(line, 1);
  if (variant_) {
    variant_->uri = Uri(uri);
    out_.multivariant.variants.push_back(*std::move(variant_));
    variant_.reset();
    return;
  }
  if (out_.kind == HlsKind::kMultivariant && !has_extinf_) {
    Error("H-STREAMINF", 1, absl::StrCat("the URI ", Quote(uri), " has no #EXT-X-STREAM-INF"));
    return;
  }
  if (out_.kind == HlsKind::kUndetermined) out_.kind = HlsKind::kMedia;
  if (!has_extinf_) Error("H-EXTINF", 1, absl::StrCat("the segment ", Quote(uri), " has no #EXTINF"));
  HlsMediaPlaylist& media = out_.media;
  next_.line = line_;
  next_.uri = Uri(uri);
  next_.media_sequence = media.media_sequence + media.skipped_segments + segment_count_;
  next_.keys = keys_;
  next_.map = map_;
  if (next_range_) {
    next_.byte_range = ContinueRange(*next_range_, next_.uri.text, 1);
  } else {
    next_.bitrate_kbps = bitrate_;
  }
  if (next_.program_date_time) clock_ = next_.program_date_time;
  // After a discontinuity without a new date the old clock says nothing.
  if (next_.discontinuity && !next_.program_date_time) clock_.reset();
  next_.starts_at = clock_;
  if (clock_) *clock_ += absl::Seconds(next_.duration_seconds);
  ++segment_count_;
  int64_t discontinuity_sequence = next_.discontinuity_sequence;
  media.segments.push_back(std::move(next_));
  next_ = HlsSegment();
  next_.discontinuity_sequence = discontinuity_sequence;
  next_range_.reset();
  has_extinf_ = false;
}

void Parser::Finish() {
  if (variant_) {
    Add("H-STREAMINF", Severity::kError, variant_line_, 1, "#EXT-X-STREAM-INF without a URI on the next line");
  }
  if (has_extinf_) Error("H-EXTINF", 1, "the last #EXTINF has no segment after it");
  out_.media.trailing_parts = std::move(next_.parts);
  for (const auto& [feature, place] : features_) {
    int needed = place.version;
    if (feature == "EXT-X-MAP" && !out_.media.i_frames_only) needed = 6;
    if (out_.version < needed) {
      Add("H-VERSION", Severity::kWarning, place.line, place.column,
          absl::StrCat(feature, " needs version ", needed, ", the playlist says ", out_.version));
    }
  }
}

}  // namespace internal

const HlsAttribute* HlsTag::Find(absl::string_view attribute) const {
  for (const HlsAttribute& candidate : attributes) {
    if (candidate.name == attribute) return &candidate;
  }
  return nullptr;
}

std::string HlsTag::Get(absl::string_view attribute) const {
  const HlsAttribute* found = Find(attribute);
  return found == nullptr ? std::string() : found->value;
}

double HlsMediaPlaylist::duration_seconds() const {
  double total = 0;
  for (const HlsSegment& segment : segments) total += segment.duration_seconds;
  return total;
}

std::string HlsVariant::Words() const {
  std::string words = width > 0 ? absl::StrCat(width, "x", height, " ") : "";
  absl::StrAppendFormat(&words, "%.1f Mb/s", static_cast<double>(bandwidth) / 1e6);
  return words;
}

std::vector<const HlsRendition*> HlsMultivariantPlaylist::Group(absl::string_view type,
                                                                absl::string_view group_id) const {
  std::vector<const HlsRendition*> group;
  for (const HlsRendition& rendition : renditions) {
    if (rendition.type == type && rendition.group_id == group_id) group.push_back(&rendition);
  }
  return group;
}

HlsPlaylist ParseHlsPlaylist(absl::string_view text, const HlsOptions& options) {
  return internal::Parser(text, options).Run();
}

}  // namespace puckdrop::media
