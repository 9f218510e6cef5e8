#include "services/readiness/expectations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

v1::Selection SelectChecks(const std::string& pattern) {
  v1::Selection selection;
  selection.add_checks(pattern);
  return selection;
}

TEST(ExpectationsTest, ExpectsEachCheckForEachCustomerAndPerLaunchChecksOnce) {
  Subject subject = MakeSubject();
  subject.catalogue[0].set_per_launch(true);
  const std::vector<Instance> all = ExpectedInstances(subject);
  EXPECT_EQ(all.size(), 1u + 7u * 2u);
  EXPECT_EQ(all[0].customer, kAnyCustomer);
  EXPECT_EQ(all[0].audience_share, 1);
  EXPECT_EQ(all[1].audience_share, 0.6);
}

TEST(ExpectationsTest, ThePlanDecidesSeverityAndWhatIsLeftOut) {
  Subject subject = MakeSubject();
  v1::Plan::CheckSettings* settings = subject.plan.add_checks();
  settings->set_check("billing.*");
  settings->set_severity(v1::SEVERITY_ADVISORY);
  v1::Plan::NotJudged* left_out = subject.plan.add_not_judged();
  left_out->set_check("playback.*");
  left_out->set_customer("sofa");
  left_out->set_reason("no player");
  left_out->set_owner("video");
  for (const Instance& instance : ExpectedInstances(subject)) {
    EXPECT_EQ(instance.severity, instance.path == v1::PATH_BILLING ? v1::SEVERITY_ADVISORY : v1::SEVERITY_BLOCKING);
    const bool out = instance.path == v1::PATH_PLAYBACK && instance.customer == "sofa";
    EXPECT_EQ(instance.not_judged, out ? "no player (owner: video)" : "");
  }
}

TEST(SelectTest, TakesChecksPathsAndCustomersTogether) {
  const std::vector<Instance> all = ExpectedInstances(MakeSubject());
  EXPECT_EQ(Select(all, {})->size(), 16u);
  EXPECT_EQ(Select(all, SelectChecks("billing.*"))->size(), 4u);
  v1::Selection both = SelectChecks("*.c*");
  both.add_paths("billing");
  both.add_customers("cabin");
  const auto selected = Select(all, both);
  ASSERT_EQ(selected->size(), 1u);
  EXPECT_EQ(selected->front().check, "billing.charged_once");
}

TEST(SelectTest, RefusesAWordThatNamesNothing) {
  const std::vector<Instance> all = ExpectedInstances(MakeSubject());
  EXPECT_EQ(Select(all, SelectChecks("billing.charged_twice")).status().message(),
            "no check of this launch is named 'billing.charged_twice'");
  v1::Selection selection;
  selection.add_customers("garage");
  EXPECT_TRUE(absl::IsInvalidArgument(Select(all, selection).status()));
}

TEST(JourneyTest, WalksTheStagesInTheOrderOfACustomersLife) {
  const Subject subject = MakeSubject();
  const std::vector<Journey> journeys = PlanJourneys(subject, ExpectedInstances(subject));
  ASSERT_EQ(journeys.size(), 2u);
  const auto paths = [&](v1::Stage stage) {
    std::vector<std::vector<std::string>> names;
    for (const std::vector<Step>& layer : journeys[0].stages.at(stage)) {
      names.emplace_back();
      for (const Step& step : layer) names.back().push_back(PathName(step.path));
    }
    return names;
  };
  EXPECT_THAT(paths(v1::STAGE_VISITOR), ElementsAre(ElementsAre("ordering")));
  EXPECT_THAT(paths(v1::STAGE_SUBSCRIBER), ElementsAre(UnorderedElementsAre("playback", "billing"),
                                                       ElementsAre("device_support"), ElementsAre("cancellation")));
  EXPECT_THAT(paths(v1::STAGE_LEAVER), ElementsAre(ElementsAre("cancellation"), ElementsAre("billing")));
}

TEST(JourneyTest, ASelectedCheckBringsWhatItStandsOnAsSupport) {
  const Subject subject = MakeSubject();
  const auto selected = Select(ExpectedInstances(subject), SelectChecks("billing.no_charge_after"));
  const std::vector<Journey> journeys = PlanJourneys(subject, *selected);
  const Step& visitor = journeys[0].stages.at(v1::STAGE_VISITOR)[0][0];
  EXPECT_TRUE(visitor.checks.empty());
  EXPECT_THAT(visitor.supporting, ElementsAre("ordering.order_completes"));
  const Layers& subscriber = journeys[0].stages.at(v1::STAGE_SUBSCRIBER);
  ASSERT_EQ(subscriber.size(), 2u);
  EXPECT_THAT(subscriber[0][0].supporting, ElementsAre("billing.charged_once"));
  EXPECT_THAT(subscriber[1][0].supporting, ElementsAre("cancellation.takes_effect"));
  EXPECT_THAT(journeys[0].stages.at(v1::STAGE_LEAVER)[0][0].checks, ElementsAre("billing.no_charge_after"));
}

TEST(JourneyTest, WithinALayerAPathThatAnotherStandsOnGoesFirst) {
  Subject subject = MakeSubject();
  subject.catalogue.push_back(Check("billing.watched_is_paid", v1::STAGE_SUBSCRIBER, {"playback.cold_start"}));
  const std::vector<Journey> journeys = PlanJourneys(subject, ExpectedInstances(subject));
  const Layers& subscriber = journeys[0].stages.at(v1::STAGE_SUBSCRIBER);
  ASSERT_EQ(subscriber.size(), 4u);
  EXPECT_EQ(subscriber[0][0].path, v1::PATH_PLAYBACK);
  EXPECT_EQ(subscriber[1][0].path, v1::PATH_BILLING);
}

TEST(JourneyTest, APerLaunchCheckIsWalkedWithTheFirstJourneyOnly) {
  Subject subject = MakeSubject();
  subject.catalogue[0].set_per_launch(true);
  const std::vector<Journey> journeys = PlanJourneys(subject, ExpectedInstances(subject));
  EXPECT_EQ(journeys[0].stages.at(v1::STAGE_VISITOR)[0][0].checks.size(), 2u);
  EXPECT_EQ(journeys[1].stages.at(v1::STAGE_VISITOR)[0][0].checks.size(), 1u);
  const auto alone = Select(ExpectedInstances(subject), SelectChecks("ordering.offer_visible"));
  ASSERT_EQ(PlanJourneys(subject, *alone).size(), 1u);
}

TEST(LimitsTest, TheSumOfTheSharesNeverExceedsThePlan) {
  Subject subject = MakeSubject();
  v1::Plan::Limits* limits = subject.plan.mutable_target()->mutable_limits();
  limits->set_requests_per_second(20);
  limits->set_media_requests_per_second(50);
  limits->set_orders_per_hour(30);
  for (int in_flight = 1; in_flight <= 40; ++in_flight) {
    limits->set_in_flight(in_flight);
    const LimitShares shares = ShareLimits(subject, PlanJourneys(subject, ExpectedInstances(subject)));
    double requests = 0, media = 0, orders = 0;
    std::vector<int> places;
    for (const auto& [path, share] : shares.by_path) {
      requests += share.requests_per_second();
      media += share.media_requests_per_second();
      orders += share.orders_per_hour();
      EXPECT_GE(share.in_flight(), 1);
      places.push_back(share.in_flight());
    }
    EXPECT_LE(requests, 20 + 1e-6);
    EXPECT_LE(media, 50 + 1e-6);
    EXPECT_LE(orders, 30 + 1e-6);
    // Only so many paths run at once: the greediest of them together.
    std::sort(places.rbegin(), places.rend());
    int sum = 0;
    for (int i = 0; i < shares.paths_at_once; ++i) sum += places[static_cast<size_t>(i)];
    EXPECT_LE(sum, in_flight);
  }
}

TEST(DateTest, AWaiverHoldsToTheEndOfItsDayInTheLaunchsTimeZone) {
  EXPECT_EQ(absl::FormatTime(EndOfDay("2026-12-20", "Europe/Helsinki"), absl::UTCTimeZone()),
            "2026-12-20T22:00:00+00:00");
  EXPECT_EQ(EndOfDay("soon", "Europe/Helsinki"), absl::InfinitePast());
}

}  // namespace
}  // namespace puckdrop::readiness
