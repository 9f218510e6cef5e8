// Where a waiver's public notice may be. A waiver made by a call names an address that readiness then reads: it must be
// one that the plan's author already trusts, or a caller could have readiness ask anything that it can reach.
#ifndef PUCKDROP_SERVICES_READINESS_NOTICE_ADDRESS_H_
#define PUCKDROP_SERVICES_READINESS_NOTICE_ADDRESS_H_

#include <string>

#include "absl/status/status.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::readiness {

// OK for an address of a host of the plan, or of the origin (scheme, host, port) of a notice of one of the plan's own
// waivers. PERMISSION_DENIED for any other, INVALID_ARGUMENT for what is no http or https address; both say what to do
// and carry the reason NOTICE_ADDRESS. For waivers of calls; those of the plan are the author's own.
absl::Status CheckNoticeAddress(const v1::Plan& plan, const std::string& url);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_NOTICE_ADDRESS_H_
