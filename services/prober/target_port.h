// What a prober needs of the target: operations for each run. The real one is target_operations.h; tests give their
// own.
#ifndef PUCKDROP_SERVICES_PROBER_TARGET_PORT_H_
#define PUCKDROP_SERVICES_PROBER_TARGET_PORT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checks/operation_port.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::media {
class Player;
}
namespace puckdrop::http {
struct HostSettings;
class HostRules;
class HttpClient;
class Limiter;
class Redactor;
}  // namespace puckdrop::http
namespace puckdrop::target {
class RunMemory;
}

namespace puckdrop::prober {

// The target as one run sees it: its sessions, cookies, secrets and its share of the limits, shared by all customers of
// the run. Loop thread only.
class TargetRun {
 public:
  virtual ~TargetRun() = default;
  virtual checks::OperationPort& operations() = 0;
  // nullptr where there is none.
  virtual media::Player* player() = 0;
  // The newest share that readiness gave; nullptr: no share was given, so the plan's own limits hold.
  virtual void SetLimits(const v1::LimitShare* share) = 0;
};

// Loop thread only.
class TargetPort {
 public:
  virtual ~TargetPort() = default;
  virtual absl::StatusOr<std::unique_ptr<TargetRun>> OpenRun(const std::string& run) = 0;
  // Derives passwords of accounts we sign up; FAILED_PRECONDITION when the secret is not there, empty when the plan
  // names none.
  virtual absl::StatusOr<std::string> PilotKey() = 0;
  // Passwords of the customer's standing accounts, in the plan's order.
  virtual absl::StatusOr<std::vector<std::string>> StandingPasswords(const std::string& customer) = 0;
};

// What a player of a run is made of; all of it outlives the player.
struct PlayerParts {
  runtime::EventLoop& loop;
  const runtime::Clock& clock;
  http::HttpClient& http;
  http::Limiter& limiter;
  http::Redactor& redactor;
  const http::HostRules& host_rules;
  target::RunMemory& memory;
  // How a host of the plan is reached; FAILED_PRECONDITION when a secret that it needs is not there.
  std::function<absl::StatusOr<std::shared_ptr<const http::HostSettings>>(const std::string& host)> host_settings;
};
using MakePlayer = std::function<std::shared_ptr<media::Player>(const PlayerParts&)>;

// Called on the loop's thread with the class of each answer: `1xx` … `5xx`, or `none` when there was no answer.
using OnRequest = std::function<void(const std::string& code_class)>;

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_TARGET_PORT_H_
