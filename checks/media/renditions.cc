#include "checks/media/renditions.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace puckdrop::media {
namespace {

constexpr std::size_t kMaxRenditions = 64;
constexpr std::size_t kMaxFindings = 20;

std::string VariantName(const HlsVariant& variant) {
  if (variant.width == 0) return absl::StrFormat("variant %.1f Mb/s", static_cast<double>(variant.bandwidth) / 1e6);
  std::string name = absl::StrCat(variant.width, "x", variant.height);
  if (variant.frame_rate) absl::StrAppend(&name, absl::StrFormat("@%g", *variant.frame_rate));
  return name;
}

}  // namespace

std::vector<ListedRendition> ListRenditions(const HlsPlaylist& playlist) {
  std::vector<ListedRendition> listed;
  for (const HlsVariant& variant : playlist.multivariant.variants) {
    ListedRendition rendition;
    rendition.url = variant.uri.resolved;
    rendition.info.kind = RenditionInfo::Kind::kVariant;
    rendition.info.name = VariantName(variant);
    rendition.info.codecs = absl::StrJoin(variant.codecs, ",");
    rendition.info.width = variant.width;
    rendition.info.height = variant.height;
    rendition.info.frame_rate = variant.frame_rate.value_or(0);
    rendition.info.bandwidth = variant.bandwidth;
    rendition.info.video_range = variant.video_range;
    rendition.info.audio_group = variant.audio;
    rendition.info.line = variant.line;
    // Several variants of one address differ in their sound group only.
    const bool again = std::any_of(listed.begin(), listed.end(),
                                   [&](const ListedRendition& other) { return other.url == rendition.url; });
    if (!again) listed.push_back(std::move(rendition));
  }
  std::stable_sort(listed.begin(), listed.end(), [](const ListedRendition& a, const ListedRendition& b) {
    return a.info.bandwidth > b.info.bandwidth;
  });
  for (const char* type : {"AUDIO", "SUBTITLES"}) {
    for (const HlsRendition& media : playlist.multivariant.renditions) {
      if (media.type != type || media.uri.empty()) continue;
      ListedRendition rendition;
      rendition.url = media.uri.resolved;
      rendition.info.kind =
          media.type == "AUDIO" ? RenditionInfo::Kind::kAudio : RenditionInfo::Kind::kSubtitles;
      rendition.info.name = absl::StrCat(absl::AsciiStrToLower(media.type), " ",
                                         media.language.empty() ? "und" : media.language, " \"", media.name, "\"");
      rendition.info.group_id = media.group_id;
      rendition.info.language = media.language;
      rendition.info.label = media.name;
      rendition.info.is_default = media.is_default;
      rendition.info.characteristics = media.characteristics;
      rendition.info.line = media.line;
      listed.push_back(std::move(rendition));
    }
  }
  if (listed.size() > kMaxRenditions) listed.resize(kMaxRenditions);
  return listed;
}

std::string FirstVariantUrl(const HlsPlaylist& playlist) {
  return playlist.multivariant.variants.empty() ? "" : playlist.multivariant.variants.front().uri.resolved;
}

std::vector<v1::Finding> ToResultFindings(const Findings& findings, const std::string& where) {
  std::vector<const Finding*> sorted;
  for (const Finding& finding : findings) sorted.push_back(&finding);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Finding* a, const Finding* b) { return a->severity > b->severity; });
  if (sorted.size() > kMaxFindings) sorted.resize(kMaxFindings);
  std::vector<v1::Finding> result;
  for (const Finding* finding : sorted) {
    v1::Finding out;
    std::string id = absl::AsciiStrToLower(finding->id);
    std::replace(id.begin(), id.end(), '-', '_');
    out.set_id(id);
    out.set_text(finding->message);
    out.set_where(finding->line > 0 ? absl::StrCat(where, ", line ", finding->line) : where);
    result.push_back(std::move(out));
  }
  return result;
}

}  // namespace puckdrop::media
