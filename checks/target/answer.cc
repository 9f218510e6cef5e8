#include "checks/target/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "checks/target/http/limiter.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

constexpr size_t kMostProblem = 64u << 10;
constexpr size_t kMostPlainText = 300;
// What a protobuf Duration holds.
constexpr absl::Duration kLongestWait = absl::Seconds(315'576'000'000);

jq::BodyKind KindOf(const std::string& content_type, absl::string_view body) {
  if (content_type == "application/json" || absl::EndsWith(content_type, "+json") ||
      content_type == "application/graphql-response+json") {
    return jq::BodyKind::kJson;
  }
  // Many services say text/plain, or nothing, and mean JSON; a page is never meant.
  const absl::string_view start = absl::StripLeadingAsciiWhitespace(body.substr(0, 256));
  const bool looks_like_json = !start.empty() && (start[0] == '{' || start[0] == '[');
  if (content_type.empty() || content_type == "text/plain" || content_type == "text/javascript" ||
      content_type == "application/javascript") {
    return looks_like_json ? jq::BodyKind::kJson : jq::BodyKind::kText;
  }
  if (absl::StartsWith(content_type, "text/") || absl::EndsWith(content_type, "/xml") ||
      absl::EndsWith(content_type, "+xml") || content_type == "application/x-www-form-urlencoded" ||
      content_type == "application/jwt" || absl::StrContains(content_type, "mpegurl")) {
    return jq::BodyKind::kText;
  }
  return jq::BodyKind::kNone;
}

// Header fields are bytes; what goes into a message's text must be UTF-8, or the message does not arrive.
std::string Utf8(absl::string_view bytes) { return json::parse(JsonText(bytes)).get<std::string>(); }

std::string TextMember(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

std::optional<v1::Reason> ReasonOf(int status) {
  switch (status) {
    case 400:
    case 422:
      return v1::REASON_BAD_INPUT;
    case 401:
      return v1::REASON_UNAUTHENTICATED;
    case 402:
      return v1::REASON_DECLINED;
    case 403:
      return v1::REASON_NOT_ENTITLED;
    case 404:
      return v1::REASON_NOT_FOUND;
    case 409:
      return v1::REASON_OTHER;
    case 410:
      return v1::REASON_EXPIRED;
    case 426:
      return v1::REASON_UPDATE_REQUIRED;
    case 429:
      return v1::REASON_RATE_LIMITED;
    case 451:
      return v1::REASON_WRONG_COUNTRY;
    default:
      return std::nullopt;
  }
}

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string FieldsJson(const http::Headers& headers) {
  json out = json::object();
  for (const http::Header& field : headers) {
    const std::string name = absl::AsciiStrToLower(field.name);
    const auto found = out.find(name);
    if (found == out.end()) {
      out[name] = field.value;
    } else if (name == "set-cookie") {
      // Its values hold commas of their own, so they cannot be joined (RFC 9110 section 5.3).
      if (found->is_string()) *found = json::array({*found});
      found->push_back(field.value);
    } else {
      *found = absl::StrCat(found->get_ref<const std::string&>(), ", ", field.value);
    }
  }
  return Dump(out);
}

}  // namespace

std::string JsonText(absl::string_view text) {
  return json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Answer::ContentWords() const {
  return content_type.empty() ? "an answer without a content type" : content_type;
}

std::string Answer::HeadersJson() const { return FieldsJson(headers); }
std::string Answer::TrailersJson() const { return FieldsJson(trailers); }

std::string Answer::CookiesJson() const {
  json out = json::object();
  for (const auto& [name, value] : cookies) {
    if (!out.contains(name)) out[name] = value;
  }
  return Dump(out);
}

std::string Answer::HopsJson() const {
  json out = json::array();
  for (const Hop& hop : hops) out.push_back({{"status", hop.status}, {"url", hop.url}, {"location", hop.location}});
  return Dump(out);
}

std::shared_ptr<const Answer> MakeAnswer(http::HttpAnswer answer, std::vector<Hop> hops, std::string location,
                                         std::vector<std::pair<std::string, std::string>> cookies, absl::Time now) {
  auto made = std::make_shared<Answer>();
  made->status = answer.status;
  made->headers = std::move(answer.headers);
  made->trailers = std::move(answer.trailers);
  made->body = std::make_shared<const std::string>(std::move(answer.body));
  if (const auto type = made->headers.Get("content-type")) {
    const std::vector<std::string> parts = absl::StrSplit(*type, absl::MaxSplits(';', 1));
    made->content_type = Utf8(absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0])));
  }
  made->kind = KindOf(made->content_type, *made->body);
  made->url = std::move(answer.effective_url);
  made->location = std::move(location);
  made->hops = std::move(hops);
  made->cookies = std::move(cookies);
  if (const auto after = made->headers.Get("retry-after")) {
    if (const auto until = http::Limiter::ParseRetryAfter(*after, now)) {
      made->retry_after = std::clamp(*until - now, absl::ZeroDuration(), kLongestWait);
    }
  }
  return made;
}

std::optional<v1::Refusal> DefaultRefusal(const Answer& answer) {
  const std::optional<v1::Reason> reason = ReasonOf(answer.status);
  if (!reason) return std::nullopt;
  v1::Refusal refusal;
  refusal.set_reason(*reason);
  if (const auto language = answer.headers.Get("content-language")) refusal.set_language(Utf8(*language));
  if (const auto link = answer.headers.Get("location")) refusal.set_link(Utf8(*link));
  if (answer.retry_after) {
    absl::Duration rest;
    auto& after = *refusal.mutable_retry_after();
    after.set_seconds(absl::IDivDuration(*answer.retry_after, absl::Seconds(1), &rest));
    after.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  }
  const std::string& body = *answer.body;
  if (answer.kind == jq::BodyKind::kJson && body.size() <= kMostProblem) {
    // The depth of the text bounds the recursion of what is built from it.
    int depth = 0, deepest = 0;
    for (char c : body) {
      if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
      if (c == '}' || c == ']') --depth;
    }
    const json problem = deepest > 100 ? json() : json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (problem.is_object()) {
      refusal.set_text(TextMember(problem, "detail"));
      for (const char* name : {"title", "message", "error_description"}) {
        if (refusal.text().empty()) refusal.set_text(TextMember(problem, name));
      }
      refusal.set_code(TextMember(problem, "code"));
      if (refusal.code().empty()) refusal.set_code(TextMember(problem, "error"));
      if (refusal.code().empty()) {
        const std::string type = TextMember(problem, "type");
        if (type != "about:blank") refusal.set_code(type.substr(type.rfind('/') + 1));
      }
    }
  } else if (answer.content_type == "text/plain" && body.size() <= kMostPlainText) {
    refusal.set_text(Utf8(absl::StripAsciiWhitespace(body)));
  }
  return refusal;
}

}  // namespace puckdrop::target
