#include "checks/plan/operation_catalogue.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::plan {

void OperationTable::Add(OperationInfo info) {
  std::string id = info.id;
  operations_.insert_or_assign(std::move(id), std::move(info));
}

void OperationTable::AddService(absl::string_view path, const google::protobuf::ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    const google::protobuf::MethodDescriptor& method = *service.method(i);
    OperationInfo info;
    info.id = absl::StrCat(path, ".", SnakeCase(method.name()));
    info.request = method.input_type();
    info.response = method.output_type();
    if (method.options().HasExtension(v1::by)) info.by = method.options().GetExtension(v1::by);
    info.creates = method.options().GetExtension(v1::creates);
    Add(std::move(info));
  }
}

const OperationInfo* OperationTable::Find(absl::string_view id) const {
  const auto found = operations_.find(std::string(id));
  return found == operations_.end() ? nullptr : &found->second;
}

std::vector<std::string> OperationTable::Ids() const {
  std::vector<std::string> out;
  for (const auto& [id, info] : operations_) out.push_back(id);
  return out;
}

std::string SnakeCase(absl::string_view name) {
  std::string out;
  for (char c : name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) {
      if (!out.empty()) out.push_back('_');
      c = absl::ascii_tolower(static_cast<unsigned char>(c));
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace puckdrop::plan
