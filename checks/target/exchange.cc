// From a step of the plan to the request that is sent: addresses, headers, bodies, forms, pages, sessions.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "checks/plan/template.h"
#include "checks/target/interpreter.h"
#include "checks/target/page.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

constexpr int kDefaultPages = 100;
constexpr size_t kMostItemBytes = 12u << 20;
constexpr absl::Duration kDefaultLaterWait = absl::Seconds(1);

absl::Duration Length(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

bool IsAbsolute(absl::string_view url) {
  return absl::StartsWithIgnoreCase(url, "http://") || absl::StartsWithIgnoreCase(url, "https://");
}

// The base address of a host and a path of a step, as one address. A path's query comes after the base's.
std::string Joined(absl::string_view base, absl::string_view path) {
  const size_t question = base.find('?');
  std::string query(question == absl::string_view::npos ? "" : base.substr(question + 1));
  std::string out(base.substr(0, question));
  while (!out.empty() && out.back() == '/') out.pop_back();
  if (path.empty() || (path[0] != '/' && path[0] != '?')) out.push_back('/');
  absl::StrAppend(&out, path);
  if (!query.empty()) absl::StrAppend(&out, absl::StrContains(path, '?') ? "&" : "?", query);
  return out;
}

// Query values are escaped as RFC 3986 has it: a plus sign would be read as a space by some and as itself by others.
std::string QueryEncoded(absl::string_view text) {
  std::string form = FormEncode({{std::string(text), ""}});
  form.pop_back();  // the '='
  std::string out;
  for (char c : form) c == '+' ? out.append("%20") : out.append(1, c);
  return out;
}

void AppendQuery(std::string& url, absl::string_view name, absl::string_view value) {
  absl::StrAppend(&url, absl::StrContains(url, '?') ? "&" : "?", QueryEncoded(name), "=", QueryEncoded(value));
}

// A control character in a header would let a value write headers of its own (RFC 9110 section 5.5).
bool FitsInHeader(absl::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

bool Operations::Impl::Address(Run& run, const std::string& url, const SourcePosition& position, absl::string_view at,
                               std::string& host, std::string& normalised) {
  const absl::StatusOr<http::UrlParts> parts = http::ParseUrl(url);
  if (!parts.ok()) {
    return Stop(run, End::kUnreadable, FailureKind::kExpression,
                absl::StrCat("the address cannot be used: ", parts.status().message()), position);
  }
  const absl::StatusOr<std::string> matched = plan->host_rules().Match(*parts, at);
  if (!matched.ok()) {
    return Stop(run, End::kOurs, FailureKind::kOutsideHosts,
                absl::StrCat("the address lies outside the plan's hosts, so it is not asked: ", parts->origin(),
                             "; add it to a host's `urls` if it belongs to the target"),
                position);
  }
  host = *matched;
  normalised = parts->normalised;
  return true;
}

void Operations::Impl::CollectHost(const Plan::Host& host, const Plan::Session* session, bool has_session,
                                   std::vector<const Expr*>& out) const {
  for (const auto& header : host.headers()) CollectHoles(compiled, header.value(), out);
  if (session == nullptr || !has_session) return;
  for (const auto& header : session->send()) CollectHoles(compiled, header.value(), out);
}

bool Operations::Impl::SetHeader(Run& run, http::Headers& headers, const puckdrop::v1::NamedTemplate& header,
                                 const ExprResults& results) {
  std::optional<Problem> problem;
  const auto value = RenderText(compiled, header.value(), results, Encoding::kNone, problem);
  if (problem) return Stop(run, *problem);
  if (!value) {
    headers.Remove(header.name());
    return true;
  }
  if (!FitsInHeader(*value)) {
    return Stop(run, End::kUnreadable, FailureKind::kExpression,
                absl::StrCat("the header ", header.name(), " would hold a line break or NUL, so it is not sent"),
                header.value().position());
  }
  headers.Set(header.name(), *value);
  return true;
}

bool Operations::Impl::DressHost(Run& run, const Plan::Host& host, const Plan::Session* session, bool has_session,
                                 const ExprResults& results, http::Headers& headers) {
  for (const auto& header : host.headers()) {
    if (!SetHeader(run, headers, header, results)) return false;
  }
  if (session == nullptr || !has_session) return true;
  for (const auto& header : session->send()) {
    if (!SetHeader(run, headers, header, results)) return false;
  }
  return true;
}

awaitable<bool> Operations::Impl::BuildHttp(Run& run, const Plan::Http& step,
                                            const std::optional<std::string>& page_url, Outgoing& out) {
  const auto named = compiled.hosts.find(step.host());
  if (named == compiled.hosts.end()) {
    co_return Stop(run, End::kOurs, FailureKind::kLocal, absl::StrCat("there is no host ", step.host()), out.position);
  }
  const Plan::Host* host = named->second;
  std::string session_name = step.session().empty() ? host->session() : step.session();
  const auto session_of = [this](const std::string& name) -> const Plan::Session* {
    const auto found = compiled.sessions.find(name);
    return found == compiled.sessions.end() ? nullptr : found->second;
  };
  const Plan::Session* session = session_of(session_name);
  if (session != nullptr && !co_await EnsureSession(run, session_name)) co_return false;

  std::vector<const Expr*> exprs;
  bool has_session = HasSession(run, session);
  CollectHost(*host, session, has_session, exprs);
  CollectHoles(compiled, step.path(), exprs);
  for (const auto& one : step.query()) CollectHoles(compiled, one.value(), exprs);
  for (const auto& one : step.headers()) CollectHoles(compiled, one.value(), exprs);
  if (step.has_json()) CollectHoles(compiled, step.json(), exprs);
  if (step.has_form()) {
    for (const auto& one : step.form().fields()) CollectHoles(compiled, one.value(), exprs);
  }
  if (step.has_body()) CollectHoles(compiled, step.body(), exprs);
  if (step.has_body_base64()) CollectHoles(compiled, step.body_base64(), exprs);
  if (step.redirects().has_stop_at()) CollectHoles(compiled, step.redirects().stop_at(), exprs);
  ExprResults results;
  if (!co_await Evaluate(run, exprs, results)) co_return false;

  std::optional<Problem> problem;
  std::string url;
  if (page_url) {
    url = *page_url;
  } else {
    const auto path = RenderText(compiled, step.path(), results, Encoding::kUrl, problem);
    if (problem) co_return Stop(run, *problem);
    if (!path) {
      co_return Stop(run, End::kUnreadable, FailureKind::kNull, "the address is null", step.path().position());
    }
    url = IsAbsolute(*path) ? *path : Joined(host->url(), *path);
    for (const auto& one : step.query()) {
      const auto values = RenderTexts(compiled, one.value(), results, Encoding::kNone, true, problem);
      if (problem) co_return Stop(run, *problem);
      for (const std::string& value : values.value_or(std::vector<std::string>{})) AppendQuery(url, one.name(), value);
    }
  }
  std::string matched;
  const SourcePosition& path_position = step.path().position();
  const SourcePosition& place = path_position.line() > 0 ? path_position : out.position;
  if (!Address(run, url, place, step.host(), matched, out.request.url)) co_return false;
  if (matched != step.host()) {
    // The address leads to another door of the plan: what opens this one is not shown there.
    const auto other = compiled.hosts.find(matched);
    host = other->second;
    session_name = step.session().empty() ? host->session() : step.session();
    session = session_of(session_name);
    if (session != nullptr && !co_await EnsureSession(run, session_name)) co_return false;
    has_session = HasSession(run, session);
    exprs.clear();
    CollectHost(*host, session, has_session, exprs);
    ExprResults others;
    if (!co_await Evaluate(run, exprs, others)) co_return false;
    if (!DressHost(run, *host, session, has_session, others, out.request.headers)) co_return false;
  } else if (!DressHost(run, *host, session, has_session, results, out.request.headers)) {
    co_return false;
  }
  out.host = matched;
  out.plan_host = host;
  out.session = session == nullptr ? "" : session_name;
  out.plan_session = session;
  out.request.method = step.method().empty() ? "GET" : step.method();

  std::string content_type;
  if (step.has_json()) {
    const SecretValueOf secret = [&](const puckdrop::v1::Secret& one, std::optional<Problem>& trouble) {
      return Secret(one, "", trouble);
    };
    out.request.body = RenderValue(compiled, step.json(), results, secret, problem).value_or("null");
    content_type = "application/json";
  } else if (step.has_form()) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& one : step.form().fields()) {
      const auto values = RenderTexts(compiled, one.value(), results, Encoding::kNone, true, problem);
      if (problem) break;
      for (const std::string& value : values.value_or(std::vector<std::string>{})) {
        fields.emplace_back(one.name(), value);
      }
    }
    out.request.body = FormEncode(fields);
    content_type = "application/x-www-form-urlencoded";
  } else if (step.has_body()) {
    out.request.body = RenderText(compiled, step.body(), results, Encoding::kNone, problem).value_or("");
  } else if (step.has_body_base64()) {
    const auto text = RenderText(compiled, step.body_base64(), results, Encoding::kNone, problem);
    if (!problem && text && !absl::Base64Unescape(*text, &out.request.body)) {
      co_return Stop(run, End::kUnreadable, FailureKind::kExpression, "`body_base64` is no base64",
                     step.body_base64().position());
    }
    content_type = "application/octet-stream";
  }
  if (problem) co_return Stop(run, *problem);
  if (!content_type.empty() && !out.request.headers.Has("content-type")) {
    out.request.headers.Set("content-type", content_type);
  }
  for (const auto& header : step.headers()) {
    if (!SetHeader(run, out.request.headers, header, results)) co_return false;
  }
  if (step.redirects().has_follow()) out.follow = step.redirects().follow();
  if (step.redirects().has_stop_at()) {
    out.stop_at = RenderText(compiled, step.redirects().stop_at(), results, Encoding::kNone, problem).value_or("");
    if (problem) co_return Stop(run, *problem);
  }
  co_return true;
}

awaitable<bool> Operations::Impl::BuildSubmit(Run& run, const Plan::Submit& step, Outgoing& out) {
  std::vector<const Expr*> exprs{&compiled.Of(step.form())};
  for (const auto& one : step.set()) CollectHoles(compiled, one.value(), exprs);
  for (const auto& one : step.headers()) CollectHoles(compiled, one.value(), exprs);
  if (step.redirects().has_stop_at()) CollectHoles(compiled, step.redirects().stop_at(), exprs);
  ExprResults results;
  if (!co_await Evaluate(run, exprs, results)) co_return false;
  const ExprResult& found = results.Of(*exprs[0]);
  const auto& answer = run.scope->answer();
  if (!found.ok() || found.values.size() != 1 || found.values[0] == "null") {
    if (found.failure && found.failure->kind != jq::FailureKind::kFailed) {
      co_return Stop(run, ExpressionProblem(*exprs[0], found, answer.get()));
    }
    // A page that should be there and is not is the target's; a form that the page lacks, the plan's or the page's.
    const bool page = answer != nullptr && answer->is_page();
    co_return Stop(run, page || answer == nullptr ? End::kUnreadable : End::kFault,
                   page || answer == nullptr ? FailureKind::kForm : FailureKind::kContent,
                   page ? absl::StrCat("the page has no form `", exprs[0]->text, "`")
                        : absl::StrCat("there is no page to submit a form of: the last answer is ",
                                       answer == nullptr ? "none" : answer->ContentWords()),
                   step.form().position());
  }
  std::optional<Problem> problem;
  std::vector<FilledField> set;
  for (const auto& one : step.set()) {
    const auto values = RenderTexts(compiled, one.value(), results, Encoding::kNone, false, problem);
    if (problem) co_return Stop(run, *problem);
    set.emplace_back(one.name(), values && !values->empty() ? std::optional(values->front()) : std::nullopt);
  }
  const absl::StatusOr<FormRequest> form =
      FillForm(json::parse(found.values[0], nullptr, /*allow_exceptions=*/false), set, step.button());
  if (!form.ok()) {
    co_return Stop(run, End::kUnreadable, FailureKind::kForm,
                   absl::StrCat("`", exprs[0]->text, "` ", form.status().message()), step.form().position());
  }
  std::string url = form->action;
  if (!IsAbsolute(url) && answer != nullptr) {
    const auto resolved = http::ResolveUrl(answer->url, url);
    if (resolved.ok()) url = resolved->normalised;
  }
  if (form->method == "GET") {
    url = url.substr(0, url.find('?'));
    const std::string query = FormEncode(form->fields);
    if (!query.empty()) absl::StrAppend(&url, "?", query);
  } else {
    out.request.body = FormEncode(form->fields);
    out.request.headers.Set("content-type", "application/x-www-form-urlencoded");
  }
  if (!Address(run, url, step.form().position(), run.last_host, out.host, out.request.url)) co_return false;
  out.plan_host = compiled.hosts.find(out.host)->second;
  out.request.method = form->method;
  // A form goes with cookies, as a browser sends it; `send` headers are a script's.
  std::vector<const Expr*> host_exprs;
  CollectHost(*out.plan_host, nullptr, false, host_exprs);
  ExprResults host_results;
  if (!co_await Evaluate(run, host_exprs, host_results)) co_return false;
  if (!DressHost(run, *out.plan_host, nullptr, false, host_results, out.request.headers)) co_return false;
  for (const auto& header : step.headers()) {
    if (!SetHeader(run, out.request.headers, header, results)) co_return false;
  }
  if (answer != nullptr && !out.request.headers.Has("origin") && form->method == "POST") {
    const auto from = http::ParseUrl(answer->url);
    if (from.ok()) out.request.headers.Set("origin", from->origin());
  }
  if (!out.request.headers.Has("accept")) out.request.headers.Set("accept", "text/html, */*;q=0.8");
  if (step.redirects().has_follow()) out.follow = step.redirects().follow();
  if (step.redirects().has_stop_at()) {
    out.stop_at = RenderText(compiled, step.redirects().stop_at(), results, Encoding::kNone, problem).value_or("");
    if (problem) co_return Stop(run, *problem);
  }
  // The session of the host is still read from the answer.
  out.session = out.plan_host->session();
  const auto session = compiled.sessions.find(out.session);
  out.plan_session = session == compiled.sessions.end() ? nullptr : session->second;
  co_return true;
}

awaitable<bool> Operations::Impl::Build(Run& run, const Plan::Step& step, const std::optional<std::string>& page_url,
                                        Outgoing& out) {
  out.position = step.position();
  const auto& limits = plan->plan().target().limits();
  if (limits.has_redirects()) out.follow = limits.redirects();
  const bool built = step.has_http() ? co_await BuildHttp(run, step.http(), page_url, out)
                                     : co_await BuildSubmit(run, step.submit(), out);
  if (!built) co_return false;
  if (limits.has_body_bytes()) {
    out.request.limits.body_bytes = static_cast<size_t>(limits.body_bytes());
    out.request.limits.decoded_bytes = static_cast<size_t>(limits.body_bytes());
  }
  if (!out.request.headers.Has("accept")) {
    out.request.headers.Set("accept", "application/json, text/html;q=0.8, */*;q=0.5");
  }
  const std::string& user_agent = run.actor.device.user_agent();
  if (!user_agent.empty() && !out.request.headers.Has("user-agent") && FitsInHeader(user_agent)) {
    out.request.headers.Set("user-agent", user_agent);
  }
  out.timeout = options.step_timeout;
  if (out.plan_host->has_timeout()) out.timeout = Length(out.plan_host->timeout());
  if (step.has_timeout()) out.timeout = Length(step.timeout());
  if (run.options.fresh_connections) out.request.connection = http::Connection::kFresh;
  co_return true;
}

awaitable<bool> Operations::Impl::OneExchange(Run& run, const Plan::Step& step, bool last,
                                              const std::optional<std::string>& page_url, bool& until_true,
                                              std::optional<std::string>& next_page, std::string& items) {
  bool opened_again = false, waited = false;
  for (;;) {
    Outgoing out;
    if (!co_await Build(run, step, page_url, out)) co_return false;
    const uint64_t generation = out.plan_session == nullptr ? 0 : StateOf(run, *out.plan_session).generation;
    if (step.commit() && !run.ended->commit_time) {
      run.ended->commit_time = Now();
      if (run.options.on_commit) run.options.on_commit();
    }
    if (!co_await Send(run, out)) co_return false;
    const Verdict verdict = co_await Judge(run, step, out, last, until_true, next_page, items);
    if (verdict == Verdict::kOn) co_return true;
    if (verdict == Verdict::kStop) co_return false;
    const Answer& answer = *run.scope->answer();
    if (verdict == Verdict::kSessionLost && !opened_again) {
      opened_again = true;
      SessionState& state = StateOf(run, *out.plan_session);
      if (state.generation == generation) {
        state.open = false;
        state.value = "null";
      }
      continue;
    }
    const absl::Duration wait = answer.retry_after.value_or(kDefaultLaterWait);
    if (verdict == Verdict::kTryLater && !waited && answer.retry_after && Now() + wait < run.options.deadline) {
      waited = true;
      // The limiter holds the host until then, also for others.
      absl::Status slept = co_await ports.loop.SleepFor(ports.clock, std::min(wait, absl::Minutes(2)));
      if (!slept.ok()) {
        co_return Stop(run, End::kOurs, FailureKind::kCancelled, "the operation was given up", out.position);
      }
      continue;
    }
    auto refusal = DefaultRefusal(answer);
    if (!refusal) {
      refusal.emplace();
      refusal->set_reason(v1::REASON_UNAUTHENTICATED);
      refusal->set_text("the session is lost, and opening it again did not help");
    }
    co_return Refuse(run, *std::move(refusal));
  }
}

awaitable<bool> Operations::Impl::DoExchange(Run& run, const Plan::Step& step, bool last, bool& until_true) {
  const bool paged = last && run.returns_wanted && run.operation != nullptr && run.operation->has_pages();
  std::optional<std::string> page;
  std::string items = "[";
  std::set<std::string> seen;
  const int most = paged && run.operation->pages().has_at_most() ? run.operation->pages().at_most() : kDefaultPages;
  for (int count = 1;; ++count) {
    std::optional<std::string> next;
    if (!co_await OneExchange(run, step, last, page, until_true, next, items)) co_return false;
    if (!paged) co_return true;
    if (!next || !until_true) break;
    const SourcePosition& position = run.operation->pages().next().position();
    if (count >= most) {
      co_return Stop(run, End::kFault, FailureKind::kPages, absl::StrCat("there are more than ", most, " pages"),
                     position);
    }
    if (!seen.insert(*next).second || *next == run.scope->answer()->url) {
      co_return Stop(run, End::kFault, FailureKind::kPages, "the next page is one that was read before", position);
    }
    if (items.size() > kMostItemBytes) {
      co_return Stop(run, End::kOurs, FailureKind::kLocal, "the pages together are larger than 12 MiB", position);
    }
    page = std::move(next);
  }
  run.scope->Set("items", items + "]");
  co_return true;
}

bool Operations::Impl::NextPage(Run& run, const Plan::Pages& pages, const ExprResults& results,
                                std::optional<std::string>& next_page, std::string& items) {
  const Answer& answer = *run.scope->answer();
  const Expr& items_expr = compiled.Of(pages.items());
  const ExprResult& found = results.Of(items_expr);
  if (!found.ok()) return Stop(run, ExpressionProblem(items_expr, found, &answer));
  for (const std::string& value : found.values) absl::StrAppend(&items, items.size() > 1 ? "," : "", value);
  const Expr& next_expr = compiled.Of(pages.next());
  const ExprResult& next = results.Of(next_expr);
  if (!next.ok() || next.values.size() > 1) return Stop(run, ExpressionProblem(next_expr, next, &answer));
  if (next.is_nothing() || next.values[0] == "false" || next.values[0] == "\"\"") return true;
  const json value = json::parse(next.values[0], nullptr, /*allow_exceptions=*/false);
  if (value.is_string()) {
    const auto resolved = http::ResolveUrl(answer.url, value.get_ref<const std::string&>());
    if (!resolved.ok()) {
      return Stop(run, End::kUnreadable, FailureKind::kExpression,
                  absl::StrCat("the next page's address cannot be used: ", resolved.status().message()),
                  next_expr.position);
    }
    next_page = resolved->normalised;
    return true;
  }
  if (!value.is_object()) {
    return Stop(run, End::kUnreadable, FailureKind::kExpression,
                "`next` is neither an address nor an object that patches the query nor null", next_expr.position);
  }
  const size_t question = answer.url.find('?');
  std::string url = answer.url.substr(0, question);
  if (question != std::string::npos) {
    for (absl::string_view pair : absl::StrSplit(absl::string_view(answer.url).substr(question + 1), '&')) {
      const std::string encoded(pair.substr(0, pair.find('=')));
      const bool patched = std::any_of(value.items().begin(), value.items().end(),
                                       [&](const auto& one) { return QueryEncoded(one.key()) == encoded; });
      if (!patched && !pair.empty()) absl::StrAppend(&url, absl::StrContains(url, '?') ? "&" : "?", pair);
    }
  }
  for (const auto& [name, one] : value.items()) {
    if (one.is_null()) continue;
    if (one.is_structured()) {
      return Stop(run, End::kUnreadable, FailureKind::kExpression,
                  absl::StrCat("`next` patches \"", name, "\" with what is no scalar"), next_expr.position);
    }
    AppendQuery(url, name, one.is_string() ? one.get<std::string>() : one.dump());
  }
  next_page = std::move(url);
  return true;
}

}  // namespace puckdrop::target
