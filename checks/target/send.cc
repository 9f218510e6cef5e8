// One request with its redirects: limits, cookies, deadlines, and whose fault it is when no answer comes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "checks/target/interpreter.h"

namespace puckdrop::target {
namespace {

constexpr size_t kMostRecorded = 200;
constexpr size_t kMostRecordedBody = 256u << 10;
constexpr size_t kShortestHiddenCookie = 6;  // a shorter one is a setting ("fi"), and would blot out half of every text

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Of a normalised address, which begins with it (UrlParts::normalised).
std::string OriginOf(absl::string_view url) {
  const size_t scheme = url.find("://");
  return std::string(url.substr(0, scheme == absl::string_view::npos ? scheme : url.find_first_of("/?#", scheme + 3)));
}

}  // namespace

std::shared_ptr<const http::HostSettings> Operations::Impl::SettingsOf(const Plan::Host& host,
                                                                       std::optional<Problem>& problem) {
  const auto found = settings.find(host.name());
  if (found != settings.end()) return found->second;
  auto made = std::make_shared<http::HostSettings>();
  made->proxy = host.proxy();
  made->ca_file = host.tls().ca();
  made->certificate.file = host.tls().certificate();
  if (host.tls().has_key()) {
    const auto key = Secret(host.tls().key(), "", problem);
    if (problem) return nullptr;
    made->key.memory = key.value_or("");
  }
  settings.emplace(host.name(), made);
  return made;
}

std::shared_ptr<http::CookieJar> Operations::Impl::JarOf(const Run& run, const std::string& host) {
  const auto found = compiled.hosts.find(host);
  const auto session =
      found == compiled.hosts.end() ? compiled.sessions.end() : compiled.sessions.find(found->second->session());
  const auto per = session == compiled.sessions.end() ? puckdrop::v1::SESSION_SCOPE_DEVICE : session->second->per();
  if (per == puckdrop::v1::SESSION_SCOPE_RUN) return jars.Get(host, "", "");
  if (per == puckdrop::v1::SESSION_SCOPE_CUSTOMER) return jars.Get(host, run.actor.email, run.actor.session_scope);
  return jars.Get(host, run.actor.email, absl::StrCat(run.actor.device.instance_id(), "\n", run.actor.session_scope));
}

void Operations::Impl::HideCookies(const http::HttpAnswer& answer) {
  for (absl::string_view line : answer.headers.All("set-cookie")) {
    const size_t equals = line.find('='), end = line.find(';');
    if (equals == absl::string_view::npos || (end != absl::string_view::npos && end < equals)) continue;
    std::string value(absl::StripAsciiWhitespace(
        line.substr(equals + 1, end == absl::string_view::npos ? absl::string_view::npos : end - equals - 1)));
    if (value.size() < kShortestHiddenCookie || !hidden.insert(value).second) continue;
    ports.redactor.AddSecret(value, absl::StripAsciiWhitespace(line.substr(0, equals)));
  }
}

void Operations::Impl::Remember(Run& run, const http::HttpRequest& request, const http::HttpAnswer& answer,
                                const Outgoing& out) {
  if (run.raw->size() >= kMostRecorded) run.raw->erase(run.raw->begin() + kMostRecorded / 2);
  RawExchange raw;
  raw.request = request;
  raw.request.cookies = nullptr;  // the jar moves on, and its lines are not shown anyway
  raw.answer_body_bytes = answer.body.size();
  raw.answer = answer;
  if (raw.answer.body.size() > kMostRecordedBody) raw.answer.body.resize(kMostRecordedBody);
  raw.host = out.host;
  raw.position = Where(out.position);
  raw.step = run.step;
  raw.of_session = !run.opening.empty();
  run.raw->push_back(std::move(raw));
}

bool Operations::Impl::TransportFailed(Run& run, const Outgoing& out, const http::HttpRequest& request,
                                       const http::HttpAnswer& answer, bool our_deadline) {
  using E = http::TransportError;
  const std::string origin = OriginOf(request.url);
  const std::string what = absl::StrCat(request.method, " ", origin, ": ");
  const auto fault = [&](FailureKind kind, std::string words) {
    return Stop(run, End::kFault, kind, absl::StrCat(what, words), out.position, out.host);
  };
  const auto ours = [&](FailureKind kind, std::string words) {
    return Stop(run, End::kOurs, kind, absl::StrCat(what, words), out.position, out.host);
  };
  switch (answer.error) {
    case E::kResolve:
    case E::kConnectRefused:
    case E::kConnectTimeout:
      if (ports.memory.HasAnswered(origin)) {
        return fault(FailureKind::kUnreachable,
                     absl::StrCat("it answered before in this run, and now: ", answer.message));
      }
      return ours(FailureKind::kUnreachable, absl::StrCat("unreachable from here: ", answer.message));
    case E::kTlsPeer:
      return fault(FailureKind::kTls, answer.message);
    case E::kReset:
    case E::kCutShort:
    case E::kTooManyHeaders:
    case E::kBadEncoding:
    case E::kProtocol:
      return fault(FailureKind::kReset,
                   answer.message.empty() ? std::string(TransportErrorName(answer.error)) : answer.message);
    case E::kTimeout:
      if (our_deadline)
        return ours(FailureKind::kDeadline, "no answer yet when the time given to the operation ran out");
      return fault(FailureKind::kTimeout,
                   absl::StrCat("no answer in the step's timeout of ", absl::FormatDuration(out.timeout)));
    case E::kTooLarge:
      return ours(FailureKind::kLocal,
                  absl::StrCat("the answer is larger than the plan's limits.body_bytes: ", answer.message));
    case E::kCancelled:
      return ours(FailureKind::kCancelled, "the operation was given up");
    case E::kLocal:
    case E::kNone:
      break;
  }
  return ours(FailureKind::kLocal, answer.message);
}

awaitable<bool> Operations::Impl::Send(Run& run, Outgoing& out) {
  http::HttpRequest request = out.request;
  std::vector<Hop> hops;
  std::string host = out.host;
  const Plan::Host* plan_host = out.plan_host;
  absl::Time step_deadline = absl::InfiniteFuture();
  for (;;) {
    absl::StatusOr<http::Limiter::Permit> permit = co_await ports.limiter.Acquire(
        http::Limiter::Kind::kRequest, host, std::min(step_deadline, run.options.deadline));
    if (!permit.ok()) {
      co_return Stop(
          run, End::kOurs, absl::IsCancelled(permit.status()) ? FailureKind::kCancelled : FailureKind::kLimiter,
          absl::StrCat("our own limit held the request back: ", permit.status().message()), out.position, host);
    }
    // Waiting for our own limiter is not the target's time.
    if (step_deadline == absl::InfiniteFuture()) step_deadline = Now() + out.timeout;
    std::optional<Problem> problem;
    request.host = SettingsOf(*plan_host, problem);
    if (problem) co_return Stop(run, *problem);
    request.cookies = JarOf(run, host);
    const bool our_deadline = run.options.deadline <= step_deadline;
    request.deadline = std::min(step_deadline, run.options.deadline);
    http::HttpAnswer answer = co_await ports.http.Fetch(request);
    permit->Release();
    HideCookies(answer);
    Remember(run, request, answer, out);
    const absl::Status spent = ports.limiter.SpendBytes(answer.bytes_in + answer.bytes_out);
    if (!answer.ok()) co_return TransportFailed(run, out, request, answer, our_deadline);
    ports.memory.Answered(OriginOf(request.url));
    if (!spent.ok()) {
      co_return Stop(run, End::kOurs, FailureKind::kLimiter, std::string(spent.message()), out.position, host);
    }
    const absl::Time now = Now();
    const auto header = answer.headers.Get("location");
    const std::string raw_location(header.value_or(""));
    const absl::StatusOr<http::UrlParts> resolved =
        raw_location.empty() ? absl::NotFoundError("") : http::ResolveUrl(request.url, raw_location);
    const std::string location = resolved.ok() ? resolved->normalised : raw_location;
    if (answer.effective_url.empty()) answer.effective_url = request.url;

    if (const auto after = answer.headers.Get("retry-after"); after && (answer.status == 429 || answer.status == 503)) {
      if (const auto until = http::Limiter::ParseRetryAfter(*after, now)) ports.limiter.Hold(host, *until);
    }
    const bool stops = !out.stop_at.empty() &&
                       (absl::StartsWith(raw_location, out.stop_at) || absl::StartsWith(location, out.stop_at));
    if (!IsRedirect(answer.status) || raw_location.empty() || stops || out.follow == 0) {
      auto cookies = request.cookies->CookiesFor(answer.effective_url, now);
      run.last_host = host;
      run.scope->SetAnswer(MakeAnswer(std::move(answer), std::move(hops), location, std::move(cookies), now));
      co_return true;
    }
    if (static_cast<int>(hops.size()) >= out.follow) {
      co_return Stop(run, End::kFault, FailureKind::kRedirects,
                     absl::StrCat("more than ", out.follow, " redirects, the last one to ", OriginOf(location)),
                     out.position, host);
    }
    if (!resolved.ok()) {
      co_return Stop(run, End::kFault, FailureKind::kRedirects,
                     absl::StrCat("a redirect to what is no address: ", resolved.status().message(),
                                  "; `redirects: { stop_at: … }` ends at such addresses"),
                     out.position, host);
    }
    hops.push_back(Hop{answer.status, request.url, location});
    std::string next_host;
    if (!Address(run, location, out.position, host, next_host, request.url)) co_return false;
    // 303 always turns into GET; for 301 and 302 every browser does the same with POST (RFC 9110 section 15.4).
    if (answer.status == 303 || (answer.status != 307 && answer.status != 308 && request.method == "POST")) {
      if (request.method != "HEAD") request.method = "GET";
      request.body.clear();
      request.headers.Remove("content-type");
      request.headers.Remove("content-length");
      request.headers.Remove("origin");
    }
    if (next_host != host) {
      // Another door: it sees its own headers, and none of what opens the last one.
      host = next_host;
      plan_host = compiled.hosts.find(host)->second;
      http::Headers fresh;
      for (const char* name : {"accept", "accept-language", "user-agent", "content-type"}) {
        if (const auto value = request.headers.Get(name)) fresh.Set(name, *value);
      }
      std::vector<const Expr*> exprs;
      CollectHost(*plan_host, nullptr, false, exprs);
      ExprResults results;
      if (!co_await Evaluate(run, exprs, results)) co_return false;
      if (!DressHost(run, *plan_host, nullptr, false, results, fresh)) co_return false;
      request.headers = std::move(fresh);
      out.host = host;
    }
  }
}

}  // namespace puckdrop::target
