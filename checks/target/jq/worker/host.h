#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_HOST_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_HOST_H_

extern "C" {
#include <jv.h>
}

#include <optional>

namespace puckdrop::jq::worker {

// One call from the prelude: `call` (consumed) is ["name", input, arguments…]. Gives the value, or an invalid jv with a
// message, which jq raises as an error at the place of the call.
jv CallHost(jv call, const std::optional<double>& now);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_HOST_H_
