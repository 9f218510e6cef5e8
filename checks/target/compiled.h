// The inside of a TargetPlan: what the interpreter looks up while it performs. Not for use outside checks/target.
#ifndef PUCKDROP_CHECKS_TARGET_COMPILED_H_
#define PUCKDROP_CHECKS_TARGET_COMPILED_H_

#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "checks/target/jq/program.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::target {

// An expression of the plan, or a program made of several.
struct Expr {
  jq::ProgramId id = 0;
  std::string text;
  puckdrop::v1::SourcePosition position;
  std::vector<std::string> needs;  // the names it mentions, of all that there are
  bool mentions_body = false;
  bool indexes_body = false;  // `.body.id`, `$body[0]`: it takes the body for JSON

  // Most expressions are only a path (`.journey.order`, `.headers["x-id"]`), some compare one with a number
  // (`.status == 201`). Those need no jq: `path` is not empty.
  enum class Compare { kNone, kEqual, kUnequal, kLess, kAtMost, kGreater, kAtLeast };
  std::vector<std::string> path;
  Compare compare = Compare::kNone;
  double number = 0;
};

struct Compiled {
  using Plan = puckdrop::v1::Plan;

  std::unordered_map<const puckdrop::v1::Expression*, Expr> expressions;
  // Of mappings with `each`: one program that gives an array with an array for each item, which holds for each field an
  // array of what its expression gave, or {"puckdrop_error": words}; nested messages are nested arrays.
  std::unordered_map<const Plan::Mapping*, Expr> lists;

  std::map<std::string, const Plan::Host*, std::less<>> hosts;
  std::map<std::string, const Plan::Session*, std::less<>> sessions;
  std::map<std::string, const Plan::Fragment*, std::less<>> fragments;
  std::map<std::string, const Plan::Operation*, std::less<>> operations;
  std::map<std::string, const Plan::Customer*, std::less<>> customers;
  std::map<std::string, const Plan::Payment*, std::less<>> payments;

  const Expr& Of(const puckdrop::v1::Expression& expression) const { return expressions.at(&expression); }
};

// What can be evaluated without jq, into `path`, `compare` and `number`.
void FindPath(Expr& expr);

// Where in `text` the name stands as a word.
bool MentionsName(absl::string_view text, absl::string_view name);
bool IndexesBody(absl::string_view text);

// Calls `visit` for the message and every one below it, parents first; `visit` says whether to go on below.
void VisitMessages(const google::protobuf::Message& message,
                   const std::function<bool(const google::protobuf::Message&)>& visit);

// Calls `visit` for every step, also those of fragments, as deep as plans go.
void VisitSteps(const Compiled& compiled, const google::protobuf::RepeatedPtrField<puckdrop::v1::Plan::Step>& steps,
                const std::function<void(const puckdrop::v1::Plan::Step&)>& visit);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_COMPILED_H_
