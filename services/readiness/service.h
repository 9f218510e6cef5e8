// The gRPC edge of readiness: translates between the API and the domain, and nothing else.
#ifndef PUCKDROP_SERVICES_READINESS_SERVICE_H_
#define PUCKDROP_SERVICES_READINESS_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "services/readiness/readiness.h"
#include "services/runtime/call_guard.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace grpc {
class Service;
}

namespace puckdrop::readiness {

// ReadinessService, CheckService, ObligationService, EvidenceService and WaiverService over one Readiness. Everything
// passed in outlives them; they outlive the server that serves them.
class ReadinessServices {
 public:
  // `guard` as in runtime/reactor_bridge.h; nullptr: reached in process only.
  ReadinessServices(Readiness& readiness, runtime::EventLoop& loop, const runtime::Clock& clock,
                    std::shared_ptr<runtime::CallGuard> guard = nullptr);
  ~ReadinessServices();
  ReadinessServices(const ReadinessServices&) = delete;
  ReadinessServices& operator=(const ReadinessServices&) = delete;

  std::vector<grpc::Service*> services() const;
  // For health by service.
  std::vector<std::string> names() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_SERVICE_H_
