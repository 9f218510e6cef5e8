#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(StepCountTest, PassesOnTwoSteps) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.step_count");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(judgement.observed_value, 2);
  EXPECT_FALSE(judgement.warning);
}

TEST(StepCountTest, WarnsOnFourSteps) {
  fakes::CheckHarness harness;
  harness.target.habits.cancel_steps = {"a", "b", "c", "d"};
  const checks::Judgement judgement = harness.Look("cancellation.step_count");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

TEST(StepCountTest, FailsOnSixSteps) {
  fakes::CheckHarness harness;
  harness.target.habits.cancel_steps = {"a", "b", "c", "d", "e", "f"};
  const checks::Judgement judgement = harness.Look("cancellation.step_count");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "too_many_steps") << judgement.summary;
}

TEST(StepCountTest, IsNotJudgedWhenThePlanCountsNoSteps) {
  fakes::CheckHarness harness;
  harness.target.habits.cancel_steps.clear();
  const checks::Judgement judgement = harness.Look("cancellation.step_count");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_TOLD);
}

}  // namespace
}  // namespace puckdrop
