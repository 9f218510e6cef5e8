// The real target of a prober: the plan's operations over HTTP.
#ifndef PUCKDROP_SERVICES_PROBER_TARGET_OPERATIONS_H_
#define PUCKDROP_SERVICES_PROBER_TARGET_OPERATIONS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "checks/operation_port.h"
#include "checks/target/operations.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/prober/target_port.h"

namespace puckdrop::prober {

// The journey's port over the interpreter of operations. Loop thread only; what it is given outlives it.
class TargetOperations final : public checks::OperationPort {
 public:
  TargetOperations(target::Operations& operations, http::Redactor& redactor, const v1::Plan& plan,
                   std::string pilot_key)
      : operations_(operations), redactor_(redactor), plan_(plan), pilot_key_(std::move(pilot_key)) {}

  boost::asio::awaitable<checks::OperationEnd> Perform(const std::string& operation,
                                                       const google::protobuf::Message& request,
                                                       const checks::Actor& actor,
                                                       const checks::PerformOptions& options,
                                                       std::string& kept_json) override;
  checks::OperationMapping Mapping(const std::string& operation) const override;
  bool Returns(const std::string& operation, const std::string& field) const override;
  bool Creates(const std::string& operation) const override;
  absl::Status CanUndo(const std::string& operation) override { return operations_.CanUndo(operation); }
  bool Acts(const std::string& operation) const override;
  bool HasPaymentCase(const std::string& customer, target::v1::PaymentCase payment_case) const override;
  boost::asio::awaitable<absl::StatusOr<std::string>> Undo(const v1::Obligation& obligation,
                                                           absl::Time deadline) override;

 private:
  target::Operations& operations_;
  http::Redactor& redactor_;
  const v1::Plan& plan_;
  const std::string pilot_key_;
  int cold_starts_ = 0;
};

// How one operation ended, as checks see it.
checks::OperationEnd ToOperationEnd(target::Ended ended);

struct PlanTargetOptions {
  runtime::EventLoop* loop = nullptr;
  const runtime::Clock* clock = nullptr;
  std::shared_ptr<const v1::Plan> plan;
  std::function<absl::StatusOr<std::string>(const v1::Secret&)> secrets;
  MakePlayer make_player;
  OnRequest on_request;
};

// INVALID_ARGUMENT with the plan position for a plan that cannot be performed. To be destroyed on the loop's thread.
absl::StatusOr<std::shared_ptr<TargetPort>> MakePlanTarget(PlanTargetOptions options);

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_TARGET_OPERATIONS_H_
