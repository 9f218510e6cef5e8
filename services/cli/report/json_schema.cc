#include <nlohmann/json.hpp>
#include <utility>

#include "services/cli/report/report.h"

namespace puckdrop::report {
namespace {

using Json = nlohmann::ordered_json;

Json Typed(const char* type, const char* description) {
  Json out = {{"type", type}};
  if (*description != '\0') out["description"] = description;
  return out;
}
Json Text(const char* description = "") { return Typed("string", description); }
Json Integer(const char* description = "") { return Typed("integer", description); }
Json Number(const char* description = "") { return Typed("number", description); }
Json Boolean(const char* description = "") { return Typed("boolean", description); }
Json OrNull(Json schema) {
  schema["type"] = Json::array({schema["type"], "null"});
  return schema;
}
Json Time(const char* description = "") {
  Json out = Text(description);
  out["format"] = "date-time";
  return OrNull(std::move(out));
}
Json Share(const char* description = "") {
  Json out = Number(description);
  out["minimum"] = 0;
  out["maximum"] = 1;
  return out;
}
Json OneOf(std::initializer_list<const char*> words) {
  Json out = {{"type", "string"}, {"enum", Json::array()}};
  for (const char* word : words) out["enum"].push_back(word);
  return out;
}
Json List(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }
Json Ref(const char* name) { return {{"$ref", std::string("#/$defs/") + name}}; }
Json MapOf(Json values) { return {{"type", "object"}, {"additionalProperties", std::move(values)}}; }

// Everything written is always written; keys may be added within v1.
Json Object(std::initializer_list<std::pair<const char*, Json>> properties) {
  Json out = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  for (const auto& [name, schema] : properties) {
    out["properties"][name] = schema;
    out["required"].push_back(name);
  }
  return out;
}

Json Definitions() {
  Json out = Json::object();
  out["state"] = OneOf({"GO", "GO_WITH_WAIVERS", "NO_GO", "INCONCLUSIVE"});
  out["path"] = OneOf({"ordering", "cancellation", "device_support", "playback", "billing", "notices", ""});
  out["checks"] = List(Object({{"check", Text()}, {"customers", List(Text())}}));
  out["finding"] = Object({{"id", Text("stable within the check; what a waiver names")},
                           {"text", Text()},
                           {"expected", Text()},
                           {"actual", Text()},
                           {"where", Text("stream, rendition, offer; empty: the whole")}});
  out["symptom"] = out["finding"];
  out["symptom"]["properties"]["customers"] = List(Text());
  out["symptom"]["required"].push_back("customers");
  out["problem"] = Object({{"check", Text("the root: what others stand on")},
                           {"path", Ref("path")},
                           {"sentence", Text("what a customer would say")},
                           {"customers", List(Text("`any`: every customer"))},
                           {"audience_share", Share()},
                           {"findings", List(Ref("symptom"))},
                           {"operation", Text()},
                           {"step", Integer("0: no step")},
                           {"steps", Integer()},
                           {"since", Time()},
                           {"blocked_instances", Integer()},
                           {"blocks", Ref("checks")},
                           {"supporting", Boolean("it was not selected, but what was selected stands on it")},
                           {"waiver", Integer("index in `waivers`; -1: none")},
                           {"runbook", Text()},
                           {"plan_position", Text("file:line:column")},
                           {"reproduce", Text("a command; secrets as $NAME")}});
  out["note"] = Object({{"check", Text()}, {"customers", List(Text())}, {"text", Text()}});
  out["result"] =
      Object({{"outcome", OneOf({"passed", "failed", "blocked", "inconclusive", "skipped"})},
              {"summary", Text()},
              {"warning", Boolean("passed, past its `warn` threshold")},
              {"flaky", Boolean("passed after a look that did not")},
              {"confirmed", Boolean("failed twice")},
              {"attempts", Integer()},
              {"skip_cause", Text("DOES_NOT_APPLY, NOT_OFFERED, NOT_JUDGED, NOT_MAPPED, NOT_TOLD, READ_ONLY, "
                                  "TOOL_MISSING or empty")},
              {"blocked_by", Text()},
              {"reason", Text("WRONG_ANSWER, TARGET_FAULT, UNREADABLE, UNEXPECTED_REFUSAL, TOO_SLOW, "
                              "CERTIFICATE, MEDIA, OURS, UNREACHABLE or empty")},
              {"findings", List(Ref("finding"))},
              {"operation", Text()},
              {"step", Integer()},
              {"steps", Integer()},
              {"plan_position", Text()},
              {"observed_value", OrNull(Number())},
              {"unit", Text()},
              {"start_time", Time()},
              {"duration_seconds", Number()},
              {"vantage", Text()},
              {"configuration", Text()},
              {"through_back_office", Boolean()},
              {"evidence", List(Text("name in `evidence`"))},
              {"reproduce", Text()}});
  return out;
}

}  // namespace

std::string JsonReportSchema() {
  Json schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "puckdrop.report.v1"},
      {"description", "What `puckdrop gate --report json=FILE` writes. Keys may be added; none changes its meaning."}};
  Json body = Object(
      {{"schema", {{"const", "puckdrop.report.v1"}}},
       {"verdict", Object({{"state", Ref("state")},
                           {"why", Text()},
                           {"audience_affected", Share("share of the audience hit by a blocking failure")},
                           {"customers_hit", List(Text())},
                           {"ok", Integer("instances that can stop the launch, by standing")},
                           {"failed", Integer()},
                           {"waived", Integer()},
                           {"unknown", Integer()},
                           {"asked", Integer("their sum")},
                           {"filtered", Boolean("a selection was judged: not a launch verdict")},
                           {"selected", Integer()},
                           {"expected", Integer("instances the whole plan expects")},
                           {"causes", List(Text("a cause that belongs to no check"))},
                           {"not_judged", List(Text())},
                           {"changed", List(Text("since the last GO"))}})},
       {"exit_code", Integer()},
       {"launch", Object({{"id", Text()},
                          {"title", Text()},
                          {"puck_drop", Time()},
                          {"time_zone", Text("IANA name")},
                          {"customers", List(Object({{"id", Text()},
                                                     {"audience_share", Share()},
                                                     {"market", Text()},
                                                     {"device", Text()},
                                                     {"payment", Text()}}))},
                          {"others_audience_share", Share("of whom nobody stands for")}})},
       {"plan", Object({{"files", List(Text())},
                        {"digest", Text()},
                        {"target_urls", List(Text())},
                        {"configuration", Text("fingerprint the target told")}})},
       {"run", Object({{"id", Text()},
                       {"start_time", Time()},
                       {"end_time", Time()},
                       {"duration_seconds", OrNull(Number())},
                       {"vantage", Text()},
                       {"command", Text()},
                       {"version", Text()},
                       {"ended_by", Text("a signal or the deadline; empty: it ran to its end")}})},
       {"paths", List(Object({{"path", Ref("path")},
                              {"state", Ref("state")},
                              {"left_out", Boolean("wholly not asked: no part of the launch's verdict")},
                              {"why", Text()},
                              {"ok", Integer()},
                              {"failed", Integer()},
                              {"waived", Integer()},
                              {"unknown", Integer()},
                              {"not_asked", Integer()},
                              {"audience_affected", Share()}}))},
       {"broken", List(Ref("problem"))},
       {"unknown", List(Object({{"why", Text()},
                                {"advisory", Boolean("cannot stop the launch")},
                                {"instances", Integer()},
                                {"checks", Ref("checks")}}))},
       {"flaky", List(Ref("note"))},
       {"close_to_limit", List(Ref("note"))},
       {"advisory", List(Ref("problem"))},
       {"waived", List(Ref("problem"))},
       {"promises", List(Object({{"id", Text()},
                                 {"text", Text()},
                                 {"state", OneOf({"kept", "broken", "unknown"})},
                                 {"broken_by", List(Text())}}))},
       {"waivers", List(Object({{"check", Text()},
                                {"customer", Text("empty: all")},
                                {"owner", Text()},
                                {"reason", Text()},
                                {"expires", Text("YYYY-MM-DD")},
                                {"notice_url", Text()},
                                {"notice_says", Text()},
                                {"state", OneOf({"honoured", "expired", "unannounced", "unreachable"})},
                                {"why", Text()},
                                {"notice_seen_time", Time()}}))},
       {"obligations_open", List(Object({{"name", Text()},
                                         {"operation", Text()},
                                         {"customer", Text()},
                                         {"account", Text()},
                                         {"target_ids", MapOf(Text())},
                                         {"stuck", Boolean("we tried and could not: a person must act")},
                                         {"attempts", Integer()},
                                         {"last_error", Text()},
                                         {"manual_action", Text("what a person must do; empty: it settles by itself")},
                                         {"create_time", Time()}}))},
       {"state_dir", Text("where they are written down")},
       {"warnings", List(Text())},
       {"instances", List(Object({{"check", Text()},
                                  {"customer", Text()},
                                  {"path", Ref("path")},
                                  {"severity", OneOf({"BLOCKING", "ADVISORY"})},
                                  {"standing", OneOf({"ok", "failed", "waived", "unknown", "not_asked"})},
                                  {"why", Text()},
                                  {"root", Text()},
                                  {"waiver", Integer("index in `waivers`; -1: none")},
                                  {"audience_share", Share()},
                                  {"result", {{"anyOf", Json::array({Ref("result"), Typed("null", "")})}}}}))},
       {"supporting", List(Object({{"check", Text()}, {"customer", Text()}, {"result", Ref("result")}}))},
       {"operations", List(Object({{"operation", Text()},
                                   {"ends", MapOf(Integer())},
                                   {"exchanges", Integer()},
                                   {"median_seconds", Number()},
                                   {"longest_seconds", Number()}}))},
       {"evidence", List(Object({{"name", Text()},
                                 {"kind", OneOf({"exchanges", "playlist", "picture", "numbers", "other"})},
                                 {"media_type", Text()},
                                 {"title", Text()},
                                 {"bytes", Integer()},
                                 {"truncated", Boolean()}}))},
       {"checks", MapOf(Object({{"sentence", Text()},
                                {"question", Text()},
                                {"source", Text()},
                                {"runbook", Text()},
                                {"thresholds", {{"type", "object"}}}}))}});
  schema.update(body);
  schema["$defs"] = Definitions();
  return schema.dump(2) + "\n";
}

}  // namespace puckdrop::report
