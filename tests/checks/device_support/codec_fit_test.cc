#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(CodecFitTest, PassesWhenThePromisedBestFits) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->mutable_best()->set_height(720);
  const checks::Judgement judgement = harness.Look("device_support.codec_fit");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(CodecFitTest, FailsOnALevelTooHighForATelevision) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_customers(0)->set_device("samsung_2018_tizen4.0");
  player.manifest.renditions[0].codecs = "avc1.640033,mp4a.40.2";
  const checks::Judgement judgement = harness.Look("device_support.codec_fit");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "best_does_not_fit") << judgement.summary;
}

TEST(CodecFitTest, FailsWhenNothingFits) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_customers(0)->set_device("xbox_one_2013");
  for (auto& rendition : player.manifest.renditions) rendition.codecs = "hvc1.1.6.L153.B0,mp4a.40.2";
  const checks::Judgement judgement = harness.Look("device_support.codec_fit");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "no_variant_fits") << judgement.summary;
}

TEST(CodecFitTest, FailsWhenThePromisedQualityIsNotSent) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->mutable_streams()->mutable_best()->set_height(1080);
  const checks::Judgement judgement = harness.Look("device_support.codec_fit");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "promised_quality_missing") << judgement.summary;
}

TEST(CodecFitTest, CannotBeAskedOfAnUnknownDevice) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_customers(0)->set_device("toaster");
  const checks::Judgement judgement = harness.Look("device_support.codec_fit");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
