// What a target can put into an answer's head, and what we write down of it: URLs and references, Set-Cookie,
// Retry-After, and the redacted evidence. The first byte chooses what is tried; the lines that follow are its inputs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/target/http/cookie_jar.h"
#include "checks/target/http/exchange.h"
#include "checks/target/http/host_rules.h"
#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "tests/fuzz/require.h"

namespace {

using namespace puckdrop::http;  // NOLINT: a fuzz target is all about them
using puckdrop::fuzz::Require;

constexpr absl::string_view kSecret = "s3cr3t-V/l+e";
const absl::Time kNow = absl::FromUnixSeconds(1'773'513'000);

// The text up to the end of the line, which is taken away.
absl::string_view TakeLine(absl::string_view& rest) {
  const size_t end = rest.find('\n');
  const absl::string_view line = rest.substr(0, end);
  rest = end == absl::string_view::npos ? absl::string_view() : rest.substr(end + 1);
  return line;
}

bool HasControls(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

void RequireNormal(const UrlParts& parts) {
  Require(parts.scheme == "http" || parts.scheme == "https", "the scheme is one of two");
  Require(!parts.host.empty() && parts.port > 0 && parts.port < 65536, "there are host and port");
  Require(absl::StartsWith(parts.path, "/"), "the path begins with a slash");
  Require(!HasControls(parts.normalised) && !absl::StrContains(parts.normalised, ' '), "it fits into a request line");
  for (absl::string_view segment : absl::StrSplit(parts.path, '/')) {
    Require(segment != "." && segment != "..", "no dot segment is left");
  }
  // Who judged it and who sends it must read the same.
  const auto again = ParseUrl(parts.normalised);
  // What grows past the bound by its escapes is refused the next time.
  if (!again.ok() && parts.normalised.size() > 8192) return;
  Require(again.ok(), "a normal form is a URL");
  Require(again->normalised == parts.normalised && again->origin() == parts.origin() && again->path == parts.path,
          "a normal form stays as it is");
}

// base URL \n reference
void Urls(absl::string_view rest) {
  static const auto* const kRules = [] {
    auto* rules = new HostRules;
    Require(rules->Add("shop", "https://shop.example/api").ok() && rules->Add("media", "*.cdn.example").ok(), "rules");
    return rules;
  }();
  const absl::string_view base = TakeLine(rest);
  const auto match = [](const UrlParts& parts) {
    const auto host = kRules->Match(parts);
    if (!host.ok()) return;
    Require(parts.host == "shop.example" || absl::EndsWith(parts.host, ".cdn.example"), "only the plan's hosts match");
  };
  if (const auto parts = ParseUrl(base); parts.ok()) {
    RequireNormal(*parts);
    match(*parts);
  } else {
    Require(!parts.status().message().empty(), "a refusal has a reason");
  }
  for (const absl::string_view from : {base, absl::string_view("https://shop.example/api/v1/?q#f")}) {
    if (const auto parts = ResolveUrl(from, rest); parts.ok()) {
      RequireNormal(*parts);
      match(*parts);
    }
  }
  HostRules rules;
  if (rules.Add("any", base).ok()) kRules->Match(base).IgnoreError();
}

// URL \n Set-Cookie \n Set-Cookie …
void Cookies(absl::string_view rest) {
  const absl::string_view url = TakeLine(rest);
  CookieJar jar;
  absl::Time now = kNow;
  for (absl::string_view line : absl::StrSplit(rest, '\n')) {
    jar.SetCookie(url, line, now);
    now += absl::Seconds(1);
    Require(jar.size() <= 300, "cookies are bounded");
  }
  const std::string header = jar.CookieHeader(url, now);
  Require(!HasControls(header), "no line break gets into a request");
  Require(header.empty() == jar.CookiesFor(url, now).empty(), "the header holds the cookies");
  const auto parts = ParseUrl(url);
  if (!parts.ok()) {
    Require(jar.size() == 0, "a cookie comes from somewhere");
  } else if (parts->host != "example" && !absl::EndsWith(parts->host, ".example")) {
    Require(jar.CookieHeader("https://other.example/", now).empty(), "a cookie goes to its own domain only");
  }
  if (parts.ok() && parts->scheme == "https" && !absl::StrContains(absl::AsciiStrToLower(parts->host), "localhost") &&
      parts->host != "::1" && !absl::StartsWith(parts->host, "127.")) {
    const bool any_secure = absl::StrContains(absl::AsciiStrToLower(rest), "secure");
    const std::string plain = jar.CookieHeader("http" + parts->normalised.substr(5), now);
    Require(any_secure || plain == jar.CookieHeader(url, now), "only Secure keeps a cookie from plain http");
  }
  const size_t before = jar.size();
  jar.CookieHeader(url, kNow + absl::Hours(24 * 366));
  Require(jar.size() <= before, "what has run out does not come back");
}

void RetryAfter(absl::string_view rest) {
  const auto until = Limiter::ParseRetryAfter(rest, kNow);
  if (!until) return;
  Require(*until > absl::InfinitePast(), "an instant");
  for (absl::string_view line : absl::StrSplit(rest, '\n')) Limiter::ParseRetryAfter(line, kNow);
}

// header: value \n … \n\n body
void ReadMessage(absl::string_view rest, Headers* headers, std::string* body) {
  while (!rest.empty()) {
    const absl::string_view line = TakeLine(rest);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    absl::string_view value = line.substr(colon + 1);
    headers->Add(line.substr(0, colon), absl::StripAsciiWhitespace(value));
  }
  *body = std::string(rest);
}

// A byte that says how much is shown, then a message; a secret of the run may stand anywhere in it.
void Evidence(absl::string_view rest) {
  static const auto* const kRedactor = [] {
    auto* redactor = new Redactor;
    redactor->AddSecret(kSecret, "token");
    redactor->AddSecret("pass\"word\xc3\xa4", "password");
    return redactor;
  }();
  const size_t most = rest.empty() ? 0 : static_cast<unsigned char>(rest[0]) * 16u;
  rest.remove_prefix(std::min<size_t>(1, rest.size()));
  const auto clean = [](absl::string_view text) {
    Require(!absl::StrContains(text, kSecret), "no secret is written down");
    Require(!absl::StrContains(text, "s3cr3t-V%2Fl%2Be") && !absl::StrContains(text, "s3cr3t-V\\/l+e"),
            "nor what reads as one");
  };
  HttpRequest request;
  request.url = std::string(rest.substr(0, rest.find('\n')));
  HttpAnswer answer;
  answer.status = 200;
  answer.started = kNow;
  ReadMessage(rest, &answer.headers, &answer.body);
  answer.message = answer.body;
  request.headers = answer.headers;
  request.body = answer.body;
  clean(kRedactor->Redact(rest));
  clean(kRedactor->Url(rest));
  const std::string body = kRedactor->Body(answer.headers.Get("content-type").value_or(""), answer.body, most);
  clean(body);
  const Exchange exchange = RecordExchange(request, answer, *kRedactor, most);
  clean(exchange.curl);
  const std::string har = HarEntryJson(exchange);
  clean(har);
  Require(nlohmann::json::accept(har), "the evidence is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const absl::string_view rest = puckdrop::fuzz::AsText(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      Urls(rest);
      break;
    case 1:
      Cookies(rest);
      break;
    case 2:
      RetryAfter(rest);
      break;
    default:
      Evidence(rest);
  }
  return 0;
}
