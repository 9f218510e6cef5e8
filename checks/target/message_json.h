// Between messages and the JSON that the plan's expressions see and give.
#ifndef PUCKDROP_CHECKS_TARGET_MESSAGE_JSON_H_
#define PUCKDROP_CHECKS_TARGET_MESSAGE_JSON_H_

#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace puckdrop::target {

// A request as `.request`: an object with every field of the message, by the proto's names. What is not set is null
// (texts, enums, messages and optional fields), so that a hole leaves it out; truth values and numbers without presence
// are always there; lists and maps are there, empty. Enums are short names, instants RFC 3339, durations seconds, bytes
// base64.
std::string RequestJson(const google::protobuf::Message& message);

// Puts one JSON value into a field, which must not be set yet. OK with `told` false: null, nothing was put. Otherwise
// the error is INVALID_ARGUMENT, a clause that says what is wrong with the value: "is \"busy\", which is none of
// PENDING, …".
//
// Forms: money is {currency_code, minor_units} or "14.90 EUR"; enums by short or full name; instants RFC 3339 or
// seconds since 1970; durations seconds, "1h30m" or ISO 8601 (PT30S); bytes base64; texts also from numbers; whole
// numbers also from texts. Texts named `date` or `*_date` must be YYYY-MM-DD. A list wants an array, a map an object, a
// message an object with the proto's names, whose required fields must be there.
//
// Told fields are added to `told_paths` as `path` and, for messages, what is below it.
struct Put {
  absl::Status status;
  bool told = false;
  bool missing = false;  // the error is a required field that is not there
};
Put PutField(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
             const nlohmann::json& value, const std::string& path, std::set<std::string>& told_paths);

// Fills a message from an object. As PutField.
Put PutMessage(google::protobuf::Message& message, const nlohmann::json& object, const std::string& path,
               std::set<std::string>& told_paths);

// The first required field of the message that is not among `told` (names of its own fields); empty when none is
// missing.
std::string MissingField(const google::protobuf::Descriptor& type, const std::set<std::string>& told);

bool IsRequired(const google::protobuf::FieldDescriptor& field);

// A JSON value as the plan's messages quote it: short.
std::string Quoted(const nlohmann::json& value);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_MESSAGE_JSON_H_
