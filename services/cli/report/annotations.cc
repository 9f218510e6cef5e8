#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/cli/report/report.h"
#include "services/cli/report/summary.h"
#include "services/cli/report/words.h"

namespace puckdrop::report {
namespace {

// GitHub shows ten of each kind for a step.
constexpr size_t kMost = 10;

// The runner's own escapes; without them a text could end the command and begin another.
std::string Data(absl::string_view text) {
  return absl::StrReplaceAll(Lines(text, 2000), {{"%", "%25"}, {"\r", "%0D"}, {"\n", "%0A"}});
}
std::string Property(absl::string_view text) {
  return absl::StrReplaceAll(Data(OneLine(text, 300)), {{":", "%3A"}, {",", "%2C"}});
}

// `file=plan.yaml,line=12,col=9,` of a place in the plan; empty for none, and for a file that lies outside of the
// checkout, which GitHub could not show.
std::string Place(const std::string& position) {
  std::vector<std::string> parts = absl::StrSplit(position, ':');
  int line = 0, column = 0;
  if (parts.size() != 3 || parts[0].empty() || parts[0][0] == '/' || absl::StartsWith(parts[0], "..") ||
      !absl::SimpleAtoi(parts[1], &line) || !absl::SimpleAtoi(parts[2], &column) || line <= 0 || column <= 0) {
    return "";
  }
  return absl::StrCat("file=", Property(absl::StripPrefix(parts[0], "./")), ",line=", line, ",col=", column, ",");
}

std::string Command(absl::string_view kind, absl::string_view title, absl::string_view text,
                    const std::string& position) {
  return absl::StrCat("::", kind, " ", Place(position), "title=", Property(title), "::", Data(text), "\n");
}

}  // namespace

std::string GithubAnnotations(const cli::GateReport& report) {
  const Summary summary = Summarise(report);
  std::string out;
  size_t said = 0;
  const auto say = [&](absl::string_view kind, absl::string_view title, absl::string_view text,
                       const std::string& position = "") {
    if (said++ < kMost) absl::StrAppend(&out, Command(kind, title, text, position));
  };
  for (const v1::Obligation& owed : report.obligations_open) {
    say("error", absl::StrCat("Still owed: ", owed.operation(), " for ", owed.customer()),
        owed.manual_action().empty() ? "settled at the next start" : owed.manual_action());
  }
  for (const Problem& problem : summary.broken) {
    const v1::Finding& finding = problem.symptoms.front().finding;
    std::string text = absl::StrCat(finding.text(), " (", CustomerList(report, problem.customers), ")");
    if (!finding.expected().empty()) absl::StrAppend(&text, "\nexpected ", finding.expected());
    if (!finding.actual().empty()) absl::StrAppend(&text, "\nactual ", finding.actual());
    if (!problem.description.runbook().empty()) absl::StrAppend(&text, "\n", problem.description.runbook());
    say("error", absl::StrCat(problem.check, ": ", problem.description.sentence()), text,
        problem.first() == nullptr ? "" : problem.first()->plan_position());
  }
  for (const std::string& cause : report.verdict.causes()) say("error", "The verdict is not known", cause);
  for (const Unknown& unknown : summary.unknown) {
    say(unknown.advisory ? "notice" : "error", absl::StrCat("Unknown: ", CheckList(unknown.checks, 3)), unknown.why);
  }
  for (const Note& note : summary.flaky) say("warning", absl::StrCat("Flaky: ", note.who.check), note.text);
  for (const Note& note : summary.warnings)
    say("warning", absl::StrCat("Close to a limit: ", note.who.check), note.text);
  return out;
}

}  // namespace puckdrop::report
