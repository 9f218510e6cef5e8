// Obligations are kept by readiness: the port over its ObligationService.
#ifndef PUCKDROP_SERVICES_PROBER_OBLIGATIONS_CLIENT_H_
#define PUCKDROP_SERVICES_PROBER_OBLIGATIONS_CLIENT_H_

#include <memory>
#include <string>

#include "checks/operation_port.h"
#include "services/runtime/grpc_client.h"

namespace puckdrop::prober {

// Loop thread only. Without a channel every Open is FAILED_PRECONDITION, so that nothing is ever created.
class GrpcObligations final : public checks::ObligationPort {
 public:
  // Longest time that an act waits for its obligation.
  static constexpr absl::Duration kLongestOpen = absl::Seconds(10);

  GrpcObligations(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel);
  ~GrpcObligations() override;

  boost::asio::awaitable<absl::StatusOr<std::string>> Open(v1::Obligation obligation) override;
  boost::asio::awaitable<absl::Status> Update(v1::Obligation obligation) override;

 private:
  struct Stub;
  runtime::Caller caller_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_OBLIGATIONS_CLIENT_H_
