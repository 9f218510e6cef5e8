#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(LiveEdgeFreshTest, PassesWhenEveryPlaylistMoves) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.live_edge_fresh");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(LiveEdgeFreshTest, FailsWhenOneStandsStill) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").longest_silence_in_target_durations = 5;
  player.Rendition("1280x720@50").longest_silence_seconds = 10;
  player.Rendition("1280x720@50").new_segments = 0;
  const checks::Judgement judgement = harness.Look("playback.live_edge_fresh");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "stale") << judgement.summary;
}

TEST(LiveEdgeFreshTest, WarnsWhenOneHesitates) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").longest_silence_in_target_durations = 2;
  const checks::Judgement judgement = harness.Look("playback.live_edge_fresh");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

TEST(LiveEdgeFreshTest, CannotTellAfterTooShortALook) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").new_segments = 0;
  player.Rendition("1280x720@50").watched_seconds = 3;
  player.Rendition("1280x720@50").longest_silence_in_target_durations = 1.4;
  const checks::Judgement judgement = harness.Look("playback.live_edge_fresh");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
