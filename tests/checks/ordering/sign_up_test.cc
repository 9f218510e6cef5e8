#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(SignUpTest, PassesWhenTheAccountReadsFromAnotherSession) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.sign_up");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(SignUpTest, FailsWhenSigningUpFails) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.sign_up", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Fault("status 500");
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_up");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "operation") << judgement.summary;
}

TEST(SignUpTest, FailsWhenAnotherSessionCannotReadTheAccount) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.get_account", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_NOT_FOUND);
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_up");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "not_readable_elsewhere") << judgement.summary;
}

TEST(SignUpTest, WaitsForAnAccountThatAppearsLater) {
  fakes::CheckHarness harness;
  int asked = 0;
  harness.target.On("ordering.get_account", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    return ++asked < 3 ? fakes::FakeTarget::Refused(target::v1::REASON_NOT_FOUND)
                       : harness.target.Shop("ordering.get_account", request, actor);
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_up");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace puckdrop
