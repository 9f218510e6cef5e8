// The services of one process: probers and readiness, as `puckdrop gate` embeds them and `puckdrop serve` serves them.
// The same code, the same RPCs; only addresses differ.
#ifndef PUCKDROP_SERVICES_CLI_SERVICES_H_
#define PUCKDROP_SERVICES_CLI_SERVICES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cli/plan_files.h"
#include "services/cli/prober_addresses.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace grpc {
class Channel;
}
namespace puckdrop::runtime {
class ClientSecurity;
class ServerSecurity;
}  // namespace puckdrop::runtime

namespace puckdrop::cli {

struct ReadinessConfig {
  std::string state_directory;
  std::string vantage = "local";
  std::string listen;          // gRPC; empty: in process only
  std::string metrics_listen;  // empty: none
  // Where the probers are, by path; several of one vantage stand in for each other. A path without address gets one of
  // this process (the gate's way).
  ProberAddresses probers;
  // A service that stays: keeps what it learns in the state directory, and runs by the plan's schedule.
  bool stays = false;
  // Of the port, and towards the probers; nullptr: none.
  std::shared_ptr<runtime::ServerSecurity> security;
  std::shared_ptr<runtime::ClientSecurity> client;
};

// readiness, with those probers that have no address of their own. Thread-safe.
class ReadinessProcess {
 public:
  // Errors say what to do: the state directory, an address that is taken, the target that cannot be performed.
  static absl::StatusOr<std::unique_ptr<ReadinessProcess>> Start(runtime::EventLoop& loop, const runtime::Clock& clock,
                                                                 const LoadedPlan& plan, const ReadinessConfig& config);
  // Shutdown(5 s) if it was not called.
  ~ReadinessProcess();
  ReadinessProcess(const ReadinessProcess&) = delete;
  ReadinessProcess& operator=(const ReadinessProcess&) = delete;

  std::shared_ptr<grpc::Channel> Channel();
  std::string address() const;  // empty: in process
  int metrics_port() const;     // 0: none

  // Reads the plan's files again, as ReloadPlan does; what is wrong is logged. Returns at once; any thread.
  void Reload();

  // In order: no new runs, what runs is ended and undone within `grace`, the servers, the probers, the store. Blocks;
  // not on the loop's thread.
  void Shutdown(absl::Duration grace);
  // After Shutdown: removes the state if nothing is owed. True if nothing is left behind.
  bool RemoveStateIfNothingOwed();

 private:
  struct Impl;
  explicit ReadinessProcess(std::unique_ptr<Impl> impl);
  absl::Status Wire(const runtime::Clock& clock, const LoadedPlan& plan, const ReadinessConfig& config);
  std::unique_ptr<Impl> impl_;
};

struct ProberConfig {
  v1::Path path = v1::PATH_UNSPECIFIED;
  std::string listen;
  std::string metrics_listen;
  std::string readiness;  // address of ObligationService
  std::string vantage = "local";
  // Of the port, and towards readiness; nullptr: none.
  std::shared_ptr<runtime::ServerSecurity> security;
  std::shared_ptr<runtime::ClientSecurity> client;
};

// One prober as a process of its own.
class ProberProcess {
 public:
  static absl::StatusOr<std::unique_ptr<ProberProcess>> Start(runtime::EventLoop& loop, const runtime::Clock& clock,
                                                              const LoadedPlan& plan, const ProberConfig& config);
  ~ProberProcess();
  int port() const;
  int metrics_port() const;
  // Reads the plan's files again; a broken plan is logged and the old one stays. Returns at once; any thread.
  void Reload();
  void Shutdown(absl::Duration grace);

 private:
  struct Impl;
  explicit ProberProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The ports of DESIGN section 3: 7070 readiness, 7071 ordering, … 7075 billing; metrics 2400 higher.
int DefaultPort(const std::string& service);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_SERVICES_H_
