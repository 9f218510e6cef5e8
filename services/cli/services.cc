#include "services/cli/services.h"

#include <grpcpp/channel.h>

#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/cli/players.h"
#include "services/prober/prober.h"
#include "services/readiness/grpc_prober_client.h"
#include "services/readiness/history_archive.h"
#include "services/readiness/metrics.h"
#include "services/readiness/notice_reader.h"
#include "services/readiness/readiness.h"
#include "services/readiness/replicated_prober.h"
#include "services/readiness/service.h"
#include "services/readiness/store.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/metrics.h"
#include "services/runtime/security.h"
#include "services/runtime/server.h"

namespace puckdrop::cli {
namespace {

// Of a service with an archive: only what the disk would not take.
constexpr size_t kEvidenceBytesKept = 32u << 20;

constexpr v1::Path kPaths[] = {v1::PATH_ORDERING, v1::PATH_CANCELLATION, v1::PATH_DEVICE_SUPPORT, v1::PATH_PLAYBACK,
                               v1::PATH_BILLING};

// Probers need readiness for their obligations and readiness needs the probers: this one is given its prober
// afterwards.
class LateProberClient final : public readiness::ProberClient {
 public:
  void Set(std::unique_ptr<readiness::ProberClient> client) { client_ = std::move(client); }

  awaitable<absl::Status> RunChecks(v1::RunChecksRequest request, absl::Time deadline, OnEvent on_event) override {
    if (client_ == nullptr) co_return absl::UnavailableError("it has not started");
    absl::Status ended = co_await client_->RunChecks(std::move(request), deadline, std::move(on_event));
    co_return ended;
  }
  awaitable<absl::StatusOr<v1::SettleObligationResponse>> SettleObligation(v1::SettleObligationRequest request,
                                                                           absl::Time deadline) override {
    if (client_ == nullptr) co_return absl::UnavailableError("it has not started");
    absl::StatusOr<v1::SettleObligationResponse> answer =
        co_await client_->SettleObligation(std::move(request), deadline);
    co_return answer;
  }

 private:
  std::unique_ptr<readiness::ProberClient> client_;
};

std::function<absl::StatusOr<std::string>(const v1::Secret&)> SecretsOf(const LoadedPlan& plan) {
  return [secrets = plan.secrets](const v1::Secret& secret) -> absl::StatusOr<std::string> {
    absl::StatusOr<plan::SecretValue> value = secrets->Resolve(secret);
    if (!value.ok()) return value.status();
    return value->Reveal();
  };
}

prober::ProberOptions OptionsOf(v1::Path path, runtime::EventLoop& loop, const runtime::Clock& clock,
                                const LoadedPlan& plan, std::shared_ptr<grpc::Channel> obligations,
                                const std::string& vantage) {
  prober::ProberOptions options;
  options.path = path;
  options.plan = plan.plan;
  options.plan_digest = plan.digest;
  options.secrets = SecretsOf(plan);
  options.loop = &loop;
  options.clock = &clock;
  options.obligations = std::move(obligations);
  options.vantage = vantage;
  options.make_player = PlayerMaker();
  return options;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const std::string& address,
                                                         const std::shared_ptr<runtime::ClientSecurity>& client) {
  if (client == nullptr) return runtime::ConnectInsecurely(address);
  return client->Connect(address);
}

}  // namespace

int DefaultPort(const std::string& service) {
  int port = 7070;
  if (service == "readiness") return port;
  for (const v1::Path path : kPaths) {
    ++port;
    if (readiness::PathName(path) == service) return port;
  }
  return 0;
}

// -- readiness

struct ReadinessProcess::Impl {
  explicit Impl(runtime::EventLoop& event_loop) : loop(event_loop) {}
  runtime::EventLoop& loop;
  std::unique_ptr<readiness::Store> store;
  std::unique_ptr<readiness::NoticeReader> notices;
  std::unique_ptr<readiness::Archive> archive;
  // Of probers elsewhere: one client an address, one for each path and place over them.
  std::vector<std::unique_ptr<readiness::ProberClient>> addresses;
  std::vector<std::unique_ptr<readiness::ReplicatedProber>> replicated;
  std::map<v1::Path, std::unique_ptr<LateProberClient>> clients;  // of this process
  std::shared_ptr<readiness::ReadinessMetrics> metrics;
  std::unique_ptr<readiness::Readiness> readiness;
  std::unique_ptr<readiness::ReadinessServices> services;
  std::unique_ptr<runtime::ServiceServer> server;
  std::vector<std::unique_ptr<prober::Prober>> probers;
  std::unique_ptr<runtime::MetricsEndpoint> metrics_endpoint;
  std::shared_ptr<runtime::BuildInfo> build_info;
  std::optional<runtime::Task<void>> staying;
  std::mutex reload_mutex;
  std::optional<runtime::Task<void>> reload;
  bool down = false;
};

ReadinessProcess::ReadinessProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ReadinessProcess::~ReadinessProcess() { Shutdown(absl::Seconds(5)); }

absl::StatusOr<std::unique_ptr<ReadinessProcess>> ReadinessProcess::Start(runtime::EventLoop& loop,
                                                                          const runtime::Clock& clock,
                                                                          const LoadedPlan& plan,
                                                                          const ReadinessConfig& config) {
  auto impl = std::make_unique<Impl>(loop);
  absl::StatusOr<std::unique_ptr<readiness::Store>> store = readiness::Store::Open(config.state_directory, clock);
  if (!store.ok()) return store.status();
  impl->store = std::move(*store);
  if (config.stays) {
    readiness::HistoryOptions history;
    history.directory = config.state_directory;
    history.launch = plan.plan->launch().id();
    absl::StatusOr<std::unique_ptr<readiness::History>> opened = readiness::History::Open(std::move(history), clock);
    if (!opened.ok()) return opened.status();
    impl->archive = readiness::MakeHistoryArchive(std::move(*opened));
  }
  std::unique_ptr<ReadinessProcess> process(new ReadinessProcess(std::move(impl)));
  absl::Status wired = process->Wire(clock, plan, config);
  if (!wired.ok()) {
    // Nothing was done, so nothing is left behind.
    process->Shutdown(absl::Seconds(1));
    process->RemoveStateIfNothingOwed();
    return wired;
  }
  return process;
}

absl::Status ReadinessProcess::Wire(const runtime::Clock& clock, const LoadedPlan& plan,
                                    const ReadinessConfig& config) {
  Impl* impl = impl_.get();
  runtime::EventLoop& loop = impl->loop;
  impl->notices = readiness::MakeHttpNoticeReader(loop, clock);
  readiness::ReadinessOptions options;
  options.subject = plan.subject;
  options.vantage = config.vantage;
  const runtime::Caller caller{&loop, &clock, ""};
  const auto over = [&](std::vector<readiness::ReplicatedProber::Replica> replicas) {
    impl->replicated.push_back(std::make_unique<readiness::ReplicatedProber>(clock, std::move(replicas)));
    return impl->replicated.back().get();
  };
  for (const v1::Path path : kPaths) {
    const auto remote = config.probers.find(path);
    if (remote == config.probers.end()) {
      impl->clients[path] = std::make_unique<LateProberClient>();
      options.probers[path] = impl->clients[path].get();
      continue;
    }
    std::vector<readiness::ReplicatedProber::Replica> all;
    std::map<std::string, std::vector<readiness::ReplicatedProber::Replica>> of_vantage;
    for (const ProberAddress& address : remote->second) {
      absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = ConnectTo(address.address, config.client);
      if (!channel.ok()) return channel.status();
      impl->addresses.push_back(readiness::MakeGrpcProberClient(caller, *std::move(channel)));
      const readiness::ReplicatedProber::Replica replica{address.address, impl->addresses.back().get()};
      all.push_back(replica);
      if (!address.vantage.empty()) of_vantage[address.vantage].push_back(replica);
    }
    options.probers[path] = over(std::move(all));
    for (auto& [vantage, replicas] : of_vantage) options.vantages[vantage][path] = over(std::move(replicas));
  }
  options.scheduled = config.stays;
  if (config.stays) {
    options.archive = impl->archive.get();
    options.evidence_bytes_kept = kEvidenceBytesKept;
    options.seed = std::random_device()();
    options.load_plan = [files = plan.files]() -> absl::StatusOr<std::shared_ptr<const readiness::Subject>> {
      absl::StatusOr<LoadedPlan> loaded = LoadPlan(files);
      if (!loaded.ok()) return loaded.status();
      return loaded->subject;
    };
  }
  impl->metrics = std::make_shared<readiness::ReadinessMetrics>(plan.subject, config.stays ? &clock : nullptr);
  impl->build_info = runtime::BuildInfoMetric(plan.digest);
  impl->readiness =
      std::make_unique<readiness::Readiness>(loop, clock, *impl->store, *impl->notices, std::move(options));
  impl->readiness->OnVerdict([metrics = impl->metrics, info = impl->build_info](
                                 const std::shared_ptr<const readiness::Subject>& subject, const v1::Verdict& verdict) {
    metrics->Update(subject, verdict);
    info->SetPlan(subject->digest);
  });
  if (config.stays) {
    // Before anybody can ask.
    absl::Status restored = loop.Spawn(impl->readiness->Restore()).Get();
    if (!restored.ok()) return restored;
  }
  impl->services = std::make_unique<readiness::ReadinessServices>(
      *impl->readiness, loop, clock, config.security == nullptr ? nullptr : config.security->guard());
  runtime::ServerOptions server;
  server.listen = config.listen;
  server.security = config.security;
  server.service_names = impl->services->names();
  server.reflection = !config.listen.empty();
  absl::StatusOr<std::unique_ptr<runtime::ServiceServer>> started =
      runtime::ServiceServer::Start(std::move(server), impl->services->services());
  if (!started.ok()) return started.status();
  impl->server = std::move(*started);

  for (const auto& [path, client] : impl->clients) {
    absl::StatusOr<std::unique_ptr<prober::Prober>> made =
        prober::MakeProber(OptionsOf(path, loop, clock, plan, impl->server->InProcessChannel(), config.vantage));
    if (!made.ok()) return made.status();
    client->Set(readiness::MakeGrpcProberClient(caller, (*made)->InProcessChannel()));
    impl->probers.push_back(std::move(*made));
  }
  if (!config.metrics_listen.empty()) {
    std::vector<std::shared_ptr<prometheus::Collectable>> all = {impl->metrics, runtime::ProcessMetrics(),
                                                                 impl->build_info};
    absl::StatusOr<std::unique_ptr<runtime::MetricsEndpoint>> endpoint =
        runtime::MetricsEndpoint::Start(config.metrics_listen, std::move(all));
    if (!endpoint.ok()) return endpoint.status();
    impl->metrics_endpoint = std::move(*endpoint);
  }
  if (config.stays) impl->staying = loop.Spawn(impl->readiness->Stay());
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> ReadinessProcess::Channel() { return impl_->server->InProcessChannel(); }

std::string ReadinessProcess::address() const { return impl_->server->address(); }

int ReadinessProcess::metrics_port() const {
  return impl_->metrics_endpoint == nullptr ? 0 : impl_->metrics_endpoint->port();
}

void ReadinessProcess::Reload() {
  std::lock_guard<std::mutex> lock(impl_->reload_mutex);
  if (impl_->down || impl_->readiness == nullptr) return;
  auto reload = [](readiness::Readiness* readiness) -> awaitable<void> {
    // What is wrong is in the log and in the audit log.
    (void)co_await readiness->ReloadPlan("SIGHUP");
  };
  impl_->reload = impl_->loop.Spawn(reload(impl_->readiness.get()));
}

void ReadinessProcess::Shutdown(absl::Duration grace) {
  {
    std::lock_guard<std::mutex> lock(impl_->reload_mutex);
    if (impl_->down) return;
    impl_->down = true;
  }
  if (impl_->server != nullptr) impl_->server->SetServing(false);
  // Undoing goes through the probers and is written down by the services, so both still serve.
  {
    std::lock_guard<std::mutex> lock(impl_->reload_mutex);
    if (impl_->reload.has_value()) {
      impl_->reload->Cancel();
      impl_->reload->WaitFor(absl::Seconds(5));
    }
  }
  if (impl_->staying.has_value()) {
    impl_->staying->Cancel();
    impl_->staying->WaitFor(absl::Seconds(5));
  }
  if (impl_->readiness != nullptr) {
    runtime::Task<void> ending = impl_->loop.Spawn(impl_->readiness->Shutdown(grace));
    ending.WaitFor(grace + absl::Seconds(3));
  }
  for (std::unique_ptr<prober::Prober>& prober : impl_->probers) prober->Shutdown(absl::Seconds(1));
  if (impl_->server != nullptr) impl_->server->Shutdown(absl::Seconds(1));
  impl_->metrics_endpoint.reset();
}

bool ReadinessProcess::RemoveStateIfNothingOwed() { return impl_->store->CloseAndRemoveIfNothingOwed(); }

// -- prober

struct ProberProcess::Impl {
  std::unique_ptr<prober::Prober> prober;
};

ProberProcess::ProberProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProberProcess::~ProberProcess() = default;

absl::StatusOr<std::unique_ptr<ProberProcess>> ProberProcess::Start(runtime::EventLoop& loop,
                                                                    const runtime::Clock& clock, const LoadedPlan& plan,
                                                                    const ProberConfig& config) {
  std::shared_ptr<grpc::Channel> obligations;
  if (!config.readiness.empty()) {
    absl::StatusOr<std::shared_ptr<grpc::Channel>> connected = ConnectTo(config.readiness, config.client);
    if (!connected.ok()) return connected.status();
    obligations = *std::move(connected);
  }
  prober::ProberOptions options = OptionsOf(config.path, loop, clock, plan, std::move(obligations), config.vantage);
  options.listen = config.listen;
  options.security = config.security;
  options.metrics_listen = config.metrics_listen;
  options.load_plan = [files = plan.files]() -> absl::StatusOr<prober::ProberPlan> {
    absl::StatusOr<LoadedPlan> loaded = LoadPlan(files);
    if (!loaded.ok()) return loaded.status();
    return prober::ProberPlan{loaded->plan, loaded->digest, SecretsOf(*loaded)};
  };
  absl::StatusOr<std::unique_ptr<prober::Prober>> made = prober::MakeProber(std::move(options));
  if (!made.ok()) return made.status();
  auto impl = std::make_unique<Impl>();
  impl->prober = std::move(*made);
  return std::unique_ptr<ProberProcess>(new ProberProcess(std::move(impl)));
}

int ProberProcess::port() const { return impl_->prober->port(); }
int ProberProcess::metrics_port() const { return impl_->prober->metrics_port(); }
void ProberProcess::Reload() { impl_->prober->Reload(); }
void ProberProcess::Shutdown(absl::Duration grace) { impl_->prober->Shutdown(grace); }

}  // namespace puckdrop::cli
