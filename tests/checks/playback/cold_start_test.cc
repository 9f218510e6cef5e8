#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(ColdStartTest, PassesWhenAPictureComes) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(ColdStartTest, WarnsWhenItComesLate) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_takes = absl::Seconds(6);
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

TEST(ColdStartTest, FailsWhenItComesTooLate) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_takes = absl::Seconds(16);
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "too_slow") << judgement.summary;
}

TEST(ColdStartTest, FailsOnAMissingManifest) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_trouble = media::Trouble{media::Trouble::Kind::kTarget, "manifest_missing", "status 404", 404};
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "manifest_missing") << judgement.summary;
}

TEST(ColdStartTest, CannotTellWhenOurTimeEnds) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_trouble = media::Trouble{media::Trouble::Kind::kOurs, "deadline", "our time ended", 0};
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

TEST(ColdStartTest, FailsWhenPlaybackDoesNotStart) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.On("playback.start_playback", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Fault("status 500");
  });
  const checks::Judgement judgement = harness.Look("playback.cold_start");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "operation") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
