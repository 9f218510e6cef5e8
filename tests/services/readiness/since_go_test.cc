#include "services/readiness/since_go.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'780'000'000);  // 2026-05-28 20:26:40 UTC

v1::Verdict At(int seconds, v1::VerdictState state) {
  v1::Verdict verdict;
  verdict.set_state(state);
  verdict.set_plan_digest("plan-a");
  verdict.set_configuration("v1");
  *verdict.mutable_time() = runtime::ToTimestamp(kStart + absl::Seconds(seconds));
  return verdict;
}

void AddFailure(v1::Verdict& verdict, const std::string& check, int since, const std::string& root = "") {
  v1::InstanceStanding* instance = verdict.add_instances();
  instance->set_check(check);
  instance->set_customer("sofa");
  instance->set_standing(v1::STANDING_FAILED);
  instance->set_root(root);
  v1::Result* result = instance->mutable_result();
  result->set_summary("two charges");
  result->set_operation("billing.list_charges");
  result->set_step(1);
  result->set_steps(2);
  *result->mutable_end_time() = runtime::ToTimestamp(kStart + absl::Seconds(since));
}

std::vector<std::string> Observe(SinceGo& since, v1::Verdict verdict) {
  since.Observe(&verdict);
  return {verdict.changed().begin(), verdict.changed().end()};
}

TEST(SinceGoTest, SaysNothingBeforeTheFirstGoAndWhileItIsGo) {
  SinceGo since("UTC");
  v1::Verdict red = At(0, v1::VERDICT_STATE_NO_GO);
  AddFailure(red, "billing.charged_once", 0);
  EXPECT_THAT(Observe(since, red), IsEmpty());
  EXPECT_THAT(Observe(since, At(1, v1::VERDICT_STATE_GO_WITH_WAIVERS)), IsEmpty());
}

TEST(SinceGoTest, TellsPlanConfigurationAndWhatFailedFirstInTheOrderOfTime) {
  SinceGo since("UTC");
  Observe(since, At(0, v1::VERDICT_STATE_GO));
  v1::Verdict red = At(20, v1::VERDICT_STATE_NO_GO);
  red.set_configuration("v2");
  red.set_plan_digest("plan-b");
  AddFailure(red, "playback.cold_start", 30);
  AddFailure(red, "billing.charged_once", 25);
  AddFailure(red, "billing.vat", 22, "billing.charged_once");
  EXPECT_THAT(
      Observe(since, red),
      ElementsAre("the plan changed from plan-a to plan-b at 20:27:00",
                  "the target's configuration changed from v1 to v2 at 20:27:00",
                  HasSubstr("billing.charged_once fails for sofa since 20:27:05 (billing.list_charges, step 1 of "
                            "2): two charges"),
                  HasSubstr("playback.cold_start")));
  // Later verdicts keep the moment of the first.
  red.mutable_time()->set_seconds(red.time().seconds() + 600);
  red.mutable_instances(0)->mutable_result()->mutable_end_time()->set_seconds(red.time().seconds());
  EXPECT_THAT(Observe(since, red)[3], HasSubstr("since 20:27:10"));
}

TEST(SinceGoTest, WhatPassesAgainIsNoReasonAnyMoreAndGoBeginsAnew) {
  SinceGo since("UTC");
  Observe(since, At(0, v1::VERDICT_STATE_GO));
  v1::Verdict red = At(20, v1::VERDICT_STATE_NO_GO);
  AddFailure(red, "playback.cold_start", 20);
  EXPECT_EQ(Observe(since, red).size(), 1u);
  EXPECT_THAT(Observe(since, At(30, v1::VERDICT_STATE_INCONCLUSIVE)), IsEmpty());
  Observe(since, At(40, v1::VERDICT_STATE_GO));
  EXPECT_EQ(Observe(since, red).size(), 1u);
}

TEST(SinceGoTest, KnowsTheLastGoOfAnEarlierLife) {
  SinceGo since("UTC");
  since.Restore(kStart - absl::Hours(1), "plan-a", "v0");
  EXPECT_THAT(Observe(since, At(0, v1::VERDICT_STATE_INCONCLUSIVE)),
              ElementsAre(HasSubstr("configuration changed from v0 to v1")));
}

TEST(SinceGoTest, TellsAtMostEightFailuresAndHowManyMore) {
  SinceGo since("UTC");
  Observe(since, At(0, v1::VERDICT_STATE_GO));
  v1::Verdict red = At(20, v1::VERDICT_STATE_NO_GO);
  for (int i = 0; i < 50; ++i) AddFailure(red, "playback.check_" + std::to_string(i), 20 + i);
  const std::vector<std::string> changed = Observe(since, red);
  ASSERT_EQ(changed.size(), 9u);
  EXPECT_THAT(changed[0], HasSubstr("check_0 "));
  EXPECT_EQ(changed[8], "and 42 more checks began to fail");
}

}  // namespace
}  // namespace puckdrop::readiness
