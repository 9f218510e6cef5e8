// Words, numbers and times as every report writes them, and text from elsewhere made harmless.
#ifndef PUCKDROP_SERVICES_CLI_REPORT_WORDS_H_
#define PUCKDROP_SERVICES_CLI_REPORT_WORDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cli/gate_report.h"

namespace puckdrop::report {

// Fit for one line: invalid UTF-8 becomes U+FFFD; control characters, and those that change the direction of text or
// end a line, become visible (`\x1b`, `\u202e`); at most `most` bytes, cut with "…".
std::string OneLine(absl::string_view text, size_t most = 2000);
// The same for text of several lines: line feeds and tabs stay, carriage returns before a line feed go.
std::string Lines(absl::string_view text, size_t most = 64u << 10);

// JSON text whose strings hold the same, but with the characters above written as \uXXXX: still equal to any reader.
std::string JsonSafe(absl::string_view json);

// Columns on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks.
size_t DisplayWidth(absl::string_view text);
// `text` cut to `columns`, with "…" for what is gone. UTF-8 stays whole.
std::string CutToWidth(absl::string_view text, size_t columns);
// `text` followed by spaces up to `columns`.
std::string Padded(absl::string_view text, size_t columns);
// Broken at spaces into lines of at most `columns`; a longer word is broken anywhere. Never empty.
std::vector<std::string> Wrapped(absl::string_view text, size_t columns);

// `65 %`, `0.4 %`.
std::string Percent(double share);
// `1 check`, `3 checks`.
std::string Count(int n, absl::string_view noun);
// `1 min 12 s`, `850 ms`.
std::string Span(absl::Duration duration);

absl::Time ToTime(const google::protobuf::Timestamp& time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// Times of a report in its own zone; UTC if that zone is not known here.
class Clockface {
 public:
  explicit Clockface(const cli::GateReport& report);
  // `18:29:04`.
  std::string Time(absl::Time time) const;
  // `Sun 23 Nov 2025 18:29 EET`; `unknown` for a time not known.
  std::string Date(absl::Time time) const;

 private:
  absl::TimeZone zone_;
};
// RFC 3339 in UTC, milliseconds: for machines. Empty for a time not known.
std::string Stamp(absl::Time time);

// `NO-GO`, `GO WITH WAIVERS`.
std::string VerdictPeople(v1::VerdictState state);
// `device support`.
std::string PathPeople(v1::Path path);
// `TARGET_FAULT`; empty for none.
std::string ReasonName(v1::FailureReason reason);
// `NOT_OFFERED`; empty for none.
std::string SkipName(v1::SkipCause cause);
// `BLOCKING`, `ADVISORY`.
std::string SeverityName(v1::Severity severity);
// What the exit code tells a person.
std::string ExitMeaning(int code);
// `sofa, phone`, `all 5 customers`.
std::string CustomerList(const cli::GateReport& report, const std::vector<std::string>& customers);
// `3 of 5 customers`, of those whom this run judged; `every customer` for checks that are not per customer.
std::string CustomerCount(const cli::GateReport& report, const std::vector<std::string>& customers);

// `2 of 4 of `, to stand before the operation; empty where the operation has no more than one step.
std::string StepOf(const v1::Result& result);

// The launch's title, else its id, else "the launch".
std::string TitleOf(const cli::GateReport& report);

}  // namespace puckdrop::report

#endif  // PUCKDROP_SERVICES_CLI_REPORT_WORDS_H_
