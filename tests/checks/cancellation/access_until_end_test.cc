#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(AccessUntilEndTest, PassesWhenItPlaysToTheEndAndNotAfter) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.access_until_end");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("playback.start_playback"), 3);
}

TEST(AccessUntilEndTest, FailsWhenLockedOutAtTheCancellation) {
  fakes::CheckHarness harness;
  harness.target.habits.access_ends_at_cancel = true;
  const checks::Judgement judgement = harness.Look("cancellation.access_until_end");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "locked_out") << judgement.summary;
}

TEST(AccessUntilEndTest, FailsWhenItNeverEnds) {
  fakes::CheckHarness harness;
  harness.target.habits.access_never_ends = true;
  const checks::Judgement judgement = harness.Look("cancellation.access_until_end");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "never_ends") << judgement.summary;
}

TEST(AccessUntilEndTest, IsNotJudgedWhenTimeCannotBeMoved) {
  fakes::CheckHarness harness;
  harness.plan.mutable_target()->set_clock(v1::CLOCK_CONTROL_NONE);
  const checks::Judgement judgement = harness.Look("cancellation.access_until_end");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_MAPPED);
}

}  // namespace
}  // namespace puckdrop
