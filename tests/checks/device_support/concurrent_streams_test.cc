#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(ConcurrentStreamsTest, PassesWhenTwoPlayAndTheThirdIsRefused) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("device_support.concurrent_streams");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("playback.stop_playback"), 3);
}

TEST(ConcurrentStreamsTest, FailsWhenTheThirdPlays) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.habits.stream_limit = 9;
  const checks::Judgement judgement = harness.Look("device_support.concurrent_streams");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_enforced") << judgement.summary;
}

TEST(ConcurrentStreamsTest, FailsWhenTheSecondIsRefused) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.habits.stream_limit = 1;
  const checks::Judgement judgement = harness.Look("device_support.concurrent_streams");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "fewer_than_promised") << judgement.summary;
}

TEST(ConcurrentStreamsTest, FailsWhenASlotIsNeverFreed) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.habits.stop_frees_slot = false;
  const checks::Judgement judgement = harness.Look("device_support.concurrent_streams");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "slot_not_freed") << judgement.summary;
}

TEST(ConcurrentStreamsTest, DoesNotApplyWithoutAClaim) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->clear_concurrent_streams();
  const checks::Judgement judgement = harness.Look("device_support.concurrent_streams");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
