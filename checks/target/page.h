// An HTML page as `.page` of the plan's expressions, and its forms as a browser sends them.
#ifndef PUCKDROP_CHECKS_TARGET_PAGE_H_
#define PUCKDROP_CHECKS_TARGET_PAGE_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace puckdrop::target {

// The page as JSON text:
//   {"title", "text", "language",
//    "links": [{"href", "text", "rel"}],
//    "forms": [{"id", "name", "action", "method", "enctype", "fields": {name: value, …},
//               "controls": [{"name", "type", "value", "sent"}]}]}
// `action` is resolved against `url` (and <base>), `href` too, where they are http or https. `method` is "get" or
// "post". `fields` holds what would be sent without pressing a button, of several with one name the first; `controls`
// all of them in order, with `sent` false for unchecked boxes, disabled fields and buttons. Pure; safe on any bytes.
// Of the links the first 2,000 are
// shown and 1,000 bytes of each one's text; of the forms the first 1,000 and 2,000 controls of each. INVALID_ARGUMENT
// past 4 MiB or 20,000 opened tags.
absl::StatusOr<std::string> PageJson(absl::string_view html, absl::string_view url);

// A form ready to be sent.
struct FormRequest {
  std::string method;  // "GET" or "POST"
  std::string action;
  std::vector<std::pair<std::string, std::string>> fields;
};

// One field to fill in; nullopt leaves it out.
using FilledField = std::pair<std::string, std::optional<std::string>>;

// What a browser sends for `form` (one of `forms` above) with those fields filled in, and with the named button
// pressed, or the first one that has a name. A field that the form lacks is added: scripts do that. INVALID_ARGUMENT:
// not a form, no such button, or a form that uploads files.
absl::StatusOr<FormRequest> FillForm(const nlohmann::json& form, const std::vector<FilledField>& set,
                                     absl::string_view button);

// application/x-www-form-urlencoded (WHATWG URL, "application/x-www-form-urlencoded percent-encode set").
std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_PAGE_H_
