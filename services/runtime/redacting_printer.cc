#include "services/runtime/redacting_printer.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "puckdrop/v1/options.pb.h"
#include "services/runtime/logging.h"
#include "services/runtime/text.h"

namespace puckdrop::runtime {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kDeepest = 64;
constexpr size_t kLongestBytes = 64;

struct Rules {
  bool secrets = true;
  bool long_bytes = false;
};

void Walk(Message& message, const Rules& rules, int depth);

void WalkAny(google::protobuf::Any& any, const Rules& rules, int depth) {
  const std::string& url = any.type_url();
  const std::string name = url.substr(url.rfind('/') == std::string::npos ? 0 : url.rfind('/') + 1);
  const google::protobuf::Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) {
    any.Clear();
    return;
  }
  std::unique_ptr<Message> value(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!value->ParseFromString(any.value())) {
    any.Clear();
    return;
  }
  Walk(*value, rules, depth + 1);
  any.set_value(value->SerializeAsString());
}

void Redact(Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (text && !field->is_repeated()) {
    reflection.SetString(&message, field, kRedactedText);
  } else if (text) {
    const int count = reflection.FieldSize(message, field);
    for (int i = 0; i < count; ++i) reflection.SetRepeatedString(&message, field, i, kRedactedText);
  } else {
    reflection.ClearField(&message, field);
  }
}

void ShortenBytes(Message& message, const Reflection& reflection, const FieldDescriptor* field) {
  const auto shortened = [](const std::string& value) {
    return value.size() > kLongestBytes ? absl::StrCat("<", value.size(), " bytes>") : value;
  };
  if (!field->is_repeated()) {
    reflection.SetString(&message, field, shortened(reflection.GetString(message, field)));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    reflection.SetRepeatedString(&message, field, i, shortened(reflection.GetRepeatedString(message, field, i)));
  }
}

void Walk(Message& message, const Rules& rules, int depth) {
  if (depth > kDeepest) {
    message.Clear();
    return;
  }
  if (message.GetDescriptor()->full_name() == "google.protobuf.Any") {
    WalkAny(static_cast<google::protobuf::Any&>(message), rules, depth);
    return;
  }
  const Reflection& reflection = *message.GetReflection();
  // Fields that this binary does not know may be anything.
  reflection.MutableUnknownFields(&message)->Clear();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (rules.secrets && field->options().GetExtension(v1::may_hold_secret)) {
      Redact(message, reflection, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field->is_repeated()) {
        for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
          Walk(*reflection.MutableRepeatedMessage(&message, field, i), rules, depth + 1);
        }
      } else {
        Walk(*reflection.MutableMessage(&message, field), rules, depth + 1);
      }
    } else if (rules.long_bytes && field->type() == FieldDescriptor::TYPE_BYTES) {
      ShortenBytes(message, reflection, field);
    }
  }
}

std::unique_ptr<Message> Copy(const Message& message) {
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  return copy;
}

}  // namespace

void RedactInPlace(Message& message) { Walk(message, Rules{}, 0); }

std::string RedactedText(const Message& message) {
  std::unique_ptr<Message> copy = Copy(message);
  Walk(*copy, Rules{.secrets = true, .long_bytes = true}, 0);
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetExpandAny(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(*copy, &text);
  while (absl::EndsWith(text, " ")) text.pop_back();
  return Printable(text, 4096);
}

absl::StatusOr<std::string> RedactedJson(const Message& message, bool pretty) {
  std::unique_ptr<Message> copy = Copy(message);
  RedactInPlace(*copy);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = pretty;
  std::string json;
  google::protobuf::util::Status printed = google::protobuf::util::MessageToJsonString(*copy, &json, options);
  if (!printed.ok()) return absl::InternalError(absl::StrCat("cannot print as JSON: ", printed.ToString()));
  return json;
}

}  // namespace puckdrop::runtime
