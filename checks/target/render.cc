// Templates and values of the plan with their holes filled.
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "checks/plan/template.h"
#include "checks/target/message_json.h"
#include "checks/target/scope.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;
using puckdrop::v1::Template;
using puckdrop::v1::Value;

// RFC 3986 section 2.3: everything else is escaped, so that no value can end its segment.
std::string PercentEncoded(absl::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

// A JSON scalar as it stands in a text; nothing for null, arrays and objects.
std::optional<std::string> ScalarText(const std::string& json_text) {
  if (json_text.empty() || json_text == "null" || json_text[0] == '[' || json_text[0] == '{') return std::nullopt;
  if (json_text[0] != '"') return json_text;
  const json value = json::parse(json_text, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

std::string Excerpt(const std::string& json_text) {
  return Quoted(json::parse(json_text, nullptr, /*allow_exceptions=*/false));
}

// One value of a hole; sets the problem otherwise.
const std::string* HoleValue(const Expr& expr, const ExprResults& results, std::optional<Problem>& problem) {
  const ExprResult& result = results.Of(expr);
  if (result.ok() && result.values.size() == 1) return &result.values[0];
  problem = ExpressionProblem(expr, result, nullptr);
  return nullptr;
}

Problem HoleProblem(const Expr& expr, std::string words) {
  Problem problem;
  problem.end = End::kUnreadable;
  problem.kind = FailureKind::kExpression;
  problem.position = expr.position;
  problem.words = std::move(words);
  return problem;
}

}  // namespace

void CollectHoles(const Compiled& compiled, const Template& text, std::vector<const Expr*>& out) {
  for (const auto& part : text.parts()) {
    if (part.has_hole()) out.push_back(&compiled.Of(part.hole()));
  }
}

void CollectHoles(const Compiled& compiled, const Value& value, std::vector<const Expr*>& out) {
  switch (value.kind_case()) {
    case Value::kText:
      CollectHoles(compiled, value.text(), out);
      break;
    case Value::kList:
      for (const Value& one : value.list().values()) CollectHoles(compiled, one, out);
      break;
    case Value::kMap:
      for (const auto& one : value.map().members()) CollectHoles(compiled, one.value(), out);
      break;
    default:
      break;
  }
}

std::optional<std::vector<std::string>> RenderTexts(const Compiled& compiled, const Template& text,
                                                    const ExprResults& results, Encoding encoding, bool allow_list,
                                                    std::optional<Problem>& problem) {
  if (plan::IsOneHole(text)) {
    const Expr& expr = compiled.Of(text.parts(0).hole());
    const std::string* value = HoleValue(expr, results, problem);
    if (value == nullptr || *value == "null") return std::nullopt;
    if (allow_list && (*value)[0] == '[') {
      const json list = json::parse(*value, nullptr, /*allow_exceptions=*/false);
      std::vector<std::string> out;
      for (const json& one : list) {
        auto scalar = ScalarText(one.dump(-1, ' ', false, json::error_handler_t::replace));
        if (!scalar) {
          problem = HoleProblem(expr, absl::StrCat("is ", Excerpt(*value), ", which is no list of scalars"));
          return std::nullopt;
        }
        out.push_back(*std::move(scalar));
      }
      return out;
    }
    auto scalar = ScalarText(*value);
    if (!scalar) {
      problem = HoleProblem(expr, absl::StrCat("the hole is ", Excerpt(*value), " where a text is wanted"));
      return std::nullopt;
    }
    return std::vector<std::string>{*std::move(scalar)};
  }
  std::string out;
  for (const auto& part : text.parts()) {
    if (!part.has_hole()) {
      out.append(part.literal());
      continue;
    }
    const Expr& expr = compiled.Of(part.hole());
    const std::string* value = HoleValue(expr, results, problem);
    if (value == nullptr) return std::nullopt;
    const auto scalar = ScalarText(*value);
    if (!scalar) {
      problem = HoleProblem(expr, absl::StrCat("the hole `", expr.text, "` is ", Excerpt(*value),
                                               ", and a hole inside a longer text must be a scalar"));
      return std::nullopt;
    }
    out.append(encoding == Encoding::kUrl ? PercentEncoded(*scalar) : *scalar);
  }
  return std::vector<std::string>{std::move(out)};
}

std::optional<std::string> RenderText(const Compiled& compiled, const Template& text, const ExprResults& results,
                                      Encoding encoding, std::optional<Problem>& problem) {
  auto texts = RenderTexts(compiled, text, results, encoding, false, problem);
  if (!texts || texts->empty()) return std::nullopt;
  return std::move(texts->front());
}

std::optional<std::string> RenderValue(const Compiled& compiled, const Value& value, const ExprResults& results,
                                       const SecretValueOf& secret, std::optional<Problem>& problem) {
  switch (value.kind_case()) {
    case Value::kBoolean:
      return value.boolean() ? "true" : "false";
    case Value::kNumber:
      return value.number();
    case Value::kText: {
      if (plan::IsOneHole(value.text())) {
        const std::string* hole = HoleValue(compiled.Of(value.text().parts(0).hole()), results, problem);
        if (hole == nullptr || *hole == "null") return std::nullopt;
        return *hole;
      }
      const auto text = RenderText(compiled, value.text(), results, Encoding::kNone, problem);
      if (problem) return std::nullopt;
      return JsonText(text.value_or(""));
    }
    case Value::kList: {
      std::string out = "[";
      for (const Value& one : value.list().values()) {
        const auto item = RenderValue(compiled, one, results, secret, problem);
        if (problem) return std::nullopt;
        absl::StrAppend(&out, out.size() > 1 ? "," : "", item.value_or("null"));
      }
      return out + "]";
    }
    case Value::kMap: {
      std::string out = "{";
      for (const auto& one : value.map().members()) {
        const auto member = RenderValue(compiled, one.value(), results, secret, problem);
        if (problem) return std::nullopt;
        if (member) absl::StrAppend(&out, out.size() > 1 ? "," : "", JsonText(one.name()), ":", *member);
      }
      return out + "}";
    }
    case Value::kSecret: {
      const auto text = secret(value.secret(), problem);
      if (problem || !text) return std::nullopt;
      return JsonText(*text);
    }
    case Value::kNull:
    case Value::KIND_NOT_SET:
      break;
  }
  return "null";
}

}  // namespace puckdrop::target
