#include "services/readiness/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/readiness/fake_archive.h"
#include "tests/services/readiness/verdict_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class ExplainTest : public ::testing::Test {
 protected:
  ExplainTest() {
    description_.set_check("billing.charged_once");
    request_.set_check("billing.charged_once");
    verdict_.set_plan_digest("plan-b");
    verdict_.set_configuration("conf-2");
    Add("sofa", v1::STANDING_FAILED, 0.3);
    Add("phone", v1::STANDING_OK, 0.2);
  }

  v1::InstanceStanding& Add(const std::string& customer, v1::Standing standing, double share) {
    v1::InstanceStanding& instance = *verdict_.add_instances();
    instance.set_check("billing.charged_once");
    instance.set_customer(customer);
    instance.set_standing(standing);
    instance.set_audience_share(share);
    *instance.mutable_result() = MakeResult("billing.charged_once", customer,
                                            standing == v1::STANDING_OK ? v1::OUTCOME_PASSED : v1::OUTCOME_FAILED);
    return instance;
  }

  v1::ExplainCheckResponse Answer() {
    absl::StatusOr<v1::ExplainCheckResponse> answer = Explain(request_, verdict_, description_, &archive_);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : v1::ExplainCheckResponse();
  }

  v1::ExplainCheckRequest request_;
  v1::Verdict verdict_;
  v1::CheckDescription description_;
  FakeArchive archive_;
};

TEST_F(ExplainTest, SaysForWhomAndHowMuchOfTheAudience) {
  const v1::ExplainCheckResponse answer = Answer();
  ASSERT_EQ(answer.explanations_size(), 2);
  EXPECT_EQ(answer.explanations(0).instance().customer(), "sofa");
  EXPECT_DOUBLE_EQ(answer.audience_affected(), 0.3);
  request_.set_customer("phone");
  EXPECT_EQ(Answer().explanations_size(), 1);
  EXPECT_DOUBLE_EQ(Answer().audience_affected(), 0.3) << "the share is the check's, whoever is asked about";
}

TEST_F(ExplainTest, SaysWhatChangedSinceItWasGreen) {
  v1::Result green = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_PASSED, kNow - absl::Hours(1));
  green.set_plan_digest("plan-a");
  green.set_configuration("conf-1");
  archive_.green = green;
  const v1::ExplainCheckResponse answer = Answer();
  EXPECT_EQ(answer.explanations(0).last_green_time().seconds(), green.end_time().seconds());
  std::vector<std::string> changed(answer.explanations(0).changed().begin(), answer.explanations(0).changed().end());
  EXPECT_THAT(changed, Contains(HasSubstr("plan-a")));
  EXPECT_THAT(changed, Contains(HasSubstr("conf-1")));
}

TEST_F(ExplainTest, FindsHowItFailedBeforeInTheSameWay) {
  archive_.similar.push_back(MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED, kNow - absl::Hours(9)));
  v1::Result other = archive_.similar[0];
  other.mutable_findings(0)->set_id("never_charged");
  archive_.similar.push_back(other);
  const v1::ExplainCheckResponse answer = Answer();
  EXPECT_EQ(answer.explanations(0).similar_size(), 1);
  EXPECT_EQ(answer.explanations(1).similar_size(), 0) << "of what is ok nothing is looked for";
}

TEST_F(ExplainTest, NamesTheRootOfWhatIsBlocked) {
  v1::InstanceStanding& root = *verdict_.add_instances();
  root.set_check("ordering.order_completes");
  root.set_customer("sofa");
  root.set_why("the order is pending");
  verdict_.mutable_instances(0)->set_root("ordering.order_completes");
  const v1::ExplainCheckResponse answer = Answer();
  EXPECT_EQ(answer.explanations(0).root().why(), "the order is pending");
  EXPECT_FALSE(answer.explanations(1).has_root());
}

TEST_F(ExplainTest, WithoutAnArchiveItTellsWhatTheVerdictSays) {
  absl::StatusOr<v1::ExplainCheckResponse> answer = Explain(request_, verdict_, description_, nullptr);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->explanations_size(), 2);
  EXPECT_FALSE(answer->explanations(0).has_last_green_time());
}

TEST_F(ExplainTest, WhoIsNotExpectedIsNotFoundAndOthersAreNamed) {
  request_.set_customer("nobody");
  absl::Status status = Explain(request_, verdict_, description_, &archive_).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("phone, sofa"));
}

}  // namespace
}  // namespace puckdrop::readiness
