#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/plan/reader.h"
#include "checks/plan/suggest.h"
#include "checks/plan/template.h"
#include "checks/plan/text_forms.h"

namespace puckdrop::plan {

using google::protobuf::FieldDescriptor;

const std::vector<std::string>& HttpVerbs() {
  static const auto* const kVerbs =
      new std::vector<std::string>{"get", "post", "put", "patch", "delete", "head", "options"};
  return *kVerbs;
}

bool Reader::ReadSpecial(const Node& node, Message* message, const std::string& path) {
  const std::string& type = message->GetDescriptor()->full_name();
  if (type == "puckdrop.v1.Expression") {
    ReadExpression(node, static_cast<v1::Expression*>(message));
  } else if (type == "puckdrop.v1.Template") {
    ReadTemplate(node, static_cast<v1::Template*>(message));
  } else if (type == "puckdrop.v1.Value") {
    ReadValue(node, static_cast<v1::Value*>(message));
  } else if (type == "puckdrop.v1.Secret") {
    ReadSecret(node, static_cast<v1::Secret*>(message));
  } else if (type == "puckdrop.v1.Plan.Threshold") {
    ReadThreshold(node, static_cast<v1::Plan::Threshold*>(message));
  } else if (type == "puckdrop.v1.Plan.Redirects") {
    ReadRedirects(node, static_cast<v1::Plan::Redirects*>(message), path);
  } else if (type == "puckdrop.v1.Plan.Step") {
    ReadStep(node, static_cast<v1::Plan::Step*>(message), path);
  } else if (type == "puckdrop.v1.Plan.Http") {
    ReadHttp(node, static_cast<v1::Plan::Http*>(message), path);
  } else if (type == "puckdrop.v1.Plan.Operation") {
    ReadOperation(node, static_cast<v1::Plan::Operation*>(message), path);
  } else if (type == "puckdrop.v1.Plan.Mapping") {
    ReadMapping(node, static_cast<v1::Plan::Mapping*>(message), path);
  } else if (type == "puckdrop.v1.Plan.Undo") {
    ReadUndo(node, static_cast<v1::Plan::Undo*>(message), path);
  } else {
    return false;
  }
  return true;
}

void Reader::ReadCustomers(const Node& node, v1::Plan* plan, const std::string& path) {
  if (node.kind != Node::Kind::kList) {
    if (node.kind == Node::Kind::kNull) {
      Say(node.at, "`customers` is empty");
    } else {
      SayWrongKind(node, "a list for `customers`", "write `- id: …` for each");
    }
    return;
  }
  if (node.items.empty()) Say(node.at, "`customers` is empty");
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const std::string item_path = absl::StrCat(path, "[", i, "]");
    reading_.values[item_path] = item.at;
    const Node* id = item.Find("id");
    if (id == nullptr || id->text != "others") {
      ReadMessage(item, plan->add_customers(), item_path);
      continue;
    }
    v1::Plan::Customer others;
    bool has_share = false;
    for (const Member& member : item.members) {
      if (member.key == "audience_share") {
        has_share = true;
        ReadField(member.value, member.key_at, &others, others.GetDescriptor()->FindFieldByName("audience_share"),
                  absl::StrCat(item_path, ".audience_share"));
      } else if (member.key != "id") {
        Say(member.key_at, absl::StrCat("`", member.key, "` is not known for `others`, the audience nobody stands for"),
            "`others` has only an audience_share");
      }
    }
    if (!has_share) Say(item.at, "`audience_share` is missing");
    plan->set_others_audience_share(plan->others_audience_share() + others.audience_share());
  }
}

void Reader::ReadSteps(const Node& node, Message* message, const Field* field, const std::string& path) {
  const auto& reflection = *message->GetReflection();
  if (node.kind == Node::Kind::kScalar) {
    // A fragment's name in place of a list of steps.
    auto* step = static_cast<v1::Plan::Step*>(reflection.AddMessage(message, field));
    *step->mutable_position() = Position(node.at, false);
    if (ReadTemplate(node, step->mutable_use())) {
      const std::optional<std::string> name = LiteralText(step->use());
      if (name.has_value()) reading_.scopes[scope_].uses.emplace_back(*name, node.at);
    }
    return;
  }
  if (node.kind != Node::Kind::kList || node.items.empty()) {
    if (node.kind == Node::Kind::kList || node.kind == Node::Kind::kNull) {
      Say(node.at, absl::StrCat("`", field->name() == "open" ? "open" : "steps", "` is empty"));
    } else {
      SayWrongKind(node, "a list of steps", "write `- http: …` for each");
    }
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item_path = absl::StrCat(path, "[", i, "]");
    reading_.values[item_path] = node.items[i].at;
    ReadMessage(node.items[i], reflection.AddMessage(message, field), item_path);
  }
}

void Reader::ReadStep(const Node& node, v1::Plan::Step* step, const std::string& path) {
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, "a step", "write `http: …`, `submit: …` or `use: …`");
    return;
  }
  ReadMembers(node, step, path);
  NameScope& scope = reading_.scopes[scope_];
  const auto name_all = [&](const auto& list) {
    for (const v1::NamedExpression& named : list) scope.saved.push_back(named.name());
  };
  name_all(step->save());
  name_all(step->hide());
  for (const v1::NamedValue& argument : step->with()) reading_.arguments.insert(argument.name());
  if (const Node* use = node.Find("use"); use != nullptr && step->has_use()) {
    const std::optional<std::string> name = LiteralText(step->use());
    if (name.has_value() && !name->empty()) scope.uses.emplace_back(*name, use->at);
  } else if (const auto with = std::find_if(node.members.begin(), node.members.end(),
                                            [](const Member& member) { return member.key == "with"; });
             use == nullptr && with != node.members.end()) {
    Say(with->key_at, "`with` needs `use`: it holds the arguments of a fragment");
  }
  if (node.members.empty()) Say(node.at, "this step does nothing");
}

void Reader::ReadHttp(const Node& node, v1::Plan::Http* http, const std::string& path) {
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, "a map", "write `host: …` and `get: /path`");
    return;
  }
  // The verb is a key of its own; the rest is as the message says.
  Node rest = node;
  std::vector<std::string> verbs;
  std::erase_if(rest.members, [&](const Member& member) {
    if (std::find(HttpVerbs().begin(), HttpVerbs().end(), member.key) == HttpVerbs().end()) return false;
    verbs.push_back(member.key);
    if (verbs.size() > 1) {
      Say(member.key_at, absl::StrCat("`", member.key, "` and `", verbs[0], "` cannot both be given"));
      return true;
    }
    http->set_method(absl::AsciiStrToUpper(member.key));
    const std::string verb_path = absl::StrCat(path, ".", member.key);
    reading_.keys[verb_path] = member.key_at;
    reading_.values[verb_path] = member.value.at;
    if (member.value.kind == Node::Kind::kNull) {
      Say(member.key_at, absl::StrCat("`", member.key, "` has no value"),
          absl::StrCat("write `", member.key, ": /path`"));
    } else {
      ReadTemplate(member.value, http->mutable_path());
    }
    return true;
  });
  std::vector<std::string> known = KeysOf(*http->GetDescriptor());
  known.insert(known.end(), HttpVerbs().begin(), HttpVerbs().end());
  std::erase_if(rest.members, [&](const Member& member) {
    const FieldDescriptor* field = http->GetDescriptor()->FindFieldByName(member.key);
    if (field != nullptr && !field->options().GetExtension(v1::loader_only) && member.key != "position") return false;
    Say(member.key_at, absl::StrCat("`", member.key, "` is not known here"), DidYouMean(member.key, known));
    return true;
  });
  if (verbs.empty()) {
    Say(node.at, "the request's path is missing",
        absl::StrCat("write one of ", absl::StrJoin(HttpVerbs(), ", "), ": `get: /path`"));
  }
  ReadMembers(rest, http, path);
}

void Reader::ReadOperation(const Node& node, v1::Plan::Operation* operation, const std::string& path) {
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, absl::StrCat("a map for `", operation->id(), "`"),
                 "write `http: …` or `steps: …`, and `returns: …`");
    return;
  }
  const auto& own = *operation->GetDescriptor();
  const auto& of_step = *v1::Plan::Step::descriptor();
  Node step_node;
  step_node.kind = Node::Kind::kMap;
  Node rest = node;
  const Member* listed = nullptr;
  for (const Member& member : node.members) {
    if (member.key == "steps") listed = &member;
  }
  std::vector<std::string> known = KeysOf(own);
  std::erase(known, "id");
  for (const std::string& key : KeysOf(of_step)) known.push_back(key);
  std::erase_if(rest.members, [&](const Member& member) {
    if (member.key != "id" && member.key != "position" && own.FindFieldByName(member.key) != nullptr) return false;
    if (member.key == "position" || of_step.FindFieldByName(member.key) == nullptr) {
      Say(member.key_at, absl::StrCat("`", member.key, "` is not known here"), DidYouMean(member.key, known));
    } else if (listed != nullptr) {
      Say(member.key_at, absl::StrCat("`", member.key, "` belongs to a step here, because `steps` is given"),
          "move it into one of the steps");
    } else {
      if (step_node.members.empty()) step_node.at = member.key_at;
      step_node.members.push_back(member);
    }
    return true;
  });
  if (!step_node.members.empty()) {
    v1::Plan::Step* step = operation->add_steps();
    *step->mutable_position() = Position(step_node.at, false);
    ReadStep(step_node, step, path);
  }
  ReadMembers(rest, operation, path);
}

void Reader::ReadMapping(const Node& node, v1::Plan::Mapping* mapping, const std::string& path) {
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, "the response's fields", "write `field: expression` for each");
    return;
  }
  const bool before = of_item_;
  if (const Node* each = node.Find("each")) {
    ReadExpression(*each, mapping->mutable_each());
    of_item_ = true;
  }
  for (const Member& member : node.members) {
    const std::string member_path = absl::StrCat(path, ".", member.key);
    reading_.keys[member_path] = member.key_at;
    reading_.values[member_path] = member.value.at;
    if (member.key == "each") continue;
    v1::Plan::MappedField* field = mapping->add_fields();
    field->set_field(member.key);
    *field->mutable_position() = Position(member.key_at, false);
    if (member.value.kind == Node::Kind::kMap) {
      *field->mutable_message()->mutable_position() = Position(member.value.at, false);
      ReadMapping(member.value, field->mutable_message(), member_path);
    } else if (member.value.kind == Node::Kind::kList && !member.value.flow) {
      SayWrongKind(member.value, "an expression, or a map with `each`",
                   "write `each: expression` and the fields of one item");
    } else {
      ReadExpression(member.value, field->mutable_value());
    }
  }
  of_item_ = before;
}

void Reader::ReadUndo(const Node& node, v1::Plan::Undo* undo, const std::string& path) {
  constexpr char kForms[] = "write `steps:` and `done:`, or `operation:` and `request:`, or `nothing: why`";
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, "a way to undo", kForms);
    return;
  }
  const std::string scope_before = scope_;
  absl::StrAppend(&scope_, "/undo");
  if (node.Find("operation") != nullptr) {
    ReadMembers(node, undo->mutable_by_operation(), path);
  } else if (node.Find("nothing") != nullptr) {
    for (const Member& member : node.members) {
      if (member.key != "nothing") {
        Say(member.key_at, absl::StrCat("`", member.key, "` and `nothing` cannot both be given"));
        continue;
      }
      std::string why;
      if (ReadText(member.value, "nothing", &why)) {
        if (why.empty()) Say(member.value.at, "`nothing` must say why nothing is left behind");
        undo->set_nothing(why);
      }
    }
  } else if (node.Find("steps") != nullptr || node.Find("done") != nullptr || node.members.empty()) {
    if (node.members.empty()) {
      Say(node.at, "a way to undo is missing here", kForms);
    } else {
      ReadMembers(node, undo->mutable_by_steps(), path);
    }
  } else {
    for (const Member& member : node.members) {
      Say(member.key_at, absl::StrCat("`", member.key, "` is not known here"),
          DidYouMean(member.key, {"steps", "done", "operation", "request", "nothing"}));
    }
  }
  scope_ = scope_before;
}

}  // namespace puckdrop::plan
