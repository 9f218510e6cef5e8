#include "services/cli/exit_codes.h"

namespace puckdrop::cli {

int ExitCodeOf(const GateEnd& end) {
  if (end.wrong_usage) return kExitUsage;
  if (end.nothing_to_judge) return kExitNothingToJudge;
  if (end.signal != 0) return 128 + end.signal;
  if (end.internal_error) return kExitInternal;
  switch (end.verdict) {
    case v1::VERDICT_STATE_GO:
    case v1::VERDICT_STATE_GO_WITH_WAIVERS:
      return kExitGo;
    case v1::VERDICT_STATE_NO_GO:
      return kExitNoGo;
    default:
      return kExitInconclusive;
  }
}

}  // namespace puckdrop::cli
