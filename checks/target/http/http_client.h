// The port through which requests leave the process.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_HTTP_CLIENT_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_HTTP_CLIENT_H_

#include "checks/target/http/http_message.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::http {

// Sends what it is given. It follows no redirect and asks no limiter or host rule: that is the caller's, before each
// request. Loop thread only.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  // Always answers: by a response or a TransportError, by the request's deadline at the latest; a cancellation of the
  // awaiting coroutine ends the transfer with kCancelled.
  virtual awaitable<HttpAnswer> Fetch(HttpRequest request) = 0;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_HTTP_CLIENT_H_
