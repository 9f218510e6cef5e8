#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(AudioTracksTest, PassesWhenThePromisedTracksDiffer) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->add_audio("fi");
  harness.plan.mutable_claims()->mutable_streams()->add_audio("none");
  const checks::Judgement judgement = harness.Look("playback.audio_tracks");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(AudioTracksTest, FailsWhenThereIsNoCommentary) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->add_audio("fi");
  harness.plan.mutable_claims()->mutable_streams()->add_audio("none");
  player.watched.renditions.erase(player.watched.renditions.begin() + 2);
  player.watched.likeness.clear();
  const checks::Judgement judgement = harness.Look("playback.audio_tracks");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "track_missing") << judgement.summary;
}

TEST(AudioTracksTest, FailsWhenTheCommentaryIsTheCrowd) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->add_audio("fi");
  harness.plan.mutable_claims()->mutable_streams()->add_audio("none");
  player.watched.likeness[0].correlation = 0.999;
  const checks::Judgement judgement = harness.Look("playback.audio_tracks");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "tracks_alike") << judgement.summary;
}

TEST(AudioTracksTest, CannotTellWithoutHearingThem) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->add_audio("fi");
  harness.plan.mutable_claims()->mutable_streams()->add_audio("none");
  player.watched.likeness.clear();
  const checks::Judgement judgement = harness.Look("playback.audio_tracks");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

TEST(AudioTracksTest, DoesNotApplyWithoutAPromise) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("playback.audio_tracks");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_DOES_NOT_APPLY);
}

}  // namespace
}  // namespace puckdrop
