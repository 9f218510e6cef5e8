#ifndef PUCKDROP_CHECKS_PLAN_OPERATION_CATALOGUE_H_
#define PUCKDROP_CHECKS_PLAN_OPERATION_CATALOGUE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "puckdrop/v1/options.pb.h"

namespace google::protobuf {
class Descriptor;
class ServiceDescriptor;
}  // namespace google::protobuf

namespace puckdrop::plan {

// What a plan's reader must know of one operation.
struct OperationInfo {
  // `<path>.<snake_case_method>`.
  std::string id;
  // Not owned; live as long as the descriptor pool.
  const google::protobuf::Descriptor* request = nullptr;
  const google::protobuf::Descriptor* response = nullptr;
  v1::Actor by = v1::ACTOR_CUSTOMER;
  // It leaves something behind that must be undone.
  bool creates = false;
};

// The operations a target can have, by id. Implementations are immutable once built, so any thread may read.
class OperationCatalogue {
 public:
  virtual ~OperationCatalogue() = default;
  // Null if there is none; lives as long as the catalogue.
  virtual const OperationInfo* Find(absl::string_view id) const = 0;
  // Sorted.
  virtual std::vector<std::string> Ids() const = 0;
};

// A catalogue that is filled by hand or from service descriptors.
class OperationTable : public OperationCatalogue {
 public:
  void Add(OperationInfo info);
  // Every method of the service, under `<path>.`; `by` and `creates` from the options of puckdrop.v1.
  void AddService(absl::string_view path, const google::protobuf::ServiceDescriptor& service);
  const OperationInfo* Find(absl::string_view id) const override;
  std::vector<std::string> Ids() const override;

 private:
  std::map<std::string, OperationInfo> operations_;
};

// `PlaceOrder` is `place_order`.
std::string SnakeCase(absl::string_view name);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_OPERATION_CATALOGUE_H_
