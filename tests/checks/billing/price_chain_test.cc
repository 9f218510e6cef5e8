#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(PriceChainTest, PassesWhenEveryLinkSaysTheClaimedPrice) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("billing.price_chain");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(PriceChainTest, FailsWhenTheChargeDiffers) {
  fakes::CheckHarness harness;
  harness.target.habits.charge_minor_units = 1590;
  const checks::Judgement judgement = harness.Look("billing.price_chain");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charge_differs") << judgement.summary;
}

TEST(PriceChainTest, FailsWhenTheInvoiceDiffers) {
  fakes::CheckHarness harness;
  harness.target.habits.invoice_minor_units = 1590;
  const checks::Judgement judgement = harness.Look("billing.price_chain");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "invoice_differs") << judgement.summary;
}

TEST(PriceChainTest, FailsWhenThereIsNoInvoice) {
  fakes::CheckHarness harness;
  harness.target.On("billing.list_invoices", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Ok(target::v1::ListInvoicesResponse());
  });
  const checks::Judgement judgement = harness.Look("billing.price_chain");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "no_invoice") << judgement.summary;
}

TEST(PriceChainTest, FailsOnAnotherCurrency) {
  fakes::CheckHarness harness;
  harness.target.On("billing.list_charges", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("billing.list_charges", request, actor);
    auto response = dynamic_cast<const target::v1::ListChargesResponse&>(*end.response);
    response.mutable_charges(0)->mutable_amount()->set_currency_code("SEK");
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("billing.price_chain");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charge_differs") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
