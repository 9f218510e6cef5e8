// `returns`: from what the expressions gave to the operation's response.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/target/catalogue.h"
#include "checks/target/interpreter.h"
#include "checks/target/message_json.h"

namespace puckdrop::target {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

// What one field's expression gave.
struct Leaf {
  json owned;
  const json* values = nullptr;  // an array: `owned`, or one that somebody else holds
  std::optional<Problem> problem;
};

class Filler {
 public:
  Filler(const Compiled& compiled, const ExprResults& results, const Answer* answer, std::set<std::string>& told)
      : compiled_(compiled), results_(results), answer_(answer), told_(told) {}

  // False: `problem` says why. `any`: at least one field was told.
  bool Fill(Message& message, const Plan::Mapping& mapping, const json* listed, const std::string& path,
            const std::string& shown, bool& any) {
    std::set<std::string> fields;
    for (int i = 0; i < mapping.fields_size(); ++i) {
      const Plan::MappedField& field = mapping.fields(i);
      const FieldDescriptor* descriptor = message.GetDescriptor()->FindFieldByName(field.field());
      if (descriptor == nullptr) {
        return Fail(FailureKind::kType, field.position(),
                    absl::StrCat(message.GetDescriptor()->name(), " has no field ", field.field()));
      }
      const json* item = listed == nullptr ? nullptr : &(*listed)[static_cast<size_t>(i)];
      const std::string below = path.empty() ? field.field() : absl::StrCat(path, ".", field.field());
      const std::string show = shown.empty() ? field.field() : absl::StrCat(shown, ".", field.field());
      bool told = false;
      if (!FillField(message, *descriptor, field, item, below, show, told)) return false;
      if (told) {
        fields.insert(field.field());
        told_.insert(below);
      }
    }
    any = !fields.empty();
    // A message that nothing was told of is not there, and what is not there lacks nothing; its owner judges that.
    if (!any && !path.empty() && listed_depth_ == 0) return true;
    const std::string missing = MissingField(*message.GetDescriptor(), fields);
    if (missing.empty()) return true;
    const std::string show = shown.empty() ? missing : absl::StrCat(shown, ".", missing);
    const auto found = std::find_if(mapping.fields().begin(), mapping.fields().end(),
                                    [&](const Plan::MappedField& field) { return field.field() == missing; });
    if (found == mapping.fields().end()) {
      return Fail(FailureKind::kMissing, mapping.position(), absl::StrCat("`", show, "` is required and not mapped"));
    }
    const std::string program = found->has_value() ? found->value().program() : "";
    return Fail(FailureKind::kMissing, found->has_value() ? found->value().position() : found->position(),
                program.empty() ? absl::StrCat("`", show, "` is required and the answer tells nothing of it")
                                : absl::StrCat("`", show, "` is required, and `", program, "` finds nothing"));
  }

  Problem problem;

 private:
  bool Fail(FailureKind kind, const SourcePosition& position, std::string words) {
    problem.end = End::kUnreadable;
    problem.kind = kind;
    problem.position = position;
    problem.words = std::move(words);
    return false;
  }

  // Into `leaf`, which stays where it is.
  void LeafOf(const puckdrop::v1::Expression& expression, const json* item, Leaf& leaf) const {
    const Expr& expr = compiled_.Of(expression);
    if (item == nullptr) {
      const ExprResult& result = results_.Of(expr);
      if (!result.ok()) {
        leaf.problem = ExpressionProblem(expr, result, answer_);
      } else {
        leaf.owned = json::array();
        for (const std::string& value : result.values) {
          leaf.owned.push_back(json::parse(value, nullptr, /*allow_exceptions=*/false));
        }
        leaf.values = &leaf.owned;
      }
    } else if (item->is_array()) {
      leaf.values = item;
    } else {
      ExprResult failed;
      failed.failure = jq::Failure{jq::FailureKind::kFailed, ErrorOf(*item)};
      leaf.problem = ExpressionProblem(expr, failed, answer_);
    }
  }

  static std::string ErrorOf(const json& item) {
    const auto found = item.is_object() ? item.find("puckdrop_error") : item.end();
    return item.is_object() && found != item.end() && found->is_string() ? found->get<std::string>()
                                                                         : "it gave nothing";
  }

  bool FillField(Message& message, const FieldDescriptor& field, const Plan::MappedField& mapped, const json* item,
                 const std::string& path, const std::string& shown, bool& told) {
    const auto& reflection = *message.GetReflection();
    if (mapped.has_message() && mapped.message().has_each()) {
      return FillList(message, field, mapped.message(), item, path, shown, told);
    }
    if (mapped.has_message()) {
      if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_repeated()) {
        return Fail(FailureKind::kType, mapped.position(), absl::StrCat("`", shown, "` is no single message"));
      }
      const int depth = std::exchange(listed_depth_, 0);
      const bool filled = Fill(*reflection.MutableMessage(&message, &field), mapped.message(), item, path, shown, told);
      listed_depth_ = depth;
      if (filled && !told) reflection.ClearField(&message, &field);
      return filled;
    }
    Leaf leaf;
    LeafOf(mapped.value(), item, leaf);
    if (leaf.problem) {
      problem = *std::move(leaf.problem);
      problem.words = absl::StrCat("`", shown, "`: ", problem.words);
      return false;
    }
    const json* value = leaf.values->empty() ? nullptr : &leaf.values->front();
    json listed;
    if (leaf.values->size() != 1) {
      if (!field.is_repeated() || field.is_map()) {
        return Fail(FailureKind::kExpression, mapped.value().position(),
                    absl::StrCat("`", shown, "`: `", mapped.value().program(), "` gave ", leaf.values->size(),
                                 " values where one is wanted"));
      }
      value = leaf.values;
    } else if (field.is_repeated() && !field.is_map() && !value->is_array() && !value->is_null()) {
      listed = json::array({*value});
      value = &listed;
    }
    const Put put = PutField(message, field, *value, path, told_);
    if (!put.status.ok()) {
      return Fail(put.missing ? FailureKind::kMissing : FailureKind::kType, mapped.value().position(),
                  absl::StrCat("`", shown, "` ", put.status.message()));
    }
    told = put.told;
    return true;
  }

  bool FillList(Message& message, const FieldDescriptor& field, const Plan::Mapping& mapping, const json* item,
                const std::string& path, const std::string& shown, bool& told) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || !field.is_repeated()) {
      return Fail(FailureKind::kType, mapping.position(), absl::StrCat("`", shown, "` is no list of messages"));
    }
    json owned;
    const json* items = &owned;
    const auto each_failed = [&](ExprResult result) {
      const Expr* each = item == nullptr ? &compiled_.lists.at(&mapping) : nullptr;
      Expr nested;
      if (each == nullptr) {
        nested.text = mapping.each().program();
        nested.position = mapping.each().position();
        nested.mentions_body = MentionsName(nested.text, "body");
        each = &nested;
      }
      problem = ExpressionProblem(*each, result, answer_);
      problem.words = absl::StrCat("`", shown, "`: ", problem.words);
      return false;
    };
    if (item == nullptr) {
      const Expr& list = compiled_.lists.at(&mapping);
      const ExprResult& result = results_.Of(list);
      if (!result.ok() || result.values.size() != 1) return each_failed(result);
      owned = json::parse(result.values[0], nullptr, /*allow_exceptions=*/false);
    } else if (item->is_array()) {
      items = item;
    } else {
      ExprResult failed;
      failed.failure = jq::Failure{jq::FailureKind::kFailed, ErrorOf(*item)};
      return each_failed(failed);
    }
    for (size_t i = 0; i < items->size(); ++i) {
      bool any = false;
      Message* made = message.GetReflection()->AddMessage(&message, &field);
      ++listed_depth_;
      const bool filled = Fill(*made, mapping, &(*items)[i], path, absl::StrCat(shown, "[", i, "]"), any);
      --listed_depth_;
      if (!filled) return false;
    }
    // An empty list was told; one that is required must not be empty.
    told = !items->empty() || !IsRequired(field);
    return true;
  }

  const Compiled& compiled_;
  const ExprResults& results_;
  const Answer* answer_;
  std::set<std::string>& told_;
  int listed_depth_ = 0;  // not zero: the message is an item of a list, which is there even if nothing is told of it
};

}  // namespace

void Operations::Impl::CollectReturns(const Plan::Mapping& mapping, std::vector<const Expr*>& out) const {
  for (const Plan::MappedField& field : mapping.fields()) {
    if (field.has_value()) {
      out.push_back(&compiled.Of(field.value()));
    } else if (field.message().has_each()) {
      out.push_back(&compiled.lists.at(&field.message()));
    } else {
      CollectReturns(field.message(), out);
    }
  }
}

// Whether `returns` can be evaluated together with the last step's own expressions: not if it names what that step
// saves.
bool Operations::Impl::ReturnsMayComeWith(const Plan::Operation& operation) {
  const auto known = returns_may_come.find(&operation);
  if (known != returns_may_come.end()) return known->second;
  bool may = operation.has_returns() && operation.steps_size() > 0;
  if (may) {
    const Plan::Step& step = operation.steps(operation.steps_size() - 1);
    may = step.has_http() || step.has_submit();
    std::vector<const Expr*> exprs;
    CollectReturns(operation.returns(), exprs);
    for (const Expr* expr : exprs) {
      for (const std::string& name : expr->needs) {
        if (name == "journey" && step.keep_size() > 0) may = false;
        if (name == "session") may = false;
        for (const auto& one : step.save()) may = may && one.name() != name;
        for (const auto& one : step.hide()) may = may && one.name() != name;
      }
    }
  }
  returns_may_come.emplace(&operation, may);
  return may;
}

awaitable<bool> Operations::Impl::FillResponse(Run& run) {
  const plan::OperationInfo* info = Catalogue().Find(run.id);
  std::unique_ptr<Message> response(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(info->response)->New());
  const Plan::Mapping& mapping = run.operation->returns();
  if (!run.returns_ready) {
    std::vector<const Expr*> exprs;
    CollectReturns(mapping, exprs);
    const Answer* answer = run.scope->answer().get();
    if (answer != nullptr && answer->kind == jq::BodyKind::kText && !answer->body->empty()) {
      for (const Expr* expr : exprs) {
        if (!expr->indexes_body) continue;
        co_return Stop(run, End::kFault, FailureKind::kContent,
                       absl::StrCat("the last answer is ", answer->ContentWords(), " where the plan reads JSON"),
                       expr->position);
      }
    }
    if (!co_await Evaluate(run, exprs, run.returns)) co_return false;
  }
  Filler filler(compiled, run.returns, run.scope->answer().get(), run.ended->told);
  bool any = false;
  if (!filler.Fill(*response, mapping, nullptr, "", "", any)) {
    Problem problem = std::move(filler.problem);
    if (problem.position.line() == 0) problem.position = run.operation->position();
    co_return Stop(run, problem);
  }
  run.ended->response = std::move(response);
  co_return true;
}

}  // namespace puckdrop::target
