// libcurl's result codes in the terms of TransportError.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_CURL_ERRORS_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_CURL_ERRORS_H_

#include <curl/curl.h>

#include <string>

#include "absl/strings/string_view.h"
#include "checks/target/http/http_message.h"

namespace puckdrop::http {

// What is known of a transfer that failed. `resolved`, `connected` and `answering` are how far it came; `system_error`
// is an errno or 0; `text` is libcurl's own message.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  long system_error = 0;
  bool resolved = false;
  bool connected = false;
  bool tls_done = false;   // or not wanted
  bool answering = false;  // a byte of the answer came
  bool through_proxy = false;
  std::string host;  // "shop.example:443"
  std::string text;
};

TransportError ClassifyCurlFailure(const CurlFailure& failure);

// In words, for `error` as classified.
std::string DescribeCurlFailure(const CurlFailure& failure, TransportError error);

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_CURL_ERRORS_H_
