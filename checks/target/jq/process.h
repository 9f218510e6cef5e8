#ifndef PUCKDROP_CHECKS_TARGET_JQ_PROCESS_H_
#define PUCKDROP_CHECKS_TARGET_JQ_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "checks/target/jq/wire.h"

namespace puckdrop::jq {

// One worker process. It is started with posix_spawn, an empty environment, no descriptor of ours but its own two, and
// a process group of its own. The destructor kills it and waits for its end, which takes a moment; Kill and Reap first
// avoid that. One thread: the kernel kills a worker when the thread that started it ends.
class WorkerProcess {
 public:
  // `path` may be empty: `puckdrop-jq-worker` beside this executable. UNAVAILABLE says what is missing.
  static absl::StatusOr<std::unique_ptr<WorkerProcess>> Start(const std::string& path, std::size_t memory_bytes);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Our end of its socket, or -1 after ReleaseSocket. Blocking.
  int socket() const { return socket_; }
  int ReleaseSocket();

  void Kill();
  // Its wait status once it has ended; never blocks.
  std::optional<int> Reap();

  // The CPU time it has used; empty when it has ended.
  std::optional<std::chrono::nanoseconds> CpuTime() const;
  std::uint64_t steps() const;
  // What it does now, or did when it died.
  std::uint32_t current_request() const;
  std::uint32_t current_outcome() const;

 private:
  WorkerProcess() = default;

  pid_t pid_ = -1;
  int socket_ = -1;
  wire::Marker* marker_ = nullptr;
  std::optional<int> status_;
};

// The sentence for a wait status: "killed by signal 6 (Aborted)".
std::string DescribeWaitStatus(int status);

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_PROCESS_H_
