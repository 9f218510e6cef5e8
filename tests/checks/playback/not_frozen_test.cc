#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(NotFrozenTest, PassesWhenItMoves) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.not_frozen");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NotFrozenTest, FailsOnAStillPicture) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").frozen = {{0, 9}};
  const checks::Judgement judgement = harness.Look("playback.not_frozen");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "frozen") << judgement.summary;
}

TEST(NotFrozenTest, ToleratesAShortStill) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").frozen = {{0, 4}};
  const checks::Judgement judgement = harness.Look("playback.not_frozen");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NotFrozenTest, CannotTellFromTooLittle) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  for (auto& report : player.watched.renditions) report.decoded_seconds = 4;
  const checks::Judgement judgement = harness.Look("playback.not_frozen");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
