#include "checks/plan/schema.h"

#include <google/protobuf/descriptor.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/plan/reader.h"
#include "nlohmann/json.hpp"

namespace puckdrop::plan {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

// A value that may come from the environment instead.
constexpr char kEnvironment[] = "^.*\\$\\{.+\\}.*$";
// Lists of messages nest in responses (Offer.charges), but not deeper than this.
constexpr int kDeepestResponse = 8;

Json Ref(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }
Json Text(const std::string& description) { return {{"type", "string"}, {"description", description}}; }
Json Either(Json schemas) { return {{"anyOf", std::move(schemas)}}; }

Json Pattern(const std::string& pattern, const std::string& description) {
  return Either({{{"type", "string"}, {"pattern", pattern}, {"description", description}},
                 {{"type", "string"}, {"pattern", kEnvironment}}});
}

Json FormSchema(const FieldDescriptor& field) {
  switch (field.options().GetExtension(v1::form)) {
    case v1::TEXT_FORM_DATE:
      return Pattern("^\\d{4}-\\d{2}-\\d{2}$", "A date, YYYY-MM-DD.");
    case v1::TEXT_FORM_PERIOD:
      return Pattern("^P(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?$", "An ISO 8601 period: P1M.");
    case v1::TEXT_FORM_TIME_ZONE:
      return Text("A time zone of the IANA database: Europe/Helsinki.");
    case v1::TEXT_FORM_URL:
      return Pattern("^https?://", "An http or https address.");
    case v1::TEXT_FORM_PERCENT:
      return Pattern("^\\d+(\\.\\d{1,2})? ?%$", "A percentage: 25.5 %.");
    case v1::TEXT_FORM_BYTES:
      return Either({{{"type", "integer"}}, {{"type", "string"}, {"pattern", "^\\d+ ?([kMGT]?B|[KMG]iB)$"}}});
    case v1::TEXT_FORM_ID:
      return Pattern("^[a-z0-9][a-z0-9_.-]*$", "An id.");
    case v1::TEXT_FORM_NAME:
      return Pattern("^[a-z_][a-z0-9_]*$", "A name for expressions.");
    case v1::TEXT_FORM_MARKET:
      return Pattern("^[A-Z]{2}$", "A country code: FI.");
    default:
      return {{"type", "string"}};
  }
}

Json Scalar(const FieldDescriptor& field) {
  Json number = {{"type", "number"}};
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return Either({{{"type", "boolean"}}, {{"type", "string"}, {"pattern", kEnvironment}}});
    case FieldDescriptor::CPPTYPE_ENUM:
      return {{"enum", WordsOf(*field.enum_type())}};
    case FieldDescriptor::CPPTYPE_INT32:
      if (field.options().GetExtension(v1::form) != v1::TEXT_FORM_UNSPECIFIED) return FormSchema(field);
      number["type"] = "integer";
      [[fallthrough]];
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (field.options().GetExtension(v1::positive)) number["exclusiveMinimum"] = 0;
      return Either({number, {{"type", "string"}, {"pattern", kEnvironment}}});
    case FieldDescriptor::CPPTYPE_INT64:
      return FormSchema(field);
    default: {
      Json schema = FormSchema(field);
      // `title: 2026` is a text to us and a number to an editor.
      if (schema.contains("type") && field.options().GetExtension(v1::form) == v1::TEXT_FORM_UNSPECIFIED) {
        schema["type"] = {"string", "number", "boolean"};
      }
      return schema;
    }
  }
}

class Builder {
 public:
  explicit Builder(const OperationCatalogue& operations) : operations_(operations) {}

  Json Build() {
    definitions_ = Json::object();
    Json plan = Object(*v1::Plan::descriptor());
    plan["properties"]["include"] = {
        {"type", "array"}, {"items", {{"type", "string"}}}, {"description", "Files joined with this one."}};
    plan.erase("required");
    Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Puckdrop plan"}};
    out.update(plan);
    Operations(&out["properties"]["operations"]);
    out["$defs"] = definitions_;
    return out;
  }

 private:
  Json Message(const Descriptor& message) {
    const std::string& type = message.full_name();
    if (type == "puckdrop.v1.Expression")
      return {{"type", {"string", "number", "boolean"}}, {"description", "A jq program."}};
    if (type == "puckdrop.v1.Template")
      return {{"type", {"string", "number", "boolean"}}, {"description", "A text; {{ jq }} is a hole."}};
    if (type == "puckdrop.v1.Value") return Json::object();
    if (type == "puckdrop.v1.Plan.Mapping") return Ref("Mapping");
    if (type == "google.protobuf.Duration")
      return Pattern("^[+-]?(\\d+(\\.\\d+)?(ms|s|m|h|d))+$", "A duration: 10s, 1m30s, -15m.");
    if (type == "google.protobuf.Timestamp") return Text("An instant with its zone: 2026-12-04T18:30:00+02:00.");
    if (type == "puckdrop.target.v1.Money") return Pattern("^-?\\d+(\\.\\d+)? [A-Z]{3}$", "Money: 14.90 EUR.");
    if (type == "puckdrop.v1.Plan.Quality") return Pattern("^\\d+[pi]\\d*$", "A picture's quality: 720p50.");
    if (type == "puckdrop.v1.Plan.Threshold")
      return {{"type", {"number", "string"}}, {"description", "A number, or a duration: 30s."}};
    if (const FieldDescriptor* inlined = InlinedField(message)) return Field(*inlined);
    const std::string& name = message.name();
    if (started_.insert(name).second) {
      Json schema = Special(message);
      definitions_[name] = std::move(schema);
    }
    return Ref(name);
  }

  Json Special(const Descriptor& message) {
    const std::string& name = message.name();
    if (name == "Secret") {
      return {{"type", "object"},
              {"minProperties", 1},
              {"maxProperties", 1},
              {"additionalProperties", false},
              {"properties", {{"env", Text("An environment variable.")}, {"file", Text("A file.")}}}};
    }
    Json schema = Object(message);
    if (name == "Redirects") {
      return Either({{{"const", "none"}}, {{"type", "integer"}, {"minimum", 0}, {"maximum", 50}}, schema});
    }
    if (name == "Http") {
      Json verbs = Json::array();
      for (const std::string& verb : HttpVerbs()) {
        schema["properties"][verb] = Message(*v1::Template::descriptor());
        verbs.push_back({{"required", {verb}}});
      }
      schema["oneOf"] = verbs;
    }
    if (name == "Operation") {
      schema["properties"].erase("id");
      const Json step = Object(*v1::Plan::Step::descriptor());
      for (const auto& [key, value] : step["properties"].items()) schema["properties"][key] = value;
    }
    if (name == "Customer") {
      schema["properties"]["accounts"] = Either({{{"const", "new"}}, schema["properties"]["accounts"]});
      // `others` has a share only.
      schema["required"] = {"id", "audience_share"};
    }
    if (name == "Undo") {
      Json by_steps = Object(*v1::Plan::UndoSteps::descriptor());
      Json by_operation = Object(*v1::Plan::UndoOperation::descriptor());
      Json nothing = {{"type", "object"},
                      {"additionalProperties", false},
                      {"required", {"nothing"}},
                      {"properties", {{"nothing", Text("Why nothing is left behind.")}}}};
      return Either({by_steps, by_operation, nothing});
    }
    return schema;
  }

  Json Object(const Descriptor& message) {
    Json properties = Json::object();
    Json required = Json::array();
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      if (field.options().GetExtension(v1::loader_only) || field.name() == "position" ||
          !field.options().GetExtension(v1::not_yet).empty()) {
        continue;
      }
      properties[field.name()] = Field(field);
      if (field.options().GetExtension(v1::required)) required.push_back(field.name());
    }
    Json out = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
    if (!required.empty()) out["required"] = required;
    return out;
  }

  Json Field(const FieldDescriptor& field) {
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field.is_repeated()) return is_message ? Message(*field.message_type()) : Scalar(field);
    if (!field.options().GetExtension(v1::keyed_by).empty()) {
      Json out = {{"type", {"object", "null"}}, {"additionalProperties", Keyed(*field.message_type())}};
      return out;
    }
    Json list = {{"type", {"array", "null"}}, {"items", is_message ? Message(*field.message_type()) : Scalar(field)}};
    if (is_message && field.message_type()->name() == "Step") {
      return Either({list, Text("A fragment's name.")});
    }
    return list;
  }

  // Without the key, which stands outside.
  Json Keyed(const Descriptor& message) {
    if (InlinedField(message) != nullptr) return Message(message);
    Message(message);
    for (const char* key : {"name", "id", "check"}) {
      if (definitions_[message.name()].contains("properties")) definitions_[message.name()]["properties"].erase(key);
    }
    return Ref(message.name());
  }

  void Operations(Json* field) {
    definitions_["Mapping"] = {{"type", "object"}};
    Json properties = Json::object();
    for (const std::string& id : operations_.Ids()) {
      const OperationInfo* info = operations_.Find(id);
      properties[id] = {{"allOf", Json::array({Ref("Operation")})},
                        {"properties", {{"returns", Returns(*info->response, 0)}}}};
    }
    *field = {{"type", {"object", "null"}}, {"additionalProperties", false}, {"properties", properties}};
  }

  Json Returns(const Descriptor& response, int depth) {
    const Json expression = Message(*v1::Expression::descriptor());
    Json properties = Json::object();
    for (int i = 0; i < response.field_count(); ++i) {
      const FieldDescriptor& field = *response.field(i);
      if (depth == 0 && field.name() == "refusal") continue;
      const bool by_field = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_map() &&
                            !absl::StartsWith(field.message_type()->full_name(), "google.protobuf.");
      if (!by_field || depth >= kDeepestResponse) {
        properties[field.name()] = expression;
        continue;
      }
      Json inner = Returns(*field.message_type(), depth + 1);
      if (field.is_repeated()) {
        inner["properties"]["each"] = expression;
        inner["required"] = {"each"};
      }
      properties[field.name()] = Either({expression, inner});
    }
    return {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  }

  const OperationCatalogue& operations_;
  Json definitions_;
  std::set<std::string> started_;
};

}  // namespace

std::string JsonSchema(const OperationCatalogue& operations) { return Builder(operations).Build().dump(2) + "\n"; }

}  // namespace puckdrop::plan
