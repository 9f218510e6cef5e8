// A prober: the server of one path's checks. The same for `puckdrop serve <path>` and inside `puckdrop gate`.
//
//   prober::ProberOptions options;
//   options.path = v1::PATH_ORDERING;
//   options.plan = plan; options.plan_digest = digest; options.secrets = …;
//   options.loop = &loop; options.clock = &clock;
//   options.obligations = readiness_server->InProcessChannel();   // or runtime::ConnectInsecurely("127.0.0.1:7070")
//   absl::StatusOr<std::unique_ptr<prober::Prober>> made = prober::MakeProber(std::move(options));
//   … (*made)->InProcessChannel() …
//   (*made)->Shutdown(absl::Seconds(5));
#ifndef PUCKDROP_SERVICES_PROBER_PROBER_H_
#define PUCKDROP_SERVICES_PROBER_PROBER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checks/check.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/prober/target_port.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace grpc {
class Channel;
}
namespace prometheus {
class Collectable;
}
namespace puckdrop::runtime {
class ServerSecurity;
}

namespace puckdrop::prober {

// A plan as a prober needs it.
struct ProberPlan {
  std::shared_ptr<const v1::Plan> plan;
  std::string digest;
  std::function<absl::StatusOr<std::string>(const v1::Secret&)> secrets;
};

struct ProberOptions {
  // Required. One of the five.
  v1::Path path = v1::PATH_UNSPECIFIED;
  // Required. Loaded and checked (checks/plan).
  std::shared_ptr<const v1::Plan> plan;
  // Required. Of the plan; RunChecks with another one makes it read its files again, and is refused when they do not
  // have that one.
  std::string plan_digest;
  // Gives a secret's value, or why it is not there. Required when `target` is not set.
  std::function<absl::StatusOr<std::string>(const v1::Secret&)> secrets;
  // Reads the plan's files again; blocks. INVALID_ARGUMENT with every mistake. Empty: its plan is the one it began
  // with.
  std::function<absl::StatusOr<ProberPlan>()> load_plan;
  // Required. Both outlive the prober.
  runtime::EventLoop* loop = nullptr;
  const runtime::Clock* clock = nullptr;
  // Where obligations are opened. nullptr: nowhere, so nothing that creates something is performed.
  std::shared_ptr<grpc::Channel> obligations;
  // Token for the obligations' service; empty for none. A secret.
  std::string bearer_token;
  // Name of the place it runs.
  std::string vantage = "local";
  // gRPC address (runtime/server.h); empty: reached in process only.
  std::string listen;
  // TLS, tokens and limits of its port (runtime/security.h); nullptr: none, and loopback only.
  std::shared_ptr<runtime::ServerSecurity> security;
  // Address of /metrics; empty: none (Metrics() still gives them).
  std::string metrics_listen;
  // The checks it can run; nullopt: all of the path (checks/registry.h).
  std::optional<std::vector<checks::CheckDefinition>> checks;
  // Makes the player that checks of streams use, one a run; empty: there is none. Its HTTP client, limiter and host
  // rules are those of the run.
  MakePlayer make_player;
  // In place of the plan's target, for tests.
  std::shared_ptr<TargetPort> target;
};

// Thread-safe.
class Prober {
 public:
  virtual ~Prober() = default;  // Shutdown(1 s)

  // A channel to its ProberService without a port.
  virtual std::shared_ptr<grpc::Channel> InProcessChannel() = 0;
  // 0 when not listening.
  virtual int port() const = 0;
  virtual int metrics_port() const = 0;
  // Reads the plan's files again. A broken plan is logged whole and the old one stays. Returns at once; any thread.
  virtual void Reload() = 0;
  // Everything it would export.
  virtual std::vector<std::shared_ptr<prometheus::Collectable>> Metrics() const = 0;
  // NOT_SERVING, no new runs, those that run are cancelled when `grace` has passed. Blocks; not on the loop's thread.
  // Obligations stay with readiness, which settles them through a prober: so readiness settles first.
  virtual void Shutdown(absl::Duration grace) = 0;
};

// INVALID_ARGUMENT when the options are not complete or the plan's target cannot be performed (with the plan position);
// UNAVAILABLE when an address is taken; FAILED_PRECONDITION when it may not be listened on.
absl::StatusOr<std::unique_ptr<Prober>> MakeProber(ProberOptions options);

// `ordering`, `cancellation`, `device_support`, `playback`, `billing`; empty for any other.
std::string PathWord(v1::Path path);
// PATH_UNSPECIFIED for any other word.
v1::Path PathOfWord(const std::string& word);

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_PROBER_H_
