// The reports of a gate: pure functions of a GateReport, no clock, no files, no environment. Thread-safe.
//
// Text from the target may hold anything: each report escapes it for where it will be read (control and
// direction-changing characters of terminals, markup, XML's forbidden characters), so no report can be made to lie
// about itself.
#ifndef PUCKDROP_SERVICES_CLI_REPORT_REPORT_H_
#define PUCKDROP_SERVICES_CLI_REPORT_REPORT_H_

#include <cstddef>
#include <string>

#include "services/cli/gate_report.h"

namespace puckdrop::report {

// How text is laid out.
struct Style {
  bool color = false;  // ANSI colours; the caller knows of terminals and NO_COLOR
  int width = 100;     // columns; held within 80 and 160
};

// What a person reads first: the verdict, one line a path, what is broken (one block a root check, worst first) with
// what to do about it, then what is unknown, flaky, close to a limit, waived, promised and broken, not judged, still
// owed. Ends with a newline. Commands to reproduce are whole lines, never wrapped.
std::string TextReport(const cli::GateReport& report, const Style& style = {});

// `"schema": "puckdrop.report.v1"`, keys in a stable order, two spaces of indentation. Keys may be added within v1;
// none changes its meaning. Evidence is listed without its content.
std::string JsonReport(const cli::GateReport& report);

// JSON Schema (draft 2020-12) of what JsonReport writes.
std::string JsonReportSchema();

// JUnit XML: one case per check and customer, a suite per path; `<failure>` for confirmed failures that make the
// verdict NO_GO, `<error>` for what could not be told, `<skipped>` with the reason for SKIPPED, BLOCKED, ADVISORY and
// waived; the case `puckdrop.verdict` carries what belongs to no case. A verdict other than GO always has a failure or
// an error.
std::string JunitReport(const cli::GateReport& report);

// GitHub-flavoured Markdown for a step summary; at most 1 MiB, cut with a note.
std::string MarkdownReport(const cli::GateReport& report);

// Workflow commands for GitHub's log, `::error file=…,line=…,col=…,title=…::…` where a place in the plan is known, at most
// ten (GitHub shows no more of a step).
std::string GithubAnnotations(const cli::GateReport& report);

inline constexpr size_t kMostHtmlBytes = 8u << 20;

// One self-contained page: no script, no network (its own policy forbids both). Pictures inline. About `most_bytes` at
// most: pictures come first, then exchanges; what does not fit is named.
std::string HtmlReport(const cli::GateReport& report, size_t most_bytes = kMostHtmlBytes);

}  // namespace puckdrop::report

#endif  // PUCKDROP_SERVICES_CLI_REPORT_REPORT_H_
