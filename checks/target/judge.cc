// What an answer means: sessions, refusals, faults, and what is read from it, in one evaluation.
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "checks/target/interpreter.h"
#include "checks/target/message_json.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

}  // namespace

// What the session says of the answer. `read` is looked at after every answer, so failing on one that holds nothing is
// not an error.
Verdict Operations::Impl::Reading(Run& run, const Outgoing& out, const ExprResults& results) {
  const Plan::Session* session = out.plan_session;
  if (session == nullptr) return Verdict::kOn;
  SessionState& state = StateOf(run, *session);
  if (session->has_read()) {
    const ExprResult& read = results.Of(compiled.Of(session->read()));
    if (read.ok() && read.values.size() == 1 && read.values[0] != "null" && read.values[0] != state.value) {
      state.value = read.values[0];
      const json value = json::parse(state.value, nullptr, /*allow_exceptions=*/false);
      const std::string text = value.is_string() ? value.get<std::string>() : state.value;
      if (hidden.insert(text).second) ports.redactor.AddSecret(text, "session");
      // Signing up and in opens it in passing.
      if (run.opening.empty() && !state.open && !state.opening) {
        state.open = true;
        ++state.generation;
      }
    }
  }
  const bool opening = std::find(run.opening.begin(), run.opening.end(), session->name()) != run.opening.end();
  if (opening || !state.open) return Verdict::kOn;
  const bool lost =
      session->has_lost() ? results.Of(compiled.Of(session->lost())).is_true() : run.scope->answer()->status == 401;
  return lost ? Verdict::kSessionLost : Verdict::kOn;
}

bool Operations::Impl::RefusedByPlan(Run& run, const puckdrop::v1::Expression& expression, const ExprResults& results,
                                     bool& refused) {
  const Expr& expr = compiled.Of(expression);
  const ExprResult& result = results.Of(expr);
  const Answer* answer = run.scope->answer().get();
  refused = false;
  if (!result.ok()) {
    // A page or a broken answer holds no refusal that this expression could read; whose fault that is, is judged next.
    if (result.failure->kind == jq::FailureKind::kBodyNotJson) return true;
    if (result.failure->kind == jq::FailureKind::kFailed && answer != nullptr &&
        (answer->kind != jq::BodyKind::kJson || answer->status >= 400)) {
      return true;
    }
    return Stop(run, ExpressionProblem(expr, result, answer));
  }
  if (result.is_nothing() || (result.values.size() == 1 && result.values[0] == "false")) return true;
  if (result.values.size() != 1) return Stop(run, ExpressionProblem(expr, result, answer));
  const json value = json::parse(result.values[0], nullptr, /*allow_exceptions=*/false);
  v1::Refusal refusal;
  std::set<std::string> told;
  const Put put = PutMessage(refusal, value, "", told);
  if (!put.status.ok()) {
    return Stop(run, End::kUnreadable, put.missing ? FailureKind::kMissing : FailureKind::kType,
                absl::StrCat("`refused` gives a refusal that ", put.status.message()), expr.position);
  }
  if (answer != nullptr && !refusal.has_retry_after() && answer->retry_after) {
    refusal.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(*answer->retry_after));
  }
  refused = true;
  return Refuse(run, std::move(refusal));
}

awaitable<Verdict> Operations::Impl::Judge(Run& run, const Plan::Step& step, const Outgoing& out, bool last,
                                           bool& until_true, std::optional<std::string>& next_page,
                                           std::string& items) {
  const std::shared_ptr<const Answer> answer = run.scope->answer();
  const bool paged = last && run.returns_wanted && run.operation->has_pages();
  const bool returns = last && run.returns_wanted && !paged && !step.has_until() && !step.has_each() &&
                       ReturnsMayComeWith(*run.operation);
  const puckdrop::v1::Expression* refused_by = step.has_refused()             ? &step.refused()
                                               : out.plan_host->has_refused() ? &out.plan_host->refused()
                                                                              : nullptr;
  std::vector<const Expr*> exprs, reads;
  if (out.plan_session != nullptr) {
    if (out.plan_session->has_read()) exprs.push_back(&compiled.Of(out.plan_session->read()));
    if (out.plan_session->has_lost()) exprs.push_back(&compiled.Of(out.plan_session->lost()));
  }
  if (refused_by != nullptr) exprs.push_back(&compiled.Of(*refused_by));
  if (step.has_expect()) reads.push_back(&compiled.Of(step.expect()));
  if (step.has_until()) reads.push_back(&compiled.Of(step.until().is()));
  if (paged) {
    reads.push_back(&compiled.Of(run.operation->pages().items()));
    reads.push_back(&compiled.Of(run.operation->pages().next()));
  }
  CollectSaved(step, reads);
  if (returns) CollectReturns(run.operation->returns(), reads);
  exprs.insert(exprs.end(), reads.begin(), reads.end());
  ExprResults results;
  if (!co_await Evaluate(run, exprs, results)) co_return Verdict::kStop;

  const Verdict session = Reading(run, out, results);
  if (session != Verdict::kOn) co_return session;
  if (refused_by != nullptr) {
    bool refused = false;
    if (!RefusedByPlan(run, *refused_by, results, refused) || refused) co_return Verdict::kStop;
  }

  const bool good_status = answer->status >= 200 && answer->status < 400;
  bool expected = false;
  if (step.has_expect()) {
    const Expr& expect = compiled.Of(step.expect());
    const ExprResult& result = results.Of(expect);
    expected = result.is_true();
    if (!expected && good_status) {
      if (!result.ok() || result.values.size() != 1) {
        Stop(run, ExpressionProblem(expect, result, answer.get()));
      } else {
        Stop(run, End::kFault, FailureKind::kExpectation,
             absl::StrCat(out.request.method, " answered ", answer->status, ", and `expect: ", expect.text,
                          "` is false"),
             expect.position, out.host);
      }
      co_return Verdict::kStop;
    }
  }
  if (!expected && !good_status) {
    if (auto refusal = DefaultRefusal(*answer)) {
      if (answer->status == 429) co_return Verdict::kTryLater;
      Refuse(run, *std::move(refusal));
      co_return Verdict::kStop;
    }
    Stop(run, End::kFault, FailureKind::kStatus,
         absl::StrCat(out.request.method, " answered ", answer->status, " (", answer->ContentWords(), ")"),
         out.position, out.host);
    co_return Verdict::kStop;
  }

  // A page with status 200 where the plan reads JSON: `?` and `//` in an expression would hide it.
  if (answer->kind == jq::BodyKind::kText && !answer->body->empty()) {
    for (const Expr* expr : reads) {
      if (!expr->indexes_body) continue;
      Stop(run, End::kFault, FailureKind::kContent,
           absl::StrCat(out.request.method, " answered ", answer->status, " with ", answer->ContentWords(),
                        " where the plan reads JSON (`", expr->text.substr(0, 60), "`)"),
           expr->position, out.host);
      co_return Verdict::kStop;
    }
  }
  if (step.has_until()) {
    const Expr& is = compiled.Of(step.until().is());
    const ExprResult& result = results.Of(is);
    if (!result.ok() || result.values.size() != 1) {
      Stop(run, ExpressionProblem(is, result, answer.get()));
      co_return Verdict::kStop;
    }
    until_true = result.is_true();
    if (!until_true) co_return Verdict::kOn;
  }
  if (!Save(run, step, results)) co_return Verdict::kStop;
  if (paged && !NextPage(run, run.operation->pages(), results, next_page, items)) co_return Verdict::kStop;
  if (returns) {
    run.returns = std::move(results);
    run.returns_ready = true;
  }
  co_return Verdict::kOn;
}

}  // namespace puckdrop::target
