#include "services/readiness/service.h"

#include <algorithm>
#include <utility>

#include "puckdrop/v1/check_service.grpc.pb.h"
#include "puckdrop/v1/evidence_service.grpc.pb.h"
#include "puckdrop/v1/obligation_service.grpc.pb.h"
#include "puckdrop/v1/readiness_service.grpc.pb.h"
#include "puckdrop/v1/waiver_service.grpc.pb.h"
#include "services/runtime/reactor_bridge.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

using runtime::Bridge;
using runtime::CallContext;
using runtime::Writer;

constexpr size_t kChunkBytes = 64 * 1024;

// Moves a value into the response, or gives the error.
template <typename T>
absl::Status Into(absl::StatusOr<T> value, T& response) {
  if (!value.ok()) return value.status();
  response = std::move(*value);
  return absl::OkStatus();
}

absl::Status NotYet(const char* what) {
  return runtime::WithReason(absl::UnimplementedError(std::string(what) + " is not in this version"),
                             "NOT_IN_THIS_VERSION");
}

class ReadinessServiceImpl final : public v1::ReadinessService::CallbackService {
 public:
  ReadinessServiceImpl(Readiness& readiness, Bridge& bridge) : readiness_(readiness), bridge_(bridge) {}

  grpc::ServerUnaryReactor* GetVerdict(grpc::CallbackServerContext* context, const v1::GetVerdictRequest* request,
                                       v1::Verdict* response) override {
    return bridge_.Unary<v1::GetVerdictRequest, v1::Verdict>(
        context, request, response,
        [this](CallContext&, const v1::GetVerdictRequest& in, v1::Verdict& out) -> awaitable<absl::Status> {
          co_return Into(readiness_.GetVerdict(in.launch()), out);
        });
  }
  grpc::ServerWriteReactor<v1::Verdict>* WatchVerdict(grpc::CallbackServerContext* context,
                                                      const v1::WatchVerdictRequest* request) override {
    return bridge_.Stream<v1::WatchVerdictRequest, v1::Verdict>(
        context, request,
        [this](CallContext&, const v1::WatchVerdictRequest& in,
               Writer<v1::Verdict>& writer) -> awaitable<absl::Status> {
          std::function<awaitable<absl::Status>(v1::Verdict)> write = [&writer](v1::Verdict verdict) {
            return writer.Write(std::move(verdict));
          };
          absl::Status ended = co_await readiness_.WatchVerdict(in.launch(), std::move(write));
          co_return ended;
        });
  }
  grpc::ServerUnaryReactor* StartRun(grpc::CallbackServerContext* context, const v1::StartRunRequest* request,
                                     v1::Run* response) override {
    return bridge_.Unary<v1::StartRunRequest, v1::Run>(
        context, request, response,
        [this](CallContext&, const v1::StartRunRequest& in, v1::Run& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::Run> run = co_await readiness_.StartRun(in);
          co_return Into(std::move(run), out);
        });
  }
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context, const v1::GetRunRequest* request,
                                   v1::Run* response) override {
    return bridge_.Unary<v1::GetRunRequest, v1::Run>(
        context, request, response,
        [this](CallContext&, const v1::GetRunRequest& in, v1::Run& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::Run> run = co_await readiness_.GetRun(in.name());
          co_return Into(std::move(run), out);
        });
  }
  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext* context, const v1::ListRunsRequest* request,
                                     v1::ListRunsResponse* response) override {
    return bridge_.Unary<v1::ListRunsRequest, v1::ListRunsResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListRunsRequest& in, v1::ListRunsResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::ListRunsResponse> runs = co_await readiness_.ListRuns(in);
          co_return Into(std::move(runs), out);
        });
  }
  grpc::ServerWriteReactor<v1::WatchRunEvent>* WatchRun(grpc::CallbackServerContext* context,
                                                        const v1::WatchRunRequest* request) override {
    return bridge_.Stream<v1::WatchRunRequest, v1::WatchRunEvent>(
        context, request,
        [this](CallContext&, const v1::WatchRunRequest& in,
               Writer<v1::WatchRunEvent>& writer) -> awaitable<absl::Status> {
          Readiness::OnRunEvent write = [&writer](const v1::WatchRunEvent& event) { return writer.Write(event); };
          absl::Status ended = co_await readiness_.WatchRun(in.name(), std::move(write));
          co_return ended;
        });
  }
  grpc::ServerUnaryReactor* ListVerdictChanges(grpc::CallbackServerContext* context,
                                               const v1::ListVerdictChangesRequest* request,
                                               v1::ListVerdictChangesResponse* response) override {
    return bridge_.Unary<v1::ListVerdictChangesRequest, v1::ListVerdictChangesResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListVerdictChangesRequest& in,
               v1::ListVerdictChangesResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::ListVerdictChangesResponse> answer = co_await readiness_.ListVerdictChanges(in);
          co_return Into(std::move(answer), out);
        });
  }
  grpc::ServerUnaryReactor* CancelRun(grpc::CallbackServerContext* context, const v1::CancelRunRequest* request,
                                      v1::Run* response) override {
    return bridge_.Unary<v1::CancelRunRequest, v1::Run>(
        context, request, response,
        [this](CallContext&, const v1::CancelRunRequest& in, v1::Run& out) -> awaitable<absl::Status> {
          co_return Into(readiness_.CancelRun(in), out);
        });
  }
  grpc::ServerUnaryReactor* PauseProbing(grpc::CallbackServerContext* context, const v1::PauseProbingRequest* request,
                                         v1::PauseProbingResponse* response) override {
    return bridge_.Unary<v1::PauseProbingRequest, v1::PauseProbingResponse>(
        context, request, response,
        [this](CallContext& call, const v1::PauseProbingRequest& in,
               v1::PauseProbingResponse&) -> awaitable<absl::Status> {
          absl::Status paused = co_await readiness_.Pause(in.reason(), call.caller());
          co_return paused;
        });
  }
  grpc::ServerUnaryReactor* ResumeProbing(grpc::CallbackServerContext* context, const v1::ResumeProbingRequest* request,
                                          v1::ResumeProbingResponse* response) override {
    return bridge_.Unary<v1::ResumeProbingRequest, v1::ResumeProbingResponse>(
        context, request, response,
        [this](CallContext& call, const v1::ResumeProbingRequest&,
               v1::ResumeProbingResponse&) -> awaitable<absl::Status> {
          absl::Status resumed = co_await readiness_.Resume(call.caller());
          co_return resumed;
        });
  }
  grpc::ServerUnaryReactor* ReloadPlan(grpc::CallbackServerContext* context, const v1::ReloadPlanRequest* request,
                                       v1::ReloadPlanResponse* response) override {
    return bridge_.Unary<v1::ReloadPlanRequest, v1::ReloadPlanResponse>(
        context, request, response,
        [this](CallContext& call, const v1::ReloadPlanRequest&,
               v1::ReloadPlanResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<std::string> digest = co_await readiness_.ReloadPlan(call.caller());
          if (!digest.ok()) co_return digest.status();
          out.set_plan_digest(*digest);
          co_return absl::OkStatus();
        });
  }

 private:
  Readiness& readiness_;
  Bridge& bridge_;
};

class CheckServiceImpl final : public v1::CheckService::CallbackService {
 public:
  CheckServiceImpl(Readiness& readiness, Bridge& bridge) : readiness_(readiness), bridge_(bridge) {}

  grpc::ServerUnaryReactor* ListChecks(grpc::CallbackServerContext* context, const v1::ListPlanChecksRequest* request,
                                       v1::ListPlanChecksResponse* response) override {
    return bridge_.Unary<v1::ListPlanChecksRequest, v1::ListPlanChecksResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListPlanChecksRequest& in, v1::ListPlanChecksResponse& out)
            -> awaitable<absl::Status> { co_return Into(readiness_.ListChecks(in), out); });
  }
  grpc::ServerUnaryReactor* GetCheck(grpc::CallbackServerContext* context, const v1::GetCheckRequest* request,
                                     v1::PlanCheck* response) override {
    return bridge_.Unary<v1::GetCheckRequest, v1::PlanCheck>(
        context, request, response,
        [this](CallContext&, const v1::GetCheckRequest& in, v1::PlanCheck& out) -> awaitable<absl::Status> {
          co_return Into(readiness_.GetCheck(in.check()), out);
        });
  }
  grpc::ServerUnaryReactor* ExplainCheck(grpc::CallbackServerContext* context, const v1::ExplainCheckRequest* request,
                                         v1::ExplainCheckResponse* response) override {
    return bridge_.Unary<v1::ExplainCheckRequest, v1::ExplainCheckResponse>(
        context, request, response,
        [this](CallContext&, const v1::ExplainCheckRequest& in,
               v1::ExplainCheckResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::ExplainCheckResponse> answer = co_await readiness_.ExplainCheck(in);
          co_return Into(std::move(answer), out);
        });
  }
  grpc::ServerUnaryReactor* ListResults(grpc::CallbackServerContext* context, const v1::ListResultsRequest* request,
                                        v1::ListResultsResponse* response) override {
    return bridge_.Unary<v1::ListResultsRequest, v1::ListResultsResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListResultsRequest& in,
               v1::ListResultsResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::ListResultsResponse> results = co_await readiness_.ListResults(in);
          co_return Into(std::move(results), out);
        });
  }

 private:
  Readiness& readiness_;
  Bridge& bridge_;
};

class ObligationServiceImpl final : public v1::ObligationService::CallbackService {
 public:
  ObligationServiceImpl(Readiness& readiness, runtime::EventLoop& loop, Bridge& bridge)
      : readiness_(readiness), loop_(loop), bridge_(bridge) {}

  grpc::ServerUnaryReactor* OpenObligation(grpc::CallbackServerContext* context,
                                           const v1::OpenObligationRequest* request,
                                           v1::Obligation* response) override {
    return bridge_.Unary<v1::OpenObligationRequest, v1::Obligation>(
        context, request, response,
        [this](CallContext&, const v1::OpenObligationRequest& in, v1::Obligation& out) -> awaitable<absl::Status> {
          absl::Status may = readiness_.MayAct(in.obligation().owner());
          if (!may.ok()) co_return may;
          const v1::Obligation obligation = in.obligation();
          absl::StatusOr<v1::Obligation> opened =
              co_await loop_.RunBlocking([this, &obligation] { return readiness_.store().OpenObligation(obligation); });
          co_return Into(std::move(opened), out);
        });
  }
  grpc::ServerUnaryReactor* RenewObligations(grpc::CallbackServerContext* context,
                                             const v1::RenewObligationsRequest* request,
                                             v1::RenewObligationsResponse* response) override {
    return bridge_.Unary<v1::RenewObligationsRequest, v1::RenewObligationsResponse>(
        context, request, response,
        [this](CallContext&, const v1::RenewObligationsRequest& in,
               v1::RenewObligationsResponse& out) -> awaitable<absl::Status> {
          const std::string owner = in.owner();
          absl::StatusOr<int> renewed =
              co_await loop_.RunBlocking([this, &owner] { return readiness_.store().RenewObligations(owner); });
          if (!renewed.ok()) co_return renewed.status();
          out.set_renewed(*renewed);
          co_return absl::OkStatus();
        });
  }
  grpc::ServerUnaryReactor* UpdateObligation(grpc::CallbackServerContext* context,
                                             const v1::UpdateObligationRequest* request,
                                             v1::Obligation* response) override {
    return bridge_.Unary<v1::UpdateObligationRequest, v1::Obligation>(
        context, request, response,
        [this](CallContext&, const v1::UpdateObligationRequest& in, v1::Obligation& out) -> awaitable<absl::Status> {
          const v1::UpdateObligationRequest update = in;
          absl::StatusOr<v1::Obligation> updated =
              co_await loop_.RunBlocking([this, &update] { return readiness_.store().UpdateObligation(update); });
          co_return Into(std::move(updated), out);
        });
  }
  grpc::ServerUnaryReactor* CloseObligation(grpc::CallbackServerContext* context,
                                            const v1::CloseObligationRequest* request,
                                            v1::Obligation* response) override {
    return bridge_.Unary<v1::CloseObligationRequest, v1::Obligation>(
        context, request, response,
        [this](CallContext&, const v1::CloseObligationRequest& in, v1::Obligation& out) -> awaitable<absl::Status> {
          const v1::CloseObligationRequest close = in;
          absl::StatusOr<v1::Obligation> closed = co_await loop_.RunBlocking(
              [this, &close] { return readiness_.store().CloseObligation(close.name(), close.owner()); });
          co_return Into(std::move(closed), out);
        });
  }
  grpc::ServerUnaryReactor* ListObligations(grpc::CallbackServerContext* context,
                                            const v1::ListObligationsRequest* request,
                                            v1::ListObligationsResponse* response) override {
    return bridge_.Unary<v1::ListObligationsRequest, v1::ListObligationsResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListObligationsRequest& in,
               v1::ListObligationsResponse& out) -> awaitable<absl::Status> {
          const v1::ListObligationsRequest list = in;
          absl::StatusOr<v1::ListObligationsResponse> listed =
              co_await loop_.RunBlocking([this, &list] { return readiness_.store().ListObligations(list); });
          co_return Into(std::move(listed), out);
        });
  }
  grpc::ServerUnaryReactor* SettleObligations(grpc::CallbackServerContext* context,
                                              const v1::SettleObligationsRequest* request,
                                              v1::SettleObligationsResponse* response) override {
    return bridge_.Unary<v1::SettleObligationsRequest, v1::SettleObligationsResponse>(
        context, request, response,
        [this](CallContext&, const v1::SettleObligationsRequest& in,
               v1::SettleObligationsResponse& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::SettleObligationsResponse> settled = co_await readiness_.SettleObligations(in);
          co_return Into(std::move(settled), out);
        });
  }

 private:
  Readiness& readiness_;
  runtime::EventLoop& loop_;
  Bridge& bridge_;
};

class EvidenceServiceImpl final : public v1::EvidenceService::CallbackService {
 public:
  EvidenceServiceImpl(Readiness& readiness, Bridge& bridge) : readiness_(readiness), bridge_(bridge) {}

  grpc::ServerWriteReactor<v1::GetEvidenceResponse>* GetEvidence(grpc::CallbackServerContext* context,
                                                                 const v1::GetEvidenceRequest* request) override {
    return bridge_.Stream<v1::GetEvidenceRequest, v1::GetEvidenceResponse>(
        context, request,
        [this](CallContext&, const v1::GetEvidenceRequest& in,
               Writer<v1::GetEvidenceResponse>& writer) -> awaitable<absl::Status> {
          absl::StatusOr<v1::Evidence> evidence = co_await readiness_.GetEvidence(in.name());
          if (!evidence.ok()) co_return evidence.status();
          const std::string& content = evidence->content();
          for (size_t at = 0; at == 0 || at < content.size(); at += kChunkBytes) {
            v1::GetEvidenceResponse chunk;
            if (at == 0) chunk.set_media_type(evidence->media_type());
            chunk.set_data(content.substr(at, kChunkBytes));
            absl::Status written = co_await writer.Write(std::move(chunk));
            if (!written.ok()) co_return written;
          }
          co_return absl::OkStatus();
        });
  }

 private:
  Readiness& readiness_;
  Bridge& bridge_;
};

class WaiverServiceImpl final : public v1::WaiverService::CallbackService {
 public:
  WaiverServiceImpl(Readiness& readiness, Bridge& bridge) : readiness_(readiness), bridge_(bridge) {}

  grpc::ServerUnaryReactor* CreateWaiver(grpc::CallbackServerContext* context, const v1::CreateWaiverRequest* request,
                                         v1::WaiverState* response) override {
    return bridge_.Unary<v1::CreateWaiverRequest, v1::WaiverState>(
        context, request, response,
        [this](CallContext& call, const v1::CreateWaiverRequest& in, v1::WaiverState& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::WaiverState> created = co_await readiness_.CreateWaiver(in.waiver(), call.caller());
          co_return Into(std::move(created), out);
        });
  }
  grpc::ServerUnaryReactor* ListWaivers(grpc::CallbackServerContext* context, const v1::ListWaiversRequest* request,
                                        v1::ListWaiversResponse* response) override {
    return bridge_.Unary<v1::ListWaiversRequest, v1::ListWaiversResponse>(
        context, request, response,
        [this](CallContext&, const v1::ListWaiversRequest&, v1::ListWaiversResponse& out) -> awaitable<absl::Status> {
          out = readiness_.ListWaivers();
          co_return absl::OkStatus();
        });
  }
  grpc::ServerUnaryReactor* RevokeWaiver(grpc::CallbackServerContext* context, const v1::RevokeWaiverRequest* request,
                                         v1::WaiverState* response) override {
    return bridge_.Unary<v1::RevokeWaiverRequest, v1::WaiverState>(
        context, request, response,
        [this](CallContext& call, const v1::RevokeWaiverRequest& in, v1::WaiverState& out) -> awaitable<absl::Status> {
          absl::StatusOr<v1::WaiverState> revoked = co_await readiness_.RevokeWaiver(in.waiver(), call.caller());
          co_return Into(std::move(revoked), out);
        });
  }

 private:
  Readiness& readiness_;
  Bridge& bridge_;
};

}  // namespace

struct ReadinessServices::Impl {
  Impl(Readiness& readiness, runtime::EventLoop& loop, const runtime::Clock& clock,
       std::shared_ptr<runtime::CallGuard> guard)
      : bridge(loop, clock, {.guard = std::move(guard)}),
        readiness_service(readiness, bridge),
        checks(readiness, bridge),
        obligations(readiness, loop, bridge),
        evidence(readiness, bridge),
        waivers(readiness, bridge) {}
  Bridge bridge;
  ReadinessServiceImpl readiness_service;
  CheckServiceImpl checks;
  ObligationServiceImpl obligations;
  EvidenceServiceImpl evidence;
  WaiverServiceImpl waivers;
};

ReadinessServices::ReadinessServices(Readiness& readiness, runtime::EventLoop& loop, const runtime::Clock& clock,
                                     std::shared_ptr<runtime::CallGuard> guard)
    : impl_(std::make_unique<Impl>(readiness, loop, clock, std::move(guard))) {}

ReadinessServices::~ReadinessServices() = default;

std::vector<grpc::Service*> ReadinessServices::services() const {
  return {&impl_->readiness_service, &impl_->checks, &impl_->obligations, &impl_->evidence, &impl_->waivers};
}

std::vector<std::string> ReadinessServices::names() const {
  return {v1::ReadinessService::service_full_name(), v1::CheckService::service_full_name(),
          v1::ObligationService::service_full_name(), v1::EvidenceService::service_full_name(),
          v1::WaiverService::service_full_name()};
}

}  // namespace puckdrop::readiness
