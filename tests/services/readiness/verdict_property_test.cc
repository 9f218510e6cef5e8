// Properties of the verdict over random plans and results. The seed is fixed: a failure is seen by everybody.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/services/readiness/verdict_samples.h"

namespace puckdrop::readiness {
namespace {

constexpr int kRounds = 2000;

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  std::mt19937& random() { return random_; }

  VerdictInput Input() {
    VerdictInput input;
    input.launch = "liiga";
    input.now = kNow;
    const int customers = 1 + Below(3);
    // Mostly good results, so that all verdicts come up.
    badness_ = 2 + Below(40);
    failures_only_ = OneIn(3);
    for (int path = v1::PATH_ORDERING; path <= v1::PATH_BILLING; ++path) {
      if (OneIn(4)) continue;
      const int checks = 1 + Below(3);
      for (int c = 0; c < checks; ++c) {
        const std::string check = PathName(static_cast<v1::Path>(path)) + ".check_" + std::to_string(c);
        const bool per_launch = OneIn(6);
        const v1::Severity severity = OneIn(5) ? v1::SEVERITY_ADVISORY : v1::SEVERITY_BLOCKING;
        for (int i = 0; i < (per_launch ? 1 : customers); ++i) {
          const std::string customer = per_launch ? kAnyCustomer : "customer-" + std::to_string(i);
          Instance instance = MakeInstance(check, customer, per_launch ? 1 : 1.0 / customers, severity);
          if (OneIn(3)) instance.max_age = absl::Minutes(5);
          if (OneIn(30)) instance.not_judged = "why (owner: who)";
          input.expected.push_back(instance);
          checks_.push_back(check);
        }
      }
    }
    for (const Instance& instance : input.expected) {
      if (!OneIn(badness_ * 2)) input.results.push_back(Random(instance));
      if (OneIn(8)) input.results.push_back(Random(instance));
    }
    if (OneIn(8)) input.configuration = "build 1";
    if (OneIn(2)) input.waivers.push_back(Waiver(input));
    input.expected_of_plan = static_cast<int>(input.expected.size());
    return input;
  }

  WaiverInput Waiver(const VerdictInput& input) {
    WaiverInput waiver = HonouredWaiver("*");
    // Often one for everything, so that GO with waivers comes up.
    if (!input.expected.empty() && OneIn(2)) {
      const Instance& instance = input.expected[static_cast<size_t>(Below(static_cast<int>(input.expected.size())))];
      waiver.check = OneIn(3) ? PathName(instance.path) + ".*" : instance.check;
      if (OneIn(3)) waiver.customer = instance.customer;
    }
    if (OneIn(3)) waiver.findings = {"charged_twice"};
    return waiver;
  }

 private:
  v1::Result Random(const Instance& instance) {
    const absl::Time end = kNow - absl::Seconds(Below(400));
    v1::Result result = MakeResult(instance.check, instance.customer, v1::OUTCOME_PASSED, end);
    result.set_configuration("build 1");
    if (!OneIn(badness_)) {
      result.set_flaky(OneIn(40));
      return result;
    }
    switch (failures_only_ ? 0 : Below(6)) {
      case 0:
        result = MakeResult(instance.check, instance.customer, v1::OUTCOME_FAILED, end);
        result.set_confirmed(failures_only_ || !OneIn(4));
        break;
      case 1:
        result = Blocked(instance.check, instance.customer,
                         checks_[static_cast<size_t>(Below(static_cast<int>(checks_.size())))]);
        break;
      case 2:
        result.set_outcome(v1::OUTCOME_INCONCLUSIVE);
        break;
      case 3:
        result = Skipped(instance.check, instance.customer, static_cast<v1::SkipCause>(Below(v1::SkipCause_ARRAYSIZE)));
        break;
      case 4:
        result.set_through_back_office(true);
        break;
      default:
        result.set_outcome(v1::OUTCOME_FAILED);
        result.set_confirmed(true);
        result.add_findings()->set_id("other");
    }
    result.set_configuration(!failures_only_ && OneIn(10) ? "build 0" : "build 1");
    return result;
  }

  std::mt19937 random_;
  int badness_ = 2;
  bool failures_only_ = false;  // nothing worse than what a waiver can cover
  std::vector<std::string> checks_;
};

// Higher is worse.
int Badness(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
      return 0;
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return 1;
    case v1::VERDICT_STATE_NO_GO:
      return 3;
    default:
      return 2;
  }
}

std::map<std::pair<std::string, std::string>, v1::Standing> StandingsOf(const v1::Verdict& verdict) {
  std::map<std::pair<std::string, std::string>, v1::Standing> standings;
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    standings[{instance.check(), instance.customer()}] = instance.standing();
  }
  return standings;
}

std::string Show(const VerdictInput& input) {
  std::string text = "configuration '" + input.configuration + "'\n";
  for (const v1::Result& result : input.results) text += result.ShortDebugString() + "\n";
  return text;
}

TEST(VerdictPropertyTest, AllVerdictsComeUp) {
  Maker maker(1);
  std::map<v1::VerdictState, int> seen;
  for (int i = 0; i < kRounds; ++i) ++seen[ComputeVerdict(maker.Input()).state()];
  for (const v1::VerdictState state : {v1::VERDICT_STATE_GO, v1::VERDICT_STATE_GO_WITH_WAIVERS,
                                       v1::VERDICT_STATE_INCONCLUSIVE, v1::VERDICT_STATE_NO_GO}) {
    EXPECT_GT(seen[state], 5) << VerdictName(state);
  }
}

TEST(VerdictPropertyTest, OrderDoesNotMatter) {
  Maker maker(2);
  for (int i = 0; i < kRounds; ++i) {
    VerdictInput input = maker.Input();
    const std::string before = ComputeVerdict(input).SerializeAsString();
    std::shuffle(input.results.begin(), input.results.end(), maker.random());
    std::shuffle(input.expected.begin(), input.expected.end(), maker.random());
    ASSERT_EQ(ComputeVerdict(input).SerializeAsString(), before) << Show(input);
  }
}

// An instance improves when it passes cleanly; what was blocked by it is looked at again and passes too.
TEST(VerdictPropertyTest, ImprovingAnInstanceNeverWorsensTheVerdict) {
  Maker maker(3);
  for (int i = 0; i < kRounds; ++i) {
    VerdictInput input = maker.Input();
    if (input.expected.empty()) continue;
    const v1::Verdict before = ComputeVerdict(input);
    const Instance& chosen = input.expected[static_cast<size_t>(maker.Below(static_cast<int>(input.expected.size())))];
    std::set<std::string> improved = {chosen.check};
    for (size_t grown = 0; grown != improved.size();) {
      grown = improved.size();
      for (const v1::Result& result : input.results) {
        if (result.outcome() == v1::OUTCOME_BLOCKED && improved.count(result.blocked_by()) > 0)
          improved.insert(result.check());
      }
    }
    for (const v1::InstanceStanding& instance : before.instances()) {
      // What was not asked is not bad: asking it is no improvement.
      if (improved.count(instance.check()) == 0 || instance.standing() == v1::STANDING_NOT_ASKED) continue;
      v1::Result result = MakeResult(instance.check(), instance.customer(), v1::OUTCOME_PASSED, kNow);
      result.set_configuration(input.configuration);
      result.set_through_back_office(instance.result().through_back_office());
      input.results.erase(std::remove_if(input.results.begin(), input.results.end(),
                                         [&](const v1::Result& old) {
                                           return old.check() == instance.check() &&
                                                  old.customer() == instance.customer();
                                         }),
                          input.results.end());
      input.results.push_back(result);
    }
    const v1::Verdict after = ComputeVerdict(input);
    ASSERT_LE(Badness(after.state()), Badness(before.state())) << Show(input) << before.why() << " -> " << after.why();
  }
}

// Without a result nothing gets greener: nobody reaches GO by knowing less. (A failure that is forgotten is unknown.)
TEST(VerdictPropertyTest, RemovingAResultNeverImprovesTheVerdict) {
  Maker maker(4);
  for (int i = 0; i < kRounds; ++i) {
    VerdictInput input = maker.Input();
    if (input.results.empty()) continue;
    const v1::Verdict before = ComputeVerdict(input);
    const size_t chosen = static_cast<size_t>(maker.Below(static_cast<int>(input.results.size())));
    const v1::Result removed = input.results[chosen];
    // All of the instance: an older result that comes to light is another judgement, not less of it.
    input.results.erase(std::remove_if(input.results.begin(), input.results.end(),
                                       [&](const v1::Result& result) {
                                         return result.check() == removed.check() &&
                                                result.customer() == removed.customer();
                                       }),
                        input.results.end());
    const v1::Verdict after = ComputeVerdict(input);
    ASSERT_LE(VerdictNumber(after.state()), std::max(1, VerdictNumber(before.state())))
        << Show(input) << removed.ShortDebugString();
    if (Badness(before.state()) < 3) {
      ASSERT_GE(Badness(after.state()), Badness(before.state())) << Show(input) << removed.ShortDebugString();
    }
  }
}

TEST(VerdictPropertyTest, AWaiverOnlyMovesFailedToWaived) {
  Maker maker(5);
  for (int i = 0; i < kRounds; ++i) {
    VerdictInput input = maker.Input();
    const auto before = StandingsOf(ComputeVerdict(input));
    input.waivers.push_back(maker.Waiver(input));
    const auto after = StandingsOf(ComputeVerdict(input));
    for (const auto& [instance, standing] : before) {
      const v1::Standing now = after.at(instance);
      ASSERT_TRUE(now == standing || (standing == v1::STANDING_FAILED && now == v1::STANDING_WAIVED))
          << instance.first << " " << StandingName(standing) << " -> " << StandingName(now) << "\n"
          << Show(input);
    }
  }
}

TEST(VerdictPropertyTest, AGreenVerdictRestsOnAPassOfEveryPathThatIsNotLeftOut) {
  Maker maker(6);
  for (int i = 0; i < kRounds; ++i) {
    const v1::Verdict verdict = ComputeVerdict(maker.Input());
    if (VerdictNumber(verdict.state()) != 2) continue;
    bool judged = false;
    for (const v1::PathVerdict& path : verdict.paths()) {
      if (path.left_out()) continue;
      judged = true;
      ASSERT_GT(path.ok(), 0);
      ASSERT_EQ(path.failed() + path.unknown(), 0);
    }
    ASSERT_TRUE(judged);
  }
}

}  // namespace
}  // namespace puckdrop::readiness
