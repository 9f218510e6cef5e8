#include "services/readiness/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "google/protobuf/any.pb.h"
#include "tests/services/readiness/fake_prober.h"
#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class WalkTest : public ::testing::Test {
 protected:
  WalkTest() {
    char name[] = "/tmp/puckdrop-walk-XXXXXX";
    base_ = mkdtemp(name);
    store_ = std::move(*Store::Open(base_ + "/state", clock_));
    for (int path = v1::PATH_ORDERING; path <= v1::PATH_BILLING; ++path) {
      const auto p = static_cast<v1::Path>(path);
      fakes_[p] = std::make_unique<FakeProber>(p, loop_, log_);
      probers_[p] = fakes_[p].get();
    }
  }
  ~WalkTest() override {
    loop_.Stop();
    store_.reset();
    std::filesystem::remove_all(base_);
  }

  FakeProber& prober(v1::Path path) { return *fakes_.at(path); }

  WalkRequest Request(const std::string& run, const v1::Selection& selection = {}) {
    WalkRequest request;
    request.run = run;
    request.journeys = PlanJourneys(subject_, *Select(ExpectedInstances(subject_), selection));
    request.limits = ShareLimits(subject_, request.journeys);
    request.deadline = clock_.Now() + absl::Seconds(30);
    request.settle_within = absl::Seconds(5);
    request.vantage = "local";
    return request;
  }

  static v1::Selection Only(const std::string& customer) {
    v1::Selection selection;
    selection.add_customers(customer);
    return selection;
  }

  static awaitable<WalkOutcome> RunOne(Walk& walk) {
    WalkOutcome outcome = co_await walk.Run();
    co_return outcome;
  }

  WalkOutcome Run(WalkRequest request, WalkEvents events = {}) {
    EXPECT_TRUE(store_->ClaimRun(request.run).ok());
    const std::string run = request.run;
    Walk walk(loop_, clock_, *store_, std::make_shared<const Subject>(subject_), probers_, std::move(request),
              std::move(events));
    WalkOutcome outcome = loop_.Spawn(RunOne(walk)).Get();
    store_->ReleaseRun(run);
    return outcome;
  }

  static const v1::Result& Find(const WalkOutcome& outcome, const std::string& check,
                                const std::string& customer = "sofa") {
    for (const v1::Result& result : outcome.results) {
      if (result.check() == check && result.customer() == customer) return result;
    }
    ADD_FAILURE() << check << " for " << customer;
    static const v1::Result none;
    return none;
  }

  v1::Obligation Owing(const std::string& owner, const std::string& customer, const std::string& path = "ordering") {
    v1::Obligation obligation;
    obligation.set_launch("liiga");
    obligation.set_operation("ordering.place_order");
    obligation.set_customer(customer);
    obligation.set_account("pd-" + owner + "-" + customer + "-1@pilot.invalid");
    obligation.set_idempotency_key("key");
    obligation.set_path(path);
    obligation.set_owner(owner);
    return obligation;
  }

  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  std::string base_;
  std::unique_ptr<Store> store_;
  Subject subject_ = MakeSubject();
  FakeLog log_;
  std::map<v1::Path, std::unique_ptr<FakeProber>> fakes_;
  Probers probers_;
};

TEST_F(WalkTest, WalksACustomerThroughTheStagesInOrder) {
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  ASSERT_EQ(log_.calls.size(), 7u);
  EXPECT_EQ(log_.calls[0], "sofa visitor ordering: offer_visible order_completes");
  EXPECT_THAT((std::vector<std::string>{log_.calls[1], log_.calls[2]}),
              UnorderedElementsAre("sofa subscriber playback: cold_start", "sofa subscriber billing: charged_once"));
  EXPECT_EQ(log_.calls[3], "sofa subscriber device_support: concurrent_streams");
  EXPECT_EQ(log_.calls[4], "sofa subscriber cancellation: takes_effect");
  EXPECT_EQ(log_.calls[5], "sofa leaver cancellation: access_until_end");
  EXPECT_EQ(log_.calls[6], "sofa leaver billing: no_charge_after");
  EXPECT_EQ(outcome.results.size(), 8u);
  for (const v1::Result& result : outcome.results) {
    EXPECT_EQ(result.outcome(), v1::OUTCOME_PASSED);
    EXPECT_EQ(result.run(), "run-a");
    EXPECT_EQ(result.vantage(), "local");
  }
  EXPECT_THAT(outcome.causes, IsEmpty());
}

TEST_F(WalkTest, FactsOfParallelPathsAreUnitedAndTravelOn) {
  for (const v1::Path path : {v1::PATH_ORDERING, v1::PATH_PLAYBACK, v1::PATH_BILLING}) {
    prober(path).facts = [path](const v1::RunChecksRequest& request) {
      v1::Fact mine, foreign;
      mine.set_name(PathName(path) + ".order");
      mine.set_customer(request.customer());
      foreign.set_name("cancellation.forged");
      foreign.set_customer(request.customer());
      return std::vector<v1::Fact>{mine, foreign};
    };
  }
  Run(Request("run-a", Only("sofa")));
  std::vector<std::string> names;
  for (const v1::Fact& fact : prober(v1::PATH_CANCELLATION).requests[0].facts()) names.push_back(fact.name());
  EXPECT_THAT(names, ElementsAre("billing.order", "ordering.order", "playback.order"))
      << "a path writes under its own name only";
  std::vector<std::string> earlier;
  for (const v1::EarlierResult& result : prober(v1::PATH_DEVICE_SUPPORT).requests[0].earlier()) {
    earlier.push_back(result.check());
  }
  EXPECT_THAT(earlier, Contains("ordering.order_completes"));
}

TEST_F(WalkTest, WhatStandsOnAFailureIsToldSoAcrossProbers) {
  prober(v1::PATH_ORDERING).judge = [](const std::string& check, const v1::RunChecksRequest&) {
    v1::Result result;
    if (check == "ordering.order_completes") {
      result.set_outcome(v1::OUTCOME_FAILED);
      result.set_confirmed(true);
      result.set_summary("the order never became active");
    }
    return result;
  };
  for (const v1::Path path : {v1::PATH_PLAYBACK, v1::PATH_BILLING, v1::PATH_DEVICE_SUPPORT, v1::PATH_CANCELLATION}) {
    prober(path).judge = [](const std::string&, const v1::RunChecksRequest& request) {
      v1::Result result;
      for (const v1::EarlierResult& earlier : request.earlier()) {
        if (earlier.outcome() == v1::OUTCOME_FAILED && earlier.confirmed()) {
          result.set_outcome(v1::OUTCOME_BLOCKED);
          result.set_blocked_by(earlier.check());
        }
      }
      return result;
    };
  }
  const WalkOutcome outcome = Run(Request("run-a"));
  VerdictInput input = InputOf(subject_, ExpectedInstances(subject_), false);
  input.results = outcome.results;
  input.now = clock_.Now();
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_NO_GO);
  EXPECT_THAT(verdict.why(), HasSubstr("ordering: the order never became active"));
  int roots = 0;
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    roots += instance.standing() == v1::STANDING_FAILED && instance.root().empty();
  }
  EXPECT_EQ(roots, 2) << "one red tile for each customer";
}

TEST_F(WalkTest, AProberThatCannotBeReachedLeavesItsChecksUnknown) {
  prober(v1::PATH_BILLING).before = [](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
    co_return absl::UnavailableError("connection refused");
  };
  probers_.erase(v1::PATH_PLAYBACK);
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  EXPECT_EQ(Find(outcome, "billing.charged_once").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(Find(outcome, "billing.charged_once").summary(),
            "the billing prober cannot be reached: connection refused");
  EXPECT_EQ(Find(outcome, "playback.cold_start").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(Find(outcome, "ordering.order_completes").outcome(), v1::OUTCOME_PASSED);
}

TEST_F(WalkTest, AStreamThatEndsWithoutDoneLeavesTheRestUnknown) {
  prober(v1::PATH_ORDERING).done = false;
  prober(v1::PATH_ORDERING).results_before_end = 1;
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  EXPECT_EQ(Find(outcome, "ordering.offer_visible").outcome(), v1::OUTCOME_PASSED);
  EXPECT_EQ(Find(outcome, "ordering.order_completes").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(Find(outcome, "ordering.order_completes").summary(),
            "the ordering prober ended before it had told all results");
}

TEST_F(WalkTest, SupportingResultsAreMarked) {
  v1::Selection selection = Only("sofa");
  selection.add_checks("billing.charged_once");
  const WalkOutcome outcome = Run(Request("run-a", selection));
  EXPECT_TRUE(Find(outcome, "ordering.order_completes").supporting());
  EXPECT_FALSE(Find(outcome, "billing.charged_once").supporting());
}

TEST_F(WalkTest, FewerPathsRunAtOnceWhenFewerRequestsMayBeInFlight) {
  subject_.plan.mutable_target()->mutable_limits()->set_in_flight(1);
  const WalkOutcome outcome = Run(Request("run-a"));
  EXPECT_EQ(log_.most_at_once, 1u);
  EXPECT_EQ(outcome.results.size(), 16u);
}

TEST_F(WalkTest, OneClockForAllWaitsUntilAllAreThere) {
  subject_.plan.mutable_target()->set_clock(v1::CLOCK_CONTROL_GLOBAL);
  Run(Request("run-a"));
  const auto is_leaver = [](const std::string& call) { return call.find(" leaver ") != std::string::npos; };
  const auto first = std::find_if(log_.calls.begin(), log_.calls.end(), is_leaver);
  ASSERT_NE(first, log_.calls.end());
  EXPECT_TRUE(std::all_of(first, log_.calls.end(), is_leaver));
  EXPECT_THAT(prober(v1::PATH_CANCELLATION).requests.back().companions(), ElementsAre("sofa", "cabin"));
}

TEST_F(WalkTest, UndoesWhatItOwesNewestFirstAndTriesAgain) {
  prober(v1::PATH_ORDERING).before = [this](const v1::RunChecksRequest& request) -> awaitable<absl::Status> {
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(store_->OpenObligation(Owing(request.run(), request.customer())).ok());
    co_return absl::OkStatus();
  };
  prober(v1::PATH_ORDERING).undo = [](const v1::Obligation&, int attempt) { return attempt >= 2; };
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  EXPECT_THAT(log_.settled, ElementsAre("obligations/run-a-2", "obligations/run-a-1"));
  EXPECT_EQ(outcome.settled.settled, 2);
  EXPECT_THAT(outcome.settled.open, IsEmpty());
  EXPECT_TRUE(store_->Owed("")->empty());
}

TEST_F(WalkTest, WhatCannotBeUndoneSaysWhatAPersonMustDo) {
  prober(v1::PATH_ORDERING).before = [this](const v1::RunChecksRequest& request) -> awaitable<absl::Status> {
    EXPECT_TRUE(store_->OpenObligation(Owing(request.run(), request.customer())).ok());
    co_return absl::OkStatus();
  };
  prober(v1::PATH_ORDERING).undo = [](const v1::Obligation&, int) { return false; };
  WalkRequest request = Request("run-a", Only("sofa"));
  request.deadline = clock_.Now() + absl::Seconds(2);
  request.settle_within = absl::Milliseconds(500);
  const WalkOutcome outcome = Run(std::move(request));
  ASSERT_EQ(outcome.settled.open.size(), 1u);
  EXPECT_EQ(outcome.settled.open[0].state(), v1::Obligation::STUCK);
  EXPECT_EQ(outcome.settled.open[0].last_error(), "the office answered 503");
  EXPECT_THAT(outcome.settled.open[0].manual_action(), HasSubstr("pd-run-a-sofa-1@pilot.invalid"));
}

TEST_F(WalkTest, FirstUndoesWhatADeadRunLeftButNotWhatALiveOneOwns) {
  ASSERT_TRUE(store_->ClaimRun("dead").ok());
  ASSERT_TRUE(store_->ClaimRun("alive").ok());
  ASSERT_TRUE(store_->OpenObligation(Owing("dead", "sofa")).ok());
  ASSERT_TRUE(store_->OpenObligation(Owing("alive", "sofa")).ok());
  store_->ReleaseRun("dead");
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  EXPECT_THAT(log_.settled, ElementsAre("obligations/dead-1"));
  EXPECT_EQ(store_->Owed("liiga")->size(), 1u);
}

TEST_F(WalkTest, TwoRunsAtOnceUndoEachItsOwn) {
  prober(v1::PATH_ORDERING).before = [this](const v1::RunChecksRequest& request) -> awaitable<absl::Status> {
    EXPECT_TRUE(store_->OpenObligation(Owing(request.run(), request.customer())).ok());
    co_return absl::OkStatus();
  };
  std::map<std::string, std::string> settled_by;
  ASSERT_TRUE(store_->ClaimRun("run-a").ok());
  ASSERT_TRUE(store_->ClaimRun("run-b").ok());
  prober(v1::PATH_ORDERING).undo = [&](const v1::Obligation& obligation, int) {
    settled_by[obligation.name()] = obligation.owner();
    return true;
  };
  Walk a(loop_, clock_, *store_, subject_, probers_, Request("run-a"), {});
  Walk b(loop_, clock_, *store_, subject_, probers_, Request("run-b"), {});
  auto first = loop_.Spawn(RunOne(a));
  auto second = loop_.Spawn(RunOne(b));
  EXPECT_EQ(first.Get().settled.settled, 2);
  EXPECT_EQ(second.Get().settled.settled, 2);
  for (const auto& [name, owner] : settled_by) EXPECT_THAT(name, HasSubstr("/" + owner + "-"));
  EXPECT_TRUE(store_->Owed("")->empty());
}

TEST_F(WalkTest, CancellingEndsWhatRunsAndStillUndoes) {
  runtime::OneShot never;
  Walk* running = nullptr;
  prober(v1::PATH_ORDERING).before = [&](const v1::RunChecksRequest& request) -> awaitable<absl::Status> {
    EXPECT_TRUE(store_->OpenObligation(Owing(request.run(), request.customer())).ok());
    loop_.Post([&] { running->Cancel(absl::Seconds(5)); });
    absl::Status waited = co_await never.Wait();
    co_return waited;
  };
  ASSERT_TRUE(store_->ClaimRun("run-a").ok());
  Walk walk(loop_, clock_, *store_, std::make_shared<const Subject>(subject_), probers_, Request("run-a", Only("sofa")),
            {});
  running = &walk;
  const WalkOutcome outcome = loop_.Spawn(RunOne(walk)).Get();
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_EQ(log_.calls.size(), 1u) << "nothing new is begun";
  EXPECT_EQ(outcome.settled.settled, 1);
  EXPECT_EQ(Find(outcome, "billing.charged_once").summary(), "the run was ended before it was judged");
  EXPECT_THAT(outcome.causes, ElementsAre("the run was ended early"));
}

TEST_F(WalkTest, TheDeadlineLeavesTheRestUnknown) {
  WalkRequest request = Request("run-a", Only("sofa"));
  request.deadline = clock_.Now() + absl::Milliseconds(50);
  prober(v1::PATH_ORDERING).before = [&](const v1::RunChecksRequest&) -> awaitable<absl::Status> {
    (void)co_await loop_.SleepFor(clock_, absl::Milliseconds(60));
    co_return absl::OkStatus();
  };
  const WalkOutcome outcome = Run(std::move(request));
  EXPECT_TRUE(outcome.out_of_time);
  EXPECT_EQ(Find(outcome, "playback.cold_start").summary(), "the run's time ran out before it was judged");
  EXPECT_THAT(outcome.causes, ElementsAre("the run's time ran out"));
}

TEST_F(WalkTest, OneConfigurationIsStampedOnAllResults) {
  for (auto& [path, fake] : fakes_) fake->configuration = path == v1::PATH_BILLING ? "" : "build 7";
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  EXPECT_EQ(outcome.configuration, "build 7");
  for (const v1::Result& result : outcome.results) EXPECT_EQ(result.configuration(), "build 7");
  EXPECT_THAT(outcome.causes, IsEmpty());
}

TEST_F(WalkTest, AConfigurationThatChangesOrAlternatesIsACause) {
  for (auto& [path, fake] : fakes_) fake->configuration = "build 7";
  prober(v1::PATH_DEVICE_SUPPORT).configuration = "build 8";
  const WalkOutcome outcome = Run(Request("run-a", Only("sofa")));
  ASSERT_EQ(outcome.causes.size(), 2u);
  EXPECT_THAT(outcome.causes, Contains(HasSubstr("alternates")));
  EXPECT_THAT(outcome.causes, Contains(HasSubstr("from build 7 to build 8")));
}

}  // namespace
}  // namespace puckdrop::readiness
