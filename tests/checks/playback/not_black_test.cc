#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(NotBlackTest, PassesWithAPicture) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.not_black");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NotBlackTest, FailsOnABlackStretch) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").black = {{0, 8}};
  const checks::Judgement judgement = harness.Look("playback.not_black");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "black") << judgement.summary;
}

TEST(NotBlackTest, ToleratesAShortOne) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").black = {{0, 1}};
  const checks::Judgement judgement = harness.Look("playback.not_black");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NotBlackTest, CannotTellWithoutAPicture) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  for (auto& report : player.watched.renditions) report.decoded_seconds = 0;
  const checks::Judgement judgement = harness.Look("playback.not_black");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
