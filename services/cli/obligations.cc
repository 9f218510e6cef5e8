#include "services/cli/obligations.h"

#include <grpcpp/channel.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/cli/exit_codes.h"
#include "services/cli/run_client.h"
#include "services/cli/services.h"
#include "services/readiness/store.h"
#include "services/runtime/logging.h"
#include "services/runtime/proto_time.h"
#include "services/runtime/redacting_printer.h"

namespace puckdrop::cli {
namespace {

constexpr absl::Duration kSettleWithin = absl::Seconds(60);

int Finish(const ObligationsOptions& options, const std::vector<v1::Obligation>& owed) {
  if (options.json) {
    v1::ListObligationsResponse response;
    for (const v1::Obligation& obligation : owed) *response.add_obligations() = obligation;
    absl::StatusOr<std::string> text = runtime::RedactedJson(response, /*pretty=*/true);
    if (!text.ok()) return kExitInternal;
    std::printf("%s\n", text->c_str());
  } else {
    std::printf("%s", ObligationsText(owed).c_str());
  }
  return owed.empty() ? kExitGo : kExitNoGo;
}

awaitable<absl::Status> Ask(RunClient& client, bool settle, std::vector<v1::Obligation>& owed) {
  if (settle) {
    absl::StatusOr<v1::SettleObligationsResponse> settled = co_await client.SettleObligations(kSettleWithin);
    if (!settled.ok()) co_return settled.status();
    std::fprintf(stderr, "undid %d\n", settled->settled());
    owed.assign(settled->open().begin(), settled->open().end());
    co_return absl::OkStatus();
  }
  absl::StatusOr<std::vector<v1::Obligation>> listed = co_await client.ListObligations(false);
  if (!listed.ok()) co_return listed.status();
  owed = std::move(*listed);
  co_return absl::OkStatus();
}

}  // namespace

std::string ObligationsText(const std::vector<v1::Obligation>& obligations) {
  if (obligations.empty()) return "nothing is owed\n";
  std::string text;
  for (const v1::Obligation& owed : obligations) {
    absl::StrAppend(
        &text, owed.name(), "  ", owed.operation(), " for ", owed.customer(), "\n  account ",
        runtime::Printable(owed.account()), ", key ", runtime::Printable(owed.idempotency_key()), ", since ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", runtime::FromTimestamp(owed.create_time()), absl::UTCTimeZone()),
        "\n");
    for (const auto& [name, id] : owed.target_ids())
      absl::StrAppend(&text, "  ", name, " ", runtime::Printable(id), "\n");
    if (owed.attempts() > 0) {
      absl::StrAppend(&text, "  tried ", owed.attempts(), " time(s): ", runtime::Printable(owed.last_error()), "\n");
    }
    if (!owed.manual_action().empty())
      absl::StrAppend(&text, "  a person must: ", runtime::Printable(owed.manual_action()), "\n");
  }
  return text;
}

int RunObligations(const ObligationsOptions& options) {
  runtime::RealClock clock;
  std::unique_ptr<ReadinessProcess> services;
  std::shared_ptr<runtime::ClientSecurity> security;
  std::shared_ptr<grpc::Channel> channel;
  runtime::EventLoop loop;
  if (options.readiness.empty()) {
    absl::StatusOr<LoadedPlan> plan = LoadPlan(options.files);
    if (!plan.ok()) {
      std::fprintf(stderr, "%s\n", std::string(plan.status().message()).c_str());
      return absl::IsInvalidArgument(plan.status()) ? kExitNothingToJudge : kExitInternal;
    }
    const std::string directory = options.state_directory.empty()
                                      ? readiness::DefaultStateDirectory(plan->plan->launch().id())
                                      : options.state_directory;
    // Looking must not make anything.
    if (!std::filesystem::exists(directory)) return Finish(options, {});
    ReadinessConfig config;
    config.state_directory = directory;
    absl::StatusOr<std::unique_ptr<ReadinessProcess>> started = ReadinessProcess::Start(loop, clock, *plan, config);
    if (!started.ok()) {
      std::fprintf(stderr, "%s\n", std::string(started.status().message()).c_str());
      return kExitInternal;
    }
    services = std::move(*started);
    channel = services->Channel();
  } else {
    absl::StatusOr<std::shared_ptr<runtime::ClientSecurity>> made = runtime::ClientSecurity::Make(options.client);
    absl::StatusOr<std::shared_ptr<grpc::Channel>> connected = absl::InternalError("not connected");
    if (made.ok()) {
      connected = (*made)->Connect(options.readiness);
    } else {
      connected = made.status();
    }
    if (!connected.ok()) {
      loop.Stop();
      std::fprintf(stderr, "puckdrop: %s\n", std::string(connected.status().message()).c_str());
      return kExitInternal;
    }
    security = *std::move(made);
    channel = *std::move(connected);
  }
  auto client = std::make_unique<RunClient>(runtime::Caller{&loop, &clock, ""}, channel);
  std::vector<v1::Obligation> owed;
  absl::Status asked = loop.Spawn(Ask(*client, options.settle, owed)).Get();
  client.reset();
  channel.reset();
  if (services != nullptr) {
    services->Shutdown(absl::Seconds(1));
    services->RemoveStateIfNothingOwed();
    services.reset();
  }
  loop.Stop();
  if (!asked.ok()) {
    std::fprintf(stderr, "puckdrop: %s\n", std::string(asked.message()).c_str());
    return absl::IsUnavailable(asked) ? kExitInconclusive : kExitInternal;
  }
  return Finish(options, owed);
}

}  // namespace puckdrop::cli
