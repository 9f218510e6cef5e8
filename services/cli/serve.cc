#include "services/cli/serve.h"

#include <cstdio>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "services/cli/exit_codes.h"
#include "services/cli/services.h"
#include "services/readiness/store.h"
#include "services/readiness/verdict.h"
#include "services/runtime/server.h"
#include "services/runtime/signals.h"

namespace puckdrop::cli {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(5);
constexpr int kMetricsAbove = 2400;

std::string Local(int port) { return absl::StrCat("127.0.0.1:", port); }

int Refuse(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? kExitNothingToJudge : kExitInternal;
}

// What the flags say cannot be.
int RefuseFlags(const absl::Status& status) {
  std::fprintf(stderr, "puckdrop serve: %s\n", std::string(status.message()).c_str());
  return kExitUsage;
}

}  // namespace

int RunServe(const ServeOptions& options) {
  const int port = DefaultPort(options.service);
  if (port == 0) {
    std::fprintf(stderr,
                 "puckdrop serve: there is no service '%s'; one of readiness, ordering, cancellation, "
                 "device_support, playback, billing\n",
                 options.service.c_str());
    return kExitUsage;
  }
  absl::StatusOr<LoadedPlan> plan = LoadPlan(options.files);
  if (!plan.ok()) return Refuse(plan.status());
  const std::string listen = options.listen.empty() ? Local(port) : options.listen;
  const std::string metrics = options.metrics == "none" ? ""
                              : options.metrics.empty() ? Local(port + kMetricsAbove)
                                                        : options.metrics;

  runtime::RealClock clock;
  // What is wrong with its files is said before anything is begun.
  runtime::ServerSecurityOptions guarded = options.security;
  guarded.clock = &clock;
  absl::StatusOr<std::shared_ptr<runtime::ServerSecurity>> security = runtime::ServerSecurity::Make(guarded);
  if (!security.ok()) return RefuseFlags(security.status());
  absl::Status may_listen = runtime::CheckListenAddress(listen, (*security)->has_tls(), (*security)->has_tokens());
  if (may_listen.ok() && !metrics.empty()) {
    may_listen = runtime::CheckMetricsAddress(metrics, options.metrics_beyond_loopback);
  }
  if (!may_listen.ok()) return RefuseFlags(may_listen);
  absl::StatusOr<std::shared_ptr<runtime::ClientSecurity>> client = runtime::ClientSecurity::Make(options.client);
  if (!client.ok()) return RefuseFlags(client.status());

  runtime::EventLoop loop;
  std::unique_ptr<ReadinessProcess> readiness;
  std::unique_ptr<ProberProcess> prober;
  std::mutex mutex;
  bool serving = false;  // guarded by mutex, as the two are while they serve
  runtime::SignalWatch signals(loop, {}, [&] {
    std::lock_guard<std::mutex> lock(mutex);
    if (!serving) return;
    if (readiness != nullptr) readiness->Reload();
    if (prober != nullptr) prober->Reload();
  });
  std::string address;
  int metrics_port = 0;
  if (options.service == "readiness") {
    ReadinessConfig config;
    config.state_directory = options.state_directory.empty()
                                 ? readiness::DefaultStateDirectory(plan->plan->launch().id())
                                 : options.state_directory;
    config.vantage = options.vantage;
    config.listen = listen;
    config.metrics_listen = metrics;
    config.stays = true;
    config.probers = options.probers;
    config.security = *security;
    config.client = *client;
    for (const char* path : {"ordering", "cancellation", "device_support", "playback", "billing"}) {
      std::vector<ProberAddress>& addresses = config.probers[readiness::PathFromName(path)];
      if (addresses.empty()) addresses.push_back({"", Local(DefaultPort(path))});
    }
    absl::StatusOr<std::unique_ptr<ReadinessProcess>> started = ReadinessProcess::Start(loop, clock, *plan, config);
    if (!started.ok()) {
      loop.Stop();
      return Refuse(started.status());
    }
    readiness = std::move(*started);
    address = readiness->address();
    metrics_port = readiness->metrics_port();
  } else {
    ProberConfig config;
    config.path = readiness::PathFromName(options.service);
    config.listen = listen;
    config.metrics_listen = metrics;
    config.readiness = options.readiness;
    config.vantage = options.vantage;
    config.security = *security;
    config.client = *client;
    absl::StatusOr<std::unique_ptr<ProberProcess>> started = ProberProcess::Start(loop, clock, *plan, config);
    if (!started.ok()) {
      loop.Stop();
      return Refuse(started.status());
    }
    prober = std::move(*started);
    address = absl::StrCat(listen.substr(0, listen.rfind(':') + 1), prober->port());
    metrics_port = prober->metrics_port();
  }
  std::fprintf(stderr, "%s of %s serves at %s%s%s\n", options.service.c_str(), plan->plan->launch().id().c_str(),
               address.c_str(), (*security)->has_tls() ? " with TLS" : "",
               metrics_port == 0 ? "" : absl::StrCat(", metrics at port ", metrics_port).c_str());
  {
    std::lock_guard<std::mutex> lock(mutex);
    serving = true;
  }
  signals.Wait();
  {
    std::lock_guard<std::mutex> lock(mutex);
    serving = false;
  }
  std::fprintf(stderr, "%s is ending\n", options.service.c_str());
  if (readiness != nullptr) readiness->Shutdown(kGrace);
  if (prober != nullptr) prober->Shutdown(kGrace);
  // Before the loop on which their coroutines ended.
  readiness.reset();
  prober.reset();
  loop.Stop();
  return kExitGo;
}

}  // namespace puckdrop::cli
