// The HLS parser's state, shared by the two files that implement it: hls_playlist.cc reads lines, hls_tags.cc reads
// tags. Internal to the HLS parser; one object parses one text.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/media/hls_playlist.h"
#include "checks/media/hls_text.h"

namespace puckdrop::media::internal {

enum class Scope { kBoth, kMedia, kMultivariant };

// Where each tag of the standard belongs, whether its value is an attribute list, and the id of a fault in it.
struct TagRule {
  const char* name;
  Scope scope;
  bool attribute_list;
  const char* id;
};
class Parser {
 public:
  Parser(absl::string_view text, const HlsOptions& options) : text_(text), options_(options) {}

  HlsPlaylist Run();

 private:
  void Add(const char* id, Severity severity, int line, int column, std::string message) {
    if (out_.findings.size() < options_.max_findings) {
      out_.findings.push_back({id, line, column, std::move(message), severity});
    }
  }
  void Error(const char* id, int column, std::string message) {
    Add(id, Severity::kError, line_, column, std::move(message));
  }
  void Warn(const char* id, int column, std::string message) {
    Add(id, Severity::kWarning, line_, column, std::move(message));
  }

  bool Begin();
  void Line(absl::string_view line);
  void TagLine(absl::string_view line);
  void UriLine(absl::string_view line);
  void Dispatch(const HlsTag& tag, const TagRule& rule);
  void MediaTag(const HlsTag& tag);
  void MultivariantTag(const HlsTag& tag);
  void Finish();

  void Version(const HlsTag& tag);
  void Define(const HlsTag& tag);
  void Extinf(const HlsTag& tag);
  void Key(const HlsTag& tag);
  void Map(const HlsTag& tag);
  void DateTime(const HlsTag& tag);
  void Part(const HlsTag& tag);
  void DateRange(const HlsTag& tag);
  void ServerControl(const HlsTag& tag);
  void StreamInf(const HlsTag& tag, bool i_frame);
  void Rendition(const HlsTag& tag);
  HlsKey ReadKey(const HlsTag& tag);
  HlsByteRange ContinueRange(const RawByteRange& raw, const std::string& uri, int column);

  HlsUri Uri(absl::string_view text) {
    HlsUri uri;
    uri.text = std::string(text);
    uri.resolved = options_.base_url.empty() ? uri.text : ResolveUrl(options_.base_url, text);
    return uri;
  }
  std::optional<int64_t> Integer(const HlsTag& tag, const char* id) {
    auto value = ParseDecimalInteger(tag.value);
    if (!value)
      Error(id, ValueColumn(tag), absl::StrCat("#", tag.name, " needs a whole number, not ", Quote(tag.value)));
    return value;
  }
  std::optional<double> FloatAttribute(const HlsTag& tag, absl::string_view name, const char* id, bool sign = false) {
    const HlsAttribute* attribute = tag.Find(name);
    if (attribute == nullptr) return std::nullopt;
    auto value = ParseDecimalFloat(attribute->value, sign);
    if (!value) Error(id, attribute->column, absl::StrCat(name, " is not a number: ", Quote(attribute->value)));
    return value;
  }
  std::optional<int64_t> IntegerAttribute(const HlsTag& tag, absl::string_view name, const char* id) {
    const HlsAttribute* attribute = tag.Find(name);
    if (attribute == nullptr) return std::nullopt;
    auto value = ParseDecimalInteger(attribute->value);
    if (!value) Error(id, attribute->column, absl::StrCat(name, " is not a whole number: ", Quote(attribute->value)));
    return value;
  }
  bool YesNo(const HlsTag& tag, absl::string_view name, const char* id) {
    const HlsAttribute* attribute = tag.Find(name);
    if (attribute == nullptr || attribute->value == "NO") return false;
    if (attribute->value != "YES") {
      Error(id, attribute->column, absl::StrCat(name, " must be YES or NO, not ", Quote(attribute->value)));
    }
    return attribute->value == "YES";
  }
  static int ValueColumn(const HlsTag& tag) { return static_cast<int>(tag.name.size()) + 3; }

  // A feature that older clients would misread unless the version says so; reported once for each feature.
  void Needs(int version, const char* feature, int column = 0) {
    auto [it, fresh] = features_.try_emplace(feature, Feature{version, line_, column});
    (void)it, (void)fresh;
  }
  void Once(const HlsTag& tag, const char* id) {
    if (!seen_.insert(tag.name).second) Error(id, 1, absl::StrCat("#", tag.name, " appears twice"));
  }
  std::string Substitute(absl::string_view text, int column);

  struct Feature {
    int version;
    int line;
    int column;
  };

  absl::string_view text_;
  const HlsOptions& options_;
  HlsPlaylist out_;
  int line_ = 0;
  std::set<std::string> seen_;
  std::map<std::string, Feature> features_;
  bool mixed_ = false;
  int bad_text_ = 0;
  size_t substituted_bytes_ = 0;

  // What the tags before a segment's URI said about it.
  HlsSegment next_;
  bool has_extinf_ = false;
  std::optional<RawByteRange> next_range_;
  std::shared_ptr<const HlsKeys> keys_;
  std::shared_ptr<const HlsMap> map_;
  std::optional<int64_t> bitrate_;
  std::map<std::string, uint64_t> range_end_;
  std::optional<absl::Time> clock_;  // start of the next segment
  int64_t segment_count_ = 0;
  std::optional<HlsVariant> variant_;
  int variant_line_ = 0;
};

}  // namespace puckdrop::media::internal
