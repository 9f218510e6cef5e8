#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(NotSilentTest, PassesWhenEveryTrackIsHeard) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.not_silent");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NotSilentTest, FailsOnSilence) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.watched.renditions[2].silent = {{0, 10}};
  const checks::Judgement judgement = harness.Look("playback.not_silent");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "silent") << judgement.summary;
}

TEST(NotSilentTest, FailsWithoutASoundTrack) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.watched.renditions.resize(2);
  const checks::Judgement judgement = harness.Look("playback.not_silent");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "no_sound") << judgement.summary;
}

TEST(NotSilentTest, CannotTellFromTooLittle) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  for (auto& report : player.watched.renditions) report.decoded_seconds = 2;
  const checks::Judgement judgement = harness.Look("playback.not_silent");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
