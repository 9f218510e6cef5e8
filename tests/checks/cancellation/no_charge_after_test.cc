#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(NoChargeAfterTest, PassesWhenNothingIsChargedInTwoPeriods) {
  fakes::CheckHarness harness;
  harness.Walk("billing.charged_once");
  const checks::Judgement judgement = harness.Look("cancellation.no_charge_after");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(NoChargeAfterTest, FailsWhenChargedAfterTheCancellation) {
  fakes::CheckHarness harness;
  harness.Walk("billing.charged_once");
  harness.target.habits.charges_after_cancel = true;
  const checks::Judgement judgement = harness.Look("cancellation.no_charge_after");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "charged_after_cancel") << judgement.summary;
}

TEST(NoChargeAfterTest, ProvesNothingWithoutAChargeBefore) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.no_charge_after");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_INCONCLUSIVE) << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
