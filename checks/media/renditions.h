#ifndef PUCKDROP_CHECKS_MEDIA_RENDITIONS_H_
#define PUCKDROP_CHECKS_MEDIA_RENDITIONS_H_

#include <string>
#include <vector>

#include "checks/media/hls_playlist.h"
#include "checks/media/player.h"

namespace puckdrop::media {

// A rendition and where its media playlist is.
struct ListedRendition {
  RenditionInfo info;
  // Absolute.
  std::string url;
};

// What a multivariant playlist lists: variants by bandwidth, highest first, then audio, then subtitles; renditions inside
// the variants (no URI) are not listed. At most 64.
std::vector<ListedRendition> ListRenditions(const HlsPlaylist& playlist);
// The variant a player starts with: the first listed (RFC 8216bis 6.3.1); the top one of `renditions` when the playlist
// lists none of them.
std::string FirstVariantUrl(const HlsPlaylist& playlist);
// Library findings as results carry them, worst first, at most 20.
std::vector<v1::Finding> ToResultFindings(const Findings& findings, const std::string& where);

}  // namespace puckdrop::media

#endif  // PUCKDROP_CHECKS_MEDIA_RENDITIONS_H_
