#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(FirstChargeDateTest, PassesWhenThePreSeasonOrderIsChargedOnThePromisedDay) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("billing.first_charge_date");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("target.advance_clock"), 2);
}

TEST(FirstChargeDateTest, FailsWhenChargedAtTheOrder) {
  fakes::CheckHarness harness;
  harness.target.habits.charge_at_order_always = true;
  const checks::Judgement judgement = harness.Look("billing.first_charge_date");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_early") << judgement.summary;
}

TEST(FirstChargeDateTest, FailsWhenTheDayPassesWithoutACharge) {
  fakes::CheckHarness harness;
  harness.target.habits.captures_per_order = 0;
  const checks::Judgement judgement = harness.Look("billing.first_charge_date");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "never_charged") << judgement.summary;
}

TEST(FirstChargeDateTest, IsNotJudgedWhenTimeCannotBeMoved) {
  fakes::CheckHarness harness;
  harness.plan.mutable_target()->set_clock(v1::CLOCK_CONTROL_NONE);
  const checks::Judgement judgement = harness.Look("billing.first_charge_date");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_MAPPED);
}

TEST(FirstChargeDateTest, JudgesTheMainOrderWhenNothingLiesAhead) {
  fakes::CheckHarness harness;
  harness.plan.mutable_claims()->mutable_offers()->RemoveLast();
  const checks::Judgement judgement = harness.Look("billing.first_charge_date");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("target.advance_clock"), 0);
}

}  // namespace
}  // namespace puckdrop
