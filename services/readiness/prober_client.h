// How readiness reaches the probers: the port that the walk is written against.
#ifndef PUCKDROP_SERVICES_READINESS_PROBER_CLIENT_H_
#define PUCKDROP_SERVICES_READINESS_PROBER_CLIENT_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

// One prober. Loop thread only; calls may overlap; must outlive the calls it was given.
class ProberClient {
 public:
  using OnEvent = std::function<void(v1::RunChecksEvent)>;

  ProberClient() = default;
  ProberClient(const ProberClient&) = delete;
  ProberClient& operator=(const ProberClient&) = delete;
  virtual ~ProberClient() = default;

  // Events come on the loop's thread, in order, all of them before it ends. OK only says that the stream ended well;
  // whether all results came is said by the event Done. FAILED_PRECONDITION: the prober has another plan; UNAVAILABLE:
  // not reachable; DEADLINE_EXCEEDED; CANCELLED.
  virtual awaitable<absl::Status> RunChecks(v1::RunChecksRequest request, absl::Time deadline, OnEvent on_event) = 0;

  // Undoes one thing.
  virtual awaitable<absl::StatusOr<v1::SettleObligationResponse>> SettleObligation(v1::SettleObligationRequest request,
                                                                                   absl::Time deadline) = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_PROBER_CLIENT_H_
