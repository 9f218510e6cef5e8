#include "services/prober/obligations_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "puckdrop/v1/obligation_service.grpc.pb.h"

namespace puckdrop::prober {
namespace {

using Async = v1::ObligationService::StubInterface::async_interface;

absl::Status Nowhere() {
  return absl::FailedPreconditionError("this prober was started without the address of readiness (--readiness)");
}

}  // namespace

struct GrpcObligations::Stub {
  std::unique_ptr<v1::ObligationService::Stub> stub;
};

GrpcObligations::GrpcObligations(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel)
    : caller_(std::move(caller)) {
  if (channel == nullptr) return;
  stub_ = std::make_unique<Stub>();
  stub_->stub = v1::ObligationService::NewStub(std::move(channel));
}

GrpcObligations::~GrpcObligations() = default;

boost::asio::awaitable<absl::StatusOr<std::string>> GrpcObligations::Open(v1::Obligation obligation) {
  if (stub_ == nullptr) co_return Nowhere();
  v1::OpenObligationRequest request;
  *request.mutable_obligation() = std::move(obligation);
  absl::StatusOr<v1::Obligation> opened = co_await runtime::Call(
      caller_, *stub_->stub->async(), &Async::OpenObligation, std::move(request), caller_.clock->Now() + kLongestOpen);
  if (!opened.ok()) co_return opened.status();
  if (opened->name().empty()) co_return absl::InternalError("readiness gave the obligation no name");
  co_return opened->name();
}

boost::asio::awaitable<absl::Status> GrpcObligations::Update(v1::Obligation obligation) {
  if (stub_ == nullptr) co_return Nowhere();
  v1::UpdateObligationRequest request;
  request.set_name(obligation.name());
  *request.mutable_target_ids() = obligation.target_ids();
  request.set_account_id(obligation.account_id());
  absl::StatusOr<v1::Obligation> updated =
      co_await runtime::Call(caller_, *stub_->stub->async(), &Async::UpdateObligation, std::move(request),
                             caller_.clock->Now() + kLongestOpen);
  co_return updated.status();
}

}  // namespace puckdrop::prober
