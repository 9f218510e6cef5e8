#include "services/readiness/standing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness::internal {
namespace {

absl::Time EndOf(const v1::Result& result) { return runtime::FromTimestamp(result.end_time()); }

// Higher is worse: of two results of the same instant the worse one counts, so that their order cannot matter.
int Badness(const v1::Result& result) {
  switch (result.outcome()) {
    case v1::OUTCOME_FAILED:
      return result.confirmed() ? 7 : 6;
    case v1::OUTCOME_BLOCKED:
      return 4;
    case v1::OUTCOME_SKIPPED:
      return 3;
    case v1::OUTCOME_PASSED:
      return result.flaky() ? 2 : 1;
    default:
      return 5;
  }
}

bool Newer(const v1::Result& a, const v1::Result& b) {
  const absl::Time at_a = EndOf(a), at_b = EndOf(b);
  if (at_a != at_b) return at_a > at_b;
  if (Badness(a) != Badness(b)) return Badness(a) > Badness(b);
  return a.SerializeAsString() > b.SerializeAsString();
}

const char* SkipWords(v1::SkipCause cause) {
  switch (cause) {
    case v1::SKIP_CAUSE_NOT_JUDGED:
      return "left out by the prober, but not listed in the plan's not_judged";
    case v1::SKIP_CAUSE_NOT_MAPPED:
      return "the plan neither maps the operation nor says not_offered";
    case v1::SKIP_CAUSE_NOT_TOLD:
      return "the plan does not return what the check needs";
    case v1::SKIP_CAUSE_READ_ONLY:
      return "the plan is read-only";
    case v1::SKIP_CAUSE_TOOL_MISSING:
      return "a tool is missing on the prober's machine";
    default:
      return "skipped without a cause";
  }
}

}  // namespace

std::string WordsOf(const v1::Result& result) {
  std::string words = result.summary();
  if (words.empty() && result.findings_size() > 0) words = result.findings(0).text();
  while (!words.empty() && (words.back() == '.' || words.back() == ' ')) words.pop_back();
  return words;
}

Standings::Standings(const VerdictInput& input, const std::vector<v1::WaiverState>& waivers)
    : input_(input), waivers_(waivers), vantages_(input.vantages) {
  // Without names there is one vantage, and whoever reported last speaks for it.
  const bool named = !vantages_.empty();
  if (!named) vantages_.push_back("");
  for (const v1::Result& result : input.results) {
    const v1::Result*& slot = newest_[{result.check(), result.customer(), named ? result.vantage() : ""}];
    if (slot == nullptr || IsNewer(result, *slot)) slot = &result;
  }
  for (const Instance& instance : input.expected) max_age_[{instance.check, instance.customer}] = instance.max_age;
}

absl::Duration Standings::AgeOf(const v1::Result& result) const {
  const auto index = static_cast<size_t>(&result - input_.results.data());
  return index < input_.ages.size() ? input_.ages[index] : input_.now - EndOf(result);
}

bool Standings::IsNewer(const v1::Result& a, const v1::Result& b) const {
  if (input_.ages.empty() || AgeOf(a) == AgeOf(b)) return Newer(a, b);
  return AgeOf(a) < AgeOf(b);
}

const v1::Result* Standings::Newest(const std::string& check, const std::string& customer,
                                    const std::string& vantage) const {
  const auto found = newest_.find({check, customer, vantage});
  return found == newest_.end() ? nullptr : found->second;
}

bool Standings::Covers(const WaiverInput& waiver, const std::string& check, const std::string& for_customer,
                       const v1::Result* result) {
  if (!MatchesPattern(waiver.check, check)) return false;
  if (!waiver.customer.empty() && waiver.customer != for_customer) return false;
  if (waiver.findings.empty()) return true;
  // One finding that nobody accepted is enough for the failure to count.
  if (result == nullptr || result->findings_size() == 0) return false;
  return std::all_of(result->findings().begin(), result->findings().end(), [&](const v1::Finding& finding) {
    return std::find(waiver.findings.begin(), waiver.findings.end(), finding.id()) != waiver.findings.end();
  });
}

Standings::View Standings::SeeFailure(const v1::Result& result, const std::string& for_customer) const {
  View view;
  view.result = &result;
  view.standing = v1::STANDING_FAILED;
  view.why = WordsOf(result);
  int unreachable = -1;
  for (size_t i = 0; i < input_.waivers.size(); ++i) {
    if (!Covers(input_.waivers[i], result.check(), for_customer, &result)) continue;
    if (waivers_[i].state() == v1::WaiverState::HONOURED) {
      view.standing = v1::STANDING_WAIVED;
      view.waiver = static_cast<int>(i);
      view.why = absl::StrCat(view.why, "; accepted by ", input_.waivers[i].owner, ": ", input_.waivers[i].reason);
      return view;
    }
    if (waivers_[i].state() == v1::WaiverState::UNREACHABLE && unreachable < 0) unreachable = static_cast<int>(i);
  }
  if (unreachable >= 0) {
    view.standing = v1::STANDING_UNKNOWN;
    view.waiver = unreachable;
    view.why = absl::StrCat(view.why, "; whether it is waived is not known: ", waivers_[unreachable].why());
  }
  return view;
}

Standings::View Standings::SeeBlocked(const v1::Result& result, const std::string& for_customer,
                                      const std::string& vantage, Visited& visited) const {
  View view;
  view.result = &result;
  const std::string& root = result.blocked_by();
  const std::string root_customer =
      Newest(root, result.customer(), vantage) != nullptr ? result.customer() : std::string(kAnyCustomer);
  View under;
  if (root.empty()) {
    under.why = "blocked, but by no check";
  } else if (Newest(root, root_customer, vantage) == nullptr) {
    under.why = absl::StrCat("stands on ", root, ", of which nothing is known");
  } else {
    under = See(root, root_customer, for_customer, vantage, visited);
  }
  switch (under.standing) {
    case v1::STANDING_FAILED:
    case v1::STANDING_WAIVED:
      view.standing = under.standing;
      view.waiver = under.waiver;
      view.root = under.root.empty() ? root : under.root;
      // A root that is blocked itself already names the one it stands on.
      view.why = under.root.empty() ? absl::StrCat("stands on ", root, ": ", under.why) : under.why;
      if (view.standing == v1::STANDING_FAILED) {
        for (size_t i = 0; i < input_.waivers.size(); ++i) {
          if (waivers_[i].state() == v1::WaiverState::HONOURED &&
              Covers(input_.waivers[i], result.check(), for_customer, &result)) {
            view.standing = v1::STANDING_WAIVED;
            view.waiver = static_cast<int>(i);
            break;
          }
        }
      }
      return view;
    default:
      view.standing = v1::STANDING_UNKNOWN;
      view.root = root;
      view.why = under.result == nullptr ? under.why
                                         : absl::StrCat("stands on ", root, ", which is not known to have failed: ",
                                                        under.why.empty() ? WordsOf(*under.result) : under.why);
      return view;
  }
}

Standings::View Standings::See(const std::string& check, const std::string& customer, const std::string& for_customer,
                               const std::string& vantage, Visited& visited) const {
  View view;
  const v1::Result* result = Newest(check, customer, vantage);
  view.result = result;
  if (result == nullptr) {
    const auto because = input_.missing_because.find(PathOfCheck(check));
    view.why = because == input_.missing_because.end() ? "never ran" : because->second;
    return view;
  }
  // Roots form a chain; a circle of them proves nothing, and a long one is not ours.
  if (!visited.insert({check, customer}).second || visited.size() > 64) {
    view.why = absl::StrCat(check, " is blocked in a circle");
    return view;
  }
  if (!input_.configuration.empty() && result->configuration() != input_.configuration) {
    view.why = absl::StrCat("judged under the target's configuration ",
                            result->configuration().empty() ? "(not told)" : result->configuration(), ", which is now ",
                            input_.configuration);
    return view;
  }
  switch (result->outcome()) {
    case v1::OUTCOME_PASSED: {
      const auto known = max_age_.find({check, customer});
      absl::Duration max_age = known == max_age_.end() ? absl::InfiniteDuration() : known->second;
      if (result->has_max_age()) max_age = std::min(max_age, runtime::FromProtoDuration(result->max_age()));
      const absl::Duration age = AgeOf(*result);
      if (age > max_age) {
        view.why = absl::StrCat("passed ", absl::FormatDuration(absl::Trunc(age, absl::Seconds(1))),
                                " ago, which is too old (", absl::FormatDuration(max_age), ")");
        return view;
      }
      if (max_age < absl::InfiniteDuration() && age < -absl::Minutes(1)) {
        view.why = "passed in the future: the prober's clock and ours disagree";
        return view;
      }
      view.standing = v1::STANDING_OK;
      view.why = WordsOf(*result);
      return view;
    }
    case v1::OUTCOME_FAILED:
      if (!result->confirmed()) {
        view.why = absl::StrCat("failed once and was not looked at again: ", WordsOf(*result));
        return view;
      }
      return SeeFailure(*result, for_customer);
    case v1::OUTCOME_BLOCKED:
      return SeeBlocked(*result, for_customer, vantage, visited);
    case v1::OUTCOME_SKIPPED:
      view.why = WordsOf(*result);
      if (result->skip_cause() == v1::SKIP_CAUSE_DOES_NOT_APPLY || result->skip_cause() == v1::SKIP_CAUSE_NOT_OFFERED) {
        view.standing = v1::STANDING_NOT_ASKED;
        if (view.why.empty()) {
          view.why =
              result->skip_cause() == v1::SKIP_CAUSE_NOT_OFFERED ? "the target does not offer it" : "does not apply";
        }
      } else if (view.why.empty() || result->skip_cause() == v1::SKIP_CAUSE_NOT_JUDGED) {
        view.why = SkipWords(result->skip_cause());
      }
      return view;
    default:
      view.why = WordsOf(*result);
      if (view.why.empty()) view.why = "could not tell";
      return view;
  }
}

v1::InstanceStanding Standings::Of(const Instance& instance) const {
  v1::InstanceStanding standing;
  standing.set_check(instance.check);
  standing.set_customer(instance.customer);
  standing.set_path(instance.path);
  standing.set_severity(instance.severity);
  standing.set_audience_share(instance.audience_share);
  standing.set_waiver(-1);

  std::vector<View> views;
  for (const std::string& vantage : vantages_) {
    Visited visited;
    views.push_back(See(instance.check, instance.customer, instance.customer, vantage, visited));
  }
  for (const View& view : views) {
    if (view.result != nullptr && view.result->through_back_office()) standing.set_severity(v1::SEVERITY_ADVISORY);
  }
  if (!instance.not_judged.empty()) {
    standing.set_standing(v1::STANDING_NOT_ASKED);
    standing.set_why(instance.not_judged);
    if (views[0].result != nullptr) *standing.mutable_result() = *views[0].result;
    return standing;
  }

  const int all = static_cast<int>(views.size());
  const int required = input_.vantages_required > 0 ? std::min(input_.vantages_required, all) : all;
  const auto count = [&](v1::Standing wanted) {
    return static_cast<int>(
        std::count_if(views.begin(), views.end(), [&](const View& view) { return view.standing == wanted; }));
  };
  const int failed = count(v1::STANDING_FAILED), waived = count(v1::STANDING_WAIVED);
  v1::Standing decided = v1::STANDING_UNKNOWN;
  if (count(v1::STANDING_OK) >= required) {
    decided = v1::STANDING_OK;
  } else if (failed + waived > all - required) {
    decided = failed > 0 ? v1::STANDING_FAILED : v1::STANDING_WAIVED;
  } else if (count(v1::STANDING_NOT_ASKED) == all) {
    decided = v1::STANDING_NOT_ASKED;
  }
  standing.set_standing(decided);
  // The view that speaks is the first that says what was decided; for unknown the worst there is.
  const View* speaker = nullptr;
  for (const View& view : views) {
    if (view.standing == decided && speaker == nullptr) speaker = &view;
  }
  if (speaker == nullptr) {
    for (const v1::Standing worst :
         {v1::STANDING_FAILED, v1::STANDING_WAIVED, v1::STANDING_NOT_ASKED, v1::STANDING_OK}) {
      for (const View& view : views) {
        if (view.standing == worst && speaker == nullptr) speaker = &view;
      }
    }
  }
  standing.set_why(speaker->why);
  if (all > 1 && decided != v1::STANDING_NOT_ASKED) {
    standing.set_why(absl::StrCat(count(v1::STANDING_OK), " of ", all, " vantages passed (", required, " must)",
                                  speaker->why.empty() ? "" : ": ", speaker->why));
  }
  standing.set_root(speaker->root);
  if (decided == v1::STANDING_WAIVED) standing.set_waiver(waivers_[static_cast<size_t>(speaker->waiver)].waiver());
  if (speaker->result != nullptr) *standing.mutable_result() = *speaker->result;
  return standing;
}

}  // namespace puckdrop::readiness::internal
