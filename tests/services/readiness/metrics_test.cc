#include "services/readiness/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Verdict Of(v1::VerdictState state) {
  v1::Verdict verdict;
  verdict.set_state(state);
  v1::PathVerdict* path = verdict.add_paths();
  path->set_path(v1::PATH_PLAYBACK);
  path->set_state(state);
  v1::PromiseState* promise = verdict.add_promises();
  promise->set_promise("plays");
  promise->set_state(v1::PromiseState::UNKNOWN);
  return verdict;
}

class ReadinessMetricsTest : public ::testing::Test {
 protected:
  std::string Text() { return runtime::MetricsText({metrics_}); }

  runtime::FakeClock clock_;
  std::shared_ptr<const Subject> subject_ = std::make_shared<Subject>(MakeSubject());
  std::shared_ptr<ReadinessMetrics> metrics_ = std::make_shared<ReadinessMetrics>(subject_, &clock_);
};

TEST_F(ReadinessMetricsTest, BeforeTheFirstVerdictAllIsExpectedAndNothingIsKnown) {
  EXPECT_THAT(Text(), HasSubstr("puckdrop_verdict{path=\"all\",launch=\"liiga\"} 1"));
  EXPECT_THAT(Text(),
              HasSubstr("puckdrop_check_expected{path=\"playback\",check=\"playback.cold_start\",customer=\"sofa\""));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_customer_audience_share{customer=\"sofa\""));
}

TEST_F(ReadinessMetricsTest, AVerdictThatNobodyRenewsIsNotGreenForLong) {
  metrics_->Update(subject_, Of(v1::VERDICT_STATE_GO));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_verdict{path=\"playback\",launch=\"liiga\"} 2"));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_promise_kept{promise=\"plays\",launch=\"liiga\"} Nan"));
  clock_.Advance(ReadinessMetrics::kVerdictHolds + absl::Seconds(1));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_verdict{path=\"playback\",launch=\"liiga\"} 1"));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_verdict{path=\"all\",launch=\"liiga\"} 1"));
  metrics_->Update(subject_, Of(v1::VERDICT_STATE_NO_GO));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Text(), HasSubstr("puckdrop_verdict{path=\"all\",launch=\"liiga\"} 0")) << "what was proven stays so";
}

TEST_F(ReadinessMetricsTest, TheVerdictOfANewPlanComesWithItsCustomers) {
  auto next = std::make_shared<Subject>(*subject_);
  next->plan.mutable_customers(0)->set_id("tablet");
  metrics_->Update(next, Of(v1::VERDICT_STATE_GO));
  EXPECT_THAT(Text(), HasSubstr("customer=\"tablet\""));
  EXPECT_THAT(Text(), Not(HasSubstr("customer=\"sofa\"")));
}

}  // namespace
}  // namespace puckdrop::readiness
