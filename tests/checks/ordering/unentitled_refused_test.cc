#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(UnentitledRefusedTest, PassesWhenRefusedAsNotEntitled) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.unentitled_refused");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(UnentitledRefusedTest, FailsWhenItPlays) {
  fakes::CheckHarness harness;
  harness.target.habits.unentitled_plays = true;
  const checks::Judgement judgement = harness.Look("ordering.unentitled_refused");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "plays_without_buying") << judgement.summary;
}

TEST(UnentitledRefusedTest, FailsWhenRefusedForAnotherReason) {
  fakes::CheckHarness harness;
  harness.target.On("playback.start_playback", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_UNAUTHENTICATED);
  });
  const checks::Judgement judgement = harness.Look("ordering.unentitled_refused");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "refused_for_another_reason") << judgement.summary;
}

TEST(UnentitledRefusedTest, FailsWhenTheDoorFallsOver) {
  fakes::CheckHarness harness;
  harness.target.On("playback.start_playback", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Fault("status 500");
  });
  const checks::Judgement judgement = harness.Look("ordering.unentitled_refused");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "operation") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
