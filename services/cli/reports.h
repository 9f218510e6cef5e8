// The reports by the word of the command line; services/cli/report has the writers.
#ifndef PUCKDROP_SERVICES_CLI_REPORTS_H_
#define PUCKDROP_SERVICES_CLI_REPORTS_H_

#include <string>
#include <vector>

#include "services/cli/gate_report.h"
#include "services/cli/report/report.h"

namespace puckdrop::cli {

// junit, json, html, md, text, annotations.
std::vector<std::string> ReportKinds();

// A kind of ReportKinds(); empty for any other. The style is for text.
std::string RenderReport(const std::string& kind, const GateReport& report, const report::Style& style = {});

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_REPORTS_H_
