#include "tests/checks/target/scripted_http_client.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::target {
namespace {

bool Fits(const std::string& rule, const std::string& path) {
  if (!rule.empty() && rule.back() == '*') return path.compare(0, rule.size() - 1, rule, 0, rule.size() - 1) == 0;
  return rule == path;
}

std::string PathOf(const std::string& url) {
  const auto parts = http::ParseUrl(url);
  return parts.ok() ? parts->path : url;
}

}  // namespace

http::HttpAnswer Answered(int status, std::string body, std::string content_type) {
  http::HttpAnswer answer;
  answer.status = status;
  if (!content_type.empty()) answer.headers.Set("Content-Type", content_type);
  answer.body = std::move(body);
  return answer;
}

http::HttpAnswer Broken(http::TransportError error, std::string message) {
  http::HttpAnswer answer;
  answer.error = error;
  answer.message = std::move(message);
  return answer;
}

http::HttpAnswer Redirected(int status, std::string location) {
  http::HttpAnswer answer;
  answer.status = status;
  answer.headers.Set("Location", location);
  return answer;
}

void ScriptedHttpClient::On(const std::string& method, const std::string& path, std::vector<http::HttpAnswer> answers) {
  auto next = std::make_shared<size_t>(0);
  On(method, path, [answers = std::move(answers), next](const http::HttpRequest&) {
    const size_t at = std::min(*next, answers.size() - 1);
    ++*next;
    return answers[at];
  });
}

void ScriptedHttpClient::On(const std::string& method, const std::string& path, Handler handler) {
  rules_.push_back({method, path, std::move(handler)});
}

awaitable<http::HttpAnswer> ScriptedHttpClient::Fetch(http::HttpRequest request) {
  const absl::Time now = absl::FromUnixSeconds(1'780'000'000);
  if (request.cookies) {
    const std::string cookies = request.cookies->CookieHeader(request.url, now);
    if (!cookies.empty()) request.headers.Set("Cookie", cookies);
  }
  requests_.push_back(request);
  http::HttpAnswer answer =
      Answered(404, R"({"type":"https://shop.test/problems/no_such_page","title":"No such page","status":404})",
               "application/problem+json");
  for (const Rule& rule : rules_) {
    if (rule.method != request.method || !Fits(rule.path, PathOf(request.url))) continue;
    answer = rule.handler(request);
    break;
  }
  answer.effective_url = request.url;
  answer.bytes_in = static_cast<int64_t>(answer.body.size());
  if (request.cookies) {
    for (absl::string_view line : answer.headers.All("set-cookie")) request.cookies->SetCookie(request.url, line, now);
  }
  co_return answer;
}

std::vector<std::string> ScriptedHttpClient::lines() const {
  std::vector<std::string> out;
  for (const auto& request : requests_) out.push_back(absl::StrCat(request.method, " ", request.url));
  return out;
}

int ScriptedHttpClient::CountOf(const std::string& method, const std::string& path) const {
  int count = 0;
  for (const auto& request : requests_) count += request.method == method && Fits(path, PathOf(request.url)) ? 1 : 0;
  return count;
}

}  // namespace puckdrop::target
