// Sessions: opened when first needed, shared by whom the plan says, opened again once when lost.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/target/interpreter.h"

namespace puckdrop::target {
namespace {

// These make the account that a session needs, or are the signing in; they never wait for a session of their own
// account.
bool MakesSession(absl::string_view operation) {
  return operation == "ordering.sign_up" || operation == "ordering.verify_sign_up" || operation == "ordering.sign_in";
}

std::string ScopeKey(const Actor& actor, puckdrop::v1::SessionScope per) {
  switch (per) {
    case puckdrop::v1::SESSION_SCOPE_RUN:
      return "run";
    case puckdrop::v1::SESSION_SCOPE_CUSTOMER:
      return absl::StrCat("customer\n", actor.session_scope, "\n", actor.email);
    default:
      return absl::StrCat("device\n", actor.session_scope, "\n", actor.email, "\n", actor.device.instance_id());
  }
}

}  // namespace

SessionState& Operations::Impl::StateOf(const Run& run, const Plan::Session& session) {
  return sessions[absl::StrCat(session.name(), "\n", ScopeKey(run.actor, session.per()))];
}

bool Operations::Impl::HasSession(const Run& run, const Plan::Session* session) {
  if (session == nullptr) return false;
  const SessionState& state = StateOf(run, *session);
  const bool opening = std::find(run.opening.begin(), run.opening.end(), session->name()) != run.opening.end();
  if (!state.open && !opening) return false;
  if (session->has_read() && state.value == "null") return false;
  run.scope->Set("session", state.value);
  return true;
}

awaitable<bool> Operations::Impl::EnsureSession(Run& run, const std::string& name) {
  const auto found = compiled.sessions.find(name);
  if (found == compiled.sessions.end()) co_return true;
  const Plan::Session& session = *found->second;
  if (std::find(run.opening.begin(), run.opening.end(), name) != run.opening.end()) co_return true;
  SessionState& state = StateOf(run, session);
  while (!state.open && state.opening) {
    auto waiter = std::make_shared<runtime::OneShot>();
    state.waiters.push_back(waiter);
    std::function<void()> wake = [waiter] { waiter->Set(); };
    const bool bounded = run.options.deadline < absl::InfiniteFuture();
    const uint64_t timer = bounded ? ports.loop.CallAt(ports.clock, run.options.deadline, wake) : 0;
    absl::Status waited = co_await waiter->Wait();
    if (bounded) ports.loop.CancelCall(timer);
    if (!waited.ok()) {
      co_return Stop(run, End::kOurs, FailureKind::kCancelled, "the operation was given up", session.position());
    }
    if (Now() >= run.options.deadline) {
      co_return Stop(run, End::kOurs, FailureKind::kDeadline,
                     absl::StrCat("the session ", name, " was still being opened when the time given ran out"),
                     session.position());
    }
  }
  if (state.open || session.open().empty()) {
    state.open = true;
    co_return true;
  }
  const bool personal = session.per() != puckdrop::v1::SESSION_SCOPE_RUN;
  // A visitor has no account to sign in with: such requests go without.
  if (personal && (run.actor.email.empty() || MakesSession(run.id))) co_return true;
  state.opening = true;
  const bool opened = co_await OpenSession(run, session, state);
  state.opening = false;
  state.open = opened;
  if (opened) ++state.generation;
  std::vector<std::shared_ptr<runtime::OneShot>> waiters;
  waiters.swap(state.waiters);
  for (const auto& waiter : waiters) waiter->Set();
  co_return opened;
}

awaitable<bool> Operations::Impl::OpenSession(Run& run, const Plan::Session& session, SessionState& state) {
  Run opening;
  opening.impl = this;
  opening.id = run.id;
  opening.operation = nullptr;
  opening.actor = run.actor;
  opening.options = run.options;
  opening.options.on_commit = nullptr;
  opening.request_json = run.request_json;
  opening.ended = run.ended;
  opening.raw = run.raw;
  opening.step = run.step;
  opening.steps = run.steps;
  opening.opening = run.opening;
  opening.opening.push_back(session.name());
  // What the customer does and what commits is the operation's, not the signing in on the way.
  const std::vector<std::string> customer_steps = run.ended->customer_steps;
  const std::optional<absl::Time> commit_time = run.ended->commit_time;
  if (!co_await Prepare(opening)) co_return false;
  const bool went_well = co_await RunSteps(opening, session.open());
  run.ended->customer_steps = customer_steps;
  run.ended->commit_time = commit_time;
  if (!went_well) co_return false;
  if (session.has_read() && state.value == "null") {
    co_return Stop(
        opening, End::kUnreadable, FailureKind::kNull,
        absl::StrCat("after opening, `read: ", session.read().program(), "` has found nothing in any answer"),
        session.read().position());
  }
  co_return true;
}

void Operations::Impl::Forget(const Actor& actor) {
  for (const auto per : {puckdrop::v1::SESSION_SCOPE_CUSTOMER, puckdrop::v1::SESSION_SCOPE_DEVICE}) {
    const std::string key = ScopeKey(actor, per);
    for (auto& [name, state] : sessions) {
      if (!absl::EndsWith(name, absl::StrCat("\n", key)) || state.opening) continue;
      state.open = false;
      state.value = "null";
      ++state.generation;
    }
  }
  for (const auto& [host, unused] : compiled.hosts) {
    jars.Forget(host, actor.email, actor.session_scope);
    jars.Forget(host, actor.email, absl::StrCat(actor.device.instance_id(), "\n", actor.session_scope));
  }
}

}  // namespace puckdrop::target
