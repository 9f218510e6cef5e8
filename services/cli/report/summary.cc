#include "services/cli/report/summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report {
namespace {

constexpr char kAny[] = "any";

class Maker {
 public:
  explicit Maker(const cli::GateReport& report) : report_(report) {
    for (size_t i = 0; i < report.customers.size(); ++i) {
      order_[report.customers[i].id] = i;
      share_[report.customers[i].id] = report.customers[i].audience_share;
    }
    for (const v1::Result& result : report.results) results_[{result.check(), result.customer()}] = &result;
    // What the verdict rests on goes before whatever else the run saw.
    for (const v1::InstanceStanding& instance : report.verdict.instances()) {
      if (!instance.has_result()) continue;
      results_[{instance.check(), instance.customer()}] = &instance.result();
      instances_.insert({instance.check(), instance.customer()});
    }
  }

  Summary Make() {
    std::set<std::string> customers;
    for (const v1::InstanceStanding& instance : report_.verdict.instances()) {
      Take(instance);
      if (instance.customer() != kAny) customers.insert(instance.customer());
    }
    summary_.customers_judged = static_cast<int>(customers.size());
    for (auto* problems : {&broken_, &advisory_, &waived_}) {
      for (auto& [key, problem] : *problems) Finish(problem);
    }
    // A group is told among what can stop the launch as soon as one of its instances can.
    summary_.broken = Sorted(broken_);
    summary_.advisory = Sorted(advisory_);
    summary_.waived = Sorted(waived_);
    for (Unknown& unknown : unknown_) SortCustomers(unknown.checks);
    for (const bool advisory : {false, true}) {
      for (const Unknown& unknown : unknown_) {
        if (unknown.advisory == advisory) summary_.unknown.push_back(unknown);
      }
    }
    summary_.flaky = Notes(flaky_);
    summary_.warnings = Notes(warnings_);
    SortCustomers(summary_.customers_hit);
    for (const v1::PromiseState& promise : report_.verdict.promises()) {
      if (promise.state() == v1::PromiseState::BROKEN) summary_.broken_promises.push_back(&promise);
    }
    return std::move(summary_);
  }

 private:
  using Key = std::tuple<std::string, int>;  // root check, waiver
  using Problems = std::map<Key, Problem>;

  static void AddOnce(std::vector<std::string>& list, const std::string& text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
  }

  static void Add(std::vector<CheckCustomers>& list, const std::string& check, const std::string& customer) {
    for (CheckCustomers& entry : list) {
      if (entry.check == check) return AddOnce(entry.customers, customer);
    }
    list.push_back({check, {customer}});
  }

  void SortCustomers(std::vector<std::string>& customers) const {
    const auto place = [this](const std::string& customer) {
      const auto found = order_.find(customer);
      return found == order_.end() ? order_.size() : found->second;
    };
    std::sort(customers.begin(), customers.end(), [&](const std::string& a, const std::string& b) {
      return std::make_tuple(place(a), a) < std::make_tuple(place(b), b);
    });
  }

  void SortCustomers(std::vector<CheckCustomers>& checks) const {
    for (CheckCustomers& entry : checks) SortCustomers(entry.customers);
  }

  double ShareOf(const std::vector<std::string>& customers) const {
    double sum = 0;
    for (const std::string& customer : customers) {
      if (customer == kAny) return 1;
      const auto found = share_.find(customer);
      if (found != share_.end()) sum += found->second;
    }
    return std::min(1.0, sum);
  }

  const v1::Result* ResultOf(const std::string& check, const std::string& customer) const {
    for (const std::string& who : {customer, std::string(kAny)}) {
      const auto found = results_.find({check, who});
      if (found != results_.end()) return found->second;
    }
    return nullptr;
  }

  void TakeProblem(const v1::InstanceStanding& instance) {
    const std::string& root = instance.root().empty() ? instance.check() : instance.root();
    const bool waived = instance.standing() == v1::STANDING_WAIVED;
    const bool blocking = instance.severity() == v1::SEVERITY_BLOCKING;
    Problems& problems = waived ? waived_ : blocking ? broken_ : advisory_;
    // Instances come worst first, so a blocking one has made its group before an advisory one looks for it.
    const Key key{root, waived ? instance.waiver() : -1};
    Problem& problem = !waived && !blocking && broken_.count(key) > 0 ? broken_[key] : problems[key];
    problem.check = root;
    problem.waiver = waived ? instance.waiver() : -1;
    AddOnce(problem.customers, instance.customer());
    if (!instance.root().empty()) {
      Add(problem.blocks, instance.check(), instance.customer());
      ++problem.blocked_instances;
    } else {
      problem.advisory = !blocking;
    }
    const v1::Result* result =
        instance.root().empty() && instance.has_result() ? &instance.result() : ResultOf(root, instance.customer());
    if (result != nullptr &&
        std::find(problem.results.begin(), problem.results.end(), result) == problem.results.end()) {
      problem.results.push_back(result);
    }
    if (blocking && !waived) AddOnce(summary_.customers_hit, instance.customer());
  }

  void TakeUnknown(const v1::InstanceStanding& instance) {
    const bool advisory = instance.severity() != v1::SEVERITY_BLOCKING;
    auto found = std::find_if(unknown_.begin(), unknown_.end(), [&](const Unknown& unknown) {
      return unknown.why == instance.why() && unknown.advisory == advisory;
    });
    if (found == unknown_.end()) {
      unknown_.push_back({.why = instance.why(), .advisory = advisory});
      found = unknown_.end() - 1;
    }
    Add(found->checks, instance.check(), instance.customer());
    ++found->instances;
    if (found->first == nullptr && instance.has_result()) found->first = &instance.result();
  }

  void Take(const v1::InstanceStanding& instance) {
    const bool blocking = instance.severity() == v1::SEVERITY_BLOCKING;
    if (instance.has_result()) ++summary_.judged;
    if (blocking && instance.standing() != v1::STANDING_NOT_ASKED) ++summary_.asked;
    switch (instance.standing()) {
      case v1::STANDING_OK:
        if (blocking) ++summary_.ok;
        break;
      case v1::STANDING_FAILED:
        if (blocking) ++summary_.failed;
        if (blocking && !instance.root().empty()) ++summary_.blocked[instance.path()];
        TakeProblem(instance);
        break;
      case v1::STANDING_WAIVED:
        if (blocking) ++summary_.waived_instances;
        TakeProblem(instance);
        break;
      case v1::STANDING_NOT_ASKED:
        if (instance.result().skip_cause() == v1::SKIP_CAUSE_DOES_NOT_APPLY) ++summary_.does_not_apply;
        break;
      default:
        if (blocking) ++summary_.unknown_instances;
        TakeUnknown(instance);
    }
    const std::string& words = instance.result().summary().empty() ? instance.why() : instance.result().summary();
    if (instance.result().flaky()) flaky_.push_back({&instance, words});
    if (instance.result().warning()) warnings_.push_back({&instance, words});
  }

  void Finish(Problem& problem) const {
    const auto known = report_.checks.find(problem.check);
    if (known != report_.checks.end()) problem.description = known->second;
    problem.path = readiness::PathOfCheck(problem.check);
    SortCustomers(problem.customers);
    SortCustomers(problem.blocks);
    problem.audience_share = ShareOf(problem.customers);
    std::sort(problem.results.begin(), problem.results.end(), [this](const v1::Result* a, const v1::Result* b) {
      const auto place = [this](const v1::Result* r) {
        const auto found = order_.find(r->customer());
        return std::make_tuple(found == order_.end() ? order_.size() : found->second, r->customer());
      };
      return place(a) < place(b);
    });
    for (const v1::Result* result : problem.results) {
      const absl::Time start = ToTime(result->start_time());
      if (start != absl::InfinitePast() && (problem.since == absl::InfinitePast() || start < problem.since)) {
        problem.since = start;
      }
      problem.supporting =
          problem.supporting || (result->supporting() && instances_.count({result->check(), result->customer()}) == 0);
      if (result->severity() == v1::SEVERITY_ADVISORY) problem.advisory = true;
      if (result->findings().empty()) {
        v1::Finding finding;
        finding.set_text(result->summary());
        AddSymptom(problem, finding, result->customer());
      }
      for (const v1::Finding& finding : result->findings()) AddSymptom(problem, finding, result->customer());
    }
    if (problem.symptoms.empty()) {
      v1::Finding finding;
      finding.set_text("its result is not among those of this run");
      problem.symptoms.push_back({finding, problem.customers, false});
    }
  }

  static void AddSymptom(Problem& problem, const v1::Finding& finding, const std::string& customer) {
    for (Symptom& symptom : problem.symptoms) {
      if (symptom.finding.id() != finding.id() || symptom.finding.where() != finding.where()) continue;
      symptom.varies = symptom.varies || symptom.finding.text() != finding.text() ||
                       symptom.finding.expected() != finding.expected() || symptom.finding.actual() != finding.actual();
      return AddOnce(symptom.customers, customer);
    }
    problem.symptoms.push_back({finding, {customer}, false});
  }

  static std::vector<Problem> Sorted(Problems& problems) {
    std::vector<Problem> list;
    for (auto& [key, problem] : problems) list.push_back(std::move(problem));
    const auto rank = [](const Problem& p) {
      return std::make_tuple(-p.audience_share, -p.blocked_instances, static_cast<int>(p.path), p.check, p.waiver);
    };
    std::sort(list.begin(), list.end(), [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
    return list;
  }

  using Noted = std::vector<std::pair<const v1::InstanceStanding*, std::string>>;
  std::vector<Note> Notes(const Noted& noted) const {
    std::vector<Note> notes;
    for (const auto& [instance, words] : noted) {
      auto found = std::find_if(notes.begin(), notes.end(),
                                [&](const Note& note) { return note.who.check == instance->check(); });
      if (found == notes.end()) {
        notes.push_back({{instance->check(), {instance->customer()}}, words});
      } else {
        AddOnce(found->who.customers, instance->customer());
      }
    }
    for (Note& note : notes) SortCustomers(note.who.customers);
    std::sort(notes.begin(), notes.end(), [](const Note& a, const Note& b) { return a.who.check < b.who.check; });
    return notes;
  }

  const cli::GateReport& report_;
  std::map<std::string, size_t> order_;
  std::map<std::string, double> share_;
  std::map<std::pair<std::string, std::string>, const v1::Result*> results_;
  std::set<std::pair<std::string, std::string>> instances_;
  Problems broken_, advisory_, waived_;
  std::vector<Unknown> unknown_;
  Noted flaky_, warnings_;
  Summary summary_;
};

}  // namespace

Summary Summarise(const cli::GateReport& report) { return Maker(report).Make(); }

std::string PathCounts(const Summary& summary, const v1::PathVerdict& path) {
  const int asked = path.ok() + path.failed() + path.waived() + path.unknown();
  if (asked == 0) return "";
  const auto found = summary.blocked.find(path.path());
  const int blocked = found == summary.blocked.end() ? 0 : std::min(found->second, path.failed());
  std::string out = absl::StrCat(path.ok(), " of ", asked, " ok");
  if (path.failed() > blocked) absl::StrAppend(&out, ", ", path.failed() - blocked, " failed");
  if (blocked > 0) absl::StrAppend(&out, ", ", blocked, " blocked");
  if (path.waived() > 0) absl::StrAppend(&out, ", ", path.waived(), " waived");
  if (path.unknown() > 0) absl::StrAppend(&out, ", ", path.unknown(), " unknown");
  return out;
}

std::string PathWhy(const Summary& summary, const v1::PathVerdict& path) {
  if (path.left_out()) return std::string(absl::StripPrefix(path.why(), "not judged: "));
  if (path.state() == v1::VERDICT_STATE_GO) return "";
  const auto blocked = summary.blocked.find(path.path());
  if (blocked == summary.blocked.end() || blocked->second < path.failed()) return path.why();
  std::vector<CheckCustomers> roots;
  for (const Problem& problem : summary.broken) {
    const bool here = std::any_of(problem.blocks.begin(), problem.blocks.end(), [&](const CheckCustomers& entry) {
      return readiness::PathOfCheck(entry.check) == path.path();
    });
    if (here) roots.push_back({problem.check, {}});
  }
  return roots.empty() ? path.why() : absl::StrCat("stands on ", CheckList(roots, 2));
}

std::string CheckList(const std::vector<CheckCustomers>& checks, size_t most) {
  std::string out;
  for (size_t i = 0; i < checks.size() && i < most; ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", OneLine(checks[i].check, 100));
  }
  if (checks.size() > most) absl::StrAppend(&out, " and ", checks.size() - most, " more");
  return out;
}

std::string Headline(const cli::GateReport& report, const Summary& summary) {
  const v1::Verdict& verdict = report.verdict;
  std::string words;
  switch (verdict.state()) {
    case v1::VERDICT_STATE_NO_GO:
      words = absl::StrCat(CustomerCount(report, summary.customers_hit), " hit (", Percent(verdict.audience_affected()),
                           " of the audience)");
      break;
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      words = absl::StrCat(Count(summary.customers_judged, "customer"), ", ", summary.ok, " of ",
                           Count(summary.asked, "check"), " ok");
      if (summary.waived_instances > 0) absl::StrAppend(&words, ", ", summary.waived_instances, " waived");
      break;
    default:
      words = absl::StrCat("we could not tell: ", summary.ok, " of ", Count(summary.asked, "check"), " ok, ",
                           summary.unknown_instances, " unknown");
  }
  if (verdict.selected() > 0) {
    absl::StrAppend(&words, "; for ", verdict.selected(), " of ", Count(verdict.expected(), "check"),
                    ", not a launch verdict");
  }
  return words;
}

}  // namespace puckdrop::report
