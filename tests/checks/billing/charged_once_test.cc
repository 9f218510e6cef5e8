#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(ChargedOnceTest, PassesOnOneCharge) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("billing.charged_once");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(judgement.observed_value, 1);
}

TEST(ChargedOnceTest, FailsOnTwoCharges) {
  fakes::CheckHarness harness;
  harness.target.habits.captures_per_order = 2;
  const checks::Judgement judgement = harness.Look("billing.charged_once");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_twice") << judgement.summary;
}

TEST(ChargedOnceTest, FailsOnNoChargeWhereOneWasDue) {
  fakes::CheckHarness harness;
  harness.target.habits.captures_per_order = 0;
  const checks::Judgement judgement = harness.Look("billing.charged_once");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "never_charged") << judgement.summary;
}

TEST(ChargedOnceTest, FailsOnAChargeThatIsNotDue) {
  fakes::CheckHarness harness;
  harness.plan.mutable_customers(0)->set_offer_id("early_bird");
  harness.target.habits.charge_at_order_always = true;
  const checks::Judgement judgement = harness.Look("billing.charged_once");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_though_not_due") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
