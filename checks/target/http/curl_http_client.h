// HttpClient over libcurl's multi interface, whose sockets and timers the event loop drives.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_CURL_HTTP_CLIENT_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_CURL_HTTP_CLIENT_H_

#include <memory>
#include <string>

#include "checks/target/http/http_client.h"
#include "services/runtime/clock.h"

namespace puckdrop::http {

// Keeps connections, TLS sessions, names and parsed certificate bundles between requests. A request that may change
// something at the target (any method but GET, HEAD, OPTIONS) is never sent twice; the others are repeated once by
// libcurl when a kept connection turns out to be dead before an answer began.
//
// Fetch and the destructor may be used on the loop's thread; the destructor also on another one while the loop runs or
// after it has stopped. No Fetch may be running then. The loop and the clock must outlive the client.
class CurlHttpClient final : public HttpClient {
 public:
  struct Options {
    std::string system_ca_file = "/etc/ssl/certs/ca-certificates.crt";
    std::string user_agent = "puckdrop/" PUCKDROP_VERSION;
    absl::Duration longest = absl::Minutes(5);  // bounds every request, whatever its deadline
    int kept_connections = 256;
    absl::Duration kept_for = absl::Seconds(60);  // an idle connection older than this is not used again
  };

  CurlHttpClient(runtime::EventLoop& loop, const runtime::Clock& clock);
  CurlHttpClient(runtime::EventLoop& loop, const runtime::Clock& clock, Options options);
  ~CurlHttpClient() override;

  awaitable<HttpAnswer> Fetch(HttpRequest request) override;

 private:
  class Core;
  runtime::EventLoop& loop_;
  std::shared_ptr<Core> core_;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_CURL_HTTP_CLIENT_H_
