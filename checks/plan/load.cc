#include "checks/plan/load.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/plan/reader.h"
#include "checks/plan/semantics.h"
#include "checks/plan/sources.h"

namespace puckdrop::plan {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Drops what must not tell two equal plans apart, and what must not leave this process even as a digest.
void Strip(Message* message) {
  std::vector<const FieldDescriptor*> fields;
  const auto& reflection = *message->GetReflection();
  reflection.ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->options().GetExtension(v1::may_hold_secret) || field->name() == "source_files" ||
        (is_message && field->message_type()->full_name() == "puckdrop.v1.SourcePosition")) {
      reflection.ClearField(message, field);
    } else if (is_message && field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
        Strip(reflection.MutableRepeatedMessage(message, field, i));
      }
    } else if (is_message) {
      Strip(reflection.MutableMessage(message, field));
    }
  }
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string Digest(const v1::Plan& plan) {
  v1::Plan stripped = plan;
  Strip(&stripped);
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    stripped.SerializeToCodedStream(&coded);
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

LoadResult Load(const std::vector<std::string>& files, const std::vector<std::string>& overlays,
                const LoadOptions& options) {
  LoadResult result;
  std::vector<SourceFile> sources;
  Mistakes mistakes(sources);
  if (files.empty()) mistakes.AddForFile("plan", "no file is given");
  const FileReader read = options.read_file ? FileReader(options.read_file) : FileReader(ReadFromDisk);
  const Node root = ReadTree(files, overlays, read, &sources, &mistakes);
  for (const SourceFile& source : sources) {
    result.files.push_back(source.name);
    result.plan.add_source_files(source.name);
  }
  if (root.kind == Node::Kind::kMap && !files.empty()) {
    const EnvironmentLookup environment =
        options.environment ? options.environment : EnvironmentLookup(ProcessEnvironment);
    Reader reader(environment, &mistakes);
    Reading reading = reader.Read(root, &result.plan);
    CheckPlan(result.plan, reading, options, &mistakes);
    if (options.operations != nullptr) CheckOperations(result.plan, reading, *options.operations, &mistakes);
    CheckExpressions(result.plan, reading, options.compile, &mistakes);
    result.digest = Digest(result.plan);
    // Only now: where a plan lies is no part of what it says.
    for (auto& [file, source] : reading.files) {
      const std::filesystem::path path(*file);
      if (path.is_relative()) {
        *file = (std::filesystem::path(sources[source].name).parent_path() / path).lexically_normal().string();
      }
    }
    result.positions = std::move(reading.values);
    if (result.plan.target().read_only() && options.operations != nullptr) {
      for (const v1::Plan::Operation& operation : result.plan.operations()) {
        const OperationInfo* info = options.operations->Find(operation.id());
        if (info != nullptr && info->creates && operation.steps_size() > 0) {
          result.forbidden_operations.push_back(operation.id());
        }
      }
    }
  }
  result.mistakes = mistakes.Sorted();
  return result;
}

}  // namespace puckdrop::plan
