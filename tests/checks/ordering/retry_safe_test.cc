#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(RetrySafeTest, PassesWhenTheSameKeyIsOneOrderAndOneCharge) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.target.performed("ordering.place_order"), 4);
}

TEST(RetrySafeTest, FailsWhenARetryOrdersAgain) {
  fakes::CheckHarness harness;
  harness.target.habits.order_again_on_retry = true;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "ordered_again") << judgement.summary;
}

TEST(RetrySafeTest, FailsWhenARetryChargesAgain) {
  fakes::CheckHarness harness;
  harness.target.habits.charge_again_on_retry = true;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_again") << judgement.summary;
}

TEST(RetrySafeTest, DoesNotMindHowTheRetryIsAnswered) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.place_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    return harness.target.orders() == 0 ? harness.target.Shop("ordering.place_order", request, actor)
                                        : fakes::FakeTarget::Refused(target::v1::REASON_KEY_CONFLICT);
  });
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(RetrySafeTest, DoesNotBlameTheRetryForAChargeMadeTwiceAtOnce) {
  fakes::CheckHarness harness;
  harness.target.habits.captures_per_order = 2;
  const checks::Judgement judgement = harness.Look("ordering.retry_safe");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

}  // namespace
}  // namespace puckdrop
