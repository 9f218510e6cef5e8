// What we said to a target and what it answered, as evidence: redacted when made, so that no secret is ever kept in it.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_EXCHANGE_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "checks/target/http/http_message.h"
#include "checks/target/http/redactor.h"

namespace puckdrop::http {

struct Exchange {
  absl::Time started;
  std::string method;
  std::string url;  // all texts are redacted
  std::vector<Header> request_headers;
  std::string request_body;  // an excerpt
  int64_t request_body_bytes = 0;

  TransportError error = TransportError::kNone;
  std::string error_message;
  int status = 0;
  HttpVersion version = HttpVersion::kAny;
  std::vector<Header> response_headers;
  std::string response_body;  // an excerpt; empty for what is not text
  int64_t response_body_bytes = 0;
  std::string remote_address;
  bool connection_reused = false;
  Phases phases;

  std::string curl;  // a command that repeats the request, secrets as "$NAME"
  std::string note;  // plan line, step: set by the caller, goes into HAR's comment
};

// At most `excerpt_bytes` of each body are kept.
Exchange RecordExchange(const HttpRequest& request, const HttpAnswer& answer, const Redactor& redactor,
                        size_t excerpt_bytes = 4096);

// "curl -i -X PUT 'https://…' -H … --data-raw …", quoted for a POSIX shell; named secrets are "$NAME",
// other hidden values "<redacted>".
std::string CurlCommand(const HttpRequest& request, const Redactor& redactor);

// One entry of a HAR 1.2 log, as JSON text.
std::string HarEntryJson(const Exchange& exchange);
// A whole HAR 1.2 file.
std::string HarJson(const std::vector<Exchange>& exchanges);

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_EXCHANGE_H_
