#include "services/prober/prober_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/runtime/proto_time.h"
#include "tests/services/prober/scripted.h"

namespace puckdrop::prober {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProberMetricsTest : public ::testing::Test {
 protected:
  ProberMetricsTest() {
    checks_.push_back(ScriptedCheck("ordering.sign_up", {Says(checks::Passed(""))}));
    checks_.push_back(ScriptedCheck("ordering.offer_visible", {Says(checks::Passed(""))}));
    checks_.back().info.per_launch = true;
    Make();
  }
  void Make() {
    metrics_ = std::make_shared<ProberMetrics>(std::make_shared<v1::Plan>(plan_), "ordering", checks_, start_,
                                               absl::Minutes(1));
  }
  void Record(v1::Outcome outcome, v1::FailureReason reason = v1::FAILURE_REASON_UNSPECIFIED, bool confirmed = false) {
    v1::Result result;
    result.set_check("ordering.sign_up");
    result.set_customer("phone");
    result.set_outcome(outcome);
    result.set_reason(reason);
    result.set_confirmed(confirmed);
    result.set_observed_value(3.5);
    now_ += absl::Seconds(10);
    *result.mutable_end_time() = runtime::ToTimestamp(now_);
    *result.mutable_duration() = runtime::ToProtoDuration(absl::Milliseconds(300));
    metrics_->Record(result, absl::Seconds(90));
  }
  std::string Text() { return runtime::MetricsText({metrics_}); }
  // The value of a series of the check and customer above.
  std::string Value(const std::string& name, const std::string& more = "") {
    const std::string series = absl::StrCat(
        "\n", name,
        "{launch=\"liiga\",path=\"ordering\",check=\"ordering.sign_up\",customer=\"phone\",device=\"iphone_17\","
        "market=\"FI\"",
        more, "} ");
    const std::string text = Text();
    const size_t at = text.find(series);
    if (at == std::string::npos) return "absent";
    return text.substr(at + series.size(), text.find('\n', at + 1) - at - series.size());
  }

  v1::Plan plan_ = ScriptedPlan();
  std::vector<CheckDefinition> checks_;
  const absl::Time start_ = absl::FromUnixSeconds(1000);
  absl::Time now_ = absl::FromUnixSeconds(2000);
  std::shared_ptr<ProberMetrics> metrics_;
};

TEST_F(ProberMetricsTest, EverySeriesIsThereBeforeTheFirstResultExceptSuccess) {
  EXPECT_EQ(Value("puckdrop_check_success"), "absent");
  EXPECT_EQ(Value("puckdrop_check_consecutive_failures"), "0");
  EXPECT_EQ(Value("puckdrop_check_last_run_timestamp_seconds"), "0");
  EXPECT_EQ(Value("puckdrop_check_last_success_timestamp_seconds"), "0");
  EXPECT_EQ(Value("puckdrop_check_max_age_seconds"), "1920");
  for (const char* outcome : {"passed", "failed", "blocked", "inconclusive", "skipped"}) {
    EXPECT_EQ(Value("puckdrop_check_runs_total", absl::StrCat(",outcome=\"", outcome, "\"")), "0") << outcome;
  }
  const std::string text = Text();
  for (const char* reason : {"wrong_answer", "target_fault", "unreadable", "unexpected_refusal", "too_slow",
                             "certificate", "media", "ours", "unreachable"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("puckdrop_check_failures_total{launch=\"liiga\",path=\"ordering\",check=\""
                                             "ordering.sign_up\",reason=\"",
                                             reason, "\"} 0\n")));
  }
  EXPECT_THAT(text, HasSubstr("check=\"ordering.offer_visible\",customer=\"any\",device=\"any\",market=\"any\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("puckdrop_target_requests_total{launch=\"liiga\",path=\"ordering\",code_class=\"5xx\"} 0"));
  EXPECT_THAT(text,
              HasSubstr("puckdrop_prober_heartbeat_timestamp_seconds{launch=\"liiga\",path=\"ordering\"} 1000\n"));
}

TEST_F(ProberMetricsTest, APassSetsEverythingAtOnce) {
  Record(v1::OUTCOME_PASSED);
  EXPECT_EQ(Value("puckdrop_check_success"), "1");
  EXPECT_EQ(Value("puckdrop_check_last_run_timestamp_seconds"), "2010");
  EXPECT_EQ(Value("puckdrop_check_last_success_timestamp_seconds"), "2010");
  EXPECT_EQ(Value("puckdrop_check_max_age_seconds"), "90");
  EXPECT_EQ(Value("puckdrop_check_observed_value"), "3.5");
  EXPECT_EQ(Value("puckdrop_check_runs_total", ",outcome=\"passed\""), "1");
  EXPECT_THAT(Text(), HasSubstr("puckdrop_check_duration_seconds_bucket{launch=\"liiga\",path=\"ordering\",check=\""
                                "ordering.sign_up\",le=\"0.25\"} 0\n"));
  EXPECT_THAT(Text(), HasSubstr("check=\"ordering.sign_up\",le=\"0.5\"} 1\n"));
}

TEST_F(ProberMetricsTest, AConfirmedFailureIsProvenAtOnce) {
  Record(v1::OUTCOME_FAILED, v1::FAILURE_REASON_WRONG_ANSWER, /*confirmed=*/true);
  EXPECT_EQ(Value("puckdrop_check_consecutive_failures"), "2");
}

TEST_F(ProberMetricsTest, OnlyAPassResetsConsecutiveFailures) {
  Record(v1::OUTCOME_PASSED);
  Record(v1::OUTCOME_FAILED, v1::FAILURE_REASON_TOO_SLOW);
  Record(v1::OUTCOME_INCONCLUSIVE, v1::FAILURE_REASON_OURS);
  Record(v1::OUTCOME_BLOCKED);
  Record(v1::OUTCOME_FAILED, v1::FAILURE_REASON_TOO_SLOW);
  EXPECT_EQ(Value("puckdrop_check_consecutive_failures"), "2");
  EXPECT_EQ(Value("puckdrop_check_success"), "0");
  EXPECT_EQ(Value("puckdrop_check_last_success_timestamp_seconds"), "2010");
  EXPECT_EQ(Value("puckdrop_check_last_run_timestamp_seconds"), "2050");
  EXPECT_THAT(Text(), HasSubstr("check=\"ordering.sign_up\",reason=\"too_slow\"} 2\n"));
  EXPECT_THAT(Text(), HasSubstr("check=\"ordering.sign_up\",reason=\"ours\"} 1\n"));
  Record(v1::OUTCOME_PASSED);
  EXPECT_EQ(Value("puckdrop_check_consecutive_failures"), "0");
}

TEST_F(ProberMetricsTest, SuccessIsAbsentWhileSkipped) {
  Record(v1::OUTCOME_PASSED);
  Record(v1::OUTCOME_SKIPPED);
  EXPECT_EQ(Value("puckdrop_check_success"), "absent");
  EXPECT_EQ(Value("puckdrop_check_observed_value"), "absent");
  EXPECT_EQ(Value("puckdrop_check_runs_total", ",outcome=\"skipped\""), "1");
}

TEST_F(ProberMetricsTest, NothingFromOutsideThePlanBecomesASeries) {
  v1::Result result;
  result.set_check("ordering.invented");
  result.set_customer("somebody");
  result.set_outcome(v1::OUTCOME_FAILED);
  metrics_->Record(result, absl::Seconds(1));
  metrics_->CountRequest("2xx");
  metrics_->CountRequest("weird\nclass");
  EXPECT_THAT(Text(), Not(HasSubstr("invented")));
  EXPECT_THAT(Text(), Not(HasSubstr("weird")));
  EXPECT_THAT(Text(), HasSubstr("code_class=\"none\"} 1\n"));
  EXPECT_THAT(Text(), HasSubstr("code_class=\"2xx\"} 1\n"));
}

TEST_F(ProberMetricsTest, AHostilePlanCannotBreakTheScrape) {
  plan_.mutable_customers(1)->set_id("a\nb\"c\\d\xff");
  plan_.mutable_customers(1)->set_market("\x01");
  plan_.mutable_launch()->set_id("l\nx 1");
  Make();
  metrics_->Beat(absl::FromUnixSeconds(1234));
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("customer=\"a b\\\"c\\\\d\xEF\xBF\xBD\""));
  EXPECT_THAT(text, HasSubstr("} 1234\n"));
  // Every line is a comment or ends in a number.
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (absl::StartsWith(line, "#")) continue;
    const std::string last = line.substr(line.rfind(' ') + 1);
    EXPECT_NO_THROW((void)std::stod(last)) << line;
    EXPECT_TRUE(absl::StartsWith(line, "puckdrop_")) << line;
  }
}

TEST_F(ProberMetricsTest, ALongerPaceIsExportedAtOnceAShorterOneWithItsFirstResult) {
  const absl::Time puck_drop = absl::FromUnixSeconds(100'000);
  *plan_.mutable_launch()->mutable_puck_drop() = runtime::ToTimestamp(puck_drop);
  const auto phase = [&](absl::Duration from, absl::Duration until, absl::Duration every) {
    v1::Plan::Phase* added = plan_.add_schedule();
    *added->mutable_from() = runtime::ToProtoDuration(from);
    *added->mutable_until() = runtime::ToProtoDuration(until);
    *added->mutable_watch_every() = runtime::ToProtoDuration(every);
  };
  phase(-absl::Hours(1), absl::ZeroDuration(), absl::Minutes(1));
  phase(absl::ZeroDuration(), absl::Hours(1), absl::Seconds(10));
  phase(absl::Hours(1), absl::Hours(2), absl::Minutes(5));
  Make();
  v1::Result result;
  result.set_check("ordering.sign_up");
  result.set_customer("phone");
  result.set_outcome(v1::OUTCOME_PASSED);
  metrics_->Record(result, absl::Seconds(3 * 60 + 60), absl::Seconds(30), true);
  metrics_->Beat(puck_drop + absl::Seconds(1));
  EXPECT_EQ(Value("puckdrop_check_max_age_seconds"), "240");
  metrics_->Record(result, absl::Seconds(3 * 10 + 60), absl::Seconds(30), true);
  EXPECT_EQ(Value("puckdrop_check_max_age_seconds"), "90");
  metrics_->Beat(puck_drop + absl::Hours(1));
  EXPECT_EQ(Value("puckdrop_check_max_age_seconds"), "960");
}

TEST_F(ProberMetricsTest, ANewPlanTakesItsCustomersAndWhatBothKnowGoesOnCounting) {
  Record(v1::OUTCOME_PASSED);
  v1::Plan next = plan_;
  next.add_customers()->set_id("tablet");
  metrics_->Replace(std::make_shared<v1::Plan>(next), checks_, now_, absl::Minutes(1));
  EXPECT_EQ(Value("puckdrop_check_runs_total", ",outcome=\"passed\""), "1");
  EXPECT_THAT(Text(), HasSubstr("customer=\"tablet\""));
  metrics_->Replace(std::make_shared<v1::Plan>(plan_), checks_, now_, absl::Minutes(1));
  EXPECT_THAT(Text(), Not(HasSubstr("customer=\"tablet\"")));
}

}  // namespace
}  // namespace puckdrop::prober
