#ifndef PUCKDROP_CHECKS_CANCELLATION_SHARED_END_H_
#define PUCKDROP_CHECKS_CANCELLATION_SHARED_END_H_

#include "checks/check_context.h"

namespace puckdrop::checks::cancellation {

// When the right to watch ends after a cancellation: the end of the entitlement as it was before it, else the end of the day of the subscription's end date (else of its
// paid-through date), in the launch's time zone. Throws Judged (SKIPPED, NOT_TOLD) when the plan returns neither.
Task<absl::Time> EndOfAccess(Journey& journey);

}  // namespace puckdrop::checks::cancellation

#endif  // PUCKDROP_CHECKS_CANCELLATION_SHARED_END_H_
