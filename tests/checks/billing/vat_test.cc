#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(VatTest, PassesAtTheClaimedRate) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("billing.vat");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(VatTest, FailsAtAnotherRate) {
  fakes::CheckHarness harness;
  harness.target.habits.invoice_vat_basis_points = 2400;
  const checks::Judgement judgement = harness.Look("billing.vat");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_rate") << judgement.summary;
}

TEST(VatTest, FailsWhenTheTaxIsNotTheRateItNames) {
  fakes::CheckHarness harness;
  harness.target.On("billing.list_invoices", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("billing.list_invoices", request, actor);
    auto response = dynamic_cast<const target::v1::ListInvoicesResponse&>(*end.response);
    response.mutable_invoices(0)->mutable_lines(0)->set_vat_minor_units(288);
    response.mutable_invoices(0)->mutable_lines(0)->set_net_minor_units(1202);
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("billing.vat");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_tax") << judgement.summary;
}

TEST(VatTest, FailsWhenNetAndTaxDoNotAddUp) {
  fakes::CheckHarness harness;
  harness.target.On("billing.list_invoices", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("billing.list_invoices", request, actor);
    auto response = dynamic_cast<const target::v1::ListInvoicesResponse&>(*end.response);
    response.mutable_invoices(0)->mutable_lines(0)->set_net_minor_units(1100);
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("billing.vat");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "does_not_add_up") << judgement.summary;
}

TEST(VatTest, FailsWhenTheRateIsNotShown) {
  fakes::CheckHarness harness;
  harness.target.On("billing.list_invoices", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("billing.list_invoices", request, actor);
    auto response = dynamic_cast<const target::v1::ListInvoicesResponse&>(*end.response);
    response.mutable_invoices(0)->mutable_lines(0)->clear_vat_basis_points();
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("billing.vat");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "rate_not_shown") << judgement.summary;
}

TEST(VatTest, IsNotJudgedWithoutAClaimedRate) {
  fakes::CheckHarness harness;
  for (auto& claim : *harness.plan.mutable_claims()->mutable_offers()) claim.clear_vat();
  const checks::Judgement judgement = harness.Look("billing.vat");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_TOLD);
}

TEST(VatTest, IsNotJudgedWhenThePlanReturnsNoTax) {
  fakes::CheckHarness harness;
  harness.target.untold = {"billing.list_invoices:invoices.lines.vat_basis_points",
                           "billing.list_invoices:invoices.lines.vat_minor_units",
                           "billing.list_invoices:invoices.vat_minor_units"};
  const checks::Judgement judgement = harness.Look("billing.vat");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_TOLD);
}

}  // namespace
}  // namespace puckdrop
