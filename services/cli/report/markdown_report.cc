#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"

namespace puckdrop::report {
namespace {

// A step summary may have 1 MiB; kept well below.
constexpr size_t kMost = 900u << 10;
constexpr size_t kMostRows = 200;
constexpr size_t kLargestRow = 16u << 10;
constexpr size_t kLargestBlock = 300u << 10;

// Whatever has a meaning in Markdown, in HTML inside it, or to GitHub (mentions, issue numbers, links) loses it.
std::string Escaped(absl::string_view text, size_t most = 600) {
  std::string out;
  for (const char c : OneLine(text, most)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '@':
        out += "&#64;";
        break;
      case ':':
        out += "&#58;";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '{':
      case '}':
      case '[':
      case ']':
      case '(':
      case ')':
      case '#':
      case '!':
      case '|':
      case '~':
      case '$':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

// A fence longer than any run of backticks inside.
std::string Fenced(absl::string_view text, absl::string_view language) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<size_t>(3, longest + 1), '`');
  return absl::StrCat(fence, language, "\n", text, "\n", fence, "\n");
}

const char* Mark(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return "🟢";
    case v1::VERDICT_STATE_NO_GO:
      return "🔴";
    default:
      return "🟡";
  }
}

class Writer {
 public:
  explicit Writer(const cli::GateReport& report) : report_(report), clock_(report), summary_(Summarise(report)) {}

  std::string Write() {
    const v1::Verdict& verdict = report_.verdict;
    absl::StrAppend(&out_, "## ", Mark(verdict.state()), " ", VerdictPeople(verdict.state()), " · ",
                    Escaped(TitleOf(report_)), "\n\n", Escaped(Headline(report_, summary_)), "\n\n");
    if (!verdict.why().empty()) absl::StrAppend(&out_, Escaped(verdict.why()), "\n\n");
    if (!report_.ended_by.empty())
      absl::StrAppend(&out_, "Ended by ", Escaped(report_.ended_by), " before it was over.\n\n");
    Paths();
    Obligations();
    for (const Problem& problem : summary_.broken) Add("🔴", problem);
    List("Causes that belong to no check", {verdict.causes().begin(), verdict.causes().end()});
    UnknownTable();
    ProblemList("Advisory: failed, but cannot stop the launch", summary_.advisory);
    ProblemList("Waived", summary_.waived);
    NoteList("Flaky: passed only after another look", summary_.flaky);
    NoteList("Close to a limit", summary_.warnings);
    Promises();
    List("Not judged", {verdict.not_judged().begin(), verdict.not_judged().end()});
    List("Changed since the last GO", {verdict.changed().begin(), verdict.changed().end()});
    List("Notes", report_.warnings);
    absl::StrAppend(&out_, "<sub>", Escaped(clock_.Date(report_.end_time)), " · ", summary_.judged, " of ",
                    verdict.instances_size(), " judged · exit ", report_.exit_code, " · plan ",
                    Escaped(absl::StrJoin(report_.plan_files, ", ")), " · puckdrop ", Escaped(report_.version),
                    "</sub>\n");
    if (cut_) absl::StrAppend(&out_, "\nThis report was cut; the JSON and HTML reports have the rest.\n");
    return std::move(out_);
  }

 private:
  // Asked before each piece, so that a cut never lands inside a fold or a fence.
  bool Room(size_t bytes) {
    if (out_.size() + bytes > kMost) cut_ = true;
    return !cut_;
  }

  void Paths() {
    if (report_.verdict.paths().empty()) return;
    absl::StrAppend(&out_, "| path | verdict | ok | failed | waived | unknown | audience hit |\n",
                    "|---|---|--:|--:|--:|--:|--:|\n");
    for (const v1::PathVerdict& path : report_.verdict.paths()) {
      absl::StrAppend(
          &out_, "| ", PathPeople(path.path()), " | ",
          path.left_out() ? "not judged" : absl::StrCat(Mark(path.state()), " ", VerdictPeople(path.state())), " | ",
          path.ok(), " | ", path.failed(), " | ", path.waived(), " | ", path.unknown(), " | ");
      absl::StrAppend(&out_, Percent(path.audience_affected()), " |\n");
    }
    absl::StrAppend(&out_, "\n");
  }

  void Obligations() {
    if (report_.obligations_open.empty()) return;
    absl::StrAppend(&out_, "### 🔴 Still owed at the target: ", report_.obligations_open.size(), "\n\n");
    for (const v1::Obligation& owed : report_.obligations_open) {
      absl::StrAppend(&out_, "- **", Escaped(owed.operation()), "** for ", Escaped(owed.customer()), ", account ",
                      Escaped(owed.account()), ": ",
                      owed.manual_action().empty()
                          ? "settled at the next start, or now by `puckdrop obligations --settle`"
                          : absl::StrCat("**a person must** ", Escaped(owed.manual_action())),
                      "\n");
    }
    absl::StrAppend(&out_, "\n");
  }

  void Add(absl::string_view mark, const Problem& problem) {
    if (!Room(kLargestBlock)) return;
    const std::string title = problem.description.sentence().empty() ? problem.symptoms.front().finding.text()
                                                                     : problem.description.sentence();
    absl::StrAppend(&out_, "### ", mark, " ", Escaped(title), "\n\n", Code(problem.check), " · ",
                    Escaped(CustomerList(report_, problem.customers)), " · ", Percent(problem.audience_share),
                    " of the audience");
    if (problem.blocked_instances > 0) {
      absl::StrAppend(&out_, " · blocks ", Count(problem.blocked_instances, "more check"), ": ",
                      Escaped(CheckList(problem.blocks, 6)));
    }
    absl::StrAppend(&out_, "\n\n| found | expected | actual | for |\n|---|---|---|---|\n");
    for (size_t i = 0; i < problem.symptoms.size() && i < 20; ++i) {
      const Symptom& symptom = problem.symptoms[i];
      absl::StrAppend(&out_, "| ", Escaped(symptom.finding.text()), " | ", Escaped(symptom.finding.expected()), " | ",
                      Escaped(symptom.finding.actual()), " | ", Escaped(CustomerList(report_, symptom.customers)),
                      " |\n");
    }
    absl::StrAppend(&out_, "\n");
    if (!problem.description.runbook().empty()) {
      absl::StrAppend(&out_, "**Do:** ", Escaped(problem.description.runbook()), "\n\n");
    }
    const v1::Result* first = problem.first();
    if (first == nullptr) return;
    absl::StrAppend(&out_, "<details><summary>Where, since when, and again</summary>\n\n");
    if (!first->operation().empty()) {
      const std::string step = StepOf(*first);
      absl::StrAppend(&out_, "- ", step.empty() ? "" : "step ", step, Code(first->operation()), "\n");
    }
    if (problem.since != absl::InfinitePast()) {
      absl::StrAppend(&out_, "- since ", clock_.Time(problem.since), first->confirmed() ? ", seen twice" : "", "\n");
    }
    if (!first->plan_position().empty()) absl::StrAppend(&out_, "- plan ", Code(first->plan_position()), "\n");
    if (!problem.description.source().empty()) {
      absl::StrAppend(&out_, "- limit from: ", Escaped(problem.description.source()), "\n");
    }
    absl::StrAppend(&out_, "\n");
    if (!first->reproduce().empty()) absl::StrAppend(&out_, Fenced(OneLine(first->reproduce(), 4000), "sh"));
    absl::StrAppend(&out_, "\n</details>\n\n");
  }

  // Not backticks: a text's own would end them.
  static std::string Code(absl::string_view text) { return absl::StrCat("<code>", Escaped(text, 200), "</code>"); }

  void UnknownTable() {
    if (summary_.unknown.empty()) return;
    absl::StrAppend(&out_, "### 🟡 Unknown: we could not tell\n\n| why | checks | what |\n|---|--:|---|\n");
    for (size_t i = 0; i < summary_.unknown.size() && i < kMostRows && Room(kLargestRow); ++i) {
      const Unknown& unknown = summary_.unknown[i];
      absl::StrAppend(&out_, "| ", Escaped(unknown.why), unknown.advisory ? " (advisory)" : "", " | ",
                      unknown.instances, " | ", Escaped(CheckList(unknown.checks, 6)), " |\n");
    }
    absl::StrAppend(&out_, "\n");
  }

  void List(absl::string_view heading, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    absl::StrAppend(&out_, "### ", heading, "\n\n");
    for (size_t i = 0; i < lines.size() && i < kMostRows && Room(kLargestRow); ++i) {
      absl::StrAppend(&out_, "- ", Escaped(lines[i]), "\n");
    }
    absl::StrAppend(&out_, "\n");
  }

  void ProblemList(absl::string_view heading, const std::vector<Problem>& problems) {
    std::vector<std::string> lines;
    for (const Problem& problem : problems) {
      std::string line = absl::StrCat(problem.check, " for ", CustomerList(report_, problem.customers), ": ",
                                      problem.symptoms.front().finding.text());
      if (problem.waiver >= 0 && static_cast<size_t>(problem.waiver) < report_.waivers.size()) {
        const cli::GateReport::Waiver& waiver = report_.waivers[static_cast<size_t>(problem.waiver)];
        absl::StrAppend(&line, "; accepted by ", waiver.owner, " until ", waiver.expires, ": ", waiver.reason);
      }
      lines.push_back(line);
    }
    List(heading, lines);
  }

  void NoteList(absl::string_view heading, const std::vector<Note>& notes) {
    std::vector<std::string> lines;
    for (const Note& note : notes) {
      lines.push_back(
          absl::StrCat(note.who.check, " for ", CustomerList(report_, note.who.customers), ": ", note.text));
    }
    List(heading, lines);
  }

  void Promises() {
    std::vector<std::string> lines;
    for (const v1::PromiseState* promise : summary_.broken_promises) {
      lines.push_back(absl::StrCat(promise->text(), " (by ", absl::StrJoin(promise->broken_by(), ", "), ")"));
    }
    List("Promises broken", lines);
  }

  const cli::GateReport& report_;
  const Clockface clock_;
  const Summary summary_;
  std::string out_;
  bool cut_ = false;
};

}  // namespace

std::string MarkdownReport(const cli::GateReport& report) { return Writer(report).Write(); }

}  // namespace puckdrop::report
