#include "checks/target/http/cookie_jar.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::http {

namespace {

constexpr size_t kMostOfDomain = 50;
constexpr size_t kMostInAll = 300;
constexpr size_t kLongestLine = 4096;

bool IsAddress(absl::string_view host) {
  return absl::StrContains(host, ':') ||
         std::all_of(host.begin(), host.end(), [](unsigned char c) { return absl::ascii_isdigit(c) || c == '.'; });
}

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || absl::EndsWith(host, ".localhost") || host == "::1" ||
         (absl::StartsWith(host, "127.") && IsAddress(host));
}

// RFC 6265 section 5.1.3.
bool DomainMatches(absl::string_view host, absl::string_view domain) {
  return host == domain || (absl::EndsWith(host, absl::StrCat(".", domain)) && !IsAddress(host));
}

// Section 5.1.4.
bool PathMatches(absl::string_view path, absl::string_view cookie_path) {
  if (!absl::StartsWith(path, cookie_path)) return false;
  return path.size() == cookie_path.size() || absl::EndsWith(cookie_path, "/") || path[cookie_path.size()] == '/';
}

std::string DefaultPath(absl::string_view path) {
  size_t slash = path.rfind('/');
  return slash == 0 || slash == absl::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

// Section 5.1.1: the forgiving date of browsers; nullopt is a date that is ignored.
std::optional<absl::Time> ParseDate(absl::string_view text) {
  static constexpr std::array<absl::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                                "jul", "aug", "sep", "oct", "nov", "dec"};
  std::optional<std::array<int, 3>> time;
  std::optional<int> day, month, year;
  auto is_delimiter = [](char c) { return !absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != ':'; };
  size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && is_delimiter(text[at])) ++at;
    size_t end = at;
    while (end < text.size() && !is_delimiter(text[end])) ++end;
    std::string token = absl::AsciiStrToLower(text.substr(at, end - at));
    at = end;
    if (token.empty()) continue;
    size_t digits = 0;
    while (digits < token.size() && absl::ascii_isdigit(static_cast<unsigned char>(token[digits]))) ++digits;
    int number = 0;
    std::vector<absl::string_view> fields = absl::StrSplit(token, ':');
    if (!time && fields.size() == 3) {
      std::array<int, 3> hms{};
      bool fits = true;
      for (int i = 0; i < 3; ++i) {
        fits = fits && !fields[i].empty() && fields[i].size() <= 2 && absl::SimpleAtoi(fields[i], &hms[i]);
      }
      if (fits) time = hms;
    } else if (!day && digits >= 1 && digits <= 2 && absl::SimpleAtoi(token.substr(0, digits), &number)) {
      day = number;
    } else if (!month && digits == 0 && token.size() >= 3) {
      for (size_t i = 0; i < kMonths.size(); ++i) {
        if (absl::StartsWith(token, kMonths[i])) month = static_cast<int>(i) + 1;
      }
    } else if (!year && digits >= 2 && digits <= 4 && absl::SimpleAtoi(token.substr(0, digits), &number)) {
      year = number;
    }
  }
  if (!time || !day || !month || !year) return std::nullopt;
  if (*year >= 70 && *year <= 99) *year += 1900;
  if (*year >= 0 && *year <= 69) *year += 2000;
  auto [hour, minute, second] = *time;
  absl::CivilSecond civil(*year, *month, *day, hour, minute, second);
  if (*year < 1601 || *day < 1 || civil.day() != *day || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

}  // namespace

bool CookieJar::SetCookie(absl::string_view url, absl::string_view line, absl::Time now) {
  absl::StatusOr<UrlParts> parts = ParseUrl(url);
  if (!parts.ok() || line.size() > kLongestLine) return false;
  for (unsigned char c : line) {
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  std::vector<absl::string_view> fields = absl::StrSplit(line, ';');
  size_t equals = fields[0].find('=');
  if (equals == absl::string_view::npos) return false;
  Cookie cookie;
  cookie.name = std::string(absl::StripAsciiWhitespace(fields[0].substr(0, equals)));
  cookie.value = std::string(absl::StripAsciiWhitespace(fields[0].substr(equals + 1)));
  if (cookie.name.empty()) return false;
  cookie.domain = parts->host;
  cookie.path = DefaultPath(parts->path);
  bool has_max_age = false;
  for (size_t i = 1; i < fields.size(); ++i) {
    std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(fields[i], absl::MaxSplits('=', 1));
    std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(field.first));
    absl::string_view value = absl::StripAsciiWhitespace(field.second);
    if (name == "expires" && !has_max_age) {
      if (std::optional<absl::Time> expires = ParseDate(value)) cookie.expires = *expires;
    } else if (name == "max-age") {
      int64_t seconds = 0;
      bool negative = absl::StartsWith(value, "-");
      absl::string_view digits = absl::StripPrefix(value, "-");
      bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
      if (!is_number) continue;
      // More than fits is more than anybody lives.
      if (!absl::SimpleAtoi(digits, &seconds)) seconds = 400LL * 24 * 3600;
      has_max_age = true;
      cookie.expires = negative || seconds == 0 ? absl::InfinitePast() : now + absl::Seconds(seconds);
    } else if (name == "domain") {
      std::string domain = absl::AsciiStrToLower(absl::StripPrefix(value, "."));
      if (domain.empty()) continue;
      if (!DomainMatches(parts->host, domain)) return false;
      if (domain != parts->host || !IsAddress(domain)) {
        // Of the host itself a single label is fine ("localhost"); above it, it would be a top-level domain.
        if (domain != parts->host && !absl::StrContains(domain, '.')) return false;
        cookie.host_only = false;
      }
      cookie.domain = domain;
    } else if (name == "path") {
      if (absl::StartsWith(value, "/")) cookie.path = std::string(value);
    } else if (name == "secure") {
      cookie.secure = true;
    } else if (name == "httponly") {
      cookie.http_only = true;
    }
  }
  bool secure_origin = parts->scheme == "https" || IsLoopback(parts->host);
  if (cookie.secure && !secure_origin) return false;
  // Name prefixes of RFC 6265bis, section 4.1.3.
  if (absl::StartsWith(cookie.name, "__Secure-") && !cookie.secure) return false;
  if (absl::StartsWith(cookie.name, "__Host-") && (!cookie.secure || !cookie.host_only || cookie.path != "/"))
    return false;

  std::lock_guard<std::mutex> lock(mutex_);
  cookie.created = cookie.used = now;
  cookie.order = next_order_++;
  auto same = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& old) {
    return old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path &&
           old.host_only == cookie.host_only;
  });
  if (same != cookies_.end()) {
    cookie.created = same->created;
    cookie.order = same->order;
    cookies_.erase(same);
  }
  if (cookie.expires <= now) return true;
  std::string domain = cookie.domain;
  cookies_.push_back(std::move(cookie));
  MakeRoom(domain);
  return true;
}

void CookieJar::MakeRoom(const std::string& domain) {
  auto older = [](const Cookie& a, const Cookie& b) { return std::tie(a.used, a.order) < std::tie(b.used, b.order); };
  auto of_domain = [&](const Cookie& cookie) { return cookie.domain == domain; };
  if (static_cast<size_t>(std::count_if(cookies_.begin(), cookies_.end(), of_domain)) > kMostOfDomain) {
    auto oldest = cookies_.end();
    for (auto it = cookies_.begin(); it != cookies_.end(); ++it) {
      if (of_domain(*it) && (oldest == cookies_.end() || older(*it, *oldest))) oldest = it;
    }
    cookies_.erase(oldest);
  }
  if (cookies_.size() > kMostInAll) cookies_.erase(std::min_element(cookies_.begin(), cookies_.end(), older));
}

std::vector<CookieJar::Cookie*> CookieJar::Matching(absl::string_view url, absl::Time now) {
  std::erase_if(cookies_, [now](const Cookie& cookie) { return cookie.expires <= now; });
  std::vector<Cookie*> matching;
  if (cookies_.empty()) return matching;
  absl::StatusOr<UrlParts> parts = ParseUrl(url);
  if (!parts.ok()) return matching;
  bool secure_origin = parts->scheme == "https" || IsLoopback(parts->host);
  for (Cookie& cookie : cookies_) {
    bool host_fits = cookie.host_only ? cookie.domain == parts->host : DomainMatches(parts->host, cookie.domain);
    if (host_fits && PathMatches(parts->path, cookie.path) && (!cookie.secure || secure_origin)) {
      cookie.used = now;
      matching.push_back(&cookie);
    }
  }
  std::sort(matching.begin(), matching.end(), [](const Cookie* a, const Cookie* b) {
    if (a->path.size() != b->path.size()) return a->path.size() > b->path.size();
    return a->order < b->order;
  });
  return matching;
}

std::string CookieJar::CookieHeader(absl::string_view url, absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string header;
  for (const Cookie* cookie : Matching(url, now)) {
    absl::StrAppend(&header, header.empty() ? "" : "; ", cookie->name, "=", cookie->value);
  }
  return header;
}

std::vector<std::pair<std::string, std::string>> CookieJar::CookiesFor(absl::string_view url, absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::pair<std::string, std::string>> all;
  for (const Cookie* cookie : Matching(url, now)) all.emplace_back(cookie->name, cookie->value);
  return all;
}

void CookieJar::Clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  cookies_.clear();
}

size_t CookieJar::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return cookies_.size();
}

std::shared_ptr<CookieJar> CookieJars::Get(absl::string_view host_name, absl::string_view customer,
                                           absl::string_view device) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto& entry = jars_[Key(host_name, customer, device)];
  if (entry.second == nullptr) {
    entry = {next_++, std::make_shared<CookieJar>()};
    if (jars_.size() > most_) {
      std::shared_ptr<CookieJar> made = entry.second;
      jars_.erase(std::min_element(jars_.begin(), jars_.end(),
                                   [](const auto& a, const auto& b) { return a.second.first < b.second.first; }));
      return made;
    }
  }
  return entry.second;
}

void CookieJars::Forget(absl::string_view host_name, absl::string_view customer, absl::string_view device) {
  std::lock_guard<std::mutex> lock(mutex_);
  jars_.erase(Key(host_name, customer, device));
}

size_t CookieJars::size() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return jars_.size();
}

}  // namespace puckdrop::http
