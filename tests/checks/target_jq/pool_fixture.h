#ifndef PUCKDROP_TESTS_CHECKS_TARGET_JQ_POOL_FIXTURE_H_
#define PUCKDROP_TESTS_CHECKS_TARGET_JQ_POOL_FIXTURE_H_

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/target/jq/pool.h"

namespace puckdrop::jq {

// A pool over programs added one by one; the pool begins with the first evaluation.
class PoolTest : public ::testing::Test {
 protected:
  ProgramId Add(const std::string& text, Scope scope = Scope::kContext) {
    Program program;
    program.text = text;
    program.scope = scope;
    program.names = {"cart"};
    return set_->Add(std::move(program));
  }

  ExpressionPool& pool() {
    if (!pool_) pool_ = std::make_unique<ExpressionPool>(loop_.get_executor(), set_, options_);
    return *pool_;
  }

  // Runs all requests at once and returns their results in order.
  std::vector<absl::StatusOr<EvaluationResult>> RunAll(std::vector<EvaluationRequest> requests) {
    std::vector<std::optional<absl::StatusOr<EvaluationResult>>> results(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      boost::asio::co_spawn(loop_, One(&pool(), std::move(requests[i]), &results[i]), boost::asio::detached);
    }
    RunUntil([&] {
      for (const auto& result : results) {
        if (!result) return false;
      }
      return true;
    });
    std::vector<absl::StatusOr<EvaluationResult>> out;
    for (auto& result : results)
      out.push_back(result ? *std::move(result) : absl::DeadlineExceededError("the test waited too long"));
    return out;
  }

  absl::StatusOr<EvaluationResult> Run(EvaluationRequest request) {
    std::vector<EvaluationRequest> one;
    one.push_back(std::move(request));
    return std::move(RunAll(std::move(one))[0]);
  }

  template <typename Predicate>
  void RunUntil(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(300);
    loop_.restart();
    while (!predicate() && std::chrono::steady_clock::now() < deadline)
      loop_.run_one_for(std::chrono::milliseconds(100));
  }

  static EvaluationRequest Json(std::vector<ProgramId> programs, const std::string& body, std::string context = "{}") {
    EvaluationRequest request;
    request.programs = std::move(programs);
    request.context = std::move(context);
    request.body_kind = BodyKind::kJson;
    request.body = std::make_shared<const std::string>(body);
    return request;
  }

  // "1,2" for the values 1 and 2, "!KIND message" for a failure.
  static std::string Text(const ProgramOutcome& outcome) {
    if (outcome.failure)
      return std::string("!") + FailureKindName(outcome.failure->kind) + " " + outcome.failure->message;
    std::string text;
    for (const std::string& value : outcome.values) text += (text.empty() ? "" : ",") + value;
    return text;
  }

  // One program over one JSON body, in a pool of its own.
  std::string Eval(const std::string& program, const std::string& body = "null", const std::string& context = "{}") {
    set_ = std::make_shared<ProgramSet>();
    pool_.reset();
    const ProgramId id = Add(program);
    const auto result = Run(Json({id}, body, context));
    if (!result.ok()) return std::string(result.status().ToString());
    return Text(result->outcomes[0]);
  }

  // Many programs over one input in one pool.
  std::vector<std::string> EvalAll(const std::vector<std::string>& programs, const std::string& body = "null",
                                   const std::string& context = "{}") {
    set_ = std::make_shared<ProgramSet>();
    pool_.reset();
    EvaluationRequest request = Json({}, body, context);
    for (const std::string& program : programs) request.programs.push_back(Add(program));
    const auto result = Run(std::move(request));
    if (!result.ok()) return {std::string(result.status().ToString())};
    std::vector<std::string> out;
    for (const ProgramOutcome& outcome : result->outcomes) out.push_back(Text(outcome));
    return out;
  }

  boost::asio::io_context loop_{1};
  std::shared_ptr<ProgramSet> set_ = std::make_shared<ProgramSet>();
  PoolOptions options_;
  std::unique_ptr<ExpressionPool> pool_;

 private:
  static boost::asio::awaitable<void> One(ExpressionPool* pool, EvaluationRequest request,
                                          std::optional<absl::StatusOr<EvaluationResult>>* out) {
    *out = co_await pool->Evaluate(std::move(request));
  }
};

}  // namespace puckdrop::jq

#endif  // PUCKDROP_TESTS_CHECKS_TARGET_JQ_POOL_FIXTURE_H_
