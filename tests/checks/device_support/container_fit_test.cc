#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"
#include "tests/fakes/fake_player.h"

namespace puckdrop {
namespace {

TEST(ContainerFitTest, PassesWhenAnOldTelevisionGetsTransportStreams) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_customers(0)->set_device("samsung_2018_tizen4.0");
  const checks::Judgement judgement = harness.Look("device_support.container_fit");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(ContainerFitTest, FailsWhenItGetsFragmentedMp4) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  harness.plan.mutable_customers(0)->set_device("samsung_2018_tizen4.0");
  for (auto& rendition : player.manifest.renditions) rendition.container = "fmp4";
  const checks::Judgement judgement = harness.Look("device_support.container_fit");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "container_not_played") << judgement.summary;
}

TEST(ContainerFitTest, CannotTellWhenNoContainerWasRead) {
  fakes::CheckHarness harness;
  fakes::FakePlayer player(&harness.clock);
  harness.player = &player;
  for (auto& rendition : player.manifest.renditions) rendition.container.clear();
  const checks::Judgement judgement = harness.Look("device_support.container_fit");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
