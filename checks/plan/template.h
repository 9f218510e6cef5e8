#ifndef PUCKDROP_CHECKS_PLAN_TEMPLATE_H_
#define PUCKDROP_CHECKS_PLAN_TEMPLATE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::plan {

// A piece of a template's text.
struct TemplatePart {
  bool is_hole = false;
  // The literal text, or the jq program without the spaces around it.
  std::string text;
  // Of `text` in the template, in bytes.
  std::size_t offset = 0;
};

// What ParseTemplate says of a text it cannot split.
struct TemplateError {
  std::size_t offset = 0;
  std::string message;
};

// A template, split.
struct ParsedTemplate {
  std::vector<TemplatePart> parts;
  std::optional<TemplateError> error;
};

// Splits `/orders/{{ .order }}` into literals and holes. `}}` ends a hole only outside brackets, strings and jq
// comments; inside a jq string `\( … )` is code again. Pure; never fails otherwise than by `error`.
ParsedTemplate ParseTemplate(absl::string_view text);

// The text is exactly one hole: the value keeps its JSON type.
bool IsOneHole(const v1::Template& text);
// The text if it has no hole, else nothing.
std::optional<std::string> LiteralText(const v1::Template& text);

// Where the character at byte `offset` of a text stands that begins at `position`; the text's beginning if the text
// does not stand in the file letter by letter.
v1::SourcePosition PositionAt(const v1::SourcePosition& position, absl::string_view text, std::size_t offset);

// `file:line:column`, or empty if unknown.
std::string ToText(const v1::Plan& plan, const v1::SourcePosition& position);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_TEMPLATE_H_
