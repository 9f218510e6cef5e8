// A service whose handlers a test gives, on a server in process or on a port.
#ifndef PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_TEST_SERVICE_H_
#define PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_TEST_SERVICE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "puckdrop/v1/prober_service.grpc.pb.h"
#include "services/runtime/event_loop.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/reactor_bridge.h"
#include "services/runtime/server.h"

namespace puckdrop::runtime {

using ListHandler = Bridge::UnaryHandler<v1::ListChecksRequest, v1::ListChecksResponse>;
using RunHandler = Bridge::StreamHandler<v1::RunChecksRequest, v1::RunChecksEvent>;
using Async = v1::ProberService::StubInterface::async_interface;

class TestService final : public v1::ProberService::CallbackService {
 public:
  explicit TestService(Bridge bridge) : bridge_(bridge) {}
  ListHandler on_list;
  RunHandler on_run;

  grpc::ServerUnaryReactor* ListChecks(grpc::CallbackServerContext* context, const v1::ListChecksRequest* request,
                                       v1::ListChecksResponse* response) override {
    return bridge_.Unary<v1::ListChecksRequest, v1::ListChecksResponse>(context, request, response, on_list);
  }
  grpc::ServerWriteReactor<v1::RunChecksEvent>* RunChecks(grpc::CallbackServerContext* context,
                                                          const v1::RunChecksRequest* request) override {
    return bridge_.Stream<v1::RunChecksRequest, v1::RunChecksEvent>(context, request, on_run);
  }

 private:
  Bridge bridge_;
};

// Waits for a condition that another thread brings about.
inline bool Eventually(const std::function<bool()>& holds, absl::Duration limit = absl::Seconds(20)) {
  const absl::Time end = absl::Now() + limit;
  while (absl::Now() < end) {
    if (holds()) return true;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return holds();
}

inline v1::RunChecksEvent ProgressEvent(std::string text) {
  v1::RunChecksEvent event;
  event.mutable_progress()->set_text(std::move(text));
  return event;
}

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_TEST_SERVICE_H_
