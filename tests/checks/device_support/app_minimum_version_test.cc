#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(AppMinimumVersionTest, PassesWhenAnOldAppIsToldToUpdate) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(AppMinimumVersionTest, FailsWhenAnOldAppIsLetIn) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.habits.old_app_welcome = true;
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "old_app_let_in") << judgement.summary;
}

TEST(AppMinimumVersionTest, FailsWhenAnOldAppGetsAnError) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.On("device_support.check_device", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    const auto& device = dynamic_cast<const target::v1::CheckDeviceRequest&>(request).device();
    if (device.app_version() == "1.0.0") return fakes::FakeTarget::Fault("status 500");
    return harness.target.Shop("device_support.check_device", request, actor);
  });
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "old_app_crashes") << judgement.summary;
}

TEST(AppMinimumVersionTest, FailsWhenItIsRefusedForAnotherReason) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.On("device_support.check_device", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    const auto& device = dynamic_cast<const target::v1::CheckDeviceRequest&>(request).device();
    if (device.app_version() == "1.0.0") return fakes::FakeTarget::Refused(target::v1::REASON_BAD_INPUT);
    return harness.target.Shop("device_support.check_device", request, actor);
  });
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "refused_for_another_reason") << judgement.summary;
}

TEST(AppMinimumVersionTest, WarnsWithoutALinkToTheStore) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.target.On("device_support.check_device", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    const auto& device = dynamic_cast<const target::v1::CheckDeviceRequest&>(request).device();
    if (device.app_version() == "1.0.0") return fakes::FakeTarget::Refused(target::v1::REASON_UPDATE_REQUIRED);
    return harness.target.Shop("device_support.check_device", request, actor);
  });
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

TEST(AppMinimumVersionTest, DoesNotApplyWithoutAClaim) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_claims()->clear_minimum_app_version();
  const checks::Judgement judgement = harness.Look("device_support.app_minimum_version");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
