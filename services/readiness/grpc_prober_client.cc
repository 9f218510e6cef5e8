#include "services/readiness/grpc_prober_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "puckdrop/v1/prober_service.grpc.pb.h"

namespace puckdrop::readiness {
namespace {

class GrpcProberClient final : public ProberClient {
 public:
  using Async = v1::ProberService::StubInterface::async_interface;

  GrpcProberClient(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel)
      : caller_(std::move(caller)), stub_(v1::ProberService::NewStub(std::move(channel))) {}

  awaitable<absl::Status> RunChecks(v1::RunChecksRequest request, absl::Time deadline, OnEvent on_event) override {
    absl::Status ended = co_await runtime::ReadAll<Async, v1::RunChecksRequest, v1::RunChecksEvent>(
        caller_, *stub(), &Async::RunChecks, std::move(request), deadline, std::move(on_event));
    co_return ended;
  }

  awaitable<absl::StatusOr<v1::SettleObligationResponse>> SettleObligation(v1::SettleObligationRequest request,
                                                                           absl::Time deadline) override {
    absl::StatusOr<v1::SettleObligationResponse> answer =
        co_await runtime::Call<Async, v1::SettleObligationRequest, v1::SettleObligationResponse>(
            caller_, *stub(), &Async::SettleObligation, std::move(request), deadline);
    co_return answer;
  }

 private:
  Async* stub() { return static_cast<v1::ProberService::StubInterface&>(*stub_).async(); }

  const runtime::Caller caller_;
  const std::unique_ptr<v1::ProberService::Stub> stub_;
};

}  // namespace

std::unique_ptr<ProberClient> MakeGrpcProberClient(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcProberClient>(std::move(caller), std::move(channel));
}

}  // namespace puckdrop::readiness
