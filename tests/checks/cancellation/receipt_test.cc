#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(ReceiptTest, PassesWhenAMailNamesTheReceipt) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("cancellation.receipt");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(ReceiptTest, FailsWithoutAMail) {
  fakes::CheckHarness harness;
  harness.target.habits.receipt_mail = false;
  const checks::Judgement judgement = harness.Look("cancellation.receipt");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "no_receipt") << judgement.summary;
}

TEST(ReceiptTest, WarnsWhenOnlyTheAnswerCanBeRead) {
  fakes::CheckHarness harness;
  harness.target.Unmap("ordering.list_messages");
  const checks::Judgement judgement = harness.Look("cancellation.receipt");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_TRUE(judgement.warning);
}

TEST(ReceiptTest, FailsWhenTheAnswerHasNoProofEither) {
  fakes::CheckHarness harness;
  harness.target.Unmap("ordering.list_messages");
  harness.target.habits.receipt = "";
  const checks::Judgement judgement = harness.Look("cancellation.receipt");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "no_receipt") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
