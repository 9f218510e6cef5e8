// The closed sets of words: paths, verdicts, standings, outcomes, and patterns over check ids.
#include <string>

#include "services/readiness/verdict.h"

namespace puckdrop::readiness {

bool MatchesPattern(const std::string& pattern, const std::string& id) {
  // Greedy with one place to come back to: linear in practice, quadratic at worst, and both are short.
  size_t p = 0, i = 0, star = std::string::npos, mark = 0;
  while (i < id.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = i;
    } else if (p < pattern.size() && pattern[p] == id[i]) {
      ++p;
      ++i;
    } else if (star != std::string::npos) {
      p = star + 1;
      i = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

int VerdictNumber(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return 2;
    case v1::VERDICT_STATE_NO_GO:
      return 0;
    default:
      return 1;
  }
}

std::string PathName(v1::Path path) {
  switch (path) {
    case v1::PATH_ORDERING:
      return "ordering";
    case v1::PATH_CANCELLATION:
      return "cancellation";
    case v1::PATH_DEVICE_SUPPORT:
      return "device_support";
    case v1::PATH_PLAYBACK:
      return "playback";
    case v1::PATH_BILLING:
      return "billing";
    case v1::PATH_NOTICES:
      return "notices";
    default:
      return "";
  }
}

v1::Path PathFromName(const std::string& name) {
  for (int i = v1::PATH_ORDERING; i <= v1::PATH_NOTICES; ++i) {
    if (PathName(static_cast<v1::Path>(i)) == name) return static_cast<v1::Path>(i);
  }
  return v1::PATH_UNSPECIFIED;
}

v1::Path PathOfCheck(const std::string& check) { return PathFromName(check.substr(0, check.find('.'))); }

std::string VerdictWords(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
      return "GO";
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return "GO with waivers";
    case v1::VERDICT_STATE_NO_GO:
      return "NO-GO";
    default:
      return "INCONCLUSIVE";
  }
}

std::string VerdictName(v1::VerdictState state) {
  switch (state) {
    case v1::VERDICT_STATE_GO:
      return "GO";
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return "GO_WITH_WAIVERS";
    case v1::VERDICT_STATE_NO_GO:
      return "NO_GO";
    default:
      return "INCONCLUSIVE";
  }
}

std::string StandingName(v1::Standing standing) {
  switch (standing) {
    case v1::STANDING_OK:
      return "ok";
    case v1::STANDING_FAILED:
      return "failed";
    case v1::STANDING_WAIVED:
      return "waived";
    case v1::STANDING_NOT_ASKED:
      return "not_asked";
    default:
      return "unknown";
  }
}

std::string OutcomeName(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_PASSED:
      return "passed";
    case v1::OUTCOME_FAILED:
      return "failed";
    case v1::OUTCOME_BLOCKED:
      return "blocked";
    case v1::OUTCOME_SKIPPED:
      return "skipped";
    default:
      return "inconclusive";
  }
}

}  // namespace puckdrop::readiness
