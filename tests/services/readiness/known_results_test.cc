#include "services/readiness/known_results.h"

#include <gtest/gtest.h>

#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

v1::Result Result(const std::string& check, v1::Outcome outcome, const std::string& vantage = "local") {
  v1::Result result;
  result.set_check(check);
  result.set_customer("sofa");
  result.set_vantage(vantage);
  result.set_outcome(outcome);
  result.set_confirmed(true);
  *result.mutable_end_time() = runtime::ToTimestamp(kNow);
  *result.mutable_max_age() = runtime::ToProtoDuration(absl::Minutes(1));
  return result;
}

std::optional<absl::Duration> NoPace(const std::string&, const std::string&) { return std::nullopt; }

v1::Verdict Judge(const KnownResults& known, absl::Duration steady, absl::Time wall,
                  const KnownResults::AgeLimit& limit = NoPace, const std::vector<std::string>& vantages = {},
                  int required = 0) {
  VerdictInput input;
  Instance instance;
  instance.check = "playback.cold_start";
  instance.customer = "sofa";
  instance.path = v1::PATH_PLAYBACK;
  instance.audience_share = 1;
  input.expected = {instance};
  input.expected_of_plan = 1;
  input.now = wall;
  input.vantages = vantages;
  input.vantages_required = required;
  known.Feed(steady, limit, &input);
  return ComputeVerdict(input);
}

TEST(KnownResultsTest, APassGrowsOldOnTheSteadyClockWhateverTheWallClockSays) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(100), absl::Seconds(99), true);
  for (const absl::Duration step : {absl::ZeroDuration(), absl::Hours(1), -absl::Hours(1)}) {
    EXPECT_EQ(Judge(known, absl::Seconds(160), kNow + step).state(), v1::VERDICT_STATE_GO) << step;
    EXPECT_EQ(Judge(known, absl::Seconds(161), kNow + step).state(), v1::VERDICT_STATE_INCONCLUSIVE) << step;
  }
}

TEST(KnownResultsTest, ALaterAnswerCountsAlsoWhenItsClockWasSetBack) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(100), absl::Seconds(99), true);
  v1::Result failed = Result("playback.cold_start", v1::OUTCOME_FAILED);
  *failed.mutable_end_time() = runtime::ToTimestamp(kNow - absl::Hours(1));
  known.Keep(failed, absl::Seconds(110), absl::Seconds(109), true);
  EXPECT_EQ(Judge(known, absl::Seconds(111), kNow).state(), v1::VERDICT_STATE_NO_GO);
}

TEST(KnownResultsTest, AShorterPaceCountsWithTheFirstResultTakenAtItALongerOneAtOnce) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(100), absl::Seconds(99), true);
  const auto pace = [](absl::Duration limit) {
    return [limit](const std::string&, const std::string&) { return std::optional<absl::Duration>(limit); };
  };
  EXPECT_EQ(Judge(known, absl::Seconds(150), kNow, pace(absl::Seconds(10))).state(), v1::VERDICT_STATE_GO);
  EXPECT_EQ(Judge(known, absl::Seconds(190), kNow, pace(absl::Minutes(5))).state(), v1::VERDICT_STATE_GO);
  EXPECT_EQ(Judge(known, absl::Seconds(190), kNow, NoPace).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(KnownResultsTest, WhatAJourneyCouldNotAskDoesNotHideWhatASubscriberSees) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(100), absl::Seconds(99), true);
  v1::Result blocked = Result("playback.cold_start", v1::OUTCOME_BLOCKED);
  blocked.set_blocked_by("ordering.order_completes");
  known.Keep(blocked, absl::Seconds(110), absl::Seconds(90), false);
  EXPECT_EQ(Judge(known, absl::Seconds(111), kNow).state(), v1::VERDICT_STATE_GO);
  known.Keep(blocked, absl::Seconds(200), absl::Seconds(190), false);
  EXPECT_EQ(Judge(known, absl::Seconds(201), kNow).state(), v1::VERDICT_STATE_INCONCLUSIVE)
      << "once the subscriber was not seen for too long";
}

TEST(KnownResultsTest, ARunThatWasOvertakenSaysNothingNew) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(100), absl::Seconds(90), false);
  known.Keep(Result("playback.cold_start", v1::OUTCOME_FAILED), absl::Seconds(101), absl::Seconds(50), false);
  EXPECT_EQ(Judge(known, absl::Seconds(102), kNow).state(), v1::VERDICT_STATE_GO);
}

TEST(KnownResultsTest, AfterARestartResultsAreAsOldAsTheyAre) {
  KnownResults known;
  known.Restore({Result("playback.cold_start", v1::OUTCOME_PASSED)}, kNow + absl::Seconds(50), absl::Seconds(5));
  EXPECT_EQ(Judge(known, absl::Seconds(14), kNow).state(), v1::VERDICT_STATE_GO);
  EXPECT_EQ(Judge(known, absl::Seconds(16), kNow).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(KnownResultsTest, AResultFromTheFutureIsNoneToRestOn) {
  KnownResults known;
  known.Restore({Result("playback.cold_start", v1::OUTCOME_PASSED)}, kNow - absl::Hours(1), absl::Seconds(5));
  EXPECT_EQ(Judge(known, absl::Seconds(6), kNow).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(KnownResultsTest, EveryVantageKeepsItsOwnAndTheQuorumDecides) {
  KnownResults known;
  const std::vector<std::string> names = {"helsinki", "stockholm", "tallinn"};
  known.SetVantages(names);
  const auto keep = [&](const std::string& vantage, v1::Outcome outcome) {
    known.Keep(Result("playback.cold_start", outcome, vantage), absl::Seconds(100), absl::Seconds(99), true);
  };
  keep("helsinki", v1::OUTCOME_PASSED);
  keep("stockholm", v1::OUTCOME_PASSED);
  keep("elsewhere", v1::OUTCOME_PASSED);
  EXPECT_EQ(known.size(), 2u) << "a vantage that the plan does not name has no say";
  EXPECT_EQ(Judge(known, absl::Seconds(101), kNow, NoPace, names).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_EQ(Judge(known, absl::Seconds(101), kNow, NoPace, names, 2).state(), v1::VERDICT_STATE_GO);
  keep("tallinn", v1::OUTCOME_FAILED);
  EXPECT_EQ(Judge(known, absl::Seconds(101), kNow, NoPace, names).state(), v1::VERDICT_STATE_NO_GO);
  EXPECT_EQ(Judge(known, absl::Seconds(101), kNow, NoPace, names, 2).state(), v1::VERDICT_STATE_GO);
  keep("stockholm", v1::OUTCOME_FAILED);
  EXPECT_EQ(Judge(known, absl::Seconds(101), kNow, NoPace, names, 2).state(), v1::VERDICT_STATE_NO_GO);
}

TEST(KnownResultsTest, WhatIsNoLongerExpectedIsForgotten) {
  KnownResults known;
  known.Keep(Result("playback.cold_start", v1::OUTCOME_PASSED), absl::Seconds(1), absl::Seconds(1), true);
  known.Keep(Result("playback.not_black", v1::OUTCOME_PASSED), absl::Seconds(1), absl::Seconds(1), true);
  Instance instance;
  instance.check = "playback.not_black";
  instance.customer = "sofa";
  known.Retain({instance});
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known.List("", "")[0]->check(), "playback.not_black");
}

}  // namespace
}  // namespace puckdrop::readiness
