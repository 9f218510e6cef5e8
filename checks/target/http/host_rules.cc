#include "checks/target/http/host_rules.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace puckdrop::http {

namespace {

constexpr size_t kLongestUrl = 8192;

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

int DefaultPort(absl::string_view scheme) { return scheme == "https" ? 443 : 80; }

// What lies between "://" and the path; the part of a URL where blanks and odd characters are never harmless.
absl::string_view Authority(absl::string_view url) {
  size_t start = url.find("://");
  if (start == absl::string_view::npos) return "";
  absl::string_view rest = url.substr(start + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

absl::Status CheckCharacters(absl::string_view url) {
  if (url.size() > kLongestUrl) {
    return absl::InvalidArgumentError(absl::StrCat("the URL is longer than ", kLongestUrl, " bytes"));
  }
  for (unsigned char c : url) {
    if (c < 0x20 || c == 0x7f) return absl::InvalidArgumentError("the URL has a control character in it");
  }
  if (absl::StrContains(url.substr(0, url.find_first_of("?#")), '\\')) {
    return absl::InvalidArgumentError("the URL has a backslash in it, which browsers and servers read differently");
  }
  return absl::OkStatus();
}

// RFC 3986 section 5.2.4, with %2e read as the dot that servers take it for.
std::string WithoutDotSegments(absl::string_view path) {
  std::vector<std::string> kept;
  std::vector<absl::string_view> segments = absl::StrSplit(absl::StripPrefix(path, "/"), '/');
  for (size_t i = 0; i < segments.size(); ++i) {
    bool last = i + 1 == segments.size();
    std::string plain = absl::AsciiStrToLower(segments[i]);
    for (size_t at = plain.find("%2e"); at != std::string::npos; at = plain.find("%2e")) plain.replace(at, 3, ".");
    if (plain == "." || plain == "..") {
      if (plain == ".." && !kept.empty()) kept.pop_back();
      if (last) kept.push_back("");
    } else {
      kept.emplace_back(segments[i]);
    }
  }
  return absl::StrCat("/", absl::StrJoin(kept, "/"));
}

// Lower case, ASCII, without brackets and a last dot; INVALID_ARGUMENT when it is not a host.
absl::StatusOr<std::string> NormalHost(absl::string_view given) {
  std::string host = absl::AsciiStrToLower(given);
  if (absl::ConsumeSuffix(&given, ".")) host.pop_back();
  if (absl::StartsWith(host, "[")) {
    if (!absl::EndsWith(host, "]")) return absl::InvalidArgumentError("the URL's IPv6 address is not closed");
    in6_addr address;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) != 1 ||
        inet_ntop(AF_INET6, &address, text, sizeof text) == nullptr) {
      return absl::InvalidArgumentError("the URL's IPv6 address is not one");
    }
    return std::string(text);
  }
  bool fits = !host.empty() && host.size() <= 253 && host.front() != '.' && host.back() != '.' &&
              !absl::StrContains(host, "..") && std::all_of(host.begin(), host.end(), [](unsigned char c) {
                return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
              });
  if (!fits) return absl::InvalidArgumentError("the URL's host is not a host name");
  return host;
}

std::string Bracketed(absl::string_view host) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]") : std::string(host);
}

}  // namespace

std::string UrlParts::origin() const {
  std::string text = absl::StrCat(scheme, "://", Bracketed(host));
  if (port != DefaultPort(scheme)) absl::StrAppend(&text, ":", port);
  return text;
}

absl::StatusOr<UrlParts> ParseUrl(absl::string_view text) {
  if (absl::Status checked = CheckCharacters(text); !checked.ok()) return checked;
  if (!absl::StartsWithIgnoreCase(text, "http://") && !absl::StartsWithIgnoreCase(text, "https://")) {
    return absl::InvalidArgumentError("not an absolute http or https URL");
  }
  absl::string_view authority = Authority(text);
  if (authority.empty()) return absl::InvalidArgumentError("the URL has no host");
  if (absl::StrContains(authority, '@')) return absl::InvalidArgumentError("the URL has a user name or password in it");
  if (absl::StrContains(authority, ' ') || absl::StrContains(authority, '%')) {
    return absl::InvalidArgumentError("the URL's host has a character that no host name has");
  }

  // What becomes of such a name depends on tables and locales; two readers must not disagree about where a URL leads.
  if (std::any_of(authority.begin(), authority.end(), [](unsigned char c) { return c >= 0x80; })) {
    return absl::InvalidArgumentError("the URL's host is not ASCII; write an international name as \"xn--…\"");
  }

  Url url(curl_url());
  if (!url) return absl::ResourceExhaustedError("no memory for a URL");
  CURLUcode set = curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(),
                               CURLU_DISALLOW_USER | CURLU_URLENCODE | CURLU_ALLOW_SPACE);
  if (set != CURLUE_OK) return absl::InvalidArgumentError(absl::StrCat("not a URL: ", curl_url_strerror(set)));

  UrlParts parts;
  parts.scheme = absl::AsciiStrToLower(Part(url.get(), CURLUPART_SCHEME));
  const std::string given_host = Part(url.get(), CURLUPART_HOST);
  absl::StatusOr<std::string> host = NormalHost(given_host);
  if (!host.ok()) return host.status();
  parts.host = *std::move(host);
  if (!absl::SimpleAtoi(Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), &parts.port) || parts.port < 1 ||
      parts.port > 65535) {
    return absl::InvalidArgumentError("the URL's port is not one");
  }
  parts.path = WithoutDotSegments(Part(url.get(), CURLUPART_PATH));
  parts.query = Part(url.get(), CURLUPART_QUERY);
  parts.normalised = absl::StrCat(parts.origin(), parts.path, parts.query.empty() ? "" : "?", parts.query);
  // Without its last dot a name may be an address in one of its odd forms ("127.1."), which is another normal form.
  if (absl::EndsWith(given_host, ".")) return ParseUrl(parts.normalised);
  return parts;
}

absl::StatusOr<UrlParts> ResolveUrl(absl::string_view base, absl::string_view reference) {
  if (absl::Status checked = CheckCharacters(reference); !checked.ok()) return checked;
  absl::StatusOr<UrlParts> from = ParseUrl(base);
  if (!from.ok()) return from.status();
  reference = reference.substr(0, reference.find('#'));
  if (reference.empty()) return from;
  Url url(curl_url());
  if (!url) return absl::ResourceExhaustedError("no memory for a URL");
  const unsigned flags = CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME;
  CURLUcode set = curl_url_set(url.get(), CURLUPART_URL, from->normalised.c_str(), flags);
  if (set == CURLUE_OK) set = curl_url_set(url.get(), CURLUPART_URL, std::string(reference).c_str(), flags);
  if (set != CURLUE_OK) return absl::InvalidArgumentError(absl::StrCat("not a URL: ", curl_url_strerror(set)));
  return ParseUrl(Part(url.get(), CURLUPART_URL));
}

absl::Status HostRules::Add(absl::string_view host_name, absl::string_view address) {
  Rule rule;
  rule.host_name = std::string(host_name);
  absl::string_view rest = absl::StripAsciiWhitespace(address);
  size_t scheme_end = rest.find("://");
  if (scheme_end != absl::string_view::npos) {
    rule.scheme = absl::AsciiStrToLower(rest.substr(0, scheme_end));
    rest = rest.substr(scheme_end + 3);
  }
  if (absl::ConsumePrefix(&rest, "*.")) {
    rule.wildcard = true;
  }
  if (absl::StrContains(rest.substr(0, rest.find('/')), '*')) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\": a star may only stand for the first labels, as in \"*.cdn.example\""));
  }
  absl::StatusOr<UrlParts> parts = ParseUrl(absl::StrCat(rule.scheme.empty() ? "https" : rule.scheme, "://", rest));
  if (!parts.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", address, "\": ", parts.status().message()));
  }
  if (!parts->query.empty()) return absl::InvalidArgumentError(absl::StrCat("\"", address, "\": a host has no query"));
  if (rule.wildcard && (!absl::StrContains(parts->host, '.') || absl::StrContains(parts->host, ':') ||
                        absl::ascii_isdigit(static_cast<unsigned char>(parts->host.back())))) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\": after the star comes a domain of two labels or more"));
  }
  rule.host = parts->host;
  rule.path = parts->path;
  while (absl::EndsWith(rule.path, "/")) rule.path.pop_back();
  // Without a scheme a port that was not written means the default one of either scheme.
  absl::string_view authority = rest.substr(0, rest.find('/'));
  bool port_written = authority.rfind(':') != absl::string_view::npos && !absl::EndsWith(authority, "]");
  rule.port = rule.scheme.empty() && !port_written ? 0 : parts->port;
  rules_.push_back(std::move(rule));
  return absl::OkStatus();
}

absl::StatusOr<std::string> HostRules::Match(absl::string_view url, absl::string_view at) const {
  absl::StatusOr<UrlParts> parts = ParseUrl(url);
  if (!parts.ok()) return parts.status();
  return Match(*parts, at);
}

absl::StatusOr<std::string> HostRules::Match(const UrlParts& url, absl::string_view at) const {
  const Rule* best = nullptr;
  // Inside the path of a rule beats merely being of its origin.
  int best_rank = -1;
  for (const Rule& rule : rules_) {
    if (!rule.scheme.empty() && rule.scheme != url.scheme) continue;
    if (url.port != (rule.port != 0 ? rule.port : DefaultPort(url.scheme))) continue;
    bool host_fits = rule.wildcard ? absl::EndsWith(url.host, absl::StrCat(".", rule.host)) : url.host == rule.host;
    if (!host_fits) continue;
    bool in_path =
        rule.path.empty() || url.path == rule.path || absl::StartsWith(url.path, absl::StrCat(rule.path, "/"));
    int rank = in_path ? 1 + static_cast<int>(rule.path.size()) : 0;
    // A name written out beats a wildcard; and of two doors with one address, the door at hand is meant.
    rank = 2 * rank + (rule.wildcard ? 0 : 1);
    rank = 2 * rank + (rule.host_name == at ? 1 : 0);
    if (rank > best_rank) {
      best = &rule;
      best_rank = rank;
    }
  }
  if (best == nullptr) {
    return absl::PermissionDeniedError(absl::StrCat(url.origin(), " is not a host of the plan"));
  }
  return best->host_name;
}

}  // namespace puckdrop::http
