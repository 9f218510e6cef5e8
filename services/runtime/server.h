// A gRPC server with what every service of ours has: health, reflection, limits, an ordered end.
#ifndef PUCKDROP_SERVICES_RUNTIME_SERVER_H_
#define PUCKDROP_SERVICES_RUNTIME_SERVER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
class Server;
class Service;
}  // namespace grpc

namespace puckdrop::runtime {

class ServerSecurity;

// Both ways. Evidence is at most 256 KiB a message; a settled plan or a report is far below.
inline constexpr int kLargestMessageBytes = 8 * 1024 * 1024;

struct ServerOptions {
  // `127.0.0.1:7071`, `[::1]:0`, `localhost:7071`, `unix:/run/puckdrop.sock`; empty: reached in process only.
  std::string listen;
  // Full names (`ProberService::service_full_name()`), for health by service.
  std::vector<std::string> service_names;
  // Reflection is for people with grpcurl; in process there are none.
  bool reflection = true;
  // TLS, tokens and limits (security.h); the services' bridges are to have its guard. nullptr: loopback only, without.
  std::shared_ptr<ServerSecurity> security;
};

// OK for an address of this machine; for any other only with both TLS and tokens: FAILED_PRECONDITION, and the message
// says what is missing. INVALID_ARGUMENT for what is no `host:port`.
absl::Status CheckListenAddress(const std::string& address, bool has_tls = false, bool has_tokens = false);

// The same for /metrics, which has neither: beyond loopback only where somebody said so.
absl::Status CheckMetricsAddress(const std::string& address, bool beyond_loopback);

// Thread-safe. Shut it down before the event loop its services run on stops: pending handlers end their calls on the
// loop.
class ServiceServer {
 public:
  // The services must outlive the server. Serving, and SERVING for health, when it returns. UNAVAILABLE when the
  // address is taken.
  static absl::StatusOr<std::unique_ptr<ServiceServer>> Start(ServerOptions options,
                                                              const std::vector<grpc::Service*>& services);
  ~ServiceServer();  // Shutdown(1 s)
  ServiceServer(const ServiceServer&) = delete;
  ServiceServer& operator=(const ServiceServer&) = delete;

  // Needs no port. Same code, same limits. Calls after Shutdown are UNAVAILABLE, also on a channel that was handed out
  // before it.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // 0 when reached in process only.
  int port() const { return port_; }
  // `127.0.0.1:7071`, with the port it got; empty in process.
  const std::string& address() const { return address_; }

  // grpc.health.v1, for the server as a whole and each of its services.
  void SetServing(bool serving);

  // NOT_SERVING, then no new calls, then those that run have `grace` to end before they are cancelled. Blocks; not on
  // the event loop. A second call does nothing.
  void Shutdown(absl::Duration grace);

 private:
  ServiceServer() = default;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
  std::vector<std::string> service_names_;
  std::shared_ptr<ServerSecurity> security_;
  std::once_flag down_;
  std::mutex mutex_;
  bool is_down_ = false;  // guarded by mutex_
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_SERVER_H_
