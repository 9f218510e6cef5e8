// What the engineer on call reads in a terminal: pure functions of a service's answers. Text from the target is made
// harmless as in report.h.
#ifndef PUCKDROP_SERVICES_CLI_REPORT_ONCALL_TEXT_H_
#define PUCKDROP_SERVICES_CLI_REPORT_ONCALL_TEXT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/verdict.pb.h"
#include "puckdrop/v1/waiver_service.pb.h"
#include "services/cli/report/report.h"

namespace puckdrop::report {

// One screen, worst first: the verdict and the countdown, a line a path, what fails (one line or two a root check, with
// since when and for whom), what is unknown and why, waivers, what is owed, what changed, and what to type next.
// At most `lines` lines; what does not fit is counted.
std::string StatusText(const v1::Verdict& verdict, absl::Time now, const Style& style, size_t lines = 40);

// One line for a log: `18:29:04 NO-GO device_support: the promised 720p does not fit (45 % of the audience)`.
std::string StatusLine(const v1::Verdict& verdict);

// A block an instance, worst first: instances that stand alike are one block.
std::string ExplainText(const v1::ExplainCheckResponse& answer, absl::Time now, const Style& style);

// A line a result, newest first.
std::string ResultsText(const std::vector<v1::Result>& results, const std::string& time_zone, const Style& style);
// A block a change, newest first.
std::string ChangesText(const v1::ListVerdictChangesResponse& answer, const Style& style);
// A line a run, newest first.
std::string RunsText(const std::vector<v1::Run>& runs, const std::string& time_zone, const Style& style);
// A block a waiver.
std::string WaiversText(const v1::ListWaiversResponse& waivers, const Style& style);

}  // namespace puckdrop::report

#endif  // PUCKDROP_SERVICES_CLI_REPORT_ONCALL_TEXT_H_
