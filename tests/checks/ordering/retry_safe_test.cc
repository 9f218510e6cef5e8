#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(RetrySafeTest, PassesWhenTheSameKeyIsOneOrderAndOneCharge) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("ordering.place_order"), 4);
}

TEST(RetrySafeTest, RepeatsFromTheStepThatCommitsAndNotTheWholeOperation) {
  fakes::CheckHarness harness;
  const auto point = std::make_shared<int>(1);
  harness.target.On("ordering.place_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("ordering.place_order", request, actor);
    end.commit_point = point;
    return end;
  });
  EXPECT_EQ(harness.Look("ordering.retry_safe").outcome, v1::OUTCOME_PASSED);
  const std::vector<std::shared_ptr<const void>> began = harness.target.began_from["ordering.place_order"];
  ASSERT_EQ(began.size(), 4u);
  EXPECT_EQ(began[0], nullptr) << "the order itself begins at the beginning";
  for (size_t i = 1; i < began.size(); ++i) EXPECT_EQ(began[i], point) << i;
}

TEST(RetrySafeTest, SaysWhenThePlanMarksNoStepAsTheOneThatCommits) {
  fakes::CheckHarness harness;
  harness.target.habits.order_again_on_retry = true;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_NE(judgement.findings[0].text().find("the plan marks no step `commit: true`"), std::string::npos)
      << judgement.findings[0].text();
}

TEST(RetrySafeTest, WhatCouldNotBeUndoneIsNeitherOrderedNorOwed) {
  fakes::CheckHarness harness;
  harness.target.can_undo = absl::FailedPreconditionError("undoing it needs the secret office");
  EXPECT_NE(harness.Look("ordering.retry_safe").outcome, v1::OUTCOME_PASSED);
  EXPECT_EQ(harness.target.performed("ordering.sign_up") + harness.target.performed("ordering.place_order"), 0);
  EXPECT_TRUE(harness.obligations.opened.empty());
}

TEST(RetrySafeTest, FailsWhenARetryOrdersAgain) {
  fakes::CheckHarness harness;
  harness.target.habits.order_again_on_retry = true;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "ordered_again") << judgement.summary;
}

TEST(RetrySafeTest, FailsWhenARetryChargesAgain) {
  fakes::CheckHarness harness;
  harness.target.habits.charge_again_on_retry = true;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_again") << judgement.summary;
}

TEST(RetrySafeTest, DoesNotMindHowTheRetryIsAnswered) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.place_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    return harness.target.orders() == 0 ? harness.target.Shop("ordering.place_order", request, actor)
                                        : fakes::FakeTarget::Refused(target::v1::REASON_KEY_CONFLICT);
  });
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(RetrySafeTest, DoesNotBlameTheRetryForAChargeMadeTwiceAtOnce) {
  fakes::CheckHarness harness;
  harness.target.habits.captures_per_order = 2;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

}  // namespace
}  // namespace puckdrop
