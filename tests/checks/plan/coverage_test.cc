#include "checks/plan/coverage.h"

#include <gtest/gtest.h>

#include "tests/checks/plan/support.h"

namespace puckdrop::plan {
namespace {

v1::Plan Base(const std::string& overlay = "{}") {
  LoadOptions options = testing::TestOptions();
  options.check_ids.clear();
  const LoadResult result = testing::LoadTexts({{"base.yaml", testing::BasePlan()}, {"over.yaml", overlay}},
                                               {"base.yaml"}, {"over.yaml"}, options);
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
  return result.plan;
}

CheckNeeds Needs(std::string id, std::vector<std::string> operations, std::vector<std::string> fields = {},
                 v1::Severity severity = v1::SEVERITY_BLOCKING) {
  return {std::move(id), severity, std::move(operations), std::move(fields)};
}

TEST(CoverageTest, SaysWhatToMapNext) {
  const std::vector<CheckNeeds> checks = {
      Needs("ordering.offer_visible", {"ordering.list_offers"}),
      Needs("ordering.order_completes", {"ordering.place_order"}),
      Needs("billing.price_chain", {"ordering.place_order", "billing.list_invoices"}),
      Needs("billing.vat", {"billing.list_invoices"}, {"billing.list_invoices:invoices.lines.vat_basis_points"}),
      Needs("ordering.offer_tax", {"ordering.list_offers"}, {"ordering.list_offers:offers.price.vat_basis_points"}),
      Needs("billing.refund", {"billing.list_charges", "billing.list_refunds"}),
      Needs("playback.loudness", {"billing.list_invoices"}, {}, v1::SEVERITY_ADVISORY),
  };
  const Coverage coverage = ComputeCoverage(Base(), checks);
  EXPECT_EQ(
      ToText(coverage),
      "2 of 6 blocking checks can be judged. Map billing.list_invoices next: +2. Add price.vat_basis_points: +1.");
  EXPECT_EQ(coverage.missing.size(), 4u);
  EXPECT_EQ(Details(coverage), R"(
not yet:
  billing.price_chain: map billing.list_invoices
  billing.refund: map billing.list_charges, billing.list_refunds
  billing.vat: map billing.list_invoices
  ordering.offer_tax: return offers.price.vat_basis_points of ordering.list_offers
)");
}

TEST(CoverageTest, WhatNeedsTwoOperationsNamesBoth) {
  const Coverage coverage =
      ComputeCoverage(Base(), {Needs("billing.refund", {"billing.list_charges", "billing.list_refunds"})});
  EXPECT_EQ(ToText(coverage),
            "0 of 1 blocking checks can be judged. Map billing.list_charges next. Then map billing.list_refunds: +1.");
}

TEST(CoverageTest, WhatIsLeftOutOnPurposeIsNotSuggested) {
  const v1::Plan plan = Base(R"(operations:
  billing.list_charges: { not_offered: no such page }
not_judged:
  - { check: billing.vat, reason: later, owner: billing }
)");
  const Coverage coverage = ComputeCoverage(
      plan, {Needs("billing.charged_once", {"billing.list_charges"}), Needs("billing.vat", {"billing.list_invoices"})});
  EXPECT_EQ(ToText(coverage), "0 of 2 blocking checks can be judged. 2 are left out on purpose.");
  EXPECT_EQ(Details(coverage), R"(
left out on purpose:
  later
    billing.vat
  no such page
    billing.charged_once
)");
}

TEST(CoverageTest, AllJudgedNeedsNoAdvice) {
  EXPECT_EQ(ToText(ComputeCoverage(Base(), {Needs("ordering.offer_visible", {"ordering.list_offers"})})),
            "1 of 1 blocking checks can be judged.");
}

}  // namespace
}  // namespace puckdrop::plan
