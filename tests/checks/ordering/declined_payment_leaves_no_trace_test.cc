#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(DeclinedPaymentTest, PassesWhenNothingIsLeft) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(DeclinedPaymentTest, FailsWhenAnOrderIsLeft) {
  fakes::CheckHarness harness;
  harness.target.habits.declined_leaves_order = true;
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "order_left") << judgement.summary;
}

TEST(DeclinedPaymentTest, FailsWhenTheRightToWatchIsGiven) {
  fakes::CheckHarness harness;
  harness.target.habits.declined_entitles = true;
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "entitled") << judgement.summary;
}

TEST(DeclinedPaymentTest, FailsWhenTheCardIsAccepted) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.place_order", [](const google::protobuf::Message&, const checks::Actor&) {
    target::v1::PlaceOrderResponse response;
    response.set_order_id("ord-1");
    response.set_state(target::v1::ORDER_STATE_PENDING);
    return fakes::FakeTarget::Ok(response);
  });
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "declined_card_accepted") << judgement.summary;
}

TEST(DeclinedPaymentTest, FailsWhenTheRefusalNamesAnotherReason) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.place_order", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_BAD_INPUT);
  });
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "refused_for_another_reason") << judgement.summary;
}

TEST(DeclinedPaymentTest, IsNotJudgedWithoutADecliningCard) {
  fakes::CheckHarness harness;
  harness.target.missing_payment_cases.insert(target::v1::PAYMENT_CASE_DECLINED_CARD);
  const checks::Judgement judgement = harness.Look("ordering.declined_payment_leaves_no_trace");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_TOLD);
}

}  // namespace
}  // namespace puckdrop
