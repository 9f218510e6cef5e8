// What the expressions of one operation see, and their evaluation. Not for use outside checks/target.
#ifndef PUCKDROP_CHECKS_TARGET_SCOPE_H_
#define PUCKDROP_CHECKS_TARGET_SCOPE_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "checks/target/answer.h"
#include "checks/target/compiled.h"
#include "checks/target/jq/pool.h"
#include "checks/target/operations.h"

namespace puckdrop::target {

// Something that ends the operation, and where.
struct Problem {
  End end = End::kOurs;
  FailureKind kind = FailureKind::kLocal;
  std::string words;
  puckdrop::v1::SourcePosition position;
};

// What one expression gave: JSON texts, or why not.
struct ExprResult {
  std::vector<std::string> values;
  std::optional<jq::Failure> failure;

  bool ok() const { return !failure; }
  // Exactly one value, and it is neither null nor false.
  bool is_true() const { return ok() && values.size() == 1 && values[0] != "null" && values[0] != "false"; }
  // No value, or null.
  bool is_nothing() const { return ok() && (values.empty() || (values.size() == 1 && values[0] == "null")); }
};

class ExprResults {
 public:
  void Add(const Expr* expr, ExprResult result) { results_.emplace_back(expr, std::move(result)); }
  const ExprResult& Of(const Expr& expr) const;

 private:
  std::vector<std::pair<const Expr*, ExprResult>> results_;
};

// Where names come from that are made only when an expression mentions them.
class NameSource {
 public:
  virtual ~NameSource() = default;
  // The JSON text of `customer`, `device`, `payment`, `request`, `launch`, `run`; nothing for other names.
  virtual std::optional<std::string> MakeName(absl::string_view name, Problem& problem) = 0;
  // The value of one of the plan's secrets; nothing and a problem when it is not there.
  virtual std::optional<std::string> SecretValue(absl::string_view name, Problem& problem) = 0;
  // Whose names are the plan's.
  virtual std::vector<std::string> SecretNames() = 0;
};

// The names of one operation, or of one opening of a session.
class Scope {
 public:
  Scope(NameSource& source, JourneyScope* journey) : source_(&source), journey_(journey) {}

  // A name for the rest of the operation; its JSON text.
  void Set(const std::string& name, std::string json_text);
  // Makes the name unknown again.
  void Unset(const std::string& name);
  std::optional<std::string> Saved(const std::string& name) const;

  void SetAnswer(std::shared_ptr<const Answer> answer);
  const std::shared_ptr<const Answer>& answer() const { return answer_; }

  // What steps have saved, and the last answer; without the names that are made of the operation's own request.
  struct Snapshot {
    std::map<std::string, std::string, std::less<>> texts;
    std::shared_ptr<const Answer> answer;
  };
  Snapshot Save() const;
  void Restore(const Snapshot& snapshot);

  JourneyScope* journey() const { return journey_; }

  // Evaluates all, in one round trip where jq is needed at all. A problem is OURS and means that nothing was evaluated.
  awaitable<std::optional<Problem>> Evaluate(runtime::EventLoop& loop, jq::ExpressionPool& pool,
                                             const std::vector<const Expr*>& exprs, ExprResults& results);

 private:
  std::optional<ExprResult> Natively(const Expr& expr, Problem& problem);
  // The JSON text of a name other than body and body_base64; "null" when there is none.
  std::string Text(const std::string& name, const std::vector<const Expr*>& exprs, Problem& problem);
  const nlohmann::json& Parsed(const std::string& name, const std::string& text);

  NameSource* source_;
  JourneyScope* journey_;
  std::map<std::string, std::string, std::less<>> texts_;  // saved names, and made ones
  std::map<std::string, nlohmann::json, std::less<>> parsed_;
  std::shared_ptr<const Answer> answer_;
  std::optional<std::string> page_;
  std::string page_problem_;
};

// ---- templates

// The expressions in a template or value, added to `out`.
void CollectHoles(const Compiled& compiled, const puckdrop::v1::Template& text, std::vector<const Expr*>& out);
void CollectHoles(const Compiled& compiled, const puckdrop::v1::Value& value, std::vector<const Expr*>& out);

enum class Encoding {
  kNone,
  kUrl,  // holes are percent-encoded, unless the text is one hole
};

// A template with its holes filled. nullopt with no problem: exactly one hole, and it is null. `allow_list`: a single
// hole may be an array of scalars, which gives several texts.
std::optional<std::vector<std::string>> RenderTexts(const Compiled& compiled, const puckdrop::v1::Template& text,
                                                    const ExprResults& results, Encoding encoding, bool allow_list,
                                                    std::optional<Problem>& problem);
std::optional<std::string> RenderText(const Compiled& compiled, const puckdrop::v1::Template& text,
                                      const ExprResults& results, Encoding encoding, std::optional<Problem>& problem);

// The value as JSON text; nullopt with no problem: it is one hole that is null, to be left out of an object.
// `secret` gives the value of a secret reference.
using SecretValueOf = std::function<std::optional<std::string>(const puckdrop::v1::Secret&, std::optional<Problem>&)>;
std::optional<std::string> RenderValue(const Compiled& compiled, const puckdrop::v1::Value& value,
                                       const ExprResults& results, const SecretValueOf& secret,
                                       std::optional<Problem>& problem);

// What an expression that failed, or gave not one value, does to an operation. `answer`: the one it looked at.
Problem ExpressionProblem(const Expr& expr, const ExprResult& result, const Answer* answer);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_SCOPE_H_
