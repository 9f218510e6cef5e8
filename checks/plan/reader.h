#ifndef PUCKDROP_CHECKS_PLAN_READER_H_
#define PUCKDROP_CHECKS_PLAN_READER_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "checks/plan/document.h"
#include "checks/plan/load.h"
#include "checks/plan/mistake.h"
#include "puckdrop/v1/plan.pb.h"

// From the tree to the proto: internal to this library.
namespace puckdrop::plan {

// A place that names something else of the plan.
struct Reference {
  // As the option `refers_to` says, or `fragments`.
  std::string kind;
  std::string name;
  Location at;
};

// A place with a jq program.
struct ExpressionUse {
  std::string program;
  v1::SourcePosition position;
  // Key into Reading::scopes.
  std::string scope;
  bool of_item = false;
};

// Something with steps of its own: an operation, its undo, a fragment, a session, a host.
struct NameScope {
  // What `save` and `hide` named in it.
  std::vector<std::string> saved;
  // Fragments it uses by their literal names.
  std::vector<std::pair<std::string, Location>> uses;
};

// What reading a plan found out besides the plan.
struct Reading {
  std::vector<Reference> references;
  std::vector<ExpressionUse> expressions;
  std::map<std::string, NameScope> scopes;
  // Arguments of fragments, from everywhere.
  std::set<std::string> arguments;
  // Path to where its value, and its key, stands.
  std::map<std::string, Location> values;
  std::map<std::string, Location> keys;
  // Expressions that stand where an `each` was forgotten: what `.` is there nobody knows.
  std::set<Location> unsure;
  // File fields to be made relative to the working directory, by pointer into the plan.
  std::vector<std::pair<std::string*, std::uint32_t>> files;

  // The key if there is one, else the value, else the nearest thing around it.
  Location KeyOf(std::string path) const;
  Location ValueOf(const std::string& path) const;
};

// Reads one tree into one plan. Use once.
class Reader {
 public:
  Reader(const EnvironmentLookup& environment, Mistakes* mistakes) : environment_(environment), mistakes_(mistakes) {}

  Reading Read(const Node& root, v1::Plan* plan);

 private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  // reader.cc: by descriptor.
  void ReadMessage(const Node& node, Message* message, const std::string& path);
  void ReadMembers(const Node& node, Message* message, const std::string& path);
  void ReadField(const Node& node, const Location& key_at, Message* message, const Field* field,
                 const std::string& path);
  void ReadKeyed(const Node& node, Message* message, const Field* field, const std::string& path);
  void ReadSingular(const Node& node, Message* message, const Field* field, const std::string& path);
  void ReadScalar(const Node& node, Message* message, const Field* field, const std::string& path);
  void CheckRequired(const Node& node, const Message& message, const std::set<std::string>& given);
  void SetPosition(const Location& at, bool verbatim, Message* message);
  v1::SourcePosition Position(const Location& at, bool verbatim) const;
  std::vector<std::string> KeysOf(const google::protobuf::Descriptor& descriptor) const;

  // reader_texts.cc: texts and small forms. Each gives false if it reported a mistake.
  bool ReadText(const Node& node, absl::string_view field, std::string* out);
  bool Substitute(const Node& node, absl::string_view raw, std::size_t offset, std::string* out);
  bool ReadExpression(const Node& node, v1::Expression* out);
  bool ReadTemplate(const Node& node, v1::Template* out);
  void ReadValue(const Node& node, v1::Value* out);
  void ReadSecret(const Node& node, v1::Secret* out);
  void ReadThreshold(const Node& node, v1::Plan::Threshold* out);
  void ReadRedirects(const Node& node, v1::Plan::Redirects* out, const std::string& path);
  bool ReadWellKnown(const Node& node, Message* message, const Field* field);

  // reader_language.cc: the parts whose shape in YAML is not that of their message.
  bool ReadSpecial(const Node& node, Message* message, const std::string& path);
  void ReadCustomers(const Node& node, v1::Plan* plan, const std::string& path);
  void ReadSteps(const Node& node, Message* message, const Field* field, const std::string& path);
  void ReadStep(const Node& node, v1::Plan::Step* step, const std::string& path);
  void ReadHttp(const Node& node, v1::Plan::Http* http, const std::string& path);
  void ReadOperation(const Node& node, v1::Plan::Operation* operation, const std::string& path);
  void ReadMapping(const Node& node, v1::Plan::Mapping* mapping, const std::string& path);
  void ReadUndo(const Node& node, v1::Plan::Undo* undo, const std::string& path);

  void Say(const Location& at, std::string message, std::string hint = "");
  // "`field`: `text` is not <what>".
  void SayNot(const Node& node, absl::string_view field, absl::string_view what);
  void SayWrongKind(const Node& node, absl::string_view wanted, std::string hint = "");

  const EnvironmentLookup& environment_;
  Mistakes* mistakes_;
  Reading reading_;
  std::string scope_;
  bool of_item_ = false;
  // Nothing said now may quote the file.
  bool secret_ = false;
  // `{ env: X }` and `{ file: F }` are references.
  bool secrets_allowed_ = false;
};

// "a list", "a map", "a text", "nothing".
std::string KindOf(const Node& node);
// The words of a plan for an enum's values: `customer`, `BLOCKING`.
std::vector<std::string> WordsOf(const google::protobuf::EnumDescriptor& descriptor);
// The value of a word, in small or in capital letters; nothing if there is none.
std::optional<int> ValueOfWord(const google::protobuf::EnumDescriptor& descriptor, absl::string_view word);

// The verbs of `http:`, as the plan writes them.
const std::vector<std::string>& HttpVerbs();
// The field that stands for the whole message (option `inlined`), or null.
const google::protobuf::FieldDescriptor* InlinedField(const google::protobuf::Descriptor& descriptor);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_READER_H_
