#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(EveryVariantPlaysTest, PassesWhenAllDecode) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.every_variant_plays");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(EveryVariantPlaysTest, FailsOnAMissingSegmentOfOneVariant) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").trouble = media::Trouble{media::Trouble::Kind::kTarget, "segment_missing", "status 404", 404};
  const checks::Judgement judgement = harness.Look("playback.every_variant_plays");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "segment_missing") << judgement.summary;
  EXPECT_EQ(judgement.findings[0].where(), "1280x720@50");
}

TEST(EveryVariantPlaysTest, FailsOnABrokenSoundTrack) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.watched.renditions[3].trouble = media::Trouble{media::Trouble::Kind::kTarget, "segment_broken", "status 404", 404};
  const checks::Judgement judgement = harness.Look("playback.every_variant_plays");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "segment_broken") << judgement.summary;
}

TEST(EveryVariantPlaysTest, CannotTellWhenOurTimeEnds) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.Rendition("1280x720@50").trouble = media::Trouble{media::Trouble::Kind::kOurs, "deadline", "our time ended", 0};
  const checks::Judgement judgement = harness.Look("playback.every_variant_plays");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

TEST(EveryVariantPlaysTest, CannotTellOfAStreamThatListsNothing) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.watched.renditions.clear();
  const checks::Judgement judgement = harness.Look("playback.every_variant_plays");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
