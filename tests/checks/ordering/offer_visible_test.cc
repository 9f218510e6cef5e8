#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(OfferVisibleTest, PassesWhenEveryClaimedOfferIsListedAtItsPrice) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(OfferVisibleTest, FailsOnAnEmptyList) {
  fakes::CheckHarness harness;
  harness.target.offers.clear();
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "empty_list") << judgement.summary;
}

TEST(OfferVisibleTest, FailsOnAMissingOffer) {
  fakes::CheckHarness harness;
  harness.target.offers.pop_back();
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "offer_missing") << judgement.summary;
}

TEST(OfferVisibleTest, FailsOnAnOfferThatCannotBeBought) {
  fakes::CheckHarness harness;
  harness.target.offers[0].set_purchasable(false);
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_purchasable") << judgement.summary;
}

TEST(OfferVisibleTest, FailsOnAnotherPriceThanClaimed) {
  fakes::CheckHarness harness;
  harness.plan.mutable_claims()->mutable_offers(0)->mutable_price()->set_minor_units(1390);
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "price_differs_from_claim") << judgement.summary;
}

TEST(OfferVisibleTest, FailsOnAnOfferListedTwice) {
  fakes::CheckHarness harness;
  harness.target.offers.push_back(harness.target.offers[0]);
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "duplicate_offer") << judgement.summary;
}

TEST(OfferVisibleTest, IsNotJudgedWithoutAClaimForTheMarket) {
  fakes::CheckHarness harness;
  for (auto& claim : *harness.plan.mutable_claims()->mutable_offers()) claim.set_market("SE");
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_SKIPPED) << judgement.summary;
  EXPECT_EQ(judgement.skip_cause, v1::SKIP_CAUSE_NOT_TOLD);
}

TEST(OfferVisibleTest, WarnsWhenTheListIsSlow) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.list_offers", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    harness.clock.Advance(absl::Seconds(2));
    return harness.target.Shop("ordering.list_offers", request, actor);
  });
  const checks::Judgement judgement = harness.Look("ordering.offer_visible");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

}  // namespace
}  // namespace puckdrop
