// Cookies as a browser keeps them (RFC 6265), in memory only. Values are secrets: nothing here prints them.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_COOKIE_JAR_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_COOKIE_JAR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace puckdrop::http {

// Bounded: at most 50 cookies of one domain and 300 in all, the least recently used leave first; a cookie line over 4
// KiB is not kept. Public suffixes are not known here: a Domain of one label, or one that the host does not match, is
// refused. Thread-safe.
class CookieJar {
 public:
  // The value of the Cookie header for a request to `url`, empty when there is none: longer paths first, then older
  // ones.
  std::string CookieHeader(absl::string_view url, absl::Time now);

  // Takes one Set-Cookie header's value from the answer of `url`; false when the cookie was refused.
  bool SetCookie(absl::string_view url, absl::string_view set_cookie, absl::Time now);

  // Name and value of the cookies that would go to `url`, for `.cookies` of an expression.
  std::vector<std::pair<std::string, std::string>> CookiesFor(absl::string_view url, absl::Time now);

  void Clear();
  size_t size() const;

 private:
  struct Cookie {
    std::string name, value, domain, path;
    bool host_only = true, secure = false, http_only = false;
    absl::Time expires = absl::InfiniteFuture();
    absl::Time created, used;
    uint64_t order = 0;
  };
  std::vector<Cookie*> Matching(absl::string_view url, absl::Time now);
  void MakeRoom(const std::string& domain);

  mutable std::mutex mutex_;
  std::vector<Cookie> cookies_;
  uint64_t next_order_ = 0;
};

// One jar per host name of the plan, customer and device. Thread-safe; bounded (the oldest jar is forgotten past it).
class CookieJars {
 public:
  explicit CookieJars(size_t most = 10'000) : most_(most) {}

  // The jar, made when it is not there yet.
  std::shared_ptr<CookieJar> Get(absl::string_view host_name, absl::string_view customer, absl::string_view device);
  // Forgets every jar of the customer's device at that host name: a cold session.
  void Forget(absl::string_view host_name, absl::string_view customer, absl::string_view device);
  size_t size() const;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  const size_t most_;
  mutable std::mutex mutex_;
  std::map<Key, std::pair<uint64_t, std::shared_ptr<CookieJar>>> jars_;
  uint64_t next_ = 0;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_COOKIE_JAR_H_
