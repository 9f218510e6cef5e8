#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(TakesEffectTest, PassesWhenAnotherDeviceShowsTheEnd) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.takes_effect");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(TakesEffectTest, FailsWhenItStillRenews) {
  fakes::CheckHarness harness;
  harness.target.habits.cancel_does_nothing = true;
  const checks::Judgement judgement = harness.Look("cancellation.takes_effect");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "still_renews") << judgement.summary;
}

TEST(TakesEffectTest, FailsWhenItEndsOnAnotherDayThanPaid) {
  fakes::CheckHarness harness;
  harness.target.On("cancellation.list_subscriptions", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("cancellation.list_subscriptions", request, actor);
    auto response = dynamic_cast<const target::v1::ListSubscriptionsResponse&>(*end.response);
    auto* subscription = response.mutable_subscriptions(0);
    if (subscription->has_end_date()) subscription->set_end_date("2026-12-05");
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("cancellation.takes_effect");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_end_date") << judgement.summary;
}

TEST(TakesEffectTest, FailsWhenCancellingFails) {
  fakes::CheckHarness harness;
  harness.target.On("cancellation.cancel_subscription", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Fault("status 500");
  });
  const checks::Judgement judgement = harness.Look("cancellation.takes_effect");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "operation") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
