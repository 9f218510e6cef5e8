#include <gtest/gtest.h>

#include "tests/fakes/check_harness.h"

namespace puckdrop {
namespace {

TEST(SignInTest, PassesWhenTheRightPasswordOpensAndAWrongOneDoesNot) {
  fakes::CheckHarness harness;
  const checks::Judgement judgement = harness.Look("ordering.sign_in");
  EXPECT_EQ(judgement.outcome, v1::OUTCOME_PASSED) << judgement.summary;
  EXPECT_FALSE(judgement.summary.empty());
}

TEST(SignInTest, FailsWhenANewDeviceIsRefused) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.sign_in", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Refused(target::v1::REASON_UNAUTHENTICATED);
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_in");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "refused") << judgement.summary;
}

TEST(SignInTest, FailsWhenAWrongPasswordOpens) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.sign_in", [](const google::protobuf::Message&, const checks::Actor&) {
    return fakes::FakeTarget::Ok(target::v1::SignInResponse());
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_in");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_password_accepted") << judgement.summary;
}

TEST(SignInTest, FailsWhenAWrongPasswordIsRefusedForAnotherReason) {
  fakes::CheckHarness harness;
  int asked = 0;
  harness.target.On("ordering.sign_in", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    return ++asked == 1 ? harness.target.Shop("ordering.sign_in", request, actor)
                        : fakes::FakeTarget::Refused(target::v1::REASON_OTHER);
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_in");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "wrong_password_unclear") << judgement.summary;
}

TEST(SignInTest, FailsWhenSigningInTakesTooLong) {
  fakes::CheckHarness harness;
  harness.target.On("ordering.sign_in", [&](const google::protobuf::Message& request, const checks::Actor& actor) {
    harness.clock.Advance(absl::Seconds(11));
    return harness.target.Shop("ordering.sign_in", request, actor);
  });
  const checks::Judgement judgement = harness.Look("ordering.sign_in");
  ASSERT_EQ(judgement.outcome, v1::OUTCOME_FAILED) << judgement.summary;
  ASSERT_FALSE(judgement.findings.empty());
  EXPECT_EQ(judgement.findings[0].id(), "too_slow") << judgement.summary;
}

}  // namespace
}  // namespace puckdrop
