#include "services/prober/check_runner.h"

#include <stdexcept>

#include "tests/services/prober/runner_test_base.h"

namespace puckdrop::prober {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(RunnerTest, SendsWhatWasFoundAndThenDone) {
  CheckDefinition& check = Add("ordering.order_to_watch", {[](CheckContext& context) -> checks::Task<Judgement> {
                                 co_return checks::AgainstThresholds(20, context.thresholds(), "it took");
                               }});
  check.info.warn = 15;
  check.info.fail = 60;
  check.info.unit = "s";
  ASSERT_TRUE(Run().ok());
  v1::Result result = ResultOf("ordering.order_to_watch");
  EXPECT_EQ(result.outcome(), v1::OUTCOME_PASSED);
  EXPECT_TRUE(result.warning());
  EXPECT_EQ(result.name(), "runs/r1/results/ordering.order_to_watch:living-room");
  EXPECT_EQ(result.observed_value(), 20);
  EXPECT_EQ(result.unit(), "s");
  EXPECT_EQ(result.attempts(), 1);
  EXPECT_EQ(result.vantage(), "helsinki");
  EXPECT_EQ(result.plan_digest(), "d1");
  EXPECT_EQ(result.severity(), v1::SEVERITY_BLOCKING);
  EXPECT_EQ(result.reproduce(), "");
  ASSERT_TRUE(sink_.events.back().has_done());
  EXPECT_EQ(sink_.events.back().done().results(), 1);
}

TEST_F(RunnerTest, JudgesByOrderThenById) {
  Add("ordering.c", {Says(checks::Passed(""))}).info.order = 10;
  Add("ordering.b", {Says(checks::Passed(""))});
  Add("ordering.a", {Says(checks::Passed(""))});
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(ResultOrder(), ElementsAre("ordering.c", "ordering.a", "ordering.b"));
}

TEST_F(RunnerTest, JudgesWhatACheckStandsOnBeforeIt) {
  Add("ordering.a", {Says(checks::Passed(""))}).info.stands_on = {"ordering.z"};
  Add("ordering.z", {Says(checks::Passed(""))}).info.order = 900;
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(ResultOrder(), ElementsAre("ordering.z", "ordering.a"));
}

TEST_F(RunnerTest, ACircleOfStandingOnEnds) {
  Add("ordering.a", {Says(checks::Passed(""))}).info.stands_on = {"ordering.b"};
  Add("ordering.b", {Says(checks::Passed(""))}).info.stands_on = {"ordering.a"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOrder().size(), 2u);
}

TEST_F(RunnerTest, WhatThePlanCannotAskIsSkippedWithItsCause) {
  port_.mappings["ordering.preview_order"] = {.state = OperationMapping::State::kNotOffered, .words = "no dry run"};
  port_.mappings["ordering.list_orders"] = {.state = OperationMapping::State::kNotMapped, .words = ""};
  port_.mappings["ordering.place_order"] = {.state = OperationMapping::State::kReadOnly, .words = ""};
  port_.untold = {"ordering.list_offers:offers.vat"};
  Add("ordering.not_offered", {Says(checks::Passed(""))}).info.operations = {"ordering.preview_order"};
  Add("ordering.not_mapped", {Says(checks::Passed(""))}).info.operations = {"ordering.list_orders"};
  Add("ordering.read_only", {Says(checks::Passed(""))}).info.operations = {"ordering.place_order"};
  Add("ordering.not_told", {Says(checks::Passed(""))}).info.needs_told = {"ordering.list_offers:offers.vat"};
  Add("ordering.told", {Says(checks::Passed(""))}).info.needs_told = {"ordering.list_offers:offers.price"};
  Add("ordering.decided", {Says(checks::Passed(""))});
  v1::Plan::NotJudged* not_judged = plan_.add_not_judged();
  not_judged->set_check("ordering.dec*");
  not_judged->set_reason("no test clock");
  not_judged->set_owner("billing-team");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.not_offered").skip_cause(), v1::SKIP_CAUSE_NOT_OFFERED);
  EXPECT_THAT(ResultOf("ordering.not_offered").summary(), HasSubstr("no dry run"));
  EXPECT_EQ(ResultOf("ordering.not_mapped").skip_cause(), v1::SKIP_CAUSE_NOT_MAPPED);
  EXPECT_EQ(ResultOf("ordering.read_only").skip_cause(), v1::SKIP_CAUSE_READ_ONLY);
  EXPECT_EQ(ResultOf("ordering.not_told").skip_cause(), v1::SKIP_CAUSE_NOT_TOLD);
  EXPECT_THAT(ResultOf("ordering.not_told").summary(), HasSubstr("offers.vat"));
  EXPECT_EQ(ResultOf("ordering.told").outcome(), v1::OUTCOME_PASSED);
  EXPECT_EQ(ResultOf("ordering.decided").skip_cause(), v1::SKIP_CAUSE_NOT_JUDGED);
  EXPECT_EQ(ResultOf("ordering.decided").summary(), "no test clock (billing-team)");
  EXPECT_EQ(LooksTaken()["ordering.not_mapped"], 0) << "skipped before it is judged";
}

TEST_F(RunnerTest, WhatACheckStandsOnDecidesWhetherItIsAsked) {
  Earlier("playback.failed", v1::OUTCOME_FAILED);
  Earlier("playback.blocked", v1::OUTCOME_BLOCKED, "ordering.root");
  Earlier("playback.unknown", v1::OUTCOME_INCONCLUSIVE);
  Earlier("playback.skipped", v1::OUTCOME_SKIPPED);
  Earlier("playback.passed", v1::OUTCOME_PASSED);
  for (const char* on : {"failed", "blocked", "unknown", "skipped", "passed", "missing"}) {
    Add(std::string("ordering.on_") + on, {Says(checks::Passed(""))}).info.stands_on = {std::string("playback.") + on};
  }
  Add("ordering.on_both", {Says(checks::Passed(""))}).info.stands_on = {"playback.unknown", "playback.failed"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.on_failed").outcome(), v1::OUTCOME_BLOCKED);
  EXPECT_EQ(ResultOf("ordering.on_failed").blocked_by(), "playback.failed");
  EXPECT_EQ(ResultOf("ordering.on_blocked").blocked_by(), "ordering.root");
  EXPECT_EQ(ResultOf("ordering.on_unknown").outcome(), v1::OUTCOME_BLOCKED);
  EXPECT_EQ(ResultOf("ordering.on_unknown").blocked_by(), "playback.unknown");
  EXPECT_EQ(ResultOf("ordering.on_both").blocked_by(), "playback.failed") << "a proven root comes first";
  for (const char* on : {"skipped", "passed", "missing"}) {
    EXPECT_EQ(ResultOf(std::string("ordering.on_") + on).outcome(), v1::OUTCOME_PASSED) << on;
  }
  EXPECT_EQ(LooksTaken()["ordering.on_failed"], 0);
}

TEST_F(RunnerTest, AResultOfThisRunBlocksWhatStandsOnItDownToTheRoot) {
  Add("ordering.root", {Says(checks::Failed("x", "broken"))}).info.order = 1;
  CheckDefinition& middle = Add("ordering.middle", {Says(checks::Passed(""))});
  middle.info.stands_on = {"ordering.root"};
  Add("ordering.top", {Says(checks::Passed(""))}).info.stands_on = {"ordering.middle"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.middle").blocked_by(), "ordering.root");
  EXPECT_EQ(ResultOf("ordering.top").blocked_by(), "ordering.root");
}

TEST_F(RunnerTest, AnExceptionOfACheckIsInconclusiveWithItsWords) {
  Add("ordering.broken", {[](CheckContext&) -> checks::Task<Judgement> {
        throw std::runtime_error("index out of range");
        co_return Judgement();
      }});
  Add("ordering.odd", {[](CheckContext&) -> checks::Task<Judgement> {
        throw 7;
        co_return Judgement();
      }});
  Add("ordering.judged", {[](CheckContext&) -> checks::Task<Judgement> {
        throw checks::Judged(checks::Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "one track only"));
        co_return Judgement();
      }});
  Add("ordering.silent", {Says(Judgement{.outcome = v1::OUTCOME_UNSPECIFIED})});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.broken").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.broken").reason(), v1::FAILURE_REASON_OURS);
  EXPECT_THAT(ResultOf("ordering.broken").summary(), HasSubstr("index out of range"));
  EXPECT_EQ(ResultOf("ordering.odd").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.judged").outcome(), v1::OUTCOME_SKIPPED);
  EXPECT_EQ(ResultOf("ordering.judged").skip_cause(), v1::SKIP_CAUSE_DOES_NOT_APPLY);
  EXPECT_EQ(ResultOf("ordering.silent").outcome(), v1::OUTCOME_INCONCLUSIVE) << "unset is never green";
}

TEST_F(RunnerTest, AFailedOperationTellsWhereItFailedAndHowToReproduceIt) {
  port_.Ending("ordering.list_offers", ScriptedPort::Ended(OperationEnd::Kind::kFault, "the shop answered 500"));
  Add("ordering.offer_visible", {ListsOffers()}).info.operations = {"ordering.list_offers"};
  ASSERT_TRUE(Run().ok());
  v1::Result result = ResultOf("ordering.offer_visible");
  EXPECT_EQ(result.outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(result.reason(), v1::FAILURE_REASON_TARGET_FAULT);
  EXPECT_EQ(result.summary(), "the shop answered 500");
  EXPECT_EQ(result.operation(), "ordering.list_offers");
  EXPECT_EQ(result.step(), 1);
  EXPECT_EQ(result.steps(), 2);
  EXPECT_EQ(result.plan_position(), "plan.yaml:10:3");
  EXPECT_EQ(result.reproduce(), "curl http://shop");
  EXPECT_TRUE(result.confirmed());
  EXPECT_EQ(port_.performed["ordering.list_offers"], 2) << "the second look asks again";
}

TEST_F(RunnerTest, AnOperationThatAnotherCheckReportsBlocksAndIsNotReportedTwice) {
  port_.Ending("ordering.list_offers", ScriptedPort::Ended(OperationEnd::Kind::kFault, "500"));
  Add("ordering.offer_visible", {ListsOffers()}).info.operations = {"ordering.list_offers"};
  Add("ordering.offer_truthful", {ListsOffers()}).info.operations = {"ordering.get_account", "ordering.list_offers"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.offer_visible").outcome(), v1::OUTCOME_FAILED);
  EXPECT_EQ(ResultOf("ordering.offer_truthful").outcome(), v1::OUTCOME_BLOCKED);
  EXPECT_EQ(ResultOf("ordering.offer_truthful").blocked_by(), "ordering.offer_visible");
  EXPECT_THAT(ResultOrder(), ElementsAre("ordering.offer_visible", "ordering.offer_truthful"))
      << "the one whose question it is was asked first, although it comes later";
}

TEST_F(RunnerTest, AFailureThatAnEarlierPathReportedBlocks) {
  port_.Ending("ordering.list_offers", ScriptedPort::Ended(OperationEnd::Kind::kRefused, "no"));
  CheckDefinition reporter = ScriptedCheck("playback.first", {Says(checks::Passed(""))});
  reporter.info.operations = {"ordering.list_offers"};
  Add("ordering.b", {ListsOffers()}).info.operations = {"ordering.sign_up"};
  checks_.push_back(reporter);
  Earlier("playback.first", v1::OUTCOME_FAILED);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.b").blocked_by(), "playback.first");
}

TEST_F(RunnerTest, AWrongAnswerOfTheReporterDoesNotHideAFailedOperation) {
  // The reporter failed for another reason: its operation is not the one that failed here.
  CheckDefinition& reporter = Add("ordering.offer_visible", {Says(checks::Failed("missing", "not listed"))});
  reporter.info.order = 1;
  reporter.info.operations = {"ordering.list_offers"};
  port_.Ending("ordering.list_offers", ScriptedPort::Ended(OperationEnd::Kind::kFault, "500"));
  Add("ordering.other", {ListsOffers()}).info.operations = {"ordering.sign_up"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.other").outcome(), v1::OUTCOME_FAILED);
}

TEST_F(RunnerTest, WhatIsOursIsNeverTheTargetsFault) {
  OperationEnd end = ScriptedPort::Ended(OperationEnd::Kind::kOurs, "unreachable from here");
  end.unreachable = true;
  port_.Ending("ordering.list_offers", end);
  Add("ordering.a", {ListsOffers()});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.a").reason(), v1::FAILURE_REASON_UNREACHABLE);
  EXPECT_FALSE(ResultOf("ordering.a").confirmed());
}

TEST_F(RunnerTest, WhatTheBackOfficeDidIsAdvisoryAndSaysSo) {
  port_.Answering("ordering.list_offers", [](const auto&, const auto&) {
    OperationEnd end = ScriptedPort::Ok(target::v1::ListOffersResponse());
    end.through_back_office = true;
    return end;
  });
  Add("ordering.a", {ListsOffers()}).info.operations = {"ordering.list_offers"};
  Add("ordering.b", {Says(checks::Passed("judges the shared answer"))}).info.operations = {"ordering.list_offers"};
  Add("ordering.c", {Says(checks::Passed("nothing to do with it"))});
  ASSERT_TRUE(Run().ok());
  for (const char* check : {"ordering.a", "ordering.b"}) {
    EXPECT_TRUE(ResultOf(check).through_back_office()) << check;
    EXPECT_EQ(ResultOf(check).severity(), v1::SEVERITY_ADVISORY);
    EXPECT_THAT(ResultOf(check).summary(), HasSubstr("judged through the back office"));
  }
  EXPECT_EQ(ResultOf("ordering.c").severity(), v1::SEVERITY_BLOCKING);
}

TEST_F(RunnerTest, EvidenceComesBeforeTheResultThatNamesItAndOnce) {
  Add("ordering.a", {[](CheckContext& context) -> checks::Task<Judgement> {
        context.AddNumbers("numbers", "{\"x\":1}");
        v1::Evidence big;
        big.set_content(std::string(300 * 1024, 'x'));
        context.AddEvidence(big);
        co_return checks::Passed("");
      }});
  Add("ordering.b", {[](CheckContext& context) -> checks::Task<Judgement> {
        context.AddNumbers("numbers", "{\"x\":1}");
        co_return checks::Passed("");
      }});
  ASSERT_TRUE(Run().ok());
  std::vector<std::string> sent;
  for (const v1::RunChecksEvent& event : sink_.events) {
    if (event.has_evidence()) {
      sent.push_back(event.evidence().name());
      EXPECT_LE(event.evidence().content().size(), 256u * 1024);
      EXPECT_EQ(event.evidence().truncated(), event.evidence().content().size() == 256 * 1024);
    }
    if (event.has_result()) {
      for (const std::string& name : event.result().evidence()) {
        EXPECT_THAT(sent, ::testing::Contains(name)) << "named before it was sent";
      }
    }
  }
  EXPECT_EQ(sent.size(), 2u);
  EXPECT_EQ(ResultOf("ordering.a").evidence_size(), 2);
  EXPECT_EQ(ResultOf("ordering.b").evidence_size(), 1);
  EXPECT_EQ(ResultOf("ordering.b").evidence(0).substr(0, 9), "evidence/");
  EXPECT_EQ(ResultOf("ordering.b").evidence(0).size(), 9u + 64);
}

TEST_F(RunnerTest, AFailureOverSharedAnswersNamesTheirExchanges) {
  port_.Answering("ordering.list_offers", [](const auto&, const auto&) {
    OperationEnd end = ScriptedPort::Ended(OperationEnd::Kind::kOk, "offers");
    end.response = std::make_shared<target::v1::ListOffersResponse>();
    return end;
  });
  Add("ordering.a", {ListsOffers()}).info.operations = {"ordering.list_offers"};
  Add("ordering.b", {Says(checks::Failed("price", "wrong price"))}).info.operations = {"ordering.list_offers"};
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.b").evidence_size(), 1);
  EXPECT_EQ(ResultOf("ordering.b").reproduce(), "curl http://shop");
}

TEST_F(RunnerTest, OperationsAreRecordedForTheCheckThatAsked) {
  Add("ordering.a", {ListsOffers()});
  ASSERT_TRUE(Run().ok());
  int records = 0;
  for (const v1::RunChecksEvent& event : sink_.events) {
    if (!event.has_operation()) continue;
    ++records;
    EXPECT_EQ(event.operation().operation(), "ordering.list_offers");
    EXPECT_EQ(event.operation().check(), "ordering.a");
    EXPECT_EQ(event.operation().end(), "OK");
  }
  EXPECT_EQ(records, 1);
}

TEST_F(RunnerTest, SupportingChecksSaySo) {
  Add("ordering.a", {Says(checks::Passed(""))});
  checks_.push_back(ScriptedCheck("ordering.b", {Says(checks::Passed(""))}));
  request_.add_supporting_checks("ordering.b");
  request_.add_supporting_checks("ordering.a");
  ASSERT_TRUE(Run().ok());
  EXPECT_FALSE(ResultOf("ordering.a").supporting()) << "asked for as well";
  EXPECT_TRUE(ResultOf("ordering.b").supporting());
}

TEST_F(RunnerTest, ACheckOfTheWholeLaunchBelongsToNoCustomer) {
  Add("ordering.a", {Says(checks::Passed(""))}).info.per_launch = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").customer(), "any");
}

TEST_F(RunnerTest, TheConfigurationIsReadBeforeAndAfter) {
  port_.mappings["target.get_configuration"].state = OperationMapping::State::kMapped;
  int reads = 0;
  port_.Answering("target.get_configuration", [&](const auto&, const auto&) {
    target::v1::GetConfigurationResponse response;
    response.set_fingerprint(++reads == 1 ? "before" : "after");
    return ScriptedPort::Ok(response);
  });
  Add("ordering.a", {Says(checks::Passed(""))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").configuration(), "before");
  EXPECT_EQ(sink_.events.back().done().configuration(), "after");
}

TEST_F(RunnerTest, WithoutAnObligationNothingIsCreated) {
  obligations_.answer = absl::UnavailableError("readiness is gone");
  Add("ordering.sign_up", {[](CheckContext& context) -> checks::Task<Judgement> {
        co_await context.journey().Account();
        co_return checks::Passed("");
      }});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(port_.performed["ordering.sign_up"], 0);
  EXPECT_EQ(ResultOf("ordering.sign_up").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.sign_up").reason(), v1::FAILURE_REASON_OURS);
  EXPECT_THAT(ResultOf("ordering.sign_up").summary(), HasSubstr("readiness is gone"));
}

TEST_F(RunnerTest, TheRunsDeadlineLeavesNothingJudgedAndNothingOut) {
  deadline_ = clock_.Now() + absl::Minutes(5);
  Add("ordering.a", {Says(checks::Passed(""))});
  Add("ordering.b", {[this](CheckContext&) -> checks::Task<Judgement> {
        absl::Status slept = co_await loop_.SleepFor(clock_, absl::Hours(10));
        co_return checks::Inconclusive(slept.ToString());
      }});
  Add("ordering.c", {Says(checks::Passed(""))});
  runtime::Task<absl::Status> run = Start();
  AdvanceUntilDone(run, absl::Minutes(1));
  EXPECT_TRUE(run.Get().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_PASSED);
  EXPECT_EQ(ResultOf("ordering.b").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.b").summary(), "the run's time ended while it was judged");
  EXPECT_EQ(ResultOf("ordering.c").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.c").summary(), "the run's time ended before it was judged");
  EXPECT_EQ(LooksTaken()["ordering.b"], 1) << "no retry after the end";
  EXPECT_TRUE(sink_.events.back().has_done());
}

TEST_F(RunnerTest, APlansTimeoutEndsOneLookAndNotTheRun) {
  v1::Plan::CheckSettings* settings = plan_.add_checks();
  settings->set_check("ordering.a");
  settings->mutable_timeout()->set_seconds(30);
  settings->set_attempts(1);
  Add("ordering.a", {[this](CheckContext&) -> checks::Task<Judgement> {
        absl::Status slept = co_await loop_.SleepFor(clock_, absl::Hours(10));
        co_return checks::Inconclusive(slept.ToString());
      }});
  Add("ordering.b", {Says(checks::Passed(""))});
  runtime::Task<absl::Status> run = Start();
  AdvanceUntilDone(run, absl::Seconds(31));
  EXPECT_TRUE(run.Get().ok());
  EXPECT_THAT(ResultOf("ordering.a").summary(), HasSubstr("longer than the 30s"));
  EXPECT_EQ(ResultOf("ordering.b").outcome(), v1::OUTCOME_PASSED);
}

TEST_F(RunnerTest, ACancelledRunSendsNoDone) {
  std::atomic<bool> began = false;
  Add("ordering.a", {[&](CheckContext&) -> checks::Task<Judgement> {
        began = true;
        absl::Status slept = co_await loop_.SleepFor(clock_, absl::Hours(10));
        co_return checks::Failed("x", slept.ToString());
      }});
  Add("ordering.b", {Says(checks::Passed(""))});
  runtime::Task<absl::Status> run = Start();
  while (!began) absl::SleepFor(absl::Milliseconds(1));
  run.Cancel();
  EXPECT_EQ(run.Get().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(ResultOrder(), IsEmpty());
  for (const v1::RunChecksEvent& event : sink_.events) EXPECT_FALSE(event.has_done());
}

TEST_F(RunnerTest, ASinkThatIsGoneEndsTheRun) {
  sink_.room = absl::CancelledError("the reader has gone");
  Add("ordering.a", {Says(checks::Passed(""))});
  Add("ordering.b", {Says(checks::Passed(""))});
  EXPECT_EQ(Run().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(LooksTaken()["ordering.b"], 0);
}

}  // namespace
}  // namespace puckdrop::prober
