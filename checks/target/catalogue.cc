#include "checks/target/catalogue.h"

#include <google/protobuf/descriptor.h>

#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "puckdrop/target/v1/billing_service.pb.h"
#include "puckdrop/target/v1/cancellation_service.pb.h"
#include "puckdrop/target/v1/device_support_service.pb.h"
#include "puckdrop/target/v1/notices_service.pb.h"
#include "puckdrop/target/v1/ordering_service.pb.h"
#include "puckdrop/target/v1/playback_service.pb.h"
#include "puckdrop/target/v1/target.pb.h"
#include "puckdrop/target/v1/target_service.pb.h"

namespace puckdrop::target {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;

// A file that declares only a service has no class to name, and a linker drops what nothing names: so the services are
// found by way of their files' tables, which an optimiser cannot leave out.
const google::protobuf::internal::DescriptorTable* const kFiles[] = {
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fordering_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fcancellation_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fdevice_5fsupport_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fplayback_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fbilling_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2fnotices_5fservice_2eproto,
    &::descriptor_table_puckdrop_2ftarget_2fv1_2ftarget_5fservice_2eproto,
};

struct Tables {
  plan::OperationTable operations;
  std::map<std::string, std::string, std::less<>> by_request;
  std::set<std::string, std::less<>> acts;
};

const Tables& AllTables() {
  static const Tables* const tables = [] {
    auto* made = new Tables;
    for (const auto* table : kFiles) {
      const auto* file = DescriptorPool::generated_pool()->FindFileByName(table->filename);
      if (file == nullptr || file->service_count() != 1) continue;
      const auto* service = file->service(0);
      const std::string path = service->options().GetExtension(v1::path);
      made->operations.AddService(path, *service);
      for (int i = 0; i < service->method_count(); ++i) {
        const auto& method = *service->method(i);
        const std::string id = absl::StrCat(path, ".", plan::SnakeCase(method.name()));
        made->by_request.emplace(method.input_type()->full_name(), id);
        if (method.options().GetExtension(v1::acts)) made->acts.insert(id);
      }
    }
    return made;
  }();
  return *tables;
}

// "ORDER_STATE_" for OrderState.
std::string EnumPrefix(const EnumDescriptor& type) {
  return absl::StrCat(absl::AsciiStrToUpper(plan::SnakeCase(type.name())), "_");
}

}  // namespace

const plan::OperationCatalogue& Catalogue() { return AllTables().operations; }

std::string OperationOfRequest(absl::string_view name) {
  const auto& ids = AllTables().by_request;
  const auto found = ids.find(std::string(name));
  return found == ids.end() ? "" : found->second;
}

bool Acts(absl::string_view operation) { return AllTables().acts.contains(std::string(operation)); }

const EnumValueDescriptor* FindEnumValue(const EnumDescriptor& type, absl::string_view name) {
  const std::string prefix = EnumPrefix(type);
  const std::string wanted(name);
  const EnumValueDescriptor* found = type.FindValueByName(wanted);
  if (found == nullptr) found = type.FindValueByName(prefix + wanted);
  for (int i = 0; found == nullptr && i < type.value_count(); ++i) {
    const std::string& also = type.value(i)->options().GetExtension(v1::also);
    if (!also.empty() && also == wanted) found = type.value(i);
  }
  return found == nullptr || found->number() == 0 ? nullptr : found;
}

std::string ShortEnumName(const EnumValueDescriptor& value) {
  return std::string(absl::StripPrefix(value.name(), EnumPrefix(*value.type())));
}

}  // namespace puckdrop::target
