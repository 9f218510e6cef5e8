#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(OfferTruthfulTest, PassesWhenTheThreePlacesSayTheSame) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(OfferTruthfulTest, FailsWhenTheCheckoutIsDearer) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.preview_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("ordering.preview_order", request, actor);
    auto response = dynamic_cast<const target::v1::PreviewOrderResponse&>(*end.response);
    response.mutable_terms()->mutable_total()->mutable_gross()->set_minor_units(1590);
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "checkout_price_differs") << judgement.summary;
}

TEST(OfferTruthfulTest, FailsWhenTheConfirmationIsDearer) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.place_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("ordering.place_order", request, actor);
    auto response = dynamic_cast<const target::v1::PlaceOrderResponse&>(*end.response);
    response.mutable_terms()->mutable_total()->mutable_gross()->set_minor_units(1590);
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "confirmation_price_differs") << judgement.summary;
}

TEST(OfferTruthfulTest, FailsWhenNobodySaysThatItRenews) {
  fakes::CheckHarness harness;
  for (target::v1::Offer& offer : harness.target.offers) offer.clear_cancellation_text();
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_disclosed") << judgement.summary;
}

TEST(OfferTruthfulTest, FailsWhenTheTermsDiffer) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.preview_order", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    checks::OperationEnd end = harness.target.Shop("ordering.preview_order", request, actor);
    auto response = dynamic_cast<const target::v1::PreviewOrderResponse&>(*end.response);
    response.mutable_terms()->set_minimum_term("P12M");
    checks::OperationEnd spoilt = fakes::FakeTarget::Ok(response);
    spoilt.customer_steps = end.customer_steps;
    return spoilt;
  });
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "terms_differ") << judgement.summary;
}

TEST(OfferTruthfulTest, DoesNotAskForWhatThePlanDoesNotReturn) {
  fakes::CheckHarness harness;
  for (target::v1::Offer& offer : harness.target.offers) offer.clear_minimum_term();
  harness.target.untold = {"ordering.list_offers:offers.minimum_term", "ordering.preview_order:terms.minimum_term",
                           "ordering.place_order:terms.minimum_term"};
  const checks::Judgement judgement = harness.Look("ordering.offer_truthful");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

}  // namespace
}  // namespace puckdrop
