#include "services/prober/prober.h"

#include <grpcpp/channel.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "checks/registry.h"
#include "services/prober/obligations_client.h"
#include "services/prober/prober_metrics.h"
#include "services/prober/prober_service.h"
#include "services/prober/target_operations.h"
#include "services/runtime/metrics.h"
#include "services/runtime/security.h"
#include "services/runtime/server.h"

namespace puckdrop::prober {
namespace {

constexpr absl::Duration kHeartbeat = absl::Seconds(2);
constexpr absl::Duration kReloadEnds = absl::Seconds(5);

constexpr v1::Path kPaths[] = {v1::PATH_ORDERING, v1::PATH_CANCELLATION, v1::PATH_DEVICE_SUPPORT, v1::PATH_PLAYBACK,
                               v1::PATH_BILLING};

class RealProber final : public Prober {
 public:
  explicit RealProber(ProberOptions options) : options_(std::move(options)) {}

  ~RealProber() override { Shutdown(absl::Seconds(1)); }

  absl::Status Start() {
    const std::string word = PathWord(options_.path);
    std::vector<checks::CheckDefinition> checks;
    if (options_.checks) {
      checks = *options_.checks;
    } else {
      for (const checks::CheckDefinition& check : checks::AllChecks()) {
        if (check.info.path == options_.path) checks.push_back(check);
      }
    }
    checks_ = checks;
    const absl::Time now = options_.clock->Now();
    metrics_ = std::make_shared<ProberMetrics>(options_.plan, word, checks, now, kDefaultRun);
    target_ = options_.target;
    if (target_ == nullptr) {
      absl::StatusOr<std::shared_ptr<TargetPort>> made = absl::InternalError("not made");
      options_.loop->Invoke([&] { made = MakeTarget(options_.plan, options_.secrets); });
      if (!made.ok()) return made.status();
      target_ = *std::move(made);
    }
    runtime::Caller caller;
    caller.loop = options_.loop;
    caller.clock = options_.clock;
    caller.bearer_token = options_.bearer_token;
    obligations_ = std::make_unique<GrpcObligations>(std::move(caller), options_.obligations);

    ServiceParts parts;
    parts.path = options_.path;
    parts.generation = std::make_shared<Generation>(options_.plan, options_.plan_digest, target_, *options_.clock);
    if (options_.load_plan) parts.reload = [this] { return ReadPlan(); };
    parts.loop = options_.loop;
    parts.clock = options_.clock;
    parts.vantage = options_.vantage;
    parts.checks = checks;
    if (options_.checks) {
      auto given = std::make_shared<const std::vector<checks::CheckDefinition>>(*options_.checks);
      parts.find_check = [given](const std::string& id) -> const checks::CheckDefinition* {
        for (const checks::CheckDefinition& check : *given) {
          if (check.info.id == id) return &check;
        }
        return checks::FindCheck(id);
      };
    } else {
      parts.find_check = [](const std::string& id) { return checks::FindCheck(id); };
    }
    parts.obligations = obligations_.get();
    parts.metrics = metrics_;
    if (options_.security != nullptr) parts.guard = options_.security->guard();
    service_ = std::make_unique<ProberService>(std::move(parts));

    runtime::ServerOptions server;
    server.listen = options_.listen;
    server.security = options_.security;
    server.service_names = {v1::ProberService::service_full_name()};
    absl::StatusOr<std::unique_ptr<runtime::ServiceServer>> started =
        runtime::ServiceServer::Start(std::move(server), {service_.get()});
    if (!started.ok()) return started.status();
    server_ = *std::move(started);
    build_info_ = runtime::BuildInfoMetric(options_.plan_digest);
    collectables_ = {metrics_, runtime::ProcessMetrics(), build_info_};
    if (!options_.metrics_listen.empty()) {
      absl::StatusOr<std::unique_ptr<runtime::MetricsEndpoint>> endpoint =
          runtime::MetricsEndpoint::Start(options_.metrics_listen, collectables_);
      if (!endpoint.ok()) return endpoint.status();
      endpoint_ = *std::move(endpoint);
    }
    heartbeat_ = options_.loop->Spawn(Beat(options_.loop, options_.clock, metrics_));
    return absl::OkStatus();
  }

  std::shared_ptr<grpc::Channel> InProcessChannel() override { return server_->InProcessChannel(); }
  int port() const override { return server_ ? server_->port() : 0; }
  int metrics_port() const override { return endpoint_ ? endpoint_->port() : 0; }
  std::vector<std::shared_ptr<prometheus::Collectable>> Metrics() const override { return collectables_; }

  void Reload() override {
    if (!options_.load_plan) return;
    auto reload = [](RealProber* self) -> awaitable<void> { (void)co_await self->ReadPlan(); };
    std::lock_guard<std::mutex> lock(reload_mutex_);
    if (!ended_) reload_ = options_.loop->Spawn(reload(this));
  }

  void Shutdown(absl::Duration grace) override {
    std::call_once(down_, [&] {
      // No calls are left after this, so nothing on the loop uses what goes next.
      if (server_) server_->Shutdown(grace);
      {
        std::lock_guard<std::mutex> lock(reload_mutex_);
        ended_ = true;
        if (reload_.has_value()) {
          reload_->Cancel();
          reload_->WaitFor(kReloadEnds);
        }
      }
      endpoint_ = nullptr;
      heartbeat_.Cancel();
      options_.loop->Invoke([this] {
        service_ = nullptr;
        target_ = nullptr;
        options_.target = nullptr;
        obligations_ = nullptr;
      });
    });
  }

 private:
  absl::StatusOr<std::shared_ptr<TargetPort>> MakeTarget(
      std::shared_ptr<const v1::Plan> plan, std::function<absl::StatusOr<std::string>(const v1::Secret&)> secrets) {
    PlanTargetOptions target;
    target.loop = options_.loop;
    target.clock = options_.clock;
    target.plan = std::move(plan);
    target.secrets = std::move(secrets);
    target.make_player = options_.make_player;
    target.on_request = [metrics = metrics_](const std::string& code_class) { metrics->CountRequest(code_class); };
    return MakePlanTarget(std::move(target));
  }

  // Off the loop, and whole or not at all.
  awaitable<absl::Status> ReadPlan() {
    absl::StatusOr<ProberPlan> loaded = co_await options_.loop->RunBlocking(options_.load_plan);
    absl::Status status = loaded.status();
    if (status.ok() && service_ == nullptr) status = absl::CancelledError("it is ending");
    if (status.ok() && loaded->digest == service_->plan_digest()) co_return absl::OkStatus();
    std::shared_ptr<TargetPort> target = options_.target;
    if (status.ok() && target == nullptr) {
      absl::StatusOr<std::shared_ptr<TargetPort>> made = MakeTarget(loaded->plan, loaded->secrets);
      status = made.status();
      if (made.ok()) target = *std::move(made);
    }
    if (!status.ok()) {
      spdlog::error("the plan stays as it was, because it cannot be read: {}", std::string(status.message()));
      co_return status;
    }
    spdlog::info("the plan is now {}", loaded->digest);
    metrics_->Replace(loaded->plan, checks_, options_.clock->Now(), kDefaultRun);
    build_info_->SetPlan(loaded->digest);
    service_->Use(std::make_shared<Generation>(loaded->plan, loaded->digest, std::move(target), *options_.clock));
    co_return absl::OkStatus();
  }

  static awaitable<void> Beat(runtime::EventLoop* loop, const runtime::Clock* clock,
                              std::shared_ptr<ProberMetrics> metrics) {
    while (true) {
      metrics->Beat(clock->Now());
      absl::Status slept = co_await loop->SleepFor(*clock, kHeartbeat);
      if (!slept.ok()) co_return;
    }
  }

  ProberOptions options_;
  std::shared_ptr<ProberMetrics> metrics_;
  std::shared_ptr<TargetPort> target_;
  std::unique_ptr<GrpcObligations> obligations_;
  std::unique_ptr<ProberService> service_;
  std::unique_ptr<runtime::ServiceServer> server_;
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables_;
  std::unique_ptr<runtime::MetricsEndpoint> endpoint_;
  std::vector<checks::CheckDefinition> checks_;
  std::shared_ptr<runtime::BuildInfo> build_info_;
  runtime::Task<void> heartbeat_;
  std::mutex reload_mutex_;
  std::optional<runtime::Task<void>> reload_;
  bool ended_ = false;
  std::once_flag down_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Prober>> MakeProber(ProberOptions options) {
  if (PathWord(options.path).empty()) return absl::InvalidArgumentError("a prober needs one of the five paths");
  if (options.plan == nullptr || options.plan_digest.empty()) {
    return absl::InvalidArgumentError("a prober needs a plan and its digest");
  }
  if (options.loop == nullptr || options.clock == nullptr) {
    return absl::InvalidArgumentError("a prober needs an event loop and a clock");
  }
  if (options.target == nullptr && !options.secrets) {
    return absl::InvalidArgumentError("a prober needs a source of secrets");
  }
  auto prober = std::make_unique<RealProber>(std::move(options));
  if (absl::Status started = prober->Start(); !started.ok()) return started;
  return prober;
}

std::string PathWord(v1::Path path) {
  for (v1::Path known : kPaths) {
    if (known == path) return absl::AsciiStrToLower(absl::StripPrefix(v1::Path_Name(path), "PATH_"));
  }
  return "";
}

v1::Path PathOfWord(const std::string& word) {
  for (v1::Path path : kPaths) {
    if (PathWord(path) == word) return path;
  }
  return v1::PATH_UNSPECIFIED;
}

}  // namespace puckdrop::prober
