// The operations a target can have, read from the service descriptors of puckdrop.target.v1, and the names of their
// enums.
#ifndef PUCKDROP_CHECKS_TARGET_CATALOGUE_H_
#define PUCKDROP_CHECKS_TARGET_CATALOGUE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "checks/plan/operation_catalogue.h"

namespace google::protobuf {
class EnumDescriptor;
class EnumValueDescriptor;
}  // namespace google::protobuf

namespace puckdrop::target {

// All of them. Built at the first call, immutable, any thread.
const plan::OperationCatalogue& Catalogue();

// The id of the operation that takes this request; empty when there is none. `name` is a full name, as
// "puckdrop.target.v1.PlaceOrderRequest".
std::string OperationOfRequest(absl::string_view name);

// It changes something that needs no undoing. Neither this nor `creates`: it only reads.
bool Acts(absl::string_view operation);

// How the plan language writes enum values: the short name ("ACTIVE"), the full one ("ORDER_STATE_ACTIVE"), or the one
// in the value's option `also` ("ORDER_CANCELLED"). Case matters. Null when there is none, and for the zero value.
const google::protobuf::EnumValueDescriptor* FindEnumValue(const google::protobuf::EnumDescriptor& type,
                                                           absl::string_view name);

// The name without its type's prefix: ORDER_STATE_ACTIVE is ACTIVE.
std::string ShortEnumName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_CATALOGUE_H_
