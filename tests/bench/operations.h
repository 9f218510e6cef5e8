// What the engine's benchmark measures: operations that can be repeated, many at a time.
#ifndef PUCKDROP_TESTS_BENCH_OPERATIONS_H_
#define PUCKDROP_TESTS_BENCH_OPERATIONS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::bench {

// Runs one operation from its start to its end, on the loop; may be called again while earlier ones run.
using OneOperation = std::function<awaitable<absl::Status>()>;

// Fetches the address and looks at the status; to have another program probe.
OneOperation MakeFetch(runtime::EventLoop& loop, const runtime::Clock& clock, const std::string& url);

// A prober without its gRPC edge: the plan's target, the runner, the metrics. Each operation runs one check for one
// customer: fetch, mapping by jq, judgement, evidence, result, metrics. They take turns, so that after
// kChecks * customers operations each instance has run. Anything but PASSED is an error.
class Checks {
 public:
  static constexpr int kChecks = 4;

  // Errors: the plan's mistakes, or why its target cannot be performed. `loop` and `clock` outlive it; made and
  // destroyed off the loop's thread.
  static absl::StatusOr<std::unique_ptr<Checks>> Make(runtime::EventLoop& loop, const runtime::Clock& clock,
                                                      const std::string& plan_file);
  virtual ~Checks() = default;

  // As long as the object lives.
  virtual OneOperation Operation() = 0;
  virtual int instances() const = 0;
};

}  // namespace puckdrop::bench

#endif  // PUCKDROP_TESTS_BENCH_OPERATIONS_H_
