#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(WithdrawalFunctionTest, PassesWhenAcknowledged) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.withdrawal_function");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(WithdrawalFunctionTest, FailsWithoutAnAcknowledgement) {
  fakes::CheckHarness harness;
  harness.target.habits.withdrawal_acknowledged = false;
  const checks::Judgement judgement = harness.Look("cancellation.withdrawal_function");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_acknowledged") << judgement.summary;
}

TEST(WithdrawalFunctionTest, FailsWhenThereIsNoSuchFunction) {
  fakes::CheckHarness harness;
  harness.target.On("cancellation.withdraw_contract", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_NOT_FOUND);
  });
  const checks::Judgement judgement = harness.Look("cancellation.withdrawal_function");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "refused") << judgement.summary;
}

TEST(WithdrawalFunctionTest, FailsOnAnotherRefundThanThePrice) {
  fakes::CheckHarness harness;
  harness.target.On("cancellation.withdraw_contract", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("cancellation.withdraw_contract", request, actor);
    auto response = dynamic_cast<const target::v1::WithdrawContractResponse&>(*end.response);
    response.mutable_refund()->set_minor_units(745);
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("cancellation.withdrawal_function");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_refund") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
