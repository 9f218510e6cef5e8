#include "services/prober/outcome.h"

#include <gtest/gtest.h>

#include "services/prober/settings.h"
#include "tests/services/prober/scripted.h"

namespace puckdrop::prober {
namespace {

struct Row {
  const char* name;
  OperationEnd end;
  v1::Outcome outcome;
  v1::FailureReason reason;
  const char* finding;
};

OperationEnd End(OperationEnd::Kind kind, bool unreachable = false, bool certificate = false, bool deadline = false) {
  OperationEnd end;
  end.kind = kind;
  end.operation = "ordering.place_order";
  end.words = "what happened";
  end.unreachable = unreachable;
  end.certificate = certificate;
  end.deadline = deadline;
  return end;
}

class TableTest : public ::testing::TestWithParam<Row> {};

TEST_P(TableTest, AnOperationsEndGivesTheOutcomeOfTheTable) {
  Judgement judgement = JudgementOf(GetParam().end);
  EXPECT_EQ(judgement.outcome, GetParam().outcome);
  EXPECT_EQ(judgement.reason, GetParam().reason);
  EXPECT_EQ(judgement.findings.empty() ? "" : judgement.findings[0].id(), GetParam().finding);
  if (GetParam().end.kind != OperationEnd::Kind::kOk) EXPECT_EQ(judgement.summary, "what happened");
}

using Kind = OperationEnd::Kind;
INSTANTIATE_TEST_SUITE_P(
    Rows, TableTest,
    ::testing::Values(
        Row{"Refused", End(Kind::kRefused), v1::OUTCOME_FAILED, v1::FAILURE_REASON_UNEXPECTED_REFUSAL,
            "unexpected_refusal"},
        Row{"Fault", End(Kind::kFault), v1::OUTCOME_FAILED, v1::FAILURE_REASON_TARGET_FAULT, "target_fault"},
        Row{"Certificate", End(Kind::kFault, false, true), v1::OUTCOME_FAILED, v1::FAILURE_REASON_CERTIFICATE,
            "certificate"},
        Row{"Unreadable", End(Kind::kUnreadable), v1::OUTCOME_FAILED, v1::FAILURE_REASON_UNREADABLE, "unreadable"},
        Row{"Ours", End(Kind::kOurs), v1::OUTCOME_INCONCLUSIVE, v1::FAILURE_REASON_OURS, ""},
        Row{"Deadline", End(Kind::kOurs, false, false, true), v1::OUTCOME_INCONCLUSIVE, v1::FAILURE_REASON_OURS, ""},
        Row{"Unreachable", End(Kind::kOurs, true), v1::OUTCOME_INCONCLUSIVE, v1::FAILURE_REASON_UNREACHABLE, ""},
        // A check that throws a good end tells nothing: never green, never red.
        Row{"Ok", End(Kind::kOk), v1::OUTCOME_INCONCLUSIVE, v1::FAILURE_REASON_OURS, ""}),
    [](const auto& tested) { return tested.param.name; });

const Judgement kPassed = checks::Passed("fine");
const Judgement kFailed = checks::Failed("wrong", "it is wrong");
const Judgement kUnknown = checks::Inconclusive("who knows");

TEST(LooksTest, APassAtTheFirstLookIsFinal) {
  Looks looks(3);
  EXPECT_EQ(looks.Add(kPassed), Looks::Next::kDone);
  EXPECT_EQ(looks.Take().judgement.outcome, v1::OUTCOME_PASSED);
  EXPECT_FALSE(looks.Take().flaky);
  EXPECT_EQ(looks.Take().attempts, 1);
}

TEST(LooksTest, FailedTwiceIsConfirmed) {
  Looks looks(1);
  EXPECT_EQ(looks.Add(kFailed), Looks::Next::kSecondLook);
  EXPECT_FALSE(looks.Take().confirmed) << "not after one look";
  EXPECT_EQ(looks.Add(kFailed), Looks::Next::kDone);
  EXPECT_TRUE(looks.Take().confirmed);
  EXPECT_EQ(looks.Take().judgement.outcome, v1::OUTCOME_FAILED);
  EXPECT_EQ(looks.Take().attempts, 2);
}

TEST(LooksTest, FailedThenPassedIsPassedAndFlaky) {
  Looks looks(1);
  looks.Add(kFailed);
  EXPECT_EQ(looks.Add(kPassed), Looks::Next::kDone);
  EXPECT_EQ(looks.Take().judgement.outcome, v1::OUTCOME_PASSED);
  EXPECT_TRUE(looks.Take().flaky);
  EXPECT_FALSE(looks.Take().confirmed);
}

TEST(LooksTest, FailedThenUnknownIsFailedAndNotConfirmed) {
  for (const Judgement& second :
       {kUnknown, checks::Skipped(v1::SKIP_CAUSE_NOT_TOLD, "no"), Judgement{.outcome = v1::OUTCOME_BLOCKED}}) {
    Looks looks(3);
    looks.Add(kFailed);
    EXPECT_EQ(looks.Add(second), Looks::Next::kDone);
    EXPECT_EQ(looks.Take().judgement.outcome, v1::OUTCOME_FAILED);
    EXPECT_EQ(looks.Take().judgement.summary, "it is wrong");
    EXPECT_FALSE(looks.Take().confirmed);
    EXPECT_FALSE(looks.Take().flaky);
  }
}

TEST(LooksTest, OnlyWhatCouldNotBeToldIsRetried) {
  Looks looks(3);
  EXPECT_EQ(looks.Add(kUnknown), Looks::Next::kRetry);
  EXPECT_EQ(looks.Add(kUnknown), Looks::Next::kRetry);
  EXPECT_EQ(looks.Add(kUnknown), Looks::Next::kDone);
  EXPECT_EQ(looks.Take().judgement.outcome, v1::OUTCOME_INCONCLUSIVE);
  Looks blocked(3);
  EXPECT_EQ(blocked.Add(Judgement{.outcome = v1::OUTCOME_BLOCKED}), Looks::Next::kDone);
  Looks skipped(3);
  EXPECT_EQ(skipped.Add(checks::Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "no")), Looks::Next::kDone);
}

TEST(LooksTest, APassAfterARetryIsFlaky) {
  Looks looks(2);
  looks.Add(kUnknown);
  looks.Add(kPassed);
  EXPECT_TRUE(looks.Take().flaky);
}

TEST(LooksTest, NeverMoreThanFourLooks) {
  Looks looks(99);
  EXPECT_EQ(looks.Add(kUnknown), Looks::Next::kRetry);
  EXPECT_EQ(looks.Add(kUnknown), Looks::Next::kRetry);
  EXPECT_EQ(looks.Add(kFailed), Looks::Next::kSecondLook);
  EXPECT_EQ(looks.Add(kFailed), Looks::Next::kDone);
  EXPECT_EQ(looks.Take().attempts, 4);
}

TEST(SettingsTest, ThePlanWinsOverTheCheckAndTheLongerPatternOverTheShorter) {
  v1::Plan plan = ScriptedPlan();
  v1::Plan::CheckSettings* all = plan.add_checks();
  all->set_check("*");
  all->set_attempts(3);
  all->set_severity(v1::SEVERITY_ADVISORY);
  v1::Plan::CheckSettings* one = plan.add_checks();
  one->set_check("ordering.order_*");
  one->mutable_fail()->mutable_duration()->set_seconds(120);
  one->set_severity(v1::SEVERITY_BLOCKING);
  CheckInfo info;
  info.id = "ordering.order_to_watch";
  info.warn = 15;
  info.fail = 60;
  info.unit = "s";
  Settings settings = SettingsInForce(plan, info, absl::Seconds(5));
  EXPECT_EQ(settings.attempts, 3);
  EXPECT_EQ(settings.severity, v1::SEVERITY_BLOCKING);
  EXPECT_EQ(settings.thresholds.warn(), 15);
  EXPECT_EQ(settings.thresholds.fail(), 120);
  EXPECT_EQ(settings.observe, absl::Seconds(5));
  info.id = "ordering.sign_up";
  EXPECT_EQ(SettingsInForce(plan, info).severity, v1::SEVERITY_ADVISORY);
}

TEST(SettingsTest, AResultIsFreshForThreeIntervalsAndTwoDeadlines) {
  v1::Plan plan = ScriptedPlan();
  CheckInfo info;
  info.id = "ordering.sign_up";
  const absl::Time now = absl::UnixEpoch();
  EXPECT_EQ(MaxAge(plan, info, now, absl::Minutes(1)), absl::Minutes(32));
  v1::Plan::CheckSettings* one = plan.add_checks();
  one->set_check("ordering.sign_up");
  one->mutable_every()->set_seconds(30);
  one->mutable_timeout()->set_seconds(5);
  EXPECT_EQ(MaxAge(plan, info, now, absl::Minutes(1)), absl::Seconds(100));
  one->mutable_max_age()->set_seconds(7);
  EXPECT_EQ(MaxAge(plan, info, now, absl::Minutes(1)), absl::Seconds(7));
}

}  // namespace
}  // namespace puckdrop::prober
