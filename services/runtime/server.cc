#include "services/runtime/server.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>

#include <mutex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/security.h"

namespace puckdrop::runtime {
namespace {

// `host` and `port` of "host:port" or "[v6]:port".
bool Split(const std::string& address, std::string& host, int& port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  host = address.substr(0, colon);
  if (host.front() == '[') {
    if (host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return false;
  }
  return absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 && port <= 65535;
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  if (!absl::StartsWith(host, "127.")) return false;
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

// What strangers can reach holds no more than this, whatever they do.
void Bound(grpc::ServerBuilder& builder) {
  // More than the watchers that one client may have (call_guard.h), and one channel may carry them all.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1600);
  // Who connects and does not come to the point.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 30 * 60'000);
  // So that a renewed certificate or a name that moved reaches every client in the end. The longest run ends within the
  // grace; a watcher comes again.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 6 * 3600'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 2 * 3600'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 5);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  // Reflection is synchronous: a thread for each of its streams. And requests of all calls together in memory.
  grpc::ResourceQuota quota("puckdrop");
  quota.SetMaxThreads(16);
  quota.Resize(256 << 20);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address, bool has_tls, bool has_tokens) {
  if (absl::StartsWith(address, "unix:")) return absl::OkStatus();
  std::string host;
  int port = 0;
  if (!Split(address, host, port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is no address to listen on: give host:port, as 127.0.0.1:7070"));
  }
  if (IsLoopback(host)) return absl::OkStatus();
  if (has_tls && has_tokens) return absl::OkStatus();
  const char* missing = has_tls ? "there are no tokens: give --tokens FILE (`puckdrop token new` makes one)"
                        : has_tokens
                            ? "there is no TLS, so tokens would travel in the clear: give --tls-cert FILE and "
                              "--tls-key FILE"
                            : "there is no TLS and no token: give --tls-cert FILE, --tls-key FILE and --tokens "
                              "FILE";
  return absl::FailedPreconditionError(absl::StrCat("refusing to listen on ", address,
                                                    ": anybody who reaches it could order at the target, since ",
                                                    missing, "; or listen on 127.0.0.1 and reach it through a tunnel"));
}

absl::Status CheckMetricsAddress(const std::string& address, bool beyond_loopback) {
  std::string host;
  int port = 0;
  if (!Split(address, host, port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is no address for metrics: give host:port, as 127.0.0.1:9470"));
  }
  if (beyond_loopback || IsLoopback(host)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "refusing to serve metrics on ", address,
      ": they have neither TLS nor tokens, so whoever reaches the address reads them. Use 127.0.0.1 with a proxy in "
      "front, or, on a network of your own, say --metrics-beyond-loopback"));
}

absl::StatusOr<std::unique_ptr<ServiceServer>> ServiceServer::Start(ServerOptions options,
                                                                    const std::vector<grpc::Service*>& services) {
  if (!options.listen.empty()) {
    const ServerSecurity* security = options.security.get();
    absl::Status allowed = CheckListenAddress(options.listen, security != nullptr && security->has_tls(),
                                              security != nullptr && security->has_tokens());
    if (!allowed.ok()) return allowed;
  }
  static std::once_flag once;
  std::call_once(once, [] { grpc::EnableDefaultHealthCheckService(true); });
  // The plugin is a process-wide list that every later builder reads, so servers without reflection come first or share
  // it.
  if (!options.listen.empty() && options.reflection) {
    static std::once_flag reflection;
    std::call_once(reflection, [] { grpc::reflection::InitProtoReflectionServerBuilderPlugin(); });
  }
  std::unique_ptr<ServiceServer> server(new ServiceServer);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kLargestMessageBytes);
  builder.SetMaxSendMessageSize(kLargestMessageBytes);
  // Health and reflection are the only synchronous services; ours are callbacks.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
  // Two processes on one port would share its calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  int port = 0;
  if (!options.listen.empty()) {
    Bound(builder);
    std::shared_ptr<grpc::ServerCredentials> credentials =
        options.security == nullptr ? nullptr : options.security->Credentials();
    builder.AddListeningPort(options.listen, credentials == nullptr ? grpc::InsecureServerCredentials() : credentials,
                             &port);
    server->security_ = options.security;
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::UnavailableError(options.listen.empty()
                                      ? std::string("cannot start the server")
                                      : absl::StrCat("cannot listen on ", options.listen, ": is the port taken?"));
  }
  server->service_names_ = std::move(options.service_names);
  if (absl::StartsWith(options.listen, "unix:")) {
    server->address_ = options.listen;
  } else if (!options.listen.empty()) {
    server->port_ = port;
    server->address_ = absl::StrCat(options.listen.substr(0, options.listen.rfind(':')), ":", port);
  }
  server->SetServing(true);
  return server;
}

ServiceServer::~ServiceServer() { Shutdown(absl::Seconds(1)); }

std::shared_ptr<grpc::Channel> ServiceServer::InProcessChannel() {
  const auto nobody = [] { return ConnectInsecurely("unix:/nonexistent/the-server-is-down"); };
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_down_) return nobody();
  // A pair of sockets, not gRPC's own in-process transport: that one calls a null pointer when a call is begun after
  // the server went down, and a prober may well ask a readiness that is shutting down.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return nobody();
  grpc::AddInsecureChannelFromFd(server_.get(), ends[0]);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessageBytes);
  arguments.SetMaxSendMessageSize(kLargestMessageBytes);
  return grpc::CreateCustomInsecureChannelFromFd("in-process", ends[1], arguments);
}

void ServiceServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus(serving);
  for (const std::string& name : service_names_) health->SetServingStatus(name, serving);
}

void ServiceServer::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_down_ = true;
  }
  std::call_once(down_, [&] {
    SetServing(false);
    server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
    server_->Wait();
  });
}

}  // namespace puckdrop::runtime
