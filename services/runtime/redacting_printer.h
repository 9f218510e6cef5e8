// The only way from a message to text: what our options mark as perhaps a secret never leaves it.
#ifndef PUCKDROP_SERVICES_RUNTIME_REDACTING_PRINTER_H_
#define PUCKDROP_SERVICES_RUNTIME_REDACTING_PRINTER_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/statusor.h"

namespace puckdrop::runtime {

inline constexpr char kRedactedText[] = "<redacted>";

// Replaces every field marked (may_hold_secret) in place, at any depth: texts by "<redacted>", messages, lists and
// numbers are cleared. Any values are opened; one of a type that this binary does not know is emptied.
void RedactInPlace(google::protobuf::Message& message);

// One line of protobuf text, for logs; bytes longer than 64 are told by their size; at most 4 KiB, cut beyond with "…".
// Control characters are escaped.
std::string RedactedText(const google::protobuf::Message& message);

// Protobuf JSON with the proto's field names, whole. INTERNAL when protobuf cannot print it.
absl::StatusOr<std::string> RedactedJson(const google::protobuf::Message& message, bool pretty = false);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_REDACTING_PRINTER_H_
