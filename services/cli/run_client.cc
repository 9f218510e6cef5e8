#include "services/cli/run_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "puckdrop/v1/obligation_service.grpc.pb.h"
#include "puckdrop/v1/readiness_service.grpc.pb.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::cli {
namespace {

constexpr absl::Duration kCall = absl::Seconds(30);
// A run ends by its own timeout; this is for a service that hangs.
constexpr absl::Duration kPastTheRun = absl::Minutes(1);

using ReadinessStub = v1::ReadinessService::StubInterface::async_interface;
using ObligationStub = v1::ObligationService::StubInterface::async_interface;

}  // namespace

struct RunClient::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : readiness(v1::ReadinessService::NewStub(channel)), obligations(v1::ObligationService::NewStub(channel)) {}
  ReadinessStub* readiness_async() { return static_cast<v1::ReadinessService::StubInterface&>(*readiness).async(); }
  ObligationStub* obligations_async() {
    return static_cast<v1::ObligationService::StubInterface&>(*obligations).async();
  }
  std::unique_ptr<v1::ReadinessService::Stub> readiness;
  std::unique_ptr<v1::ObligationService::Stub> obligations;
};

RunClient::RunClient(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel)
    : caller_(std::move(caller)), stubs_(std::make_unique<Stubs>(channel)) {}

RunClient::~RunClient() = default;

awaitable<absl::StatusOr<RunRecord>> RunClient::Follow(v1::StartRunRequest request, Listener listener) {
  const absl::Time started = caller_.clock->Now();
  const absl::Duration timeout = runtime::FromProtoDuration(request.timeout());
  absl::StatusOr<v1::Run> run = co_await runtime::Call<ReadinessStub, v1::StartRunRequest, v1::Run>(
      caller_, *stubs_->readiness_async(), &ReadinessStub::StartRun, std::move(request), started + kCall);
  if (!run.ok()) co_return run.status();
  run_ = run->name();
  if (cancel_asked_) co_await Cancel(settle_within_);

  RunRecord record;
  record.run = *run;
  v1::WatchRunRequest watch;
  watch.set_name(run_);
  std::function<void(v1::WatchRunEvent)> on_event = [&](v1::WatchRunEvent event) {
    switch (event.event_case()) {
      case v1::WatchRunEvent::kRun:
        record.run = std::move(*event.mutable_run());
        if (listener.run) listener.run(record.run);
        break;
      case v1::WatchRunEvent::kResult:
        if (listener.result) listener.result(event.result());
        record.results[{event.result().check(), event.result().customer()}] = std::move(*event.mutable_result());
        break;
      case v1::WatchRunEvent::kEvidence:
        record.evidence[event.evidence().name()] = std::move(*event.mutable_evidence());
        break;
      case v1::WatchRunEvent::kOperation:
        record.operations.push_back(std::move(*event.mutable_operation()));
        break;
      default:
        break;
    }
  };
  absl::Status ended = co_await runtime::ReadAll<ReadinessStub, v1::WatchRunRequest, v1::WatchRunEvent>(
      caller_, *stubs_->readiness_async(), &ReadinessStub::WatchRun, std::move(watch), started + timeout + kPastTheRun,
      std::move(on_event));
  if (record.run.state() == v1::Run::RUNNING) {
    if (ended.ok()) ended = absl::UnavailableError("readiness ended before the run had");
    co_return ended;
  }
  absl::StatusOr<std::vector<v1::Obligation>> owed = co_await ListObligations(false);
  if (owed.ok()) record.obligations_open = std::move(*owed);
  co_return record;
}

awaitable<void> RunClient::Cancel(absl::Duration settle_within) {
  cancel_asked_ = true;
  settle_within_ = settle_within;
  if (run_.empty()) co_return;
  v1::CancelRunRequest request;
  request.set_name(run_);
  *request.mutable_settle_within() = runtime::ToProtoDuration(settle_within);
  // The run's end comes by the stream; that it was asked for is enough here.
  (void)co_await runtime::Call<ReadinessStub, v1::CancelRunRequest, v1::Run>(
      caller_, *stubs_->readiness_async(), &ReadinessStub::CancelRun, std::move(request), caller_.clock->Now() + kCall);
}

awaitable<absl::StatusOr<std::vector<v1::Obligation>>> RunClient::ListObligations(bool show_settled) {
  std::vector<v1::Obligation> all;
  v1::ListObligationsRequest request;
  request.set_page_size(1000);
  request.set_show_settled(show_settled);
  // Bounded, whatever the service answers.
  for (int page = 0; page < 100; ++page) {
    absl::StatusOr<v1::ListObligationsResponse> listed =
        co_await runtime::Call<ObligationStub, v1::ListObligationsRequest, v1::ListObligationsResponse>(
            caller_, *stubs_->obligations_async(), &ObligationStub::ListObligations, request,
            caller_.clock->Now() + kCall);
    if (!listed.ok()) co_return listed.status();
    for (v1::Obligation& obligation : *listed->mutable_obligations()) all.push_back(std::move(obligation));
    if (listed->next_page_token().empty()) break;
    request.set_page_token(listed->next_page_token());
  }
  co_return all;
}

awaitable<absl::StatusOr<v1::SettleObligationsResponse>> RunClient::SettleObligations(absl::Duration timeout) {
  v1::SettleObligationsRequest request;
  *request.mutable_timeout() = runtime::ToProtoDuration(timeout);
  absl::StatusOr<v1::SettleObligationsResponse> settled =
      co_await runtime::Call<ObligationStub, v1::SettleObligationsRequest, v1::SettleObligationsResponse>(
          caller_, *stubs_->obligations_async(), &ObligationStub::SettleObligations, std::move(request),
          caller_.clock->Now() + timeout + kCall);
  co_return settled;
}

}  // namespace puckdrop::cli
