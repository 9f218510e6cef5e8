// Which addresses belong to the plan. A prober contacts no others.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_HOST_RULES_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_HOST_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace puckdrop::http {

// A URL taken apart the way it will be sent: host in lower case, an IPv6 address without brackets,
// port filled in, dot segments of the path resolved (also those written %2e).
struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;
  int port = 0;
  std::string path;        // begins with '/'
  std::string query;       // without '?', still encoded; empty when there is none
  std::string normalised;  // the whole URL in that form, without fragment: what to send

  std::string origin() const;  // "https://shop.example:8443"; without the scheme's default port
};

// INVALID_ARGUMENT, with the reason and without the URL's secrets, for: not absolute, neither http nor https, user or
// password in it, control characters, backslashes, a host that is
// not ASCII, no host, a bad port or over 8 KiB.
absl::StatusOr<UrlParts> ParseUrl(absl::string_view url);

// `reference` as seen from the page at `base` (RFC 3986 section 5), normalised as by ParseUrl.
absl::StatusOr<UrlParts> ResolveUrl(absl::string_view base, absl::string_view reference);

// Immutable once filled; then thread-safe.
class HostRules {
 public:
  // Adds an address of a host of the plan: a URL ("https://shop.example/api"), a wildcard ("*.cdn.example",
  // "https://*.cdn.example:8443"; any number of labels in place of the star, at least one), or a bare host name;
  // without a scheme both http and https on their default ports are meant. INVALID_ARGUMENT says what is wrong with it.
  absl::Status Add(absl::string_view host_name, absl::string_view address);

  // The name of the plan's host the URL belongs to. Scheme, host and port decide whether it is inside; among several
  // hosts of one origin the longest path prefix (whole segments) decides which, then `at`, the host that a step names or
  // an answer came from, then the first added. PERMISSION_DENIED when it is inside none, with the origin in the message;
  // INVALID_ARGUMENT as ParseUrl.
  absl::StatusOr<std::string> Match(absl::string_view url, absl::string_view at = "") const;
  absl::StatusOr<std::string> Match(const UrlParts& url, absl::string_view at = "") const;

 private:
  struct Rule {
    std::string host_name;
    std::string scheme;  // empty: either
    std::string host;    // without the "*." of a wildcard
    bool wildcard = false;
    int port = 0;  // 0: the scheme's default
    std::string path;
  };
  std::vector<Rule> rules_;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_HOST_RULES_H_
