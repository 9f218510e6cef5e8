#include "checks/media/finding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace puckdrop::media {

const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

Severity WorstSeverity(const Findings& findings) {
  Severity worst = Severity::kNote;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

std::string FindingText(const Finding& finding) {
  std::string place;
  if (finding.line > 0) {
    place = absl::StrCat("line ", finding.line);
    if (finding.column > 0) absl::StrAppend(&place, ":", finding.column);
    place += ": ";
  }
  return absl::StrCat(place, finding.id, ": ", finding.message);
}

}  // namespace puckdrop::media
