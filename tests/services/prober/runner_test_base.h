// Runs a CheckRunner over scripted checks and collects what it sends.
#ifndef PUCKDROP_TESTS_SERVICES_PROBER_RUNNER_TEST_BASE_H_
#define PUCKDROP_TESTS_SERVICES_PROBER_RUNNER_TEST_BASE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "services/prober/check_runner.h"
#include "services/runtime/proto_time.h"
#include "tests/services/prober/scripted.h"

namespace puckdrop::prober {

class CollectingSink final : public EventSink {
 public:
  std::vector<v1::RunChecksEvent> events;
  absl::Status room;
  void Push(v1::RunChecksEvent event) override { events.push_back(std::move(event)); }
  awaitable<absl::Status> Room() override { co_return room; }
};

class RunnerTest : public ::testing::Test {
 protected:
  CheckDefinition& Add(const std::string& id, std::vector<JudgeFunction> script) {
    checks_.push_back(ScriptedCheck(id, std::move(script)));
    request_.add_checks(id);
    return checks_.back();
  }
  void Earlier(const std::string& check, v1::Outcome outcome, const std::string& blocked_by = "") {
    v1::EarlierResult* earlier = request_.add_earlier();
    earlier->set_check(check);
    earlier->set_outcome(outcome);
    earlier->set_blocked_by(blocked_by);
  }
  RunnerParts Parts() {
    RunnerParts parts;
    parts.loop = &loop_;
    parts.clock = &clock_;
    parts.plan = &plan_;
    parts.operations = &port_;
    parts.obligations = &obligations_;
    parts.checks = &checks_;
    parts.find_check = [this](const std::string& id) -> const CheckDefinition* {
      for (const CheckDefinition& check : checks_) {
        if (check.info.id == id) return &check;
      }
      return nullptr;
    };
    parts.path = path_;
    parts.vantage = "helsinki";
    parts.account_counter = &accounts_;
    parts.retry_pause = absl::ZeroDuration();
    return parts;
  }
  runtime::Task<absl::Status> Start() {
    request_.set_run("r1");
    request_.set_customer("living-room");
    request_.set_stage(v1::STAGE_VISITOR);
    request_.set_plan_digest("d1");
    runner_ = std::make_unique<CheckRunner>(Parts(), request_, deadline_);
    return loop_.Spawn(runner_->Run(sink_));
  }
  absl::Status Run() { return Start().Get(); }

  // The result of a check; a test failure and an empty one when there is not exactly one.
  v1::Result ResultOf(const std::string& check) const {
    v1::Result found;
    int count = 0;
    for (const v1::RunChecksEvent& event : sink_.events) {
      if (event.has_result() && event.result().check() == check) {
        found = event.result();
        ++count;
      }
    }
    EXPECT_EQ(count, 1) << "results of " << check;
    return found;
  }
  std::vector<std::string> ResultOrder() const {
    std::vector<std::string> order;
    for (const v1::RunChecksEvent& event : sink_.events) {
      if (event.has_result()) order.push_back(event.result().check());
    }
    return order;
  }
  std::vector<std::string> FactNames() const {
    std::vector<std::string> names;
    for (const v1::RunChecksEvent& event : sink_.events) {
      if (event.has_fact()) names.push_back(event.fact().name());
    }
    return names;
  }
  // Moves the clock by `step` whenever somebody sleeps, until the task has ended.
  void AdvanceUntilDone(runtime::Task<absl::Status>& task, absl::Duration step) {
    for (int i = 0; i < 100000 && !task.done(); ++i) {
      if (clock_.sleepers() > 0) clock_.Advance(step);
      absl::SleepFor(absl::Milliseconds(1));
    }
    ASSERT_TRUE(task.done());
  }

  runtime::FakeClock clock_;
  v1::Plan plan_ = ScriptedPlan();
  ScriptedPort port_;
  ScriptedObligations obligations_;
  std::vector<CheckDefinition> checks_;
  v1::Path path_ = v1::PATH_ORDERING;
  v1::RunChecksRequest request_;
  absl::Time deadline_ = clock_.Now() + absl::Hours(1);
  int accounts_ = 0;
  CollectingSink sink_;
  runtime::EventLoop loop_;
  std::unique_ptr<CheckRunner> runner_;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_TESTS_SERVICES_PROBER_RUNNER_TEST_BASE_H_
