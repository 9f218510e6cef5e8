#ifndef PUCKDROP_CHECKS_TARGET_JQ_POOL_H_
#define PUCKDROP_CHECKS_TARGET_JQ_POOL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checks/target/jq/program.h"

namespace puckdrop::jq {

// What becomes of the response's bytes.
enum class BodyKind : std::uint8_t {
  kNone,  // `.body` is what the context says, or null; `.body_base64` still tells the bytes
  kJson,  // parsed: empty is null, integers beyond 2^53 become strings, invalid UTF-8 becomes U+FFFD
  kText,  // one string, invalid UTF-8 becomes U+FFFD
};

struct EvaluationRequest {
  std::vector<ProgramId> programs;
  // A JSON object with the names' values, without `body` and `body_base64` where `body` below tells them. Integers
  // beyond 2^53 become strings here too.
  std::string context = "{}";
  BodyKind body_kind = BodyKind::kNone;
  // The raw bytes of the response; may be null. Shared so that a large body is not copied before it is sent.
  std::shared_ptr<const std::string> body;
  // When not empty, every program runs once for each of these JSON texts, which is `.each`, `$each` and, for programs
  // of the each scope, `.`.
  std::vector<std::string> each;
  // What `now` gives, seconds since 1970; not set: the clock.
  std::optional<double> now;
};

enum class FailureKind : std::uint8_t {
  kFailed,       // the expression ended with an error of its own; the message is jq's, or ours from a function of ours
  kRanAway,      // it took too long, or all memory, or crashed its process (OURS)
  kTooLarge,     // its results, or how many they are, are beyond the limits
  kBodyNotJson,  // it looks at a body that should be JSON and is not
};

// "FAILED", "RAN_AWAY", …
const char* FailureKindName(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::kFailed;
  std::string message;
};

// What one program gave: its values in order, as JSON texts (none is possible), or why it has none.
struct ProgramOutcome {
  std::vector<std::string> values;
  std::optional<Failure> failure;

  bool ok() const { return !failure.has_value(); }
};

struct EvaluationResult {
  // One for each program of the request, in its order; with `each`, first all programs for each[0], then for each[1], …
  std::vector<ProgramOutcome> outcomes;
  // Set when a kJson body is not JSON: what is wrong and at which byte. Programs that do not look at the body ran all
  // the same, with `.body` null.
  std::optional<std::string> body_problem;
};

struct PoolOptions {
  std::string worker_path;                        // empty: `puckdrop-jq-worker` beside this executable
  std::size_t workers = 1;                        // processes
  std::size_t batch = 16;                         // requests in one message
  std::size_t max_queued = 4096;                  // requests waiting; beyond: RESOURCE_EXHAUSTED
  std::size_t max_input_bytes = 16 << 20;         // context, body and each of one request; beyond: RESOURCE_EXHAUSTED
  std::size_t max_queued_bytes = 256 << 20;       // of all requests waiting
  std::size_t max_result_bytes = 4 << 20;         // of one program; beyond: kTooLarge
  std::size_t max_results = 10000;                // values of one program; beyond: kTooLarge
  std::chrono::milliseconds soft_limit{50};       // CPU time after which a program's loop is stopped
  std::chrono::milliseconds hard_limit{250};      // CPU time after which the worker is killed
  std::chrono::milliseconds wall_limit{15'000};    // the same by the clock on the wall, for a machine that is too busy
  std::chrono::milliseconds start_limit{20'000};  // to start a worker and compile the set
  std::size_t worker_memory_bytes = 512 << 20;    // RLIMIT_AS
};

// Evaluates the programs of one set in worker processes, so that no expression can stop, fill or crash this one.
// Requests made in one turn of the loop travel together. A request whose program killed a worker is retried without
// that program; its neighbours are retried too and notice nothing.
//
// Thread-safety: everything runs on `executor`, which must be one thread or a strand; call Evaluate and the destructor
// there. The destructor kills the workers; requests still waiting end CANCELLED.
class ExpressionPool {
 public:
  struct Statistics {
    std::uint64_t requests = 0;
    std::uint64_t batches = 0;
    std::uint64_t ran_away = 0;  // programs
    std::uint64_t restarts = 0;  // workers that died or were killed
  };

  // Starts no process before the first request. `set` should have passed CheckPrograms: a program that does not compile
  // gives kFailed with the compiler's message at every evaluation.
  ExpressionPool(boost::asio::any_io_executor executor, std::shared_ptr<const ProgramSet> set,
                 PoolOptions options = {});
  ~ExpressionPool();
  ExpressionPool(const ExpressionPool&) = delete;
  ExpressionPool& operator=(const ExpressionPool&) = delete;

  // Errors, all of them OURS: INVALID_ARGUMENT (an id outside the set, a context or an `each` that is not JSON, with
  // the place), RESOURCE_EXHAUSTED (too large, or too many wait), UNAVAILABLE (no worker can be started: says why),
  // CANCELLED. Cancellation: ends at once; the work is abandoned.
  boost::asio::awaitable<absl::StatusOr<EvaluationResult>> Evaluate(EvaluationRequest request);

  // Starts the workers and waits until they run. Programs are compiled a hundred at a time when the first of them is
  // needed, which costs that evaluation 30 to 60 ms.
  boost::asio::awaitable<absl::Status> Warm();

  const Statistics& statistics() const;
  // The process ids of the workers alive, for tests and diagnostics.
  std::vector<int> WorkerPids() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_POOL_H_
