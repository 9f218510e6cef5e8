#include "services/readiness/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/readiness/verdict_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::HasSubstr;

const v1::InstanceStanding& Find(const v1::Verdict& verdict, const std::string& check,
                                 const std::string& customer = "sofa") {
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (instance.check() == check && instance.customer() == customer) return instance;
  }
  ADD_FAILURE() << check << " for " << customer << " is missing";
  static const v1::InstanceStanding none;
  return none;
}

TEST(VerdictTest, IsGoWhenEverythingPassed) {
  const v1::Verdict verdict = ComputeVerdict(AllPassed());
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_GO);
  EXPECT_EQ(verdict.why(), "3 of 3 blocking checks are ok");
  EXPECT_EQ(verdict.paths_size(), 3);
  EXPECT_EQ(verdict.audience_affected(), 0);
}

TEST(VerdictTest, IsInconclusiveWhenNothingIsSelected) {
  VerdictInput input;
  input.now = kNow;
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_EQ(ComputeVerdict(input).why(), "nothing was selected");
}

TEST(VerdictTest, SaysThePathAndWhatHappened) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_NO_GO);
  EXPECT_EQ(verdict.why(), "billing: customers are charged twice");
  EXPECT_EQ(verdict.audience_affected(), 1);
  EXPECT_EQ(verdict.instances(0).check(), "billing.charged_once");
}

TEST(VerdictTest, UsesTheCustomersSentenceWhenACheckHasNoWords) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  input.results[2].clear_summary();
  EXPECT_EQ(ComputeVerdict(input).why(), "billing: I was charged twice");
}

// One row per outcome of a single instance.
struct Row {
  std::string name;
  v1::Result result;
  v1::Standing standing;
  v1::VerdictState verdict;
};

TEST(VerdictTest, StandingsFollowTheTable) {
  const std::string check = "billing.charged_once";
  const auto plain = [&](v1::Outcome outcome) { return MakeResult(check, "sofa", outcome); };
  v1::Result unconfirmed = plain(v1::OUTCOME_FAILED);
  unconfirmed.set_confirmed(false);
  const std::vector<Row> rows = {
      {"passed", plain(v1::OUTCOME_PASSED), v1::STANDING_OK, v1::VERDICT_STATE_GO},
      {"failed", plain(v1::OUTCOME_FAILED), v1::STANDING_FAILED, v1::VERDICT_STATE_NO_GO},
      {"failed once", unconfirmed, v1::STANDING_UNKNOWN, v1::VERDICT_STATE_INCONCLUSIVE},
      {"inconclusive", plain(v1::OUTCOME_INCONCLUSIVE), v1::STANDING_UNKNOWN, v1::VERDICT_STATE_INCONCLUSIVE},
      {"unspecified", plain(v1::OUTCOME_UNSPECIFIED), v1::STANDING_UNKNOWN, v1::VERDICT_STATE_INCONCLUSIVE},
      {"blocked by nobody", Blocked(check, "sofa", ""), v1::STANDING_UNKNOWN, v1::VERDICT_STATE_INCONCLUSIVE},
      {"blocked by the missing", Blocked(check, "sofa", "ordering.x"), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"blocked by itself", Blocked(check, "sofa", check), v1::STANDING_UNKNOWN, v1::VERDICT_STATE_INCONCLUSIVE},
      {"does not apply", Skipped(check, "sofa", v1::SKIP_CAUSE_DOES_NOT_APPLY), v1::STANDING_NOT_ASKED,
       v1::VERDICT_STATE_GO},
      {"not offered", Skipped(check, "sofa", v1::SKIP_CAUSE_NOT_OFFERED), v1::STANDING_NOT_ASKED, v1::VERDICT_STATE_GO},
      {"not mapped", Skipped(check, "sofa", v1::SKIP_CAUSE_NOT_MAPPED), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"not told", Skipped(check, "sofa", v1::SKIP_CAUSE_NOT_TOLD), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"read-only", Skipped(check, "sofa", v1::SKIP_CAUSE_READ_ONLY), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"tool missing", Skipped(check, "sofa", v1::SKIP_CAUSE_TOOL_MISSING), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"not judged, unlisted", Skipped(check, "sofa", v1::SKIP_CAUSE_NOT_JUDGED), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
      {"no cause", Skipped(check, "sofa", v1::SKIP_CAUSE_UNSPECIFIED), v1::STANDING_UNKNOWN,
       v1::VERDICT_STATE_INCONCLUSIVE},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    VerdictInput input = AllPassed();
    input.results[2] = row.result;
    const v1::Verdict verdict = ComputeVerdict(input);
    EXPECT_EQ(Find(verdict, check).standing(), row.standing);
    EXPECT_EQ(verdict.state(), row.verdict);
    if (row.standing == v1::STANDING_UNKNOWN) EXPECT_FALSE(Find(verdict, check).why().empty());
  }
}

TEST(VerdictTest, AnInstanceThatNeverRanIsUnknownForTheReasonKnown) {
  VerdictInput input = AllPassed();
  input.results.pop_back();
  EXPECT_EQ(ComputeVerdict(input).why(), "billing: billing.charged_once for sofa: never ran");
  input.missing_because[v1::PATH_BILLING] = "prober unreachable: connection refused";
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_THAT(verdict.why(), HasSubstr("prober unreachable: connection refused"));
}

TEST(VerdictTest, BlockedByAFailedRootFailsWhateverTheRootsSeverity) {
  VerdictInput input = AllPassed();
  input.expected.push_back(MakeInstance("ordering.sign_in", "sofa", 1, v1::SEVERITY_ADVISORY));
  input.results.push_back(MakeResult("ordering.sign_in", "sofa", v1::OUTCOME_FAILED));
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO) << "an advisory failure alone stops nothing";
  input.results[2] = Blocked("billing.charged_once", "sofa", "ordering.sign_in");
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_NO_GO);
  EXPECT_EQ(Find(verdict, "billing.charged_once").root(), "ordering.sign_in");
  EXPECT_EQ(verdict.why(), "billing: stands on ordering.sign_in: customers are charged twice");
}

TEST(VerdictTest, FollowsAChainOfBlockedChecksToItsRootAlsoOfSupportingResults) {
  VerdictInput input = AllPassed();
  input.results[1] = Blocked("playback.cold_start", "sofa", "ordering.order_completes");
  input.results[0] = Blocked("ordering.order_completes", "sofa", "ordering.sign_up");
  v1::Result root = MakeResult("ordering.sign_up", "sofa", v1::OUTCOME_FAILED);
  root.set_supporting(true);
  input.results.push_back(root);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(Find(verdict, "playback.cold_start").root(), "ordering.sign_up");
  EXPECT_EQ(Find(verdict, "playback.cold_start").why(), "stands on ordering.sign_up: customers are charged twice");
  EXPECT_EQ(verdict.instances_size(), 3) << "a supporting check is no instance of the verdict";
}

TEST(VerdictTest, TheRootOfACheckJudgedOnceForAllIsFound) {
  VerdictInput input = AllPassed();
  input.results.push_back(MakeResult("ordering.offer_visible", kAnyCustomer, v1::OUTCOME_FAILED));
  input.results[0] = Blocked("ordering.order_completes", "sofa", "ordering.offer_visible");
  EXPECT_EQ(Find(ComputeVerdict(input), "ordering.order_completes").standing(), v1::STANDING_FAILED);
}

TEST(VerdictTest, ThePathOfTheRootSpeaksBeforeThePathsThatOnlySufferFromIt) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  input.results[0] = Blocked("ordering.order_completes", "sofa", "billing.charged_once");
  EXPECT_EQ(ComputeVerdict(input).why(), "billing: customers are charged twice; also ordering");
}

TEST(VerdictTest, AStalePassIsUnknownAndAFailureDoesNotGrowStale) {
  VerdictInput input = AllPassed();
  for (Instance& instance : input.expected) instance.max_age = absl::Minutes(5);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO);
  input.now = kNow + absl::Minutes(5) + absl::Seconds(1);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_THAT(ComputeVerdict(input).why(), HasSubstr("too old"));
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_NO_GO);
}

TEST(VerdictTest, APassOfTheFutureIsNotBelieved) {
  VerdictInput input = AllPassed();
  for (Instance& instance : input.expected) instance.max_age = absl::Minutes(5);
  input.now = kNow - absl::Minutes(2);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(VerdictTest, TheNewestResultCounts) {
  VerdictInput input = AllPassed();
  input.results.push_back(MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED, kNow - absl::Minutes(1)));
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO);
  input.results.push_back(MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED, kNow + absl::Seconds(1)));
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_NO_GO);
}

TEST(VerdictTest, ANewConfigurationMakesOlderResultsUnknown) {
  VerdictInput input = AllPassed();
  for (v1::Result& result : input.results) result.set_configuration("build 7");
  input.configuration = "build 7";
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO);
  input.configuration = "build 8";
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  input.results[0].set_outcome(v1::OUTCOME_FAILED);
  input.results[0].set_confirmed(true);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(VerdictTest, AllAdvisoryIsNeverGo) {
  VerdictInput input = AllPassed();
  for (Instance& instance : input.expected) instance.severity = v1::SEVERITY_ADVISORY;
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_THAT(verdict.why(), HasSubstr("nothing that could stop the launch was judged"));
}

TEST(VerdictTest, WhatWasJudgedThroughTheBackOfficeIsAdvisory) {
  VerdictInput input = AllPassed();
  input.expected.push_back(MakeInstance("cancellation.takes_effect", "sofa", 1));
  input.results.push_back(MakeResult("cancellation.takes_effect", "sofa", v1::OUTCOME_PASSED));
  input.results.back().set_through_back_office(true);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(Find(verdict, "cancellation.takes_effect").severity(), v1::SEVERITY_ADVISORY);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE) << "nothing on the path can be ok for a customer";
}

TEST(VerdictTest, AllSkippedIsNeverGo) {
  VerdictInput input = AllPassed();
  for (v1::Result& result : input.results) result = Skipped(result.check(), "sofa", v1::SKIP_CAUSE_DOES_NOT_APPLY);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_EQ(verdict.why(), "nothing was judged");
}

TEST(VerdictTest, APathLeftOutIsNamed) {
  VerdictInput input = AllPassed();
  input.expected[1].not_judged = "no player on this machine (owner: video)";
  input.results.erase(input.results.begin() + 1);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_GO);
  EXPECT_EQ(verdict.why(),
            "2 of 2 blocking checks are ok, playback not judged: no player on this machine (owner: video)");
  ASSERT_EQ(verdict.not_judged_size(), 1);
  EXPECT_EQ(verdict.not_judged(0), "playback not judged: no player on this machine (owner: video)");
}

TEST(VerdictTest, NamesWhatItsOwnersLeftOutWithTheCustomersItIsFor) {
  VerdictInput input = AllPassed();
  for (const char* customer : {"sofa", "cabin"}) {
    input.expected.push_back(MakeInstance("billing.vat", customer, 0.5));
    input.results.push_back(MakeResult("billing.vat", customer, v1::OUTCOME_PASSED));
  }
  input.expected[3].not_judged = "no invoices in staging (owner: billing)";
  const v1::Verdict verdict = ComputeVerdict(input);
  ASSERT_EQ(verdict.not_judged_size(), 1);
  EXPECT_EQ(verdict.not_judged(0), "billing.vat not judged for sofa: no invoices in staging (owner: billing)");
}

TEST(VerdictTest, CustomersThatAreOkMustCarryTheCoverage) {
  VerdictInput input = AllPassed();
  for (Instance& instance : input.expected) instance.audience_share = 0.9;
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO);
  for (Instance& instance : input.expected) instance.audience_share = 0.89;
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_THAT(ComputeVerdict(input).why(), HasSubstr("89 % of the audience, 90 % are needed"));
  input.filtered = true;
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO) << "a filtered gate judges its selection";
}

TEST(VerdictTest, ACheckForAllDoesNotStandForCustomersNobodyLookedAt) {
  VerdictInput input = AllPassed();
  for (Instance& instance : input.expected) instance.audience_share = 0.5;
  for (const char* check : {"ordering.offer_visible", "playback.live_edge_fresh", "billing.price_chain"}) {
    input.expected.push_back(MakeInstance(check, kAnyCustomer, 1));
    input.results.push_back(MakeResult(check, kAnyCustomer, v1::OUTCOME_PASSED));
  }
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(VerdictTest, MoreThanATenthFlakyIsInconclusive) {
  VerdictInput input = AllPassed();
  for (int i = 0; i < 17; ++i) {
    const std::string check = "playback.check_" + std::to_string(i);
    input.expected.push_back(MakeInstance(check, "sofa", 1));
    input.results.push_back(MakeResult(check, "sofa", v1::OUTCOME_PASSED));
  }
  input.results[3].set_flaky(true);
  input.results[4].set_flaky(true);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_GO) << "2 of 20 are a tenth";
  input.results[5].set_flaky(true);
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE);
  ASSERT_EQ(verdict.causes_size(), 1);
  EXPECT_THAT(verdict.why(), HasSubstr("3 of 20 blocking checks passed only after another look"));
}

TEST(VerdictTest, CausesOfNoCheckHoldItAtInconclusive) {
  VerdictInput input = AllPassed();
  input.causes = {"the run's deadline came first"};
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
  EXPECT_EQ(ComputeVerdict(input).why(), "the run's deadline came first");
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_NO_GO);
}

TEST(VerdictTest, AFilteredVerdictSaysSo) {
  VerdictInput input = AllPassed();
  input.expected.resize(1);
  input.expected_of_plan = 145;
  input.filtered = true;
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.why(), "1 of 1 blocking checks are ok; for 1 of 145 checks, not a launch verdict");
  EXPECT_EQ(verdict.selected(), 1);
  EXPECT_EQ(verdict.expected(), 145);
}

TEST(VerdictTest, SomeVantagesMustPass) {
  VerdictInput input = AllPassed();
  input.vantages = {"helsinki", "oulu", "turku"};
  input.vantages_required = 2;
  const auto seen = [&](v1::Outcome a, v1::Outcome b, v1::Outcome c) {
    input.results.clear();
    for (const Instance& instance : input.expected) {
      const v1::Outcome outcomes[] = {a, b, c};
      for (size_t i = 0; i < 3; ++i) {
        const bool first = instance.check == "billing.charged_once";
        input.results.push_back(MakeResult(instance.check, "sofa", first ? outcomes[i] : v1::OUTCOME_PASSED));
        input.results.back().set_vantage(input.vantages[i]);
      }
    }
    return Find(ComputeVerdict(input), "billing.charged_once").standing();
  };
  const v1::Outcome P = v1::OUTCOME_PASSED, F = v1::OUTCOME_FAILED, I = v1::OUTCOME_INCONCLUSIVE;
  EXPECT_EQ(seen(P, P, P), v1::STANDING_OK);
  EXPECT_EQ(seen(P, F, P), v1::STANDING_OK);
  EXPECT_EQ(seen(P, F, F), v1::STANDING_FAILED);
  EXPECT_EQ(seen(P, F, I), v1::STANDING_UNKNOWN);
  input.vantages_required = 0;
  EXPECT_EQ(seen(P, P, F), v1::STANDING_FAILED) << "all must pass unless the plan says otherwise";
  EXPECT_EQ(seen(P, P, I), v1::STANDING_UNKNOWN);
}

// -- waivers

TEST(WaiverTest, TurnsAFailureIntoAWaivedOne) {
  VerdictInput input = AllPassed();
  input.results[1] = MakeResult("playback.cold_start", "sofa", v1::OUTCOME_FAILED);
  input.waivers = {HonouredWaiver("playback.*")};
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.state(), v1::VERDICT_STATE_INCONCLUSIVE) << "nothing on the path is ok";
  input.expected.push_back(MakeInstance("playback.not_black", "sofa", 1));
  input.results.push_back(MakeResult("playback.not_black", "sofa", v1::OUTCOME_PASSED));
  const v1::Verdict second = ComputeVerdict(input);
  EXPECT_EQ(second.state(), v1::VERDICT_STATE_GO_WITH_WAIVERS);
  EXPECT_THAT(second.why(), HasSubstr("accepted by video-team: 4K from January"));
  EXPECT_EQ(Find(second, "playback.cold_start").waiver(), 0);
  EXPECT_EQ(second.waivers(0).state(), v1::WaiverState::HONOURED);
}

TEST(WaiverTest, CoversOnlyTheFindingsItNames) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  input.waivers = {HonouredWaiver("billing.charged_once")};
  input.waivers[0].findings = {"charged_twice"};
  EXPECT_EQ(Find(ComputeVerdict(input), "billing.charged_once").standing(), v1::STANDING_WAIVED);
  input.results[2].add_findings()->set_id("charged_thrice");
  EXPECT_EQ(Find(ComputeVerdict(input), "billing.charged_once").standing(), v1::STANDING_FAILED);
}

TEST(WaiverTest, CoversOnlyItsCustomer) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  input.waivers = {HonouredWaiver("billing.charged_once")};
  input.waivers[0].customer = "cabin";
  EXPECT_EQ(Find(ComputeVerdict(input), "billing.charged_once").standing(), v1::STANDING_FAILED);
}

TEST(WaiverTest, OfARootCoversWhatIsBlockedByIt) {
  VerdictInput input = AllPassed();
  input.results[0] = MakeResult("ordering.order_completes", "sofa", v1::OUTCOME_FAILED);
  input.results[2] = Blocked("billing.charged_once", "sofa", "ordering.order_completes");
  input.waivers = {HonouredWaiver("ordering.order_completes")};
  EXPECT_EQ(Find(ComputeVerdict(input), "billing.charged_once").standing(), v1::STANDING_WAIVED);
  input.waivers[0].check = "billing.charged_once";
  EXPECT_EQ(Find(ComputeVerdict(input), "billing.charged_once").standing(), v1::STANDING_WAIVED);
  EXPECT_EQ(Find(ComputeVerdict(input), "ordering.order_completes").standing(), v1::STANDING_FAILED);
}

TEST(WaiverTest, NeverCoversWhatIsNotKnown) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_INCONCLUSIVE);
  input.waivers = {HonouredWaiver("billing.*")};
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

TEST(WaiverTest, HoldsOnlyWithALiveNoticeInTime) {
  WaiverInput waiver = HonouredWaiver("x");
  EXPECT_EQ(StateOfWaiver(waiver, 0, kNow).state(), v1::WaiverState::HONOURED);
  EXPECT_EQ(StateOfWaiver(waiver, 0, waiver.expires).state(), v1::WaiverState::EXPIRED);
  waiver.notice = WaiverInput::Notice::kUnreachable;
  EXPECT_EQ(StateOfWaiver(waiver, 0, kNow).state(), v1::WaiverState::HONOURED) << "seen a minute ago";
  waiver.notice_seen = kNow - absl::Minutes(16);
  EXPECT_EQ(StateOfWaiver(waiver, 0, kNow).state(), v1::WaiverState::UNREACHABLE);
  waiver.notice = WaiverInput::Notice::kDidNotSay;
  waiver.notice_seen = kNow;
  EXPECT_EQ(StateOfWaiver(waiver, 0, kNow).state(), v1::WaiverState::UNANNOUNCED);
  waiver = HonouredWaiver("x");
  waiver.notice_says = "too short";
  EXPECT_EQ(StateOfWaiver(waiver, 0, kNow).state(), v1::WaiverState::UNANNOUNCED);
}

TEST(WaiverTest, VoidCountsAsFailureAndUnreachableAsUnknown) {
  VerdictInput input = AllPassed();
  input.results[2] = MakeResult("billing.charged_once", "sofa", v1::OUTCOME_FAILED);
  input.waivers = {HonouredWaiver("billing.*")};
  input.waivers[0].notice = WaiverInput::Notice::kDidNotSay;
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_NO_GO);
  input.waivers[0].notice = WaiverInput::Notice::kUnreachable;
  input.waivers[0].notice_seen = absl::InfinitePast();
  EXPECT_EQ(ComputeVerdict(input).state(), v1::VERDICT_STATE_INCONCLUSIVE);
}

// -- promises, audience, words

TEST(PromiseTest, IsBrokenByAFailureEvenIfItIsWaived) {
  VerdictInput input = AllPassed();
  input.promises = {{"quickly", "You can order in two minutes", {"ordering.*"}}, {"never", "No such check", {"x.*"}}};
  EXPECT_EQ(ComputeVerdict(input).promises(0).state(), v1::PromiseState::KEPT);
  EXPECT_EQ(ComputeVerdict(input).promises(1).state(), v1::PromiseState::UNKNOWN);
  input.results[0].set_outcome(v1::OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(ComputeVerdict(input).promises(0).state(), v1::PromiseState::UNKNOWN);
  input.results[0] = MakeResult("ordering.order_completes", "sofa", v1::OUTCOME_FAILED);
  input.waivers = {HonouredWaiver("ordering.*")};
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_EQ(verdict.promises(0).state(), v1::PromiseState::BROKEN);
  EXPECT_EQ(verdict.promises(0).broken_by(0), "ordering.order_completes");
}

TEST(AudienceTest, CountsEachCustomerOnce) {
  VerdictInput input;
  input.now = kNow;
  const std::pair<const char*, double> customers[] = {{"a", 0.5}, {"b", 0.3}, {"c", 0.2}};
  for (const char* check : {"billing.charged_once", "billing.vat", "playback.cold_start"}) {
    for (const auto& [customer, share] : customers) {
      input.expected.push_back(MakeInstance(check, customer, share));
      const bool fails = std::string(customer) == "b" && PathOfCheck(check) == v1::PATH_BILLING;
      input.results.push_back(MakeResult(check, customer, fails ? v1::OUTCOME_FAILED : v1::OUTCOME_PASSED));
    }
  }
  const v1::Verdict verdict = ComputeVerdict(input);
  EXPECT_DOUBLE_EQ(verdict.audience_affected(), 0.3);
  for (const v1::PathVerdict& path : verdict.paths()) {
    EXPECT_DOUBLE_EQ(path.audience_affected(), path.path() == v1::PATH_BILLING ? 0.3 : 0);
  }
}

TEST(WordsTest, PathsGoBothWays) {
  for (const char* name : {"ordering", "cancellation", "device_support", "playback", "billing", "notices"}) {
    EXPECT_EQ(PathName(PathFromName(name)), name);
  }
  EXPECT_EQ(PathFromName("nothing"), v1::PATH_UNSPECIFIED);
  EXPECT_EQ(PathOfCheck("device_support.codec_fit"), v1::PATH_DEVICE_SUPPORT);
}

TEST(WordsTest, PatternsMatchWholeIds) {
  EXPECT_TRUE(MatchesPattern("billing.*", "billing.vat"));
  EXPECT_TRUE(MatchesPattern("*", "billing.vat"));
  EXPECT_TRUE(MatchesPattern("*.no_*", "billing.no_charge_after"));
  EXPECT_FALSE(MatchesPattern("billing.v", "billing.vat"));
  EXPECT_FALSE(MatchesPattern("illing.*", "billing.vat"));
  EXPECT_FALSE(MatchesPattern("", "billing.vat"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "axxbyybzc"));
}

TEST(WordsTest, OnlyTheGreenStatesAreTwo) {
  EXPECT_EQ(VerdictNumber(v1::VERDICT_STATE_GO), 2);
  EXPECT_EQ(VerdictNumber(v1::VERDICT_STATE_GO_WITH_WAIVERS), 2);
  EXPECT_EQ(VerdictNumber(v1::VERDICT_STATE_NO_GO), 0);
  EXPECT_EQ(VerdictNumber(v1::VERDICT_STATE_INCONCLUSIVE), 1);
  EXPECT_EQ(VerdictNumber(v1::VERDICT_STATE_UNSPECIFIED), 1);
}

}  // namespace
}  // namespace puckdrop::readiness
