// The last answer of an operation, as the plan's expressions see it, and what it means when the plan says nothing of
// it.
#ifndef PUCKDROP_CHECKS_TARGET_ANSWER_H_
#define PUCKDROP_CHECKS_TARGET_ANSWER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "checks/target/http/http_message.h"
#include "checks/target/jq/pool.h"
#include "puckdrop/target/v1/target.pb.h"

namespace puckdrop::target {

// One hop of a redirect.
struct Hop {
  int status = 0;
  std::string url, location;
};

// Immutable once made, but for what is derived from it when first asked for.
struct Answer {
  int status = 0;
  http::Headers headers, trailers;
  std::shared_ptr<const std::string> body;
  std::string content_type;  // lower case, without parameters
  jq::BodyKind kind = jq::BodyKind::kNone;
  std::string url;       // of the last hop
  std::string location;  // its Location, absolute where it can be; else empty
  std::vector<Hop> hops;
  std::vector<std::pair<std::string, std::string>> cookies;  // that would go to `url` now
  std::optional<absl::Duration> retry_after;

  // "text/html", or that it has none.
  std::string ContentWords() const;
  bool is_page() const { return content_type == "text/html" || content_type == "application/xhtml+xml"; }

  // JSON texts for the expressions' names.
  std::string HeadersJson() const;
  std::string TrailersJson() const;
  std::string CookiesJson() const;
  std::string HopsJson() const;
};

std::shared_ptr<const Answer> MakeAnswer(http::HttpAnswer answer, std::vector<Hop> hops, std::string location,
                                         std::vector<std::pair<std::string, std::string>> cookies, absl::Time now);

// PLAN.md's table of statuses that are a refusal although the plan says nothing; text and code from RFC 9457 (problem
// details) where the answer has them. Nothing for any other status.
std::optional<v1::Refusal> DefaultRefusal(const Answer& answer);

// JSON string literal of a text; invalid UTF-8 becomes U+FFFD.
std::string JsonText(absl::string_view text);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_ANSWER_H_
