// Steps: conditions, repetitions, fragments, and what is saved.
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/plan/template.h"
#include "checks/target/interpreter.h"

namespace puckdrop::target {
namespace {

constexpr int kDeepestUse = 16;
constexpr size_t kMostEach = 1000;

}  // namespace

awaitable<bool> Operations::Impl::Evaluate(Run& run, const std::vector<const Expr*>& exprs, ExprResults& results) {
  std::optional<Problem> problem = co_await run.scope->Evaluate(ports.loop, ports.expressions, exprs, results);
  if (problem) co_return Stop(run, *problem);
  co_return true;
}

awaitable<bool> Operations::Impl::RunSteps(Run& run, const google::protobuf::RepeatedPtrField<Plan::Step>& steps) {
  const bool resumes = run.resumes != nullptr;
  run.frames.emplace_back();
  for (int i = resumes ? run.resumes->frames[run.frames.size() - 1].step : 0; i < steps.size(); ++i) {
    run.frames.back().step = i;
    if (run.depth == 0 && run.opening.empty()) run.step = i + 1;
    if (Now() >= run.options.deadline) {
      co_return Stop(run, End::kOurs, FailureKind::kDeadline, "the time given to the operation ran out",
                     steps[i].position());
    }
    const bool last = run.depth == 0 && i + 1 == steps.size();
    if (!co_await DoStep(run, steps[i], last)) co_return false;
  }
  run.frames.pop_back();
  co_return true;
}

awaitable<bool> Operations::Impl::DoStep(Run& run, const Plan::Step& step, bool last) {
  if (run.resumes != nullptr && run.frames.size() == run.resumes->frames.size()) {
    run.scope->Restore(run.resumes->saved);
    run.resumes = nullptr;
  }
  if (!step.has_each()) co_return co_await DoOnce(run, step, last);
  const Expr& each = compiled.Of(step.each());
  ExprResults results;
  std::vector<const Expr*> exprs{&each};
  if (!co_await Evaluate(run, exprs, results)) co_return false;
  const ExprResult& items = results.Of(each);
  if (!items.ok()) co_return Stop(run, ExpressionProblem(each, items, run.scope->answer().get()));
  ++run.each_steps;
  if (items.values.empty()) ++run.each_empty;
  if (items.values.size() > kMostEach) {
    co_return Stop(run, End::kOurs, FailureKind::kLocal,
                   absl::StrCat("`each` gave ", items.values.size(), " items, more than ", kMostEach),
                   step.each().position());
  }
  const std::optional<std::string> outer = run.scope->Saved("each");
  const bool in_each = std::exchange(run.in_each, true);
  for (const std::string& item : items.values) {
    run.scope->Set("each", item);
    if (!co_await DoOnce(run, step, false)) co_return false;
  }
  run.in_each = in_each;
  outer ? run.scope->Set("each", *outer) : run.scope->Unset("each");
  co_return true;
}

awaitable<bool> Operations::Impl::DoOnce(Run& run, const Plan::Step& step, bool last) {
  // A step that is only passed through on the way to the one that commits has begun already.
  const bool passing = run.resumes != nullptr;
  if (step.has_when() && !passing) {
    const Expr& when = compiled.Of(step.when());
    ExprResults results;
    std::vector<const Expr*> exprs{&when};
    if (!co_await Evaluate(run, exprs, results)) co_return false;
    const ExprResult& result = results.Of(when);
    if (!result.ok() || result.values.size() != 1) {
      co_return Stop(run, ExpressionProblem(when, result, run.scope->answer().get()));
    }
    if (!result.is_true()) co_return true;
  }
  if (step.commit() && !run.in_each && run.opening.empty() && !run.is_undo && run.ended->commit_point == nullptr) {
    auto point = std::make_shared<CommitPoint>();
    point->operation = run.id;
    point->frames = run.frames;
    point->saved = run.scope->Save();
    run.ended->commit_point = std::move(point);
  }
  if (!step.customer_does().empty() && !passing) run.ended->customer_steps.push_back(step.customer_does());

  absl::Duration every, whole;
  if (step.has_until()) {
    every = absl::Seconds(step.until().every().seconds()) + absl::Nanoseconds(step.until().every().nanos());
    whole = absl::Seconds(step.until().for_().seconds()) + absl::Nanoseconds(step.until().for_().nanos());
    every = std::max(every, absl::Milliseconds(10));
  }
  const absl::Time give_up = Now() + whole;
  for (;;) {
    bool until_true = !step.has_until();
    if (step.has_http() || step.has_submit()) {
      if (!co_await DoExchange(run, step, last, until_true)) co_return false;
    } else {
      if (step.has_use() && !co_await DoUse(run, step)) co_return false;
      if (!co_await JudgeLast(run, step, until_true)) co_return false;
    }
    if (until_true) co_return true;
    const absl::Time again = Now() + every;
    if (again > give_up) {
      const auto& answer = run.scope->answer();
      co_return Stop(
          run, End::kFault, FailureKind::kUntil,
          absl::StrCat("`", step.until().is().program(), "` did not come true in ", absl::FormatDuration(whole),
                       answer ? absl::StrCat("; the last answer was ", answer->status) : ""),
          step.until().is().position());
    }
    const absl::Time until = std::min(again, run.options.deadline);
    absl::Status slept = co_await ports.loop.SleepUntil(ports.clock, until);
    if (!slept.ok()) {
      co_return Stop(run, End::kOurs, FailureKind::kCancelled, "the operation was given up", step.position());
    }
    if (Now() >= run.options.deadline) {
      co_return Stop(
          run, End::kOurs, FailureKind::kDeadline,
          absl::StrCat("the time given to the operation ran out before `", step.until().is().program(), "` came true"),
          step.until().is().position());
    }
  }
}

awaitable<bool> Operations::Impl::DoUse(Run& run, const Plan::Step& step) {
  if (run.depth >= kDeepestUse) {
    co_return Stop(run, End::kOurs, FailureKind::kLocal, "fragments use each other more than 16 deep", step.position());
  }
  if (run.resumes != nullptr) {
    const CommitPoint::Frame& frame = run.resumes->frames[run.frames.size() - 1];
    const auto fragment = compiled.fragments.find(frame.fragment);
    if (fragment == compiled.fragments.end()) {
      co_return Stop(run, End::kOurs, FailureKind::kLocal, "the point to begin from is another plan's",
                     step.position());
    }
    const bool entered = co_await Enter(run, *fragment->second, frame.outer);
    co_return entered;
  }
  std::vector<const Expr*> exprs;
  CollectHoles(compiled, step.use(), exprs);
  for (const auto& argument : step.with()) CollectHoles(compiled, argument.value(), exprs);
  ExprResults results;
  if (!co_await Evaluate(run, exprs, results)) co_return false;
  std::optional<Problem> problem;
  const auto name = RenderText(compiled, step.use(), results, Encoding::kNone, problem);
  const auto found = name ? compiled.fragments.find(*name) : compiled.fragments.end();
  if (!problem && found == compiled.fragments.end()) {
    co_return Stop(run, End::kUnreadable, FailureKind::kExpression,
                   absl::StrCat("there is no fragment \"", name.value_or(""), "\""), step.position());
  }
  const SecretValueOf secret = [&](const puckdrop::v1::Secret& one, std::optional<Problem>& trouble) {
    return Secret(one, "", trouble);
  };
  OuterNames outer;
  std::vector<std::pair<std::string, std::string>> arguments;
  for (const auto& argument : step.with()) {
    if (problem) break;
    const auto value = RenderValue(compiled, argument.value(), results, secret, problem);
    arguments.emplace_back(argument.name(), value.value_or("null"));
  }
  if (problem) co_return Stop(run, *problem);
  for (auto& [argument, value] : arguments) {
    outer.emplace_back(argument, run.scope->Saved(argument));
    run.scope->Set(argument, std::move(value));
  }
  const bool entered = co_await Enter(run, *found->second, std::move(outer));
  co_return entered;
}

awaitable<bool> Operations::Impl::Enter(Run& run, const Plan::Fragment& fragment, OuterNames outer) {
  run.frames.back().fragment = fragment.name();
  run.frames.back().outer = outer;
  ++run.depth;
  const bool went_well = co_await RunSteps(run, fragment.steps());
  --run.depth;
  if (went_well) run.frames.back().fragment.clear();
  for (const auto& [argument, value] : outer) {
    value ? run.scope->Set(argument, *value) : run.scope->Unset(argument);
  }
  co_return went_well;
}

void Operations::Impl::CollectSaved(const Plan::Step& step, std::vector<const Expr*>& out) const {
  for (const auto& one : step.save()) out.push_back(&compiled.Of(one.value()));
  for (const auto& one : step.keep()) out.push_back(&compiled.Of(one.value()));
  for (const auto& one : step.hide()) out.push_back(&compiled.Of(one.value()));
}

bool Operations::Impl::Save(Run& run, const Plan::Step& step, const ExprResults& results) {
  const auto take = [&](const puckdrop::v1::NamedExpression& one, absl::string_view what, std::string& value) {
    const Expr& expr = compiled.Of(one.value());
    const ExprResult& result = results.Of(expr);
    if (!result.ok() || result.values.size() != 1) {
      return Stop(run, ExpressionProblem(expr, result, run.scope->answer().get()));
    }
    if (result.values[0] == "null") {
      return Stop(run, End::kUnreadable, FailureKind::kNull,
                  absl::StrCat("`", what, ": ", one.name(), "` is null: `", expr.text, "` finds nothing in the answer"),
                  expr.position);
    }
    value = result.values[0];
    if (!run.raw->empty()) run.raw->back().saved.push_back(one.name());
    return true;
  };
  std::string value;
  for (const auto& one : step.hide()) {
    if (!take(one, "hide", value)) return false;
    const auto parsed = nlohmann::json::parse(value, nullptr, false);
    const std::string text = parsed.is_string() ? parsed.get<std::string>() : value;
    if (hidden.insert(text).second) ports.redactor.AddSecret(text, one.name());
    run.scope->Set(one.name(), value);
  }
  for (const auto& one : step.save()) {
    if (!take(one, "save", value)) return false;
    run.scope->Set(one.name(), value);
  }
  for (const auto& one : step.keep()) {
    if (!take(one, "keep", value)) return false;
    if (run.scope->journey() != nullptr) run.scope->journey()->kept[one.name()] = value;
  }
  return true;
}

awaitable<bool> Operations::Impl::JudgeLast(Run& run, const Plan::Step& step, bool& until_true) {
  std::vector<const Expr*> exprs;
  if (step.has_expect()) exprs.push_back(&compiled.Of(step.expect()));
  if (step.has_refused()) exprs.push_back(&compiled.Of(step.refused()));
  if (step.has_until()) exprs.push_back(&compiled.Of(step.until().is()));
  CollectSaved(step, exprs);
  if (exprs.empty()) co_return true;
  ExprResults results;
  if (!co_await Evaluate(run, exprs, results)) co_return false;
  const Answer* answer = run.scope->answer().get();
  if (step.has_refused()) {
    bool refused = false;
    if (!RefusedByPlan(run, step.refused(), results, refused) || refused) co_return false;
  }
  if (step.has_expect()) {
    const Expr& expect = compiled.Of(step.expect());
    const ExprResult& result = results.Of(expect);
    if (!result.ok() || result.values.size() != 1) co_return Stop(run, ExpressionProblem(expect, result, answer));
    if (!result.is_true()) {
      co_return Stop(run, End::kFault, FailureKind::kExpectation, absl::StrCat("`expect: ", expect.text, "` is false"),
                     expect.position);
    }
  }
  if (step.has_until()) {
    const Expr& is = compiled.Of(step.until().is());
    const ExprResult& result = results.Of(is);
    if (!result.ok() || result.values.size() != 1) co_return Stop(run, ExpressionProblem(is, result, answer));
    until_true = result.is_true();
    if (!until_true) co_return true;
  }
  co_return Save(run, step, results);
}

}  // namespace puckdrop::target
