// What the parsers and monitors of this library report: one rule that a stream breaks, with its place.
// Plain values; thread-safe as any value is.
#pragma once

#include <string>
#include <vector>

namespace puckdrop::media {

enum class Severity {
  kNote,     // worth knowing, no viewer is hurt by it
  kWarning,  // outside what a standard or an authoring guide asks; some players suffer
  kError,    // players may refuse or misplay the stream
};

const char* SeverityName(Severity severity);

struct Finding {
  std::string id;       // the fault's id in the catalogue, "H-MAGIC"
  int line = 0;         // 1-based line of the playlist; 0 when the finding is about the whole
  int column = 0;       // 1-based byte column; 0 when unknown
  std::string message;  // one sentence with the values that broke the rule
  Severity severity = Severity::kError;
};

using Findings = std::vector<Finding>;

// The worst severity, or kNote for none.
Severity WorstSeverity(const Findings& findings);
// "line 3:12: H-KEY: …", or without the place when there is none.
std::string FindingText(const Finding& finding);

}  // namespace puckdrop::media
