// Remembers how operations ended, so that a result can name the one that decided it.
#ifndef PUCKDROP_SERVICES_PROBER_OBSERVING_PORT_H_
#define PUCKDROP_SERVICES_PROBER_OBSERVING_PORT_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/operation_port.h"

namespace puckdrop::prober {

// Passes everything on. Loop thread only; `inner` must outlive it. One look at a time.
class ObservingPort final : public checks::OperationPort {
 public:
  explicit ObservingPort(checks::OperationPort& inner) : inner_(inner) {}

  boost::asio::awaitable<checks::OperationEnd> Perform(const std::string& operation,
                                                       const google::protobuf::Message& request,
                                                       const checks::Actor& actor,
                                                       const checks::PerformOptions& options,
                                                       std::string& kept_json) override;
  checks::OperationMapping Mapping(const std::string& operation) const override { return inner_.Mapping(operation); }
  bool Returns(const std::string& operation, const std::string& field) const override {
    return inner_.Returns(operation, field);
  }
  bool Creates(const std::string& operation) const override { return inner_.Creates(operation); }
  absl::Status CanUndo(const std::string& operation) override { return inner_.CanUndo(operation); }
  bool Acts(const std::string& operation) const override { return inner_.Acts(operation); }
  bool HasPaymentCase(const std::string& customer, target::v1::PaymentCase payment_case) const override {
    return inner_.HasPaymentCase(customer, payment_case);
  }
  boost::asio::awaitable<absl::StatusOr<std::string>> Undo(const v1::Obligation& obligation,
                                                           absl::Time deadline) override {
    return inner_.Undo(obligation, deadline);
  }

  void BeginLook() { look_.clear(); }
  // Operations performed since BeginLook, the last one last.
  const std::vector<checks::OperationEnd>& look() const { return look_; }
  // The newest end of an operation in this run; nullptr when it was not performed here.
  const checks::OperationEnd* Last(const std::string& operation) const;

 private:
  checks::OperationPort& inner_;
  std::vector<checks::OperationEnd> look_;
  std::map<std::string, checks::OperationEnd> last_;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_OBSERVING_PORT_H_
