// References of a playlist and the kinds of content a server claims or sends.
// Pure functions over strings; no input is refused by a crash, and nothing is fetched.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace puckdrop::media {

// The five components of RFC 3986 section 3; absent differs from empty ("?" at the end is an empty query).
struct UrlParts {
  std::optional<std::string> scheme;
  std::optional<std::string> authority;
  std::string path;
  std::optional<std::string> query;
  std::optional<std::string> fragment;
};

// RFC 3986 appendix B: every string has these parts.
UrlParts SplitUrl(absl::string_view url);
std::string JoinUrl(const UrlParts& parts);

// RFC 3986 section 5.2 (strict). An absolute reference is returned with its dot segments removed.
std::string ResolveUrl(absl::string_view base, absl::string_view reference);

// The host in lower case without user, port and IPv6 brackets; empty when the URL has no authority.
std::string HostOf(absl::string_view url);

// The value of a query parameter, percent-decoded; the first one when it is given several times.
std::optional<std::string> QueryParameter(absl::string_view url, absl::string_view name);

// True for localhost, loopback, link-local, RFC 1918 and unique local addresses, and *.local / *.internal names.
bool IsPrivateHost(absl::string_view host);
// True when a label of the host name is or starts with staging, stage, uat, dev, test or preprod.
bool IsStagingHost(absl::string_view host);

enum class ContentKind {
  kUnknown,
  kEmpty,
  kHlsPlaylist,
  kDashManifest,
  kMpegTs,
  kMp4,
  kAdtsAac,
  kAc3,
  kWebVtt,
  kHtml,
  kJson,
  kXml,
  kText,
  kBinary,  // application/octet-stream, or bytes of no kind we know
};

// In words, "an HTML page", for messages.
const char* ContentKindWords(ContentKind kind);

// The kind a Content-Type header names; parameters and case are ignored. Empty gives kUnknown.
ContentKind KindOfContentType(absl::string_view content_type);

// The kind the first bytes show. Looks at no more than 4 KiB.
ContentKind SniffContent(absl::string_view bytes);

// Catalogue fault 2 (H-MIME): the reason a header does not fit what was served, or nothing when it fits.
// RFC 8216 section 4 for playlists; video/mp2t, video/mp4 (audio/mp4, application/mp4), audio/aac and text/vtt for
// segments.
std::optional<std::string> ContentTypeMismatch(absl::string_view content_type, ContentKind served);

}  // namespace puckdrop::media
