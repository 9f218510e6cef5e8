// Second looks, retries, fresh journeys, and the facts that may be told.
#include "tests/services/prober/runner_test_base.h"

namespace puckdrop::prober {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(RunnerTest, FailedTwiceIsConfirmed) {
  Add("ordering.a", {Says(checks::Failed("x", "first")), Says(checks::Failed("x", "second"))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_FAILED);
  EXPECT_TRUE(ResultOf("ordering.a").confirmed());
  EXPECT_EQ(ResultOf("ordering.a").attempts(), 2);
}

TEST_F(RunnerTest, FailedThenPassedIsFlaky) {
  std::vector<int> looks;
  const auto judge = [&](Judgement judgement) -> JudgeFunction {
    return [&looks, judgement](CheckContext& context) -> checks::Task<Judgement> {
      looks.push_back(context.look());
      co_return judgement;
    };
  };
  Add("ordering.a", {judge(checks::Failed("x", "first")), judge(checks::Passed("second"))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_PASSED);
  EXPECT_TRUE(ResultOf("ordering.a").flaky());
  EXPECT_EQ(ResultOf("ordering.a").findings_size(), 0);
  EXPECT_THAT(looks, ElementsAre(1, 2));
}

TEST_F(RunnerTest, FailedThenUnknownIsFailedAndNotConfirmed) {
  Add("ordering.a", {Says(checks::Failed("x", "first")), Says(checks::Inconclusive("?"))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_FAILED);
  EXPECT_FALSE(ResultOf("ordering.a").confirmed());
  EXPECT_EQ(ResultOf("ordering.a").summary(), "first");
}

TEST_F(RunnerTest, WhatCouldNotBeToldIsAskedAgainAsOftenAsThePlanSays) {
  v1::Plan::CheckSettings* settings = plan_.add_checks();
  settings->set_check("*");
  settings->set_attempts(3);
  Add("ordering.a", {Says(checks::Inconclusive("?"))});
  Add("ordering.b", {Says(checks::Inconclusive("?")), Says(checks::Passed("at last"))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ResultOf("ordering.a").attempts(), 3);
  EXPECT_EQ(ResultOf("ordering.b").outcome(), v1::OUTCOME_PASSED);
  EXPECT_TRUE(ResultOf("ordering.b").flaky());
}

TEST_F(RunnerTest, AFailureWithoutTimeForASecondLookIsNotConfirmed) {
  Add("ordering.a", {[this](CheckContext&) -> checks::Task<Judgement> {
        clock_.AdvanceTo(deadline_);
        co_return checks::Failed("x", "late");
      }});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(ResultOf("ordering.a").outcome(), v1::OUTCOME_FAILED);
  EXPECT_FALSE(ResultOf("ordering.a").confirmed());
  EXPECT_EQ(ResultOf("ordering.a").attempts(), 1);
}

// Signs up and is content, or not.
JudgeFunction SignsUp(std::vector<std::string>& emails, Judgement judgement) {
  return [&emails, judgement](CheckContext& context) -> checks::Task<Judgement> {
    v1::AccountFact account = co_await context.journey().Account();
    emails.push_back(account.email());
    co_return judgement;
  };
}

TEST_F(RunnerTest, AFreshJourneyThatPassesTakesTheOldOnesPlace) {
  std::vector<std::string> emails;
  CheckDefinition& order = Add("ordering.order", {SignsUp(emails, checks::Failed("x", "never active")),
                                                  SignsUp(emails, checks::Passed("active"))});
  order.info.renews_journey = true;
  order.info.order = 1;
  Add("ordering.after", {SignsUp(emails, checks::Passed("shares it"))});
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(emails.size(), 3u);
  EXPECT_NE(emails[0], emails[1]) << "a new account";
  EXPECT_EQ(emails[1], emails[2]) << "which the others share";
  EXPECT_TRUE(ResultOf("ordering.order").flaky());
  EXPECT_THAT(FactNames(), ElementsAre("ordering.account"));
  for (const v1::RunChecksEvent& event : sink_.events) {
    v1::AccountFact account;
    if (event.has_fact() && event.fact().value().UnpackTo(&account)) EXPECT_EQ(account.email(), emails[1]);
  }
  EXPECT_EQ(obligations_.opened.size(), 2u) << "both accounts are owed";
}

TEST_F(RunnerTest, AFreshJourneyThatFailsTooChangesNothing) {
  std::vector<std::string> emails;
  CheckDefinition& order = Add("ordering.order", {SignsUp(emails, checks::Failed("x", "never active"))});
  order.info.renews_journey = true;
  order.info.order = 1;
  Add("ordering.after", {SignsUp(emails, checks::Passed("shares it"))});
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(emails.size(), 3u);
  EXPECT_EQ(emails[0], emails[2]);
  EXPECT_TRUE(ResultOf("ordering.order").confirmed());
}

TEST_F(RunnerTest, AFailedActThatCreatesIsLookedAtWithAFreshJourney) {
  std::vector<std::string> emails;
  port_.Answering("ordering.sign_up", [&](const google::protobuf::Message& request, const checks::Actor&) {
    target::v1::SignUpRequest sign_up;
    sign_up.CopyFrom(request);
    emails.push_back(sign_up.email());
    if (emails.size() == 1) return ScriptedPort::Ended(OperationEnd::Kind::kFault, "500");
    return ScriptedPort::Ok(target::v1::SignUpResponse());
  });
  Add("ordering.sign_up", {[](CheckContext& context) -> checks::Task<Judgement> {
        co_await context.journey().Account();
        co_return checks::Passed("");
      }})
      .info.operations = {"ordering.sign_up"};
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(emails.size(), 2u);
  EXPECT_NE(emails[0], emails[1]);
  EXPECT_TRUE(ResultOf("ordering.sign_up").flaky());
}

TEST_F(RunnerTest, FactsWaitUntilNoCheckCanMakeThemUntrue) {
  std::vector<std::string> emails;
  Add("ordering.a", {SignsUp(emails, checks::Passed(""))});
  Add("ordering.b", {Says(checks::Passed(""))}).info.renews_journey = true;
  Add("ordering.c", {Says(checks::Passed(""))});
  ASSERT_TRUE(Run().ok());
  std::vector<std::string> order;
  for (const v1::RunChecksEvent& event : sink_.events) {
    if (event.has_result()) order.push_back(event.result().check());
    if (event.has_fact()) order.push_back(event.fact().name());
  }
  EXPECT_THAT(order, ElementsAre("ordering.a", "ordering.b", "ordering.account", "ordering.c"));
}

TEST_F(RunnerTest, NothingToldIsTakenBackByAFreshJourney) {
  std::vector<std::string> emails;
  Add("ordering.a", {SignsUp(emails, checks::Passed(""))});
  port_.Answering("ordering.place_order", [n = 0](const auto&, const auto&) mutable {
    if (++n == 1) return ScriptedPort::Ended(OperationEnd::Kind::kFault, "500");
    return ScriptedPort::Ok(target::v1::PlaceOrderResponse());
  });
  Add("ordering.b", {[&](CheckContext& context) -> checks::Task<Judgement> {
        target::v1::PlaceOrderRequest request;
        co_await context.journey().Perform<target::v1::PlaceOrderResponse>("ordering.place_order", request);
        v1::AccountFact account = co_await context.journey().Account();
        emails.push_back(account.email());
        co_return checks::Passed("");
      }});
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(emails.size(), 2u);
  EXPECT_EQ(emails[0], emails[1]) << "the account was told already, so the second look keeps it";
  EXPECT_THAT(FactNames(), ElementsAre("ordering.account"));
}

TEST_F(RunnerTest, TheSecondLookReadsAgain) {
  int reads = 0;
  port_.Answering("ordering.list_offers", [&](const auto&, const auto&) {
    ++reads;
    return ScriptedPort::Ok(target::v1::ListOffersResponse());
  });
  const auto judge = [](Judgement judgement) -> JudgeFunction {
    return [judgement](CheckContext& context) -> checks::Task<Judgement> {
      target::v1::ListOffersRequest request;
      co_await context.journey().Once<target::v1::ListOffersResponse>("ordering.list_offers", request);
      co_return judgement;
    };
  };
  Add("ordering.a", {judge(checks::Failed("x", "wrong")), judge(checks::Passed("right"))});
  Add("ordering.b", {judge(checks::Passed("shares it"))});
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(reads, 2);
}

TEST_F(RunnerTest, OutsideOrderingTheMainJourneyIsNeverRenewed) {
  path_ = v1::PATH_CANCELLATION;
  v1::AccountFact account;
  account.set_email("pd-r1@example.test");
  v1::Fact* fact = request_.add_facts();
  fact->set_name("ordering.account");
  fact->set_customer("living-room");
  fact->mutable_value()->PackFrom(account);
  std::vector<std::string> emails;
  Add("cancellation.takes_effect", {SignsUp(emails, checks::Failed("x", "still on"))}).info.renews_journey = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(emails, ElementsAre("pd-r1@example.test", "pd-r1@example.test"));
  EXPECT_TRUE(ResultOf("cancellation.takes_effect").confirmed());
  EXPECT_THAT(FactNames(), IsEmpty()) << "what came with the request is not sent back";
}

}  // namespace
}  // namespace puckdrop::prober
