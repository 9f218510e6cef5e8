// What undoing an operation will need, asked before the act: an order that cannot be taken back is not placed.
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "checks/target/interpreter.h"

namespace puckdrop::target {
namespace {

using google::protobuf::Message;

// Where the undo of one operation needs which secrets: in its steps, in fragments they use, at the doors they go
// through and in the sessions of those.
class Needs {
 public:
  struct Use {
    const puckdrop::v1::Secret* secret = nullptr;
    std::string name;  // of the plan's secrets; empty for one that stands in its place
    SourcePosition position;
  };

  Needs(const Compiled& compiled, const Plan& plan) : compiled_(compiled), plan_(plan) {}

  std::vector<Use> Of(const Plan::Undo& undo) {
    Look(undo);
    if (undo.has_by_steps()) LookAtSteps(undo.by_steps().steps());
    if (undo.has_by_operation()) {
      const auto found = compiled_.operations.find(undo.by_operation().operation());
      if (found != compiled_.operations.end()) LookAtSteps(found->second->steps());
    }
    return std::move(uses_);
  }

 private:
  void Look(const Message& message) {
    VisitMessages(message, [this](const Message& below) {
      if (const auto* expression = dynamic_cast<const puckdrop::v1::Expression*>(&below)) {
        if (!MentionsName(expression->program(), "secrets")) return false;
        for (const auto& one : plan_.target().secrets()) {
          if (!MentionsName(expression->program(), one.name())) continue;
          uses_.push_back({&one.value(), one.name(), expression->position()});
        }
        return false;
      }
      if (const auto* secret = dynamic_cast<const puckdrop::v1::Secret*>(&below)) {
        uses_.push_back({secret, "", secret->position()});
        return false;
      }
      return true;
    });
  }

  void LookAtSteps(const google::protobuf::RepeatedPtrField<Plan::Step>& steps) {
    VisitSteps(compiled_, steps, [this](const Plan::Step& step) {
      Look(step);
      if (step.has_http()) LookAtHost(step.http().host(), step.http().session());
    });
  }

  void LookAtHost(const std::string& name, const std::string& session_of_step) {
    const auto host = compiled_.hosts.find(name);
    if (host == compiled_.hosts.end()) return;
    if (hosts_.insert(name).second) Look(*host->second);
    const std::string& session_name = session_of_step.empty() ? host->second->session() : session_of_step;
    const auto session = compiled_.sessions.find(session_name);
    if (session == compiled_.sessions.end() || !sessions_.insert(session_name).second) return;
    Look(*session->second);
    LookAtSteps(session->second->open());
  }

  const Compiled& compiled_;
  const Plan& plan_;
  std::vector<Use> uses_;
  std::set<std::string> hosts_, sessions_;
};

}  // namespace

std::optional<Problem> Operations::Impl::UndoLacks(absl::string_view id) {
  if (can_undo.contains(id)) return std::nullopt;
  const auto found = compiled.operations.find(std::string(id));
  if (found == compiled.operations.end() || !found->second->has_undo()) return std::nullopt;
  for (const Needs::Use& use : Needs(compiled, plan->plan()).Of(found->second->undo())) {
    std::optional<Problem> problem;
    if (Secret(*use.secret, use.name, problem)) continue;
    const absl::Status why = plan->secrets()(*use.secret).status();
    problem->words = absl::StrCat(id, " is not performed, because undoing it needs ",
                                  use.name.empty() ? "a secret" : absl::StrCat("the secret ", use.name),
                                  " that is missing: ", why.message());
    if (!use.name.empty()) absl::StrAppend(&problem->words, ", named at ", Where(use.secret->position()));
    problem->position = use.position;
    return problem;
  }
  can_undo.insert(std::string(id));
  return std::nullopt;
}

}  // namespace puckdrop::target
