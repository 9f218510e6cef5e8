// What puckdrop's commands return to the shell. DESIGN section 10.
#ifndef PUCKDROP_SERVICES_CLI_EXIT_CODES_H_
#define PUCKDROP_SERVICES_CLI_EXIT_CODES_H_

#include "puckdrop/v1/verdict.pb.h"

namespace puckdrop::cli {

inline constexpr int kExitGo = 0;              // GO or GO with waivers; a command that did what it should
inline constexpr int kExitNoGo = 1;            // NO-GO; `plan check` and `try`: it failed
inline constexpr int kExitInconclusive = 2;    // also target or prober unreachable, time ran out
inline constexpr int kExitNothingToJudge = 3;  // the plan is invalid, or the selection is empty
inline constexpr int kExitUsage = 64;          // wrong usage
inline constexpr int kExitInternal = 70;       // puckdrop itself failed, or a report could not be written

// How a gate ended; several may apply.
struct GateEnd {
  bool wrong_usage = false;
  bool nothing_to_judge = false;
  int signal = 0;               // that ended it: SIGINT 130, SIGTERM 143
  bool internal_error = false;  // puckdrop itself failed, or a report could not be written
  v1::VerdictState verdict = v1::VERDICT_STATE_UNSPECIFIED;
};

// The first that applies: 64, 3, 130/143, 70, then the verdict.
int ExitCodeOf(const GateEnd& end);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_EXIT_CODES_H_
