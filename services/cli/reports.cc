#include "services/cli/reports.h"

#include "services/cli/report/report.h"

namespace puckdrop::cli {

std::vector<std::string> ReportKinds() { return {"junit", "json", "html", "md", "text", "annotations"}; }

std::string RenderReport(const std::string& kind, const GateReport& report, const report::Style& style) {
  if (kind == "junit") return report::JunitReport(report);
  if (kind == "json") return report::JsonReport(report);
  if (kind == "html") return report::HtmlReport(report);
  if (kind == "md") return report::MarkdownReport(report);
  if (kind == "annotations") return report::GithubAnnotations(report);
  if (kind == "text") return report::TextReport(report, style);
  return "";
}

}  // namespace puckdrop::cli
