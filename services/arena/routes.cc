#include "services/arena/routes.h"

#include <spdlog/spdlog.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/arena/html.h"
#include "services/arena/http_server.h"

namespace puckdrop::arena {
namespace {

constexpr Millis kSlowMillis = 12'000;
constexpr size_t kMaxRetriesRemembered = 1000;

std::vector<std::string> Segments(const std::string& path) { return absl::StrSplit(absl::StripPrefix(path, "/"), '/'); }

bool Under(const std::string& path, const std::string& folder) {
  return path == folder || path.rfind(folder + "/", 0) == 0;
}

std::string Cookie(const httplib::Request& request, const std::string& name) {
  const std::string header = request.get_header_value("Cookie");
  for (absl::string_view part : absl::StrSplit(header, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (absl::ConsumePrefix(&part, name) && absl::ConsumePrefix(&part, "=")) return std::string(part);
  }
  return "";
}

std::string Header(const httplib::Request& request, const char* name) {
  return request.get_header_value(name).substr(0, 256);
}

Caller MakeCaller(const httplib::Request& request) {
  Caller caller;
  std::string host = request.get_header_value("Host");
  if (host.empty() || host.size() > 255 ||
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") !=
          std::string::npos) {
    host = absl::StrCat("127.0.0.1:", request.local_port);
  }
  caller.base_url = "http://" + host;
  const std::string authorization = request.get_header_value("Authorization");
  absl::string_view bearer = authorization;
  if (absl::ConsumePrefix(&bearer, "Bearer ")) {
    caller.token = std::string(bearer);
  } else {
    caller.token = Cookie(request, "arena_session");
  }
  caller.device_id = Header(request, "X-Device-Id").substr(0, 128);
  caller.profile = Header(request, "X-Device-Profile").substr(0, 128);
  caller.app_version = Header(request, "X-App-Version").substr(0, 64);
  return caller;
}

void AnswerProblem(const httplib::Request& request, httplib::Response& response, const Problem& problem) {
  response.status = problem.status;
  if (problem.retry_after_seconds > 0) response.set_header("Retry-After", std::to_string(problem.retry_after_seconds));
  if (Under(request.path, "/account") || Under(request.path, "/withdraw")) {
    response.set_content(HtmlPage(problem.title, absl::StrCat("<h1>", EscapeHtml(problem.title),
                                                              "</h1><p class=\"problem\" data-code=\"", problem.code,
                                                              "\">", EscapeHtml(problem.detail), "</p>")),
                         "text/html; charset=utf-8");
    return;
  }
  response.set_content(ToJson(problem, request.path), "application/problem+json");
}

}  // namespace

Millis Call::Since() const {
  const std::string text = Query("since");
  if (text.empty()) return 0;
  const auto since = ParseInstant(text);
  if (!since) throw Problem{400, "bad_query", "The query is not valid", "since must be an RFC 3339 instant."};
  return *since;
}

Json Call::Body() const {
  if (request.body.empty()) return nullptr;
  const std::string type = request.get_header_value("Content-Type");
  if (type.rfind("application/json", 0) != 0) {
    throw Problem{415, "json_expected", "JSON is expected", "Send the body as application/json."};
  }
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded())
    throw Problem{400, "bad_json", "The body is not JSON", "The body could not be read as JSON."};
  return body;
}

void Call::Answer(int status, const Json& json) {
  response.status = status;
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json");
}

void Call::AnswerList(const Json& items, const std::string& id_member, int default_limit, const Json& more) {
  int limit = default_limit;
  if (request.has_param("limit") && (!absl::SimpleAtoi(Query("limit"), &limit) || limit < 1 || limit > 100)) {
    throw Problem{400, "bad_query", "The query is not valid", "limit must be 1 to 100."};
  }
  size_t begin = 0;
  if (const std::string cursor = Query("cursor"); !cursor.empty()) {
    while (begin < items.size() && items[begin][id_member] != cursor) ++begin;
    if (begin == items.size())
      throw Problem{400, "bad_cursor", "The cursor is not valid", "Start again without a cursor."};
    ++begin;
  }
  const size_t end = std::min(items.size(), begin + limit);
  Json answer = {{"items", Json::array()}, {"next", nullptr}};
  for (size_t i = begin; i < end; ++i) answer["items"].push_back(items[i]);
  if (end < items.size()) {
    std::string query;
    for (const auto& [name, value] : request.params) {
      if (name != "cursor") absl::StrAppend(&query, name, "=", httplib::detail::encode_query_param(value), "&");
    }
    answer["next"] =
        absl::StrCat(caller.base_url, request.path, "?", query,
                     "cursor=", httplib::detail::encode_query_param(items[end - 1][id_member].get<std::string>()));
  }
  if (more.is_object()) answer.update(more);
  Answer(200, answer);
}

void Call::AnswerHtml(int status, const std::string& html) {
  response.status = status;
  response.set_content(html, "text/html; charset=utf-8");
}

Routes::Routes(Shop* shop, FaultSet* faults, LiveStreams* live, std::string office_token)
    : shop_(shop), faults_(faults), live_(live), office_token_(std::move(office_token)) {
  AddShop();
  AddPages();
  AddOffice();
  AddLive();
  Add("GET", "/healthz", [this](Call& call) {
    const bool ready = live_ == nullptr || live_->Ready();
    call.Answer(ready ? 200 : 503, {{"status", ready ? "ready" : "starting"}});
  });
}

void Routes::Add(const std::string& method, const std::string& pattern, Handler handler) {
  routes_.push_back({method, Segments(pattern), std::move(handler)});
}

void Routes::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

bool Routes::Sleep(Millis millis) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::milliseconds(millis), [this] { return stopping_; });
}

bool Routes::TargetFault(const httplib::Request& request, httplib::Response& response) {
  const bool api = Under(request.path, "/v1");
  if (!api && !Under(request.path, "/account") && !Under(request.path, "/withdraw")) return false;
  if (faults_->On(Fault::kResets)) {
    const std::string key = absl::StrCat(request.method, " ", request.target);
    bool reset = false;
    {
      const std::lock_guard lock(mutex_);
      if (const auto retry = retries_to_reset_.find(key); retry != retries_to_reset_.end()) {
        retries_to_reset_.erase(retry);
        reset = true;
      } else if (++requests_ % 3 == 0) {
        if (retries_to_reset_.size() >= kMaxRetriesRemembered) retries_to_reset_.clear();
        retries_to_reset_.emplace(key, 1);
        reset = true;
      }
    }
    if (reset) {
      HttpServer::ResetConnection();
      response.status = 500;
      return true;
    }
  }
  if (faults_->On(Fault::kSlow)) Sleep(kSlowMillis);
  if (faults_->On(Fault::kUnavailable)) {
    Problem problem{503, "unavailable", "We are not available", "Please try again in a moment."};
    problem.retry_after_seconds = 1;
    AnswerProblem(request, response, problem);
    return true;
  }
  if (api && faults_->On(Fault::kHtmlError200)) {
    response.status = 200;
    response.set_content(
        HtmlPage("Something went wrong", "<h1>Something went wrong</h1><p>Please try again later.</p>"),
        "text/html; charset=utf-8");
    return true;
  }
  if (api && faults_->On(Fault::kJsonError200)) {
    response.status = 200;
    response.set_content(R"({"error":{"code":"internal_error","message":"Something went wrong"}})", "application/json");
    return true;
  }
  return false;
}

void Routes::Dispatch(Call& call) {
  const std::vector<std::string> path = Segments(call.request.path);
  const std::string method = call.request.method == "HEAD" ? "GET" : call.request.method;
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    if (route.pattern.size() != path.size()) continue;
    std::vector<std::string> arguments;
    bool match = true;
    for (size_t i = 0; i < path.size() && match; ++i) {
      if (route.pattern[i] == "*") {
        arguments.push_back(path[i]);
        match = !path[i].empty();
      } else {
        match = route.pattern[i] == path[i];
      }
    }
    if (!match) continue;
    if (route.method != method) {
      allowed.push_back(route.method);
      continue;
    }
    call.arguments = std::move(arguments);
    route.handler(call);
    return;
  }
  if (allowed.empty()) throw NotFound("not_found", "page");
  call.response.set_header("Allow", absl::StrJoin(allowed, ", "));
  if (method == "OPTIONS") {
    call.response.status = 204;
    return;
  }
  throw Problem{405, "method_not_allowed", "This is not how to ask", "Allowed: " + absl::StrJoin(allowed, ", ") + "."};
}

void Routes::Handle(const httplib::Request& request, httplib::Response& response) {
  const absl::Time begin = absl::Now();
  Call call{request, response, MakeCaller(request), {}};
  const std::string request_id = NewId("req_");
  try {
    if (!TargetFault(request, response)) Dispatch(call);
  } catch (const Problem& problem) {
    AnswerProblem(request, response, problem);
  } catch (const std::exception& error) {
    spdlog::error("{} {} {}: {}", request_id, request.method, request.path, error.what());
    AnswerProblem(request, response, {500, "internal_error", "Something went wrong", "Please try again later."});
  }
  response.set_header("X-Request-Id", request_id);
  response.set_header("Date", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", begin, absl::UTCTimeZone()));
  if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
  // The path may carry a stream's token, so only its first segment is logged.
  if (spdlog::should_log(spdlog::level::debug)) {
    const std::string path = Under(request.path, "/live") ? "/live/…" : request.path;
    spdlog::debug("{} {} {} -> {} in {} ms", request_id, request.method, path, response.status,
                  absl::ToInt64Milliseconds(absl::Now() - begin));
  }
}

}  // namespace puckdrop::arena
