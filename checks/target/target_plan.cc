#include "checks/target/target_plan.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "checks/plan/template.h"
#include "checks/target/compiled.h"

namespace puckdrop::target {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Plan = puckdrop::v1::Plan;
using puckdrop::v1::Expression;

constexpr int kDeepestUse = 16;

bool IsWordCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Compiler {
 public:
  explicit Compiler(const Plan& plan) : plan_(plan) {}

  void Run(Compiled& compiled, jq::ProgramSet& programs) {
    for (const std::string& name : jq::StandardNames()) names_.insert(name);
    VisitMessages(plan_, [this](const Message& message) {
      if (const auto* step = dynamic_cast<const Plan::Step*>(&message)) {
        for (const auto& one : step->save()) AddName(one.name());
        for (const auto& one : step->hide()) AddName(one.name());
        for (const auto& one : step->with()) AddName(one.name());
      }
      return true;
    });
    VisitMessages(plan_, [&](const Message& message) {
      if (const auto* expression = dynamic_cast<const Expression*>(&message)) {
        compiled.expressions.emplace(
            expression, Make(expression->program(), expression->position(), jq::Scope::kContext, programs));
        return false;
      }
      if (const auto* mapping = dynamic_cast<const Plan::Mapping*>(&message);
          mapping != nullptr && mapping->has_each()) {
        compiled.lists.emplace(mapping,
                               Make(ListProgram(*mapping), mapping->each().position(), jq::Scope::kContext, programs));
        // Its expressions are parts of that program: known for messages, never evaluated alone.
        VisitMessages(*mapping, [&](const Message& below) {
          if (const auto* part = dynamic_cast<const Expression*>(&below)) {
            Expr expr;
            expr.text = part->program();
            expr.position = part->position();
            expr.mentions_body = true;
            compiled.expressions.emplace(part, std::move(expr));
          }
          return true;
        });
        return false;
      }
      return true;
    });
    for (const auto& one : plan_.target().hosts()) compiled.hosts.emplace(one.name(), &one);
    for (const auto& one : plan_.sessions()) compiled.sessions.emplace(one.name(), &one);
    for (const auto& one : plan_.fragments()) compiled.fragments.emplace(one.name(), &one);
    for (const auto& one : plan_.operations()) compiled.operations.emplace(one.id(), &one);
    for (const auto& one : plan_.customers()) compiled.customers.emplace(one.id(), &one);
    for (const auto& one : plan_.payments()) compiled.payments.emplace(one.name(), &one);
  }

 private:
  void AddName(const std::string& name) {
    if (names_.insert(name).second) saved_.insert(name);
  }

  Expr Make(const std::string& text, const puckdrop::v1::SourcePosition& position, jq::Scope scope,
            jq::ProgramSet& programs) const {
    Expr expr;
    expr.text = text;
    expr.position = position;
    jq::Program program;
    program.text = text;
    program.scope = scope;
    for (const std::string& name : names_) {
      if (!MentionsName(text, name)) continue;
      expr.needs.push_back(name);
      if (saved_.contains(name)) program.names.push_back(name);
    }
    expr.mentions_body = MentionsName(text, "body") || MentionsName(text, "body_base64");
    expr.indexes_body = IndexesBody(text);
    FindPath(expr);
    // One position for all: equal texts are one program then, and our own messages carry the position.
    expr.id = programs.Add(std::move(program));
    return expr;
  }

  // Newlines end a comment that an expression may end with.
  static std::string Leaf(const Expression& expression) {
    return absl::StrCat("(try [(", expression.program(), "\n)] catch {\"puckdrop_error\": tostring})");
  }
  static std::string FieldsProgram(const Plan::Mapping& mapping) {
    std::string out = "[";
    for (const Plan::MappedField& field : mapping.fields()) {
      if (out.size() > 1) out.append(", ");
      if (field.has_value()) {
        out.append(Leaf(field.value()));
      } else if (field.message().has_each()) {
        absl::StrAppend(&out, "(try ", ListProgram(field.message()), " catch {\"puckdrop_error\": tostring})");
      } else {
        out.append(FieldsProgram(field.message()));
      }
    }
    return out + "]";
  }
  static std::string ListProgram(const Plan::Mapping& mapping) {
    return absl::StrCat("[(", mapping.each().program(), "\n) as $each | $each | ", FieldsProgram(mapping), "]");
  }

  const Plan& plan_;
  std::set<std::string> names_;  // all
  std::set<std::string> saved_;  // all but the standard ones
};

void Visit(const Compiled& compiled, const google::protobuf::RepeatedPtrField<Plan::Step>& steps,
           const std::function<void(const Plan::Step&)>& visit, int depth) {
  for (const Plan::Step& step : steps) {
    visit(step);
    if (!step.has_use() || depth >= kDeepestUse) continue;
    const auto name = plan::LiteralText(step.use());
    const auto found = name ? compiled.fragments.find(*name) : compiled.fragments.end();
    if (found != compiled.fragments.end()) Visit(compiled, found->second->steps(), visit, depth + 1);
  }
}

}  // namespace

void VisitMessages(const Message& message, const std::function<bool(const Message&)>& visit) {
  if (!visit(message)) return;
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      VisitMessages(reflection.GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      VisitMessages(reflection.GetRepeatedMessage(message, field, i), visit);
    }
  }
}

bool MentionsName(absl::string_view text, absl::string_view name) {
  for (size_t at = text.find(name); at != absl::string_view::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !IsWordCharacter(text[at - 1])) && (end == text.size() || !IsWordCharacter(text[end]))) return true;
  }
  return false;
}

bool IndexesBody(absl::string_view text) {
  constexpr absl::string_view kBody = "body";
  for (size_t at = text.find(kBody); at != absl::string_view::npos; at = text.find(kBody, at + 1)) {
    if (at == 0 || (text[at - 1] != '.' && text[at - 1] != '$')) continue;
    size_t end = at + kBody.size();
    if (end < text.size() && text[end] == '?') ++end;
    if (end < text.size() && (text[end] == '[' || text[end] == '.')) return true;
  }
  return false;
}

void FindPath(Expr& expr) {
  absl::string_view rest = absl::StripAsciiWhitespace(expr.text);
  std::vector<std::string> path;
  const auto word = [&rest]() -> std::string {
    if (rest.empty() || !(absl::ascii_isalpha(static_cast<unsigned char>(rest[0])) || rest[0] == '_')) return "";
    size_t end = 0;
    while (end < rest.size() && IsWordCharacter(rest[end])) ++end;
    std::string out(rest.substr(0, end));
    rest.remove_prefix(end);
    return out;
  };
  if (rest.empty() || (rest[0] != '.' && rest[0] != '$')) return;
  rest.remove_prefix(1);
  std::string name = word();
  if (name.empty()) return;
  path.push_back(std::move(name));
  while (!rest.empty()) {
    if (rest[0] == '.') {
      rest.remove_prefix(1);
      name = word();
      if (name.empty()) return;
      path.push_back(std::move(name));
    } else if (rest.size() > 3 && rest[0] == '[' && rest[1] == '"') {
      const size_t end = rest.find('"', 2);
      if (end == absl::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != ']') return;
      const absl::string_view member = rest.substr(2, end - 2);
      if (member.find('\\') != absl::string_view::npos) return;
      path.emplace_back(member);
      rest.remove_prefix(end + 2);
    } else {
      break;
    }
  }
  // What the pool converts on its way in (bodies, and what is made of them) stays the pool's.
  for (absl::string_view not_here : {"body", "body_base64", "page", "items", "cookies", "hops", "trailers"}) {
    if (path[0] == not_here) return;
  }
  rest = absl::StripAsciiWhitespace(rest);
  if (!rest.empty()) {
    using C = Expr::Compare;
    C compare = C::kNone;
    for (const auto& [text, meaning] : {std::pair<absl::string_view, C>{"==", C::kEqual},
                                        {"!=", C::kUnequal},
                                        {"<=", C::kAtMost},
                                        {">=", C::kAtLeast},
                                        {"<", C::kLess},
                                        {">", C::kGreater}}) {
      if (compare == C::kNone && rest.substr(0, text.size()) == text) {
        compare = meaning;
        rest.remove_prefix(text.size());
      }
    }
    rest = absl::StripAsciiWhitespace(rest);
    if (compare == C::kNone || rest.empty() || rest.size() > 9) return;
    for (char c : rest) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return;
    }
    if (path != std::vector<std::string>{"status"} || !absl::SimpleAtod(rest, &expr.number)) return;
    expr.compare = compare;
  }
  expr.path = std::move(path);
}

void VisitSteps(const Compiled& compiled, const google::protobuf::RepeatedPtrField<Plan::Step>& steps,
                const std::function<void(const Plan::Step&)>& visit) {
  Visit(compiled, steps, visit, 0);
}

TargetPlan::TargetPlan() = default;
TargetPlan::~TargetPlan() = default;

std::string TargetPlan::Where(const puckdrop::v1::SourcePosition& position) const {
  return plan::ToText(*plan_, position);
}

absl::StatusOr<std::shared_ptr<const TargetPlan>> TargetPlan::Make(std::shared_ptr<const Plan> plan,
                                                                   SecretSource secrets) {
  std::shared_ptr<TargetPlan> made(new TargetPlan);
  made->plan_ = std::move(plan);
  made->secrets_ = std::move(secrets);
  auto programs = std::make_shared<jq::ProgramSet>();
  auto compiled = std::make_unique<Compiled>();
  Compiler(*made->plan_).Run(*compiled, *programs);
  for (const Plan::Host& host : made->plan_->target().hosts()) {
    std::vector<std::string> addresses(host.urls().begin(), host.urls().end());
    if (!host.url().empty()) addresses.insert(addresses.begin(), host.url());
    for (const std::string& address : addresses) {
      if (const absl::Status added = made->host_rules_.Add(host.name(), address); !added.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(made->Where(host.position()), ": host ", host.name(), ": ", added.message()));
      }
    }
  }
  made->programs_ = std::move(programs);
  made->compiled_ = std::move(compiled);
  return std::shared_ptr<const TargetPlan>(std::move(made));
}

}  // namespace puckdrop::target
