#include "services/readiness/schedule.h"

#include <gtest/gtest.h>

#include "services/runtime/clock.h"
#include "services/runtime/proto_time.h"
#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

const absl::Time kPuckDrop = absl::FromUnixSeconds(1'780'000'000);

void AddPhase(Subject& subject, absl::Duration from, std::optional<absl::Duration> until, absl::Duration watch,
              absl::Duration journeys) {
  v1::Plan::Phase* phase = subject.plan.add_schedule();
  *phase->mutable_from() = runtime::ToProtoDuration(from);
  if (until) *phase->mutable_until() = runtime::ToProtoDuration(*until);
  *phase->mutable_watch_every() = runtime::ToProtoDuration(watch);
  *phase->mutable_journeys_every() = runtime::ToProtoDuration(journeys);
}

// As the example plan: five minutes and an hour, from the day before; tighter and tighter towards puck drop.
std::shared_ptr<Subject> Launch() {
  auto subject = std::make_shared<Subject>(MakeSubject());
  *subject->plan.mutable_launch()->mutable_puck_drop() = runtime::ToTimestamp(kPuckDrop);
  AddPhase(*subject, -absl::Hours(24), std::nullopt, absl::Minutes(5), absl::Hours(1));
  AddPhase(*subject, -absl::Minutes(60), std::nullopt, absl::Seconds(30), absl::Minutes(10));
  AddPhase(*subject, -absl::Minutes(15), absl::Hours(4), absl::Seconds(10), absl::Minutes(5));
  subject->catalogue[0].set_watch(v1::CheckDescription::WATCH_VISITOR);
  subject->catalogue[5].set_watch(v1::CheckDescription::WATCH_SUBSCRIBER);  // playback.cold_start
  v1::Plan::Account* account = subject->plan.mutable_customers(0)->add_accounts();
  account->set_username("sofa@example.test");
  account->set_subscribed(true);
  return subject;
}

// Runs one lane on a fake clock; a run takes `takes`.
class Lived {
 public:
  Lived(std::shared_ptr<const Subject> subject, Lane lane, absl::Time start, uint64_t seed = 7)
      : clock_(start),
        schedule_(subject, lane, ExpectedInstances(*subject), seed, {clock_.Now(), clock_.Monotonic()}) {}

  // How many runs begin within so long, looking every 100 ms.
  int Live(absl::Duration how_long) {
    int begun = 0;
    const absl::Duration end = clock_.Monotonic() + how_long;
    while (clock_.Monotonic() < end) {
      const Moment now{clock_.Now(), clock_.Monotonic()};
      if (schedule_.running() && now.steady >= ends_) schedule_.Ended(now, told);
      if (std::optional<Schedule::Due> due = schedule_.Next(now)) {
        schedule_.Started(*due, now);
        last = *due;
        begins.push_back(now.steady);
        ends_ = now.steady + takes;
        ++begun;
      }
      clock_.Advance(absl::Milliseconds(100));
    }
    return begun;
  }

  runtime::FakeClock& clock() { return clock_; }
  Schedule& schedule() { return schedule_; }
  absl::Duration takes = absl::Seconds(1);
  bool told = true;
  Schedule::Due last;
  std::vector<absl::Duration> begins;

 private:
  runtime::FakeClock clock_;
  Schedule schedule_;
  absl::Duration ends_;
};

TEST(ScheduleTest, TheTightestPhaseThatAppliesWins) {
  const auto subject = Launch();
  const auto watch = [&](absl::Duration since) { return PaceOf(*subject, Lane::kWatch, kPuckDrop + since); };
  const auto journeys = [&](absl::Duration since) { return PaceOf(*subject, Lane::kJourneys, kPuckDrop + since); };
  EXPECT_EQ(watch(-absl::Hours(25)), std::nullopt);
  EXPECT_EQ(watch(-absl::Hours(2)), absl::Minutes(5));
  EXPECT_EQ(watch(-absl::Minutes(30)), absl::Seconds(30));
  EXPECT_EQ(watch(absl::ZeroDuration()), absl::Seconds(10));
  EXPECT_EQ(journeys(absl::ZeroDuration()), absl::Minutes(5));
  EXPECT_EQ(watch(absl::Hours(5)), absl::Seconds(30)) << "after the last phase the one before still applies";
  EXPECT_EQ(NextPhase(*subject, kPuckDrop - absl::Hours(30)), kPuckDrop - absl::Hours(24));
}

TEST(ScheduleTest, APlanWithoutAScheduleIsWatchedAllTheSame) {
  const Subject subject = MakeSubject();
  EXPECT_EQ(PaceOf(subject, Lane::kJourneys, kPuckDrop), absl::Minutes(10));
  EXPECT_EQ(PaceOf(subject, Lane::kWatch, kPuckDrop), absl::Seconds(30));
}

TEST(ScheduleTest, WatchesOnlyWhatCreatesNothingAndWhoHasASubscription) {
  Lived watch(Launch(), Lane::kWatch, kPuckDrop);
  ASSERT_GE(watch.Live(absl::Seconds(5)), 1);
  std::vector<std::string> watched;
  for (const Instance& instance : watch.last.instances) watched.push_back(instance.check + ":" + instance.customer);
  EXPECT_EQ(watched, (std::vector<std::string>{"ordering.offer_visible:sofa", "ordering.offer_visible:cabin",
                                               "playback.cold_start:sofa"}));
}

TEST(ScheduleTest, KeepsThePaceWithJitterAndTheSameSeedKeepsTheSameMoments) {
  Lived one(Launch(), Lane::kWatch, kPuckDrop), same(Launch(), Lane::kWatch, kPuckDrop);
  Lived other(Launch(), Lane::kWatch, kPuckDrop, 8);
  const int begun = one.Live(absl::Minutes(10));
  EXPECT_GE(begun, 57);
  EXPECT_LE(begun, 64);
  same.Live(absl::Minutes(10));
  other.Live(absl::Minutes(10));
  EXPECT_EQ(one.begins, same.begins);
  EXPECT_NE(one.begins, other.begins);
  bool differ = false;
  for (size_t i = 2; i < one.begins.size(); ++i) {
    const absl::Duration gap = one.begins[i] - one.begins[i - 1];
    EXPECT_GE(gap, absl::Seconds(8.9));
    EXPECT_LE(gap, absl::Seconds(11.2));
    differ = differ || gap != one.begins[1] - one.begins[0];
  }
  EXPECT_TRUE(differ);
}

TEST(ScheduleTest, ATighterPhaseTakesEffectInTheMiddleOfALongInterval) {
  Lived journeys(Launch(), Lane::kJourneys, kPuckDrop - absl::Minutes(62));
  EXPECT_EQ(journeys.Live(absl::Minutes(2)), 1);
  EXPECT_EQ(journeys.Live(absl::Minutes(10)), 1) << "an hour's pace has become ten minutes'";
}

TEST(ScheduleTest, AWallClockSetByAnHourMakesNeitherABurstNorAPause) {
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(1)}) {
    // Long after puck drop, where the pace is the same on both sides.
    Lived watch(Launch(), Lane::kWatch, kPuckDrop + absl::Hours(8));
    const int before = watch.Live(absl::Minutes(10));
    watch.clock().Step(step);
    const int after = watch.Live(absl::Minutes(10));
    EXPECT_NEAR(before, 20, 2);
    EXPECT_NEAR(after, 20, 2) << step;
    for (size_t i = 1; i < watch.begins.size(); ++i) {
      EXPECT_GE(watch.begins[i] - watch.begins[i - 1], absl::Seconds(25)) << step;
      EXPECT_LE(watch.begins[i] - watch.begins[i - 1], absl::Seconds(35)) << step;
    }
  }
}

TEST(ScheduleTest, AWallClockSetIntoAnotherPhaseTakesThatPace) {
  Lived watch(Launch(), Lane::kWatch, kPuckDrop - absl::Minutes(70));
  EXPECT_NEAR(watch.Live(absl::Minutes(5)), 1, 1);
  watch.clock().Step(absl::Hours(1));
  EXPECT_NEAR(watch.Live(absl::Minutes(5)), 30, 3);
}

TEST(ScheduleTest, AfterASleepOfTheMachineWhatWasMissedIsMadeUpForOnce) {
  Lived watch(Launch(), Lane::kWatch, kPuckDrop);
  watch.Live(absl::Minutes(1));
  watch.clock().Advance(absl::Hours(2));
  const size_t before = watch.begins.size();
  EXPECT_NEAR(watch.Live(absl::Minutes(1)), 7, 1);
  EXPECT_GE(watch.begins[before + 1] - watch.begins[before], absl::Seconds(8.9));
}

TEST(ScheduleTest, SlowProbersAreNeitherOverlappedNorChasedNorLost) {
  Lived watch(Launch(), Lane::kWatch, kPuckDrop);
  watch.takes = absl::Seconds(25);
  const int slow = watch.Live(absl::Minutes(10));
  EXPECT_GE(slow, 22);
  EXPECT_LE(slow, 24) << "one after another, with a breath between";
  watch.takes = absl::Seconds(1);
  const int quick = watch.Live(absl::Minutes(10));
  EXPECT_GE(quick, 56) << "and no more than its pace when they are quick again";
  EXPECT_LE(quick, 65);
}

TEST(ScheduleTest, WhatCouldNotBeToldIsLookedAtAgainThreeTimes) {
  Lived journeys(Launch(), Lane::kJourneys, kPuckDrop - absl::Hours(10));
  journeys.told = false;
  EXPECT_EQ(journeys.Live(absl::Minutes(50)), 4) << "once by the schedule, three times again";
  EXPECT_NEAR(absl::ToDoubleSeconds(journeys.begins[1] - journeys.begins[0]), 6, 0.5);
  EXPECT_NEAR(absl::ToDoubleSeconds(journeys.begins[2] - journeys.begins[1]), 11, 0.5);
  EXPECT_NEAR(absl::ToDoubleSeconds(journeys.begins[3] - journeys.begins[2]), 21, 0.5);
  EXPECT_EQ(journeys.Live(absl::Minutes(20)), 1) << "then by its pace";
  journeys.told = true;
}

TEST(ScheduleTest, EverythingIsDueNowWhenAsked) {
  Lived journeys(Launch(), Lane::kJourneys, kPuckDrop - absl::Hours(10));
  EXPECT_EQ(journeys.Live(absl::Minutes(10)), 1);
  journeys.schedule().DueNow();
  EXPECT_EQ(journeys.Live(absl::Seconds(1)), 1);
  EXPECT_EQ(journeys.Live(absl::Minutes(10)), 0);
}

TEST(ScheduleTest, ACheckWithAPaceOfItsOwnIsAskedAtIt) {
  const auto subject = Launch();
  v1::Plan::CheckSettings* settings = subject->plan.add_checks();
  settings->set_check("billing.charged_once");
  *settings->mutable_every() = runtime::ToProtoDuration(absl::Hours(3));
  Lived journeys(subject, Lane::kJourneys, kPuckDrop - absl::Hours(10));
  int with = 0;
  int begun = 0;
  for (int i = 0; i < 7 * 6; ++i) {
    if (journeys.Live(absl::Minutes(10)) == 0) continue;
    ++begun;
    with += std::any_of(journeys.last.instances.begin(), journeys.last.instances.end(),
                        [](const Instance& instance) { return instance.check == "billing.charged_once"; });
  }
  EXPECT_NEAR(begun, 8, 2);
  EXPECT_EQ(with, 3);
}

TEST(ScheduleTest, NothingIsDueOutsideOfThePhases) {
  Lived watch(Launch(), Lane::kWatch, kPuckDrop - absl::Hours(26));
  EXPECT_EQ(watch.Live(absl::Hours(1)), 0);
  EXPECT_GT(watch.Live(absl::Hours(2)), 0);
}

TEST(ScheduleTest, AResultCountsThreeIntervalsAndTwoDeadlinesOfItsPace) {
  const auto subject = Launch();
  Instance watched, walked;
  watched.check = "playback.cold_start";
  watched.customer = "sofa";
  walked.check = "playback.cold_start";
  walked.customer = "cabin";
  EXPECT_EQ(AgeLimit(*subject, watched, kPuckDrop), absl::Seconds(3 * 10 + 2 * 30));
  EXPECT_EQ(AgeLimit(*subject, walked, kPuckDrop), absl::Minutes(3 * 5 + 2 * 5));
  EXPECT_EQ(AgeLimit(*subject, watched, kPuckDrop - absl::Hours(30)), std::nullopt);
}

}  // namespace
}  // namespace puckdrop::readiness
