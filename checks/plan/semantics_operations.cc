#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/plan/semantics.h"
#include "checks/plan/suggest.h"

namespace puckdrop::plan {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

namespace {

constexpr char kUndoHint[] =
    "`undo:` takes `steps:` and `done:`, or `operation:` and `request:`, or `nothing: why nothing is left behind`";

std::vector<std::string> FieldNames(const Descriptor& descriptor) {
  std::vector<std::string> out;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (descriptor.field(i)->name() != "refusal") out.push_back(descriptor.field(i)->name());
  }
  return out;
}

std::vector<std::string> RequiredFields(const Descriptor& descriptor) {
  std::vector<std::string> out;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (descriptor.field(i)->options().GetExtension(v1::required)) out.push_back(descriptor.field(i)->name());
  }
  return out;
}

// A message that a plan fills field by field; instants, durations and maps are single values to it.
bool IsFilledByField(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_map() &&
         !absl::StartsWith(field.message_type()->full_name(), "google.protobuf.");
}

void CollectExpressions(const v1::Plan::Mapping& mapping, std::set<Location>* places) {
  for (const v1::Plan::MappedField& field : mapping.fields()) {
    if (field.has_value()) places->insert(ToLocation(field.value().position()));
    if (field.has_message()) CollectExpressions(field.message(), places);
  }
}

void CheckMapping(const v1::Plan::Mapping& mapping, const Descriptor& response, const Location& at,
                  const std::string& what, std::set<Location>* unsure, Mistakes* mistakes) {
  std::set<std::string> given;
  for (const v1::Plan::MappedField& mapped : mapping.fields()) {
    const Location place = ToLocation(mapped.position());
    given.insert(mapped.field());
    const FieldDescriptor* field = response.FindFieldByName(mapped.field());
    if (mapped.field() == "refusal" && field != nullptr) {
      mistakes->Add(place, "a refusal is not returned: the host's or the step's `refused` tells it");
      continue;
    }
    if (field == nullptr) {
      mistakes->Add(place, absl::StrCat("`", mapped.field(), "` is no field of ", response.name()),
                    DidYouMean(mapped.field(), FieldNames(response)));
      continue;
    }
    if (!mapped.has_message()) continue;
    if (!IsFilledByField(*field)) {
      mistakes->Add(place, absl::StrCat("`", mapped.field(), "` takes one expression, not fields of its own"),
                    "a jq object stands in quotes: '{ a: \"B\" }[.x]'");
    } else if (field->is_repeated() && !mapped.message().has_each()) {
      mistakes->Add(place, absl::StrCat("`", mapped.field(), "` is a list: say where its items are"),
                    "add `each: .body.items[]`; the other fields are then read from one item");
      CollectExpressions(mapped.message(), unsure);
    } else if (!field->is_repeated() && mapped.message().has_each()) {
      mistakes->Add(place, absl::StrCat("`", mapped.field(), "` is not a list, so it has no `each`"));
    } else {
      CheckMapping(mapped.message(), *field->message_type(), place, mapped.field(), unsure, mistakes);
    }
  }
  std::vector<std::string> missing;
  for (const std::string& name : RequiredFields(response)) {
    if (!given.contains(name)) missing.push_back(absl::StrCat("`", name, "`"));
  }
  if (!missing.empty()) {
    mistakes->Add(at, absl::StrCat("`", what, "` lacks ", absl::StrJoin(missing, ", "), ", which ", response.name(),
                                   missing.size() == 1 ? " requires" : " requires all"));
  }
}

void CheckStep(const v1::Plan::Step& step, Mistakes* mistakes) {
  if (step.has_until() && step.until().has_every() && step.until().has_for_()) {
    const auto seconds = [](const google::protobuf::Duration& duration) {
      return static_cast<double>(duration.seconds()) + duration.nanos() * 1e-9;
    };
    if (seconds(step.until().every()) > seconds(step.until().for_())) {
      mistakes->Add(ToLocation(step.position()), "`until`: `every` is longer than `for`");
    }
  }
  if (step.has_until() && !step.has_http()) {
    mistakes->Add(ToLocation(step.position()), "`until` repeats an `http` step, and this is none");
  }
  const auto check_redirects = [&](const v1::Plan::Redirects& redirects) {
    if (redirects.follow() < 0 || redirects.follow() > 50) {
      mistakes->Add(ToLocation(step.position()), "`redirects`: `follow` is a number from 0 to 50");
    }
  };
  check_redirects(step.http().redirects());
  check_redirects(step.submit().redirects());
  for (const auto* list : {&step.save(), &step.hide()}) {
    for (const v1::NamedExpression& named : *list) {
      const auto& taken = StandardNames();
      if (std::find(taken.begin(), taken.end(), named.name()) != taken.end()) {
        mistakes->Add(ToLocation(named.position()),
                      absl::StrCat("`", named.name(), "` is a name of every answer already"), "choose another name");
      }
    }
  }
}

void CheckUndo(const v1::Plan::Undo& undo, const OperationCatalogue& catalogue, Mistakes* mistakes) {
  for (const v1::Plan::Step& step : undo.by_steps().steps()) CheckStep(step, mistakes);
  if (!undo.has_by_operation()) return;
  const OperationInfo* info = catalogue.Find(undo.by_operation().operation());
  if (info == nullptr) return;
  for (const v1::NamedValue& field : undo.by_operation().request()) {
    if (info->request->FindFieldByName(field.name()) == nullptr) {
      mistakes->Add(ToLocation(field.position()),
                    absl::StrCat("`", field.name(), "` is no field of ", info->request->name()),
                    DidYouMean(field.name(), FieldNames(*info->request)));
    }
  }
}

void CheckOperation(const v1::Plan::Operation& operation, Reading& reading, const OperationCatalogue& catalogue,
                    Mistakes* mistakes) {
  const std::string path = absl::StrCat("operations.", operation.id());
  const Location at = ToLocation(operation.position());
  const OperationInfo* info = catalogue.Find(operation.id());
  if (info == nullptr) {
    mistakes->Add(at, absl::StrCat("there is no operation `", operation.id(), "`"),
                  DidYouMean(operation.id(), catalogue.Ids()));
    return;
  }
  const bool not_offered = reading.keys.contains(path + ".not_offered");
  const bool has_steps =
      operation.steps_size() > 0 || reading.keys.contains(path + ".steps") || reading.keys.contains(path + ".grpc");
  if (not_offered) {
    if (operation.steps_size() > 0 || operation.has_returns()) {
      mistakes->Add(reading.KeyOf(path + ".not_offered"),
                    absl::StrCat("`", operation.id(), "` is not offered, and yet it says how it is done"),
                    "keep one of the two");
    } else if (operation.not_offered().empty()) {
      mistakes->Add(reading.KeyOf(path + ".not_offered"), "`not_offered` must say why");
    }
    return;
  }
  if (!has_steps) {
    mistakes->Add(at, absl::StrCat("`", operation.id(), "` does not say how it is done"),
                  "write `http: …` or `steps: …`, or `not_offered: why`");
    return;
  }
  for (const v1::Plan::Step& step : operation.steps()) CheckStep(step, mistakes);
  if (operation.has_returns()) {
    if (operation.returns().has_each()) {
      mistakes->Add(reading.KeyOf(path + ".returns.each"),
                    "`each` belongs to a field that is a list, not to the whole answer",
                    absl::StrCat("fields of ", info->response->name(),
                                 " are: ", absl::StrJoin(FieldNames(*info->response), ", ")));
    }
    CheckMapping(operation.returns(), *info->response, reading.KeyOf(path + ".returns"), "returns", &reading.unsure,
                 mistakes);
  } else if (!reading.keys.contains(path + ".returns")) {
    const std::vector<std::string> missing = RequiredFields(*info->response);
    if (!missing.empty()) {
      mistakes->Add(at, absl::StrCat("`", operation.id(), "` has no `returns`, and its answer needs ",
                                     absl::StrJoin(missing, ", ")));
    }
  }
  if (operation.has_undo()) {
    CheckUndo(operation.undo(), catalogue, mistakes);
  } else if (info->creates && !reading.keys.contains(path + ".undo")) {
    mistakes->Add(at, absl::StrCat("`", operation.id(), "` leaves something behind, so it needs `undo`"), kUndoHint);
  }
}

}  // namespace

void CheckOperations(const v1::Plan& plan, Reading& reading, const OperationCatalogue& catalogue, Mistakes* mistakes) {
  for (const v1::Plan::Operation& operation : plan.operations())
    CheckOperation(operation, reading, catalogue, mistakes);
  for (const v1::Plan::Fragment& fragment : plan.fragments()) {
    for (const v1::Plan::Step& step : fragment.steps()) CheckStep(step, mistakes);
  }
  for (const v1::Plan::Session& session : plan.sessions()) {
    for (const v1::Plan::Step& step : session.open()) CheckStep(step, mistakes);
  }
}

}  // namespace puckdrop::plan
