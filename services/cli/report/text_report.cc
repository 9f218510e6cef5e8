#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report {
namespace {

constexpr char kBold[] = "1";
constexpr char kDim[] = "2";
constexpr char kRed[] = "31";
constexpr char kGreen[] = "32";
constexpr char kAmber[] = "33";
constexpr char kRedBanner[] = "1;97;41";
constexpr char kGreenBanner[] = "1;97;42";
constexpr char kAmberBanner[] = "1;30;43";

// A terminal's screen holds about this much; the rest is one line each.
constexpr size_t kMostBlocks = 12;
constexpr size_t kMostSymptoms = 3;
constexpr size_t kMostLines = 20;
constexpr size_t kLabel = 12;

class Writer {
 public:
  Writer(const cli::GateReport& report, const Style& style)
      : report_(report),
        color_(style.color),
        width_(static_cast<size_t>(std::clamp(style.width, 80, 160))),
        clock_(report),
        summary_(Summarise(report)) {}

  std::string Write() {
    First();
    Paths();
    Obligations();
    Broken();
    UnknownBlocks();
    Notes("FLAKY", "passed only after another look", summary_.flaky);
    Notes("CLOSE TO A LIMIT", "ok, but not by much", summary_.warnings);
    Advisory();
    Waived();
    Promises();
    NotJudged();
    Section("CHANGED", "since the last GO", kBold,
            {report_.verdict.changed().begin(), report_.verdict.changed().end()});
    Section("NOTE", "", kAmber, report_.warnings);
    Last();
    return std::move(out_);
  }

 private:
  std::string Paint(absl::string_view code, absl::string_view text) const {
    return color_ && !text.empty() ? absl::StrCat("\x1b[", code, "m", text, "\x1b[0m") : std::string(text);
  }

  static const char* ColorOf(v1::VerdictState state) {
    return state == v1::VERDICT_STATE_NO_GO                                              ? kRed
           : state == v1::VERDICT_STATE_GO || state == v1::VERDICT_STATE_GO_WITH_WAIVERS ? kGreen
                                                                                         : kAmber;
  }

  void Line(absl::string_view text = "") { absl::StrAppend(&out_, text, "\n"); }

  // Text behind an indentation, wrapped, its first line led by `lead` (already painted, `columns` wide).
  void Behind(const std::string& lead, size_t columns, absl::string_view text, absl::string_view code = "") {
    bool first = true;
    for (const std::string& line : Wrapped(text, width_ - columns)) {
      Line(absl::StrCat(first ? lead : std::string(columns, ' '), code.empty() ? line : Paint(code, line)));
      first = false;
    }
  }

  void Field(absl::string_view label, const std::string& text, absl::string_view code = "") {
    if (text.empty()) return;
    Behind(absl::StrCat("   ", Paint(kDim, Padded(label, kLabel - 3))), kLabel, text, code);
  }

  // For commands: a wrapped line cannot be copied.
  void Whole(absl::string_view label, const std::string& text) {
    if (text.empty()) return;
    Line(absl::StrCat("   ", Paint(kDim, Padded(label, kLabel - 3)), text));
  }

  void Heading(absl::string_view words, absl::string_view after, absl::string_view code) {
    Line();
    Line(absl::StrCat(Paint(absl::StrCat("1;", code), words), after.empty() ? "" : "  ", Paint(kDim, after)));
  }

  void Section(absl::string_view words, absl::string_view after, absl::string_view code,
               const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    Heading(words, after, code);
    for (size_t i = 0; i < lines.size() && i < kMostLines; ++i) Behind("  - ", 4, OneLine(lines[i], 600));
    if (lines.size() > kMostLines) Line(absl::StrCat("  and ", lines.size() - kMostLines, " more"));
  }

  void First() {
    const v1::VerdictState state = report_.verdict.state();
    const std::string verdict = VerdictPeople(state);
    const char* banner = state == v1::VERDICT_STATE_NO_GO ? kRedBanner
                         : ColorOf(state) == kGreen       ? kGreenBanner
                                                          : kAmberBanner;
    const std::string rest = absl::StrCat(TitleOf(report_), "  ", Headline(report_, summary_));
    const size_t columns = verdict.size() + (color_ ? 4 : 2);
    Behind(color_ ? absl::StrCat(Paint(banner, absl::StrCat(" ", verdict, " ")), "  ") : verdict + "  ", columns, rest,
           kBold);
    if (state != v1::VERDICT_STATE_NO_GO && state != v1::VERDICT_STATE_GO) {
      // A cause that belongs to no check is behind whatever the first unknown check says.
      const std::string& why = report_.verdict.causes().empty() ? report_.verdict.why() : report_.verdict.causes(0);
      if (!why.empty()) Behind(std::string(columns, ' '), columns, OneLine(why, 400));
    }
    if (!report_.ended_by.empty()) {
      Behind(std::string(columns, ' '), columns,
             absl::StrCat("ended by ", OneLine(report_.ended_by, 200), " before it was over"), kAmber);
    }
  }

  void Paths() {
    Line();
    for (const v1::PathVerdict& path : report_.verdict.paths()) {
      const std::string state = path.left_out() ? "not judged" : VerdictPeople(path.state());
      const std::string counts = PathCounts(summary_, path);
      const std::string why = OneLine(PathWhy(summary_, path), 300);
      const size_t left = 2 + 16 + 17;
      const std::string rest = why.empty()      ? counts
                               : counts.empty() ? why
                                                : absl::StrCat(Padded(counts, 24), "  ", why);
      Line(absl::StrCat("  ", Padded(PathPeople(path.path()), 16),
                        Paint(path.left_out() ? kDim : ColorOf(path.state()), Padded(state, 17)),
                        CutToWidth(rest, width_ - left)));
    }
  }

  // Before anything else that is broken: money or a subscription is at stake until somebody acts.
  void Obligations() {
    if (report_.obligations_open.empty()) return;
    const int n = static_cast<int>(report_.obligations_open.size());
    Line();
    Line(Paint(kRedBanner, absl::StrCat("!! STILL OWED AT THE TARGET: ", Count(n, "act"), " of ours not undone !!")));
    for (size_t i = 0; i < report_.obligations_open.size() && i < kMostLines; ++i) {
      const v1::Obligation& owed = report_.obligations_open[i];
      std::string what = absl::StrCat(OneLine(owed.operation(), 100), " for ", OneLine(owed.customer(), 60),
                                      " as account ", OneLine(owed.account(), 120));
      for (const auto& [name, id] : SortedIds(owed)) absl::StrAppend(&what, ", ", name, " ", id);
      Behind(absl::StrCat("  ", Paint(kRed, "- ")), 4, what, kBold);
      if (!owed.manual_action().empty()) {
        Behind(absl::StrCat("    ", Paint(kRed, "A person must: ")), 19, OneLine(owed.manual_action(), 600), kBold);
      } else {
        Behind("    ", 4, "settled at the next start, or now by: puckdrop obligations --settle");
      }
      if (!owed.last_error().empty()) {
        Behind("    last attempt: ", 18,
               absl::StrCat(OneLine(owed.last_error(), 300), " (", owed.attempts(), " so far)"));
      }
    }
    if (report_.obligations_open.size() > kMostLines) {
      Line(absl::StrCat("  and ", report_.obligations_open.size() - kMostLines, " more: puckdrop obligations"));
    }
    if (!report_.state_dir.empty()) Behind("  written down in ", 18, OneLine(report_.state_dir, 300));
  }

  static std::vector<std::pair<std::string, std::string>> SortedIds(const v1::Obligation& owed) {
    std::vector<std::pair<std::string, std::string>> ids;
    for (const auto& [name, id] : owed.target_ids()) ids.emplace_back(OneLine(name, 60), OneLine(id, 120));
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  static std::string TitleOfProblem(const Problem& problem) {
    if (!problem.description.sentence().empty())
      return absl::StrCat("\"", OneLine(problem.description.sentence(), 200), "\"");
    return OneLine(problem.symptoms.front().finding.text(), 200);
  }

  std::string WhoIsHit(const Problem& problem) const {
    const std::string count = CustomerCount(report_, problem.customers);
    std::string who = CustomerList(report_, problem.customers);
    if (who == count || absl::StartsWith(who, "all "))
      return absl::StrCat(who, ", ", Percent(problem.audience_share), " of the audience");
    return absl::StrCat(who, " (", count, ", ", Percent(problem.audience_share), " of the audience)");
  }

  static std::string StepWords(const v1::Result& result) {
    if (result.operation().empty()) return "";
    return absl::StrCat(StepOf(result), OneLine(result.operation(), 120));
  }

  // `7 of playback, 4 of billing`: which journeys end here says more than a list of ids.
  static std::string BlockedByPath(const Problem& problem) {
    std::map<v1::Path, size_t> paths;
    for (const CheckCustomers& entry : problem.blocks) {
      paths[readiness::PathOfCheck(entry.check)] += entry.customers.size();
    }
    return absl::StrJoin(paths, ", ", [](std::string* out, const std::pair<const v1::Path, size_t>& path) {
      absl::StrAppend(out, path.second, " of ", PathPeople(path.first));
    });
  }

  void Symptoms(const Problem& problem) {
    const size_t all = problem.symptoms.size();
    for (size_t i = 0; i < all && i < kMostSymptoms; ++i) {
      const Symptom& symptom = problem.symptoms[i];
      const v1::Finding& finding = symptom.finding;
      // What is said in the next line but one need not be said twice.
      const absl::string_view sentence = finding.text();
      const std::string tail = finding.actual().empty() ? "" : absl::StrCat(": ", finding.actual());
      std::string text = OneLine(tail.size() > 40 ? absl::StripSuffix(sentence, tail) : sentence, 400);
      if (!finding.where().empty() && !absl::StrContains(text, finding.where())) {
        absl::StrAppend(&text, " (", OneLine(finding.where(), 120), ")");
      }
      if (symptom.varies) {
        absl::StrAppend(&text, " (as ", OneLine(symptom.customers.front(), 60), " saw it; ",
                        symptom.customers.size() - 1, " alike)");
      } else if (symptom.customers.size() < problem.results.size()) {
        absl::StrAppend(&text, " (", CustomerList(report_, symptom.customers), ")");
      }
      Field("found", text);
      Field("expected", OneLine(finding.expected(), 400));
      Field("actual", OneLine(finding.actual(), 400), kRed);
    }
    if (all > kMostSymptoms)
      Field("", absl::StrCat("and ", all - kMostSymptoms, " more findings, in the other reports"));
  }

  void Block(const Problem& problem, size_t number, absl::string_view code) {
    Line();
    const std::string lead = absl::StrCat(number, ". ");
    const std::string title = TitleOfProblem(problem);
    const std::string check = OneLine(problem.check, 100);
    const size_t room = width_ - lead.size() - 2 - DisplayWidth(check);
    Behind(Paint(absl::StrCat("1;", code), lead), lead.size(),
           DisplayWidth(title) <= room ? absl::StrCat(title, "  ", check) : title, kBold);
    if (DisplayWidth(title) > room) Field("check", check);
    Field("hit", WhoIsHit(problem));
    Symptoms(problem);
    const v1::Result* first = problem.first();
    if (first != nullptr) Field("step", StepWords(*first));
    if (problem.since != absl::InfinitePast()) {
      std::string since = clock_.Time(problem.since);
      if (first != nullptr && first->confirmed()) absl::StrAppend(&since, ", seen twice");
      Field("since", since);
    }
    if (problem.blocked_instances > 0) {
      Field("blocks", absl::StrCat(Count(problem.blocked_instances, "more check"), ": ", BlockedByPath(problem)));
    }
    if (problem.supporting) Field("selected", "no: it ran because what was selected stands on it");
    Field("do", OneLine(problem.description.runbook(), 600), kBold);
    if (first != nullptr) {
      Field("plan", OneLine(first->plan_position(), 200));
      const std::string command = OneLine(first->reproduce(), 4000);
      Whole("again", absl::EndsWith(command, "…") ? command + " (whole in the JSON report)" : command);
    }
  }

  void Broken() {
    if (summary_.broken.empty()) return;
    Heading(summary_.broken.size() == 1 ? "BROKEN" : absl::StrCat("BROKEN: ", summary_.broken.size(), " things"),
            "worst first", kRed);
    for (size_t i = 0; i < summary_.broken.size(); ++i) {
      if (i < kMostBlocks) {
        Block(summary_.broken[i], i + 1, kRed);
      } else {
        if (i == kMostBlocks) Line();
        OneLiner(summary_.broken[i]);
      }
    }
  }

  void OneLiner(const Problem& problem) {
    const v1::Finding& finding = problem.symptoms.front().finding;
    std::string text = absl::StrCat(OneLine(problem.check, 100), " for ", CustomerList(report_, problem.customers),
                                    ": ", OneLine(finding.text(), 300));
    if (!finding.actual().empty() && !absl::StrContains(finding.text(), finding.actual())) {
      absl::StrAppend(&text, "; expected ", OneLine(finding.expected(), 200), ", was ", OneLine(finding.actual(), 200));
    }
    if (problem.blocked_instances > 0) absl::StrAppend(&text, " (blocks ", problem.blocked_instances, " more)");
    Behind("  - ", 4, text);
  }

  void Advisory() {
    if (summary_.advisory.empty()) return;
    Heading("ADVISORY", "failed, but cannot stop the launch", kAmber);
    for (const Problem& problem : summary_.advisory) OneLiner(problem);
  }

  void UnknownBlocks() {
    std::vector<std::string> causes;
    for (const std::string& cause : report_.verdict.causes()) causes.push_back(OneLine(cause, 400));
    if (causes.empty() && summary_.unknown.empty()) return;
    Heading("UNKNOWN", "we could not tell", kAmber);
    for (const std::string& cause : causes) Behind(absl::StrCat("  ", Paint(kAmber, "- ")), 4, cause, kBold);
    size_t shown = 0;
    for (const Unknown& unknown : summary_.unknown) {
      if (++shown > kMostLines) {
        Line(absl::StrCat("  and ", summary_.unknown.size() - kMostLines, " more causes, in the other reports"));
        break;
      }
      Behind(absl::StrCat("  ", Paint(kAmber, "- ")), 4, OneLine(unknown.why, 400), unknown.advisory ? kDim : kBold);
      std::vector<std::string> customers;
      for (const CheckCustomers& entry : unknown.checks) {
        for (const std::string& customer : entry.customers) {
          if (std::find(customers.begin(), customers.end(), customer) == customers.end()) customers.push_back(customer);
        }
      }
      Behind("    ", 4,
             absl::StrCat(Count(unknown.instances, "check"), " for ", CustomerList(report_, customers), ": ",
                          CheckList(unknown.checks, 5), unknown.advisory ? " (advisory)" : ""));
      if (unknown.first != nullptr && !unknown.first->reproduce().empty()) {
        Line(absl::StrCat("    ", Paint(kDim, "again: "), OneLine(unknown.first->reproduce(), 4000)));
      }
    }
  }

  void Notes(absl::string_view words, absl::string_view after, const std::vector<Note>& notes) {
    std::vector<std::string> lines;
    for (const Note& note : notes) {
      lines.push_back(absl::StrCat(note.who.check, " for ", CustomerList(report_, note.who.customers),
                                   note.text.empty() ? "" : ": ", note.text));
    }
    Section(words, after, kAmber, lines);
  }

  void Waived() {
    std::vector<std::string> lines;
    for (const Problem& problem : summary_.waived) {
      std::string line = absl::StrCat(problem.check, " for ", CustomerList(report_, problem.customers), ": ",
                                      problem.symptoms.front().finding.text());
      if (problem.blocked_instances > 0)
        absl::StrAppend(&line, " (with ", problem.blocked_instances, " that stand on it)");
      if (problem.waiver >= 0 && static_cast<size_t>(problem.waiver) < report_.waivers.size()) {
        const cli::GateReport::Waiver& waiver = report_.waivers[static_cast<size_t>(problem.waiver)];
        absl::StrAppend(&line, "; accepted by ", waiver.owner, " until ", waiver.expires, ": ", waiver.reason,
                        "; customers are told at ", waiver.notice_url);
      }
      lines.push_back(line);
    }
    Section("WAIVED", "known, accepted, and told to customers", kAmber, lines);
    lines.clear();
    for (const v1::WaiverState& state : report_.verdict.waivers()) {
      if (state.state() == v1::WaiverState::HONOURED) continue;
      lines.push_back(
          absl::StrCat(state.check(), state.customer().empty() ? "" : " for ", state.customer(), ": ", state.why()));
    }
    Section("WAIVERS THAT DO NOT HOLD", "", kRed, lines);
  }

  static std::string ListOf(const google::protobuf::RepeatedPtrField<std::string>& checks) {
    std::vector<CheckCustomers> list;
    for (const std::string& check : checks) list.push_back({check, {}});
    return CheckList(list, 3);
  }

  void Promises() {
    std::vector<std::string> lines;
    for (const v1::PromiseState* promise : summary_.broken_promises) {
      lines.push_back(absl::StrCat("\"", promise->text().empty() ? promise->promise() : promise->text(), "\"  by ",
                                   ListOf(promise->broken_by())));
    }
    Section("PROMISES BROKEN", "", kRed, lines);
  }

  void NotJudged() {
    std::vector<std::string> lines(report_.verdict.not_judged().begin(), report_.verdict.not_judged().end());
    if (summary_.does_not_apply > 0) {
      lines.push_back(absl::StrCat(Count(summary_.does_not_apply, "check"),
                                   summary_.does_not_apply == 1 ? " does" : " do",
                                   " not apply, by the plan or the device"));
    }
    Section("NOT JUDGED", "", kDim, lines);
  }

  void Last() {
    Line();
    std::vector<std::string> parts = {
        clock_.Date(report_.end_time),
        absl::StrCat(summary_.judged, " of ", report_.verdict.instances_size(), " judged")};
    if (report_.start_time != absl::InfinitePast() && report_.end_time >= report_.start_time) {
      absl::StrAppend(&parts.back(), " in ", Span(report_.end_time - report_.start_time));
    }
    if (!report_.vantage.empty()) absl::StrAppend(&parts.back(), " from ", OneLine(report_.vantage, 60));
    const std::string meaning = ExitMeaning(report_.exit_code);
    parts.push_back(absl::StrCat("exit ", report_.exit_code, meaning.empty() ? "" : ": ", meaning));
    Behind("", 0, absl::StrJoin(parts, " · "), kDim);
  }

  const cli::GateReport& report_;
  const bool color_;
  const size_t width_;
  const Clockface clock_;
  const Summary summary_;
  std::string out_;
};

}  // namespace

std::string TextReport(const cli::GateReport& report, const Style& style) { return Writer(report, style).Write(); }

}  // namespace puckdrop::report
