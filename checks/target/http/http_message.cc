#include "checks/target/http/http_message.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace puckdrop::http {

void Headers::Add(absl::string_view name, absl::string_view value) {
  fields_.push_back(Header{std::string(name), std::string(value)});
}

void Headers::Set(absl::string_view name, absl::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(absl::string_view name) {
  std::erase_if(fields_, [name](const Header& field) { return absl::EqualsIgnoreCase(field.name, name); });
}

std::optional<absl::string_view> Headers::Get(absl::string_view name) const {
  for (const Header& field : fields_) {
    if (absl::EqualsIgnoreCase(field.name, name)) return absl::string_view(field.value);
  }
  return std::nullopt;
}

std::vector<absl::string_view> Headers::All(absl::string_view name) const {
  std::vector<absl::string_view> all;
  for (const Header& field : fields_) {
    if (absl::EqualsIgnoreCase(field.name, name)) all.push_back(field.value);
  }
  return all;
}

absl::string_view HttpVersionName(HttpVersion version) {
  switch (version) {
    case HttpVersion::kAny:
      return "HTTP/?";
    case HttpVersion::k1_0:
      return "HTTP/1.0";
    case HttpVersion::k1_1:
      return "HTTP/1.1";
    case HttpVersion::k2:
    case HttpVersion::k2PriorKnowledge:
      return "HTTP/2";
  }
  return "HTTP/?";
}

absl::string_view TransportErrorName(TransportError error) {
  switch (error) {
    case TransportError::kNone:
      return "OK";
    case TransportError::kResolve:
      return "RESOLVE";
    case TransportError::kConnectRefused:
      return "CONNECT_REFUSED";
    case TransportError::kConnectTimeout:
      return "CONNECT_TIMEOUT";
    case TransportError::kTlsPeer:
      return "TLS_PEER";
    case TransportError::kReset:
      return "RESET";
    case TransportError::kCutShort:
      return "CUT_SHORT";
    case TransportError::kTimeout:
      return "TIMEOUT";
    case TransportError::kTooLarge:
      return "TOO_LARGE";
    case TransportError::kTooManyHeaders:
      return "TOO_MANY_HEADERS";
    case TransportError::kBadEncoding:
      return "BAD_ENCODING";
    case TransportError::kProtocol:
      return "PROTOCOL";
    case TransportError::kCancelled:
      return "CANCELLED";
    case TransportError::kLocal:
      return "LOCAL";
  }
  return "LOCAL";
}

}  // namespace puckdrop::http
