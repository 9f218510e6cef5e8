#include "services/readiness/verdict.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/readiness/standing.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

// Shares are written as decimal fractions and summed as doubles.
constexpr double kShareTolerance = 1e-9;

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

v1::VerdictState Worse(v1::VerdictState a, v1::VerdictState b) { return Badness(a) >= Badness(b) ? a : b; }

int SortKey(const v1::InstanceStanding& instance) {
  int key = 0;
  switch (instance.standing()) {
    case v1::STANDING_FAILED:
      key = instance.root().empty() ? 0 : 1;
      break;
    case v1::STANDING_WAIVED:
      key = 3;
      break;
    case v1::STANDING_OK:
      key = instance.result().warning() ? 4 : 5;
      break;
    case v1::STANDING_NOT_ASKED:
      key = 6;
      break;
    default:
      key = 2;
  }
  return key + (instance.severity() == v1::SEVERITY_BLOCKING ? 0 : 10);
}

std::string Percent(double share) { return absl::StrFormat("%.3g %%", share * 100); }

// How much of the audience these customers carry.
double ShareOf(const std::map<std::string, double>& customers) {
  const auto any = customers.find(kAnyCustomer);
  if (any != customers.end()) return 1;
  double sum = 0;
  for (const auto& [customer, share] : customers) sum += share;
  return std::min(1.0, sum);
}

std::string AndMore(size_t more) { return more == 0 ? "" : absl::StrCat(" (and ", more, " more)"); }

// What was found, for the first line; `standing` is the sentence the customer would say if the check gave no words.
std::string Headline(const v1::InstanceStanding& instance, const std::string& sentence) {
  if (!instance.root().empty()) return instance.why();
  std::string words = internal::WordsOf(instance.result());
  if (words.empty()) words = sentence.empty() ? absl::StrCat(instance.check(), " failed") : sentence;
  return words;
}

class PathJudge {
 public:
  PathJudge(const VerdictInput& input, const std::map<std::string, std::string>& sentences)
      : input_(input), sentences_(sentences) {}

  // `instances` are those of the path, worst first.
  v1::PathVerdict Judge(v1::Path path, const std::vector<const v1::InstanceStanding*>& instances) const {
    v1::PathVerdict verdict;
    verdict.set_path(path);
    const v1::InstanceStanding* first_failed = nullptr;
    const v1::InstanceStanding* first_unknown = nullptr;
    const v1::InstanceStanding* first_waived = nullptr;
    const v1::InstanceStanding* first_not_asked = nullptr;
    std::map<std::string, double> affected, carried, asked;
    std::set<std::string> not_ok;
    int advisory_asked = 0;
    for (const v1::InstanceStanding* instance : instances) {
      if (instance->severity() != v1::SEVERITY_BLOCKING) {
        if (instance->standing() != v1::STANDING_NOT_ASKED)
          ++advisory_asked;
        else if (first_not_asked == nullptr)
          first_not_asked = instance;
        continue;
      }
      switch (instance->standing()) {
        case v1::STANDING_OK:
          verdict.set_ok(verdict.ok() + 1);
          carried[instance->customer()] = instance->audience_share();
          break;
        case v1::STANDING_FAILED:
          verdict.set_failed(verdict.failed() + 1);
          affected[instance->customer()] = instance->audience_share();
          if (first_failed == nullptr) first_failed = instance;
          break;
        case v1::STANDING_WAIVED:
          verdict.set_waived(verdict.waived() + 1);
          carried[instance->customer()] = instance->audience_share();
          if (first_waived == nullptr) first_waived = instance;
          break;
        case v1::STANDING_NOT_ASKED:
          verdict.set_not_asked(verdict.not_asked() + 1);
          if (first_not_asked == nullptr || first_not_asked->severity() != v1::SEVERITY_BLOCKING)
            first_not_asked = instance;
          continue;
        default:
          verdict.set_unknown(verdict.unknown() + 1);
          if (first_unknown == nullptr) first_unknown = instance;
          break;
      }
      asked[instance->customer()] = instance->audience_share();
    }
    verdict.set_audience_affected(ShareOf(affected));

    const int judged = verdict.ok() + verdict.failed() + verdict.waived() + verdict.unknown();
    if (judged == 0 && (verdict.not_asked() > 0 || (advisory_asked == 0 && first_not_asked != nullptr))) {
      // It takes no part in the launch's verdict; by itself it says nothing.
      verdict.set_left_out(true);
      verdict.set_state(v1::VERDICT_STATE_INCONCLUSIVE);
      verdict.set_why(absl::StrCat("not judged: ", first_not_asked->why()));
      return verdict;
    }
    if (verdict.failed() > 0) {
      verdict.set_state(v1::VERDICT_STATE_NO_GO);
      verdict.set_why(absl::StrCat(Headline(*first_failed, Sentence(*first_failed)), AndMore(verdict.failed() - 1)));
    } else if (verdict.unknown() > 0) {
      verdict.set_state(v1::VERDICT_STATE_INCONCLUSIVE);
      verdict.set_why(absl::StrCat(first_unknown->check(), " for ", first_unknown->customer(), ": ",
                                   first_unknown->why(), AndMore(verdict.unknown() - 1)));
    } else if (verdict.ok() == 0) {
      verdict.set_state(v1::VERDICT_STATE_INCONCLUSIVE);
      verdict.set_why(judged == 0 ? "nothing that could stop the launch was judged" : "nothing is ok");
    } else if (const double share = Carried(carried, asked);
               !input_.filtered && share + kShareTolerance < input_.coverage) {
      verdict.set_state(v1::VERDICT_STATE_INCONCLUSIVE);
      verdict.set_why(absl::StrCat("customers that are ok carry ", Percent(share), " of the audience, ",
                                   Percent(input_.coverage), " are needed"));
    } else if (verdict.waived() > 0) {
      verdict.set_state(v1::VERDICT_STATE_GO_WITH_WAIVERS);
      verdict.set_why(absl::StrCat(first_waived->why(), AndMore(verdict.waived() - 1)));
    } else {
      verdict.set_state(v1::VERDICT_STATE_GO);
      verdict.set_why(absl::StrCat(verdict.ok(), " of ", judged, " ok"));
    }
    return verdict;
  }

 private:
  // A check for all customers carries the whole audience only where no customer is asked by name: else one green tile
  // would stand for customers that nobody looked at.
  static double Carried(const std::map<std::string, double>& carried, const std::map<std::string, double>& asked) {
    if (asked.size() == 1 && asked.count(kAnyCustomer) > 0) return ShareOf(carried);
    std::map<std::string, double> by_name = carried;
    by_name.erase(kAnyCustomer);
    return ShareOf(by_name);
  }

  std::string Sentence(const v1::InstanceStanding& instance) const {
    const auto found = sentences_.find(instance.check());
    return found == sentences_.end() ? "" : found->second;
  }

  const VerdictInput& input_;
  const std::map<std::string, std::string>& sentences_;
};

v1::PromiseState JudgePromise(const PromiseInput& promise, const v1::Verdict& verdict) {
  v1::PromiseState state;
  state.set_promise(promise.id);
  state.set_text(promise.text);
  std::set<std::string> broken;
  bool unknown = false, kept = false;
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    const bool named = std::any_of(promise.checks.begin(), promise.checks.end(), [&](const std::string& pattern) {
      return MatchesPattern(pattern, instance.check());
    });
    if (!named) continue;
    switch (instance.standing()) {
      case v1::STANDING_OK:
        kept = true;
        break;
      case v1::STANDING_FAILED:
      case v1::STANDING_WAIVED:
        broken.insert(instance.check());
        break;
      case v1::STANDING_NOT_ASKED:
        break;
      default:
        unknown = true;
    }
  }
  for (const std::string& check : broken) state.add_broken_by(check);
  state.set_state(!broken.empty()    ? v1::PromiseState::BROKEN
                  : unknown || !kept ? v1::PromiseState::UNKNOWN
                                     : v1::PromiseState::KEPT);
  return state;
}

// What the owners or the target left out, one sentence for each reason.
void AddNotJudged(v1::Verdict* verdict) {
  std::set<v1::Path> left_out;
  for (const v1::PathVerdict& path : verdict->paths()) {
    if (!path.left_out()) continue;
    left_out.insert(path.path());
    verdict->add_not_judged(absl::StrCat(PathName(path.path()), " ", path.why()));
  }
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_reason;
  std::map<std::string, int> customers_of;
  for (const v1::InstanceStanding& instance : verdict->instances()) {
    ++customers_of[instance.check()];
    if (instance.standing() != v1::STANDING_NOT_ASKED || left_out.count(instance.path()) > 0) continue;
    if (instance.result().skip_cause() == v1::SKIP_CAUSE_DOES_NOT_APPLY) continue;
    by_reason[{instance.check(), instance.why()}].push_back(instance.customer());
  }
  for (const auto& [key, customers] : by_reason) {
    const bool all = static_cast<int>(customers.size()) == customers_of[key.first];
    verdict->add_not_judged(absl::StrCat(
        key.first, " not judged", all ? "" : absl::StrCat(" for ", absl::StrJoin(customers, ", ")), ": ", key.second));
  }
}

void JudgeLaunch(const VerdictInput& input, v1::Verdict* verdict) {
  std::vector<const v1::PathVerdict*> judged;
  for (const v1::PathVerdict& path : verdict->paths()) {
    if (!path.left_out()) judged.push_back(&path);
  }
  v1::VerdictState state = v1::VERDICT_STATE_GO;
  std::string why;
  if (judged.empty()) {
    state = v1::VERDICT_STATE_INCONCLUSIVE;
    why = input.expected.empty() ? "nothing was selected" : "nothing was judged";
  } else {
    for (const v1::PathVerdict* path : judged) state = Worse(state, path->state());
  }

  int asked = 0, flaky = 0, ok = 0;
  for (const v1::InstanceStanding& instance : verdict->instances()) {
    if (instance.severity() != v1::SEVERITY_BLOCKING || instance.standing() == v1::STANDING_NOT_ASKED) continue;
    ++asked;
    if (instance.standing() != v1::STANDING_OK) continue;
    ++ok;
    if (instance.result().flaky()) ++flaky;
  }
  std::vector<std::string> causes = input.causes;
  std::sort(causes.begin(), causes.end());
  if (flaky * 10 > asked) {
    causes.push_back(absl::StrCat(flaky, " of ", asked,
                                  " blocking checks passed only after another look; more than a tenth is too many"));
  }
  if (!causes.empty()) state = Worse(state, v1::VERDICT_STATE_INCONCLUSIVE);
  for (const std::string& cause : causes) verdict->add_causes(cause);

  if (why.empty()) {
    // The first path that is as bad as the launch speaks, one with a root of its own before one that only suffers from
    // it.
    const v1::PathVerdict* speaker = nullptr;
    std::vector<std::string> also;
    const auto has_root = [&](const v1::PathVerdict& path) {
      return std::any_of(verdict->instances().begin(), verdict->instances().end(), [&](const v1::InstanceStanding& i) {
        return i.path() == path.path() && i.severity() == v1::SEVERITY_BLOCKING &&
               i.standing() == v1::STANDING_FAILED && i.root().empty();
      });
    };
    for (const v1::PathVerdict* path : judged) {
      if (path->state() != state || state == v1::VERDICT_STATE_GO) continue;
      if (speaker == nullptr || (state == v1::VERDICT_STATE_NO_GO && !has_root(*speaker) && has_root(*path)))
        speaker = path;
    }
    for (const v1::PathVerdict* path : judged) {
      if (speaker != nullptr && path != speaker && path->state() == state) also.push_back(PathName(path->path()));
    }
    if (speaker != nullptr) {
      why = absl::StrCat(PathName(speaker->path()), ": ", speaker->why());
      if (!also.empty()) absl::StrAppend(&why, "; also ", absl::StrJoin(also, ", "));
    } else if (!causes.empty()) {
      why = causes.front();
    } else {
      why = absl::StrCat(ok, " of ", asked, " blocking checks are ok");
    }
  }
  if (VerdictNumber(state) == 2) {
    for (const v1::PathVerdict& path : verdict->paths()) {
      if (path.left_out()) absl::StrAppend(&why, ", ", PathName(path.path()), " ", path.why());
    }
  }
  if (input.filtered) {
    absl::StrAppend(&why, why.empty() ? "" : "; ", "for ", input.expected.size(), " of ", input.expected_of_plan,
                    " checks, not a launch verdict");
  }
  verdict->set_state(state);
  verdict->set_why(why);
}

}  // namespace

v1::WaiverState StateOfWaiver(const WaiverInput& waiver, int index, absl::Time now) {
  v1::WaiverState state;
  state.set_waiver(index);
  state.set_check(waiver.check);
  state.set_customer(waiver.customer);
  if (waiver.notice_seen > absl::InfinitePast())
    *state.mutable_notice_seen_time() = runtime::ToTimestamp(waiver.notice_seen);
  if (now >= waiver.expires) {
    state.set_state(v1::WaiverState::EXPIRED);
    state.set_why("it has expired");
  } else if (waiver.notice_says.size() < 12) {
    state.set_state(v1::WaiverState::UNANNOUNCED);
    state.set_why("the words the notice must say are fewer than 12 characters");
  } else if (waiver.notice == WaiverInput::Notice::kDidNotSay) {
    state.set_state(v1::WaiverState::UNANNOUNCED);
    state.set_why(absl::StrCat("the notice does not say \"", waiver.notice_says, "\""));
  } else if (waiver.notice_seen > absl::InfinitePast() && now - waiver.notice_seen <= kNoticeFresh) {
    state.set_state(v1::WaiverState::HONOURED);
    state.set_why("the notice was seen with its words");
  } else {
    state.set_state(v1::WaiverState::UNREACHABLE);
    state.set_why(waiver.notice == WaiverInput::Notice::kUnreachable
                      ? absl::StrCat("the notice could not be read from here: ", waiver.notice_error)
                      : "the notice was not seen in the last 15 minutes");
  }
  return state;
}

v1::Verdict ComputeVerdict(const VerdictInput& input) {
  v1::Verdict verdict;
  verdict.set_launch(input.launch);
  std::vector<v1::WaiverState> waivers;
  for (size_t i = 0; i < input.waivers.size(); ++i) {
    const int number = input.waivers[i].number >= 0 ? input.waivers[i].number : static_cast<int>(i);
    waivers.push_back(StateOfWaiver(input.waivers[i], number, input.now));
  }

  const internal::Standings standings(input, waivers);
  std::map<std::string, std::string> sentences;
  std::vector<v1::InstanceStanding> instances;
  std::set<std::pair<std::string, std::string>> seen;
  for (const Instance& instance : input.expected) {
    if (!seen.insert({instance.check, instance.customer}).second) continue;
    sentences[instance.check] = instance.sentence;
    instances.push_back(standings.Of(instance));
  }
  std::sort(instances.begin(), instances.end(), [](const v1::InstanceStanding& a, const v1::InstanceStanding& b) {
    if (SortKey(a) != SortKey(b)) return SortKey(a) < SortKey(b);
    if (a.path() != b.path()) return a.path() < b.path();
    if (a.check() != b.check()) return a.check() < b.check();
    return a.customer() < b.customer();
  });
  for (v1::InstanceStanding& instance : instances) *verdict.add_instances() = std::move(instance);

  const PathJudge judge(input, sentences);
  std::map<std::string, double> affected;
  for (int p = v1::Path_MIN; p <= v1::Path_MAX; ++p) {
    std::vector<const v1::InstanceStanding*> of_path;
    for (const v1::InstanceStanding& instance : verdict.instances()) {
      if (instance.path() != p) continue;
      of_path.push_back(&instance);
      if (instance.severity() == v1::SEVERITY_BLOCKING && instance.standing() == v1::STANDING_FAILED) {
        affected[instance.customer()] = instance.audience_share();
      }
    }
    if (!of_path.empty()) *verdict.add_paths() = judge.Judge(static_cast<v1::Path>(p), of_path);
  }
  verdict.set_audience_affected(ShareOf(affected));
  for (const PromiseInput& promise : input.promises) *verdict.add_promises() = JudgePromise(promise, verdict);
  for (v1::WaiverState& waiver : waivers) *verdict.add_waivers() = std::move(waiver);
  AddNotJudged(&verdict);
  JudgeLaunch(input, &verdict);

  verdict.set_expected(input.expected_of_plan);
  if (input.filtered) verdict.set_selected(static_cast<int>(input.expected.size()));
  *verdict.mutable_time() = runtime::ToTimestamp(input.now);
  verdict.set_run(input.run);
  verdict.set_plan_digest(input.plan_digest);
  verdict.set_configuration(input.configuration);
  for (const std::string& changed : input.changed) verdict.add_changed(changed);
  verdict.set_obligations_open(input.obligations_open);
  verdict.set_paused(input.paused);
  return verdict;
}

}  // namespace puckdrop::readiness
