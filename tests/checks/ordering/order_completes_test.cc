#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(OrderCompletesTest, PassesWhenTheOrderBecomesActive) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.order_completes");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(harness.obligations.opened.size(), 2u);  // the account and the order
}

TEST(OrderCompletesTest, FailsWhenItNeverBecomesActive) {
  fakes::CheckHarness harness;
  harness.target.habits.activation = absl::Hours(2);
  const checks::Judgement judgement = harness.Look("ordering.order_completes");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_active") << judgement.summary;
}

TEST(OrderCompletesTest, FailsWhenAnAcceptedOrderFailsLater) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.get_order", [](const google::protobuf::Message&, const checks::Actor&) {
    target::v1::GetOrderResponse response;
    response.mutable_order()->set_order_id("ord-1");
    response.mutable_order()->set_state(target::v1::ORDER_STATE_FAILED);
    return fakes::FakeTarget::Ok(response);
  });
  const checks::Judgement judgement = harness.Look("ordering.order_completes");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "order_failed") << judgement.summary;
}

TEST(OrderCompletesTest, IsInconclusiveAndOrdersNothingWhenReadinessWritesNothingDown) {
  fakes::CheckHarness harness;
  harness.obligations.answer = absl::UnavailableError("readiness is away");
  const checks::Judgement judgement = harness.Look("ordering.order_completes");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(harness.target.orders(), 0);
}

}  // namespace
}  // namespace puckdrop
