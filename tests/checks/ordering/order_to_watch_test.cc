#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(OrderToWatchTest, PassesAndMeasuresFromThePayClickToThePicture) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("ordering.order_to_watch");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_GE(judgement.observed_value.value_or(0), 2);  // activation and first picture
  EXPECT_LT(judgement.observed_value.value_or(99), 4);
}

TEST(OrderToWatchTest, FailsWhenThePictureComesTooLate) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_takes = absl::Seconds(301);
  const checks::Judgement judgement = harness.Look("ordering.order_to_watch");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "too_slow") << judgement.summary;
}

TEST(OrderToWatchTest, FailsWhenThePayingCustomerStaysLockedOut) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.On("playback.start_playback", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_NOT_ENTITLED);
  });
  const checks::Judgement judgement = harness.Look("ordering.order_to_watch");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "never_entitled") << judgement.summary;
}

TEST(OrderToWatchTest, LeavesABrokenStreamToColdStart) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  player.first_picture_trouble = media::Trouble{media::Trouble::Kind::kTarget, "manifest_missing", "status 404", 404};
  const checks::Judgement judgement = harness.Look("ordering.order_to_watch");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_BLOCKED) << judgement.summary;
  EXPECT_EQ(judgement.blocked_by, "playback.cold_start");
}

}  // namespace
}  // namespace puckdrop
