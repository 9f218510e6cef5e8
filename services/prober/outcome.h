// What a check's looks add up to. Pure: DESIGN section 6 in code.
#ifndef PUCKDROP_SERVICES_PROBER_OUTCOME_H_
#define PUCKDROP_SERVICES_PROBER_OUTCOME_H_

#include <optional>
#include <string>

#include "checks/check.h"
#include "checks/operation_port.h"

namespace puckdrop::prober {

// What the end of an operation that a check needed means for the check. Ids of the findings: `unexpected_refusal`,
// `target_fault`, `unreadable`, `certificate`.
checks::Judgement JudgementOf(const checks::OperationEnd& end);

// The looks of one check, folded to one outcome.
class Looks {
 public:
  enum class Next {
    kDone,        // the outcome is known
    kRetry,       // it could not tell: ask again
    kSecondLook,  // it failed: look again at once
  };

  // `attempts`: how many looks may end INCONCLUSIVE, 1 to 3.
  explicit Looks(int attempts);

  Next Add(checks::Judgement judgement);

  struct Final {
    checks::Judgement judgement;
    bool flaky = false;
    bool confirmed = false;
    int attempts = 0;
  };
  // What is known now, also before kDone (time ran out): a failure seen once is FAILED and not confirmed. At least one
  // judgement must have been added.
  Final Take() const;

  int taken() const { return taken_; }

 private:
  const int attempts_;
  int taken_ = 0;
  int inconclusive_ = 0;
  std::optional<checks::Judgement> failed_;
  checks::Judgement last_;
  bool confirmed_ = false;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_OUTCOME_H_
