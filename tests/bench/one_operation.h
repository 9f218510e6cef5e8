// What the engine's benchmark measures: replace the body of MakeOneOperation to measure more of an operation.
#ifndef PUCKDROP_TESTS_BENCH_ONE_OPERATION_H_
#define PUCKDROP_TESTS_BENCH_ONE_OPERATION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "checks/target/http/http_client.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::bench {

struct OperationSettings {
  std::string url;
  std::shared_ptr<const http::HostSettings> host;
  http::Connection connection = http::Connection::kShared;
};

// Runs one operation from its start to its end, on the loop; may be called again while earlier ones run.
using OneOperation = std::function<awaitable<absl::Status>()>;

// `loop`, `clock` and `client` outlive it.
OneOperation MakeOneOperation(runtime::EventLoop& loop, const runtime::Clock& clock, http::HttpClient& client,
                              OperationSettings settings);

}  // namespace puckdrop::bench

#endif  // PUCKDROP_TESTS_BENCH_ONE_OPERATION_H_
