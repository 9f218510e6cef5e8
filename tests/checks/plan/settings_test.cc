#include "checks/plan/settings.h"

#include <gtest/gtest.h>

#include "tests/checks/plan/support.h"

namespace puckdrop::plan {
namespace {

v1::Plan LoadedWith(const std::string& overlay) {
  LoadOptions options = testing::TestOptions();
  options.check_ids.clear();
  const LoadResult result = testing::LoadTexts({{"base.yaml", testing::BasePlan()}, {"over.yaml", overlay}},
                                               {"base.yaml"}, {"over.yaml"}, options);
  EXPECT_TRUE(result.ok()) << ToText(result.mistakes);
  return result.plan;
}

TEST(SettingsTest, TheLongerPatternWinsFieldByField) {
  const v1::Plan plan = LoadedWith(R"(checks:
  ordering.order_to_watch: { fail: 120s, parameters: { a: 2 } }
  "ordering.*": { warn: 500ms, fail: 5s, severity: ADVISORY, parameters: { a: 1, b: 3s } }
  "*": { attempts: 2, timeout: 1m500ms }
)");
  const v1::Plan::CheckSettings settings = SettingsFor(plan, "ordering.order_to_watch");
  EXPECT_EQ(settings.attempts(), 2);
  EXPECT_EQ(ThresholdValue(settings.warn()), 0.5);
  EXPECT_EQ(ThresholdValue(settings.fail()), 120);
  EXPECT_EQ(settings.severity(), v1::SEVERITY_ADVISORY);
  ASSERT_EQ(settings.parameters_size(), 2);
  double a = 0;
  for (const auto& parameter : settings.parameters()) {
    if (parameter.name() == "a") a = ThresholdValue(parameter.value());
  }
  EXPECT_EQ(a, 2);
  EXPECT_EQ(SettingsFor(plan, "billing.vat").severity(), v1::SEVERITY_UNSPECIFIED);
}

TEST(SettingsTest, NotJudgedMayBeForOneCustomer) {
  const v1::Plan plan = LoadedWith(R"(not_judged:
  - { check: "billing.no_*", reason: no clock, owner: billing }
  - { check: playback.loudness, reason: loud, owner: video, customer: living-room }
)");
  EXPECT_NE(FindNotJudged(plan, "billing.no_charge", "living-room"), nullptr);
  EXPECT_NE(FindNotJudged(plan, "playback.loudness", "living-room"), nullptr);
  EXPECT_EQ(FindNotJudged(plan, "playback.loudness", "another"), nullptr);
}

TEST(SettingsTest, TheTightestPhaseThatAppliesWins) {
  const v1::Plan plan = LoadedWith(R"(schedule:
  - { from: -24h, watch_every: 5m, journeys_every: 1h }
  - { from: -60m, watch_every: 30s }
  - { from: -15m, until: +4h, watch_every: 10s }
)");
  EXPECT_FALSE(PaceAt(plan, -absl::Hours(25)).watch_every.has_value());
  EXPECT_EQ(PaceAt(plan, -absl::Hours(2)).watch_every, absl::Minutes(5));
  EXPECT_EQ(PaceAt(plan, absl::ZeroDuration()).watch_every, absl::Seconds(10));
  EXPECT_EQ(PaceAt(plan, absl::ZeroDuration()).journeys_every, absl::Hours(1));
  EXPECT_EQ(PaceAt(plan, absl::Hours(4)).watch_every, absl::Seconds(30));
}

TEST(SettingsTest, FindsTheOfferAndItsTax) {
  const v1::Plan plan = LoadedWith(R"(claims:
  vat: { FI: 25.5 %, SE: 25 % }
  offers:
    - { offer_id: anywhere, price: 1.00 EUR, vat: 24 % }
    - { offer_id: season, market: FI, price: 14.90 EUR }
    - { offer_id: match, market: FI, price: 4.90 EUR }
)");
  v1::Plan::Customer customer;
  customer.set_market("FI");
  EXPECT_EQ(OfferFor(plan, customer)->offer_id(), "season");
  customer.set_offer_id("match");
  EXPECT_EQ(OfferFor(plan, customer)->offer_id(), "match");
  EXPECT_EQ(VatFor(plan, *OfferFor(plan, customer), "FI"), 2550);
  customer.set_offer_id("");
  customer.set_market("SE");
  EXPECT_EQ(OfferFor(plan, customer)->offer_id(), "anywhere");
  EXPECT_EQ(VatFor(plan, *OfferFor(plan, customer), "SE"), 2400);
}

TEST(SettingsTest, KnowsWhatAnOperationReturns) {
  const v1::Plan plan = LoadedWith("{}");
  const v1::Plan::Operation& offers = *FindOperation(plan, "ordering.list_offers");
  EXPECT_TRUE(Returns(offers, "offers"));
  EXPECT_TRUE(Returns(offers, "offers.price.gross"));
  EXPECT_TRUE(Returns(offers, "offers.price.gross.currency_code"));
  EXPECT_FALSE(Returns(offers, "offers.price.vat_basis_points"));
}

}  // namespace
}  // namespace puckdrop::plan
