// The inside of Operations. Not for use outside checks/target. All of it runs on the loop's thread.
//
// Functions that perform give false when the operation has ended; `Run::ended` says how then.
#ifndef PUCKDROP_CHECKS_TARGET_INTERPRETER_H_
#define PUCKDROP_CHECKS_TARGET_INTERPRETER_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checks/target/answer.h"
#include "checks/target/compiled.h"
#include "checks/target/http/cookie_jar.h"
#include "checks/target/http/http_client.h"
#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "checks/target/operations.h"
#include "checks/target/run_memory.h"
#include "checks/target/scope.h"
#include "checks/target/target_plan.h"

namespace puckdrop::target {

using Plan = puckdrop::v1::Plan;
using SourcePosition = puckdrop::v1::SourcePosition;

// An exchange as it was, kept until the operation has ended, because what it hides is known only then.
struct RawExchange {
  http::HttpRequest request;
  http::HttpAnswer answer;
  size_t answer_body_bytes = 0;
  std::string host, position;
  int step = 0;
  bool of_session = false;
  std::vector<std::string> saved;
};

// What the names of a fragment's arguments meant outside of it.
using OuterNames = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct CommitPoint {
  // A list of steps on the way to the one that commits: the operation's own, or a fragment's.
  struct Frame {
    int step = 0;
    // Of the fragment that this step uses; empty for the step that commits.
    std::string fragment;
    OuterNames outer;
  };
  OperationId operation;
  std::vector<Frame> frames;  // outermost first
  Scope::Snapshot saved;
};

// One operation, one undo, or one opening of a session on the way.
struct Run {
  Operations::Impl* impl = nullptr;
  OperationId id;
  const Plan::Operation* operation = nullptr;  // null: an undo
  Actor actor;
  CallOptions options;
  std::string request_json = "{}";
  Ended* ended = nullptr;
  std::vector<RawExchange>* raw = nullptr;
  std::unique_ptr<NameSource> names;
  std::unique_ptr<Scope> scope;

  int step = 0, steps = 0;
  int depth = 0;                     // of fragments
  std::vector<std::string> opening;  // sessions that this run opens, outermost first
  std::string last_host;             // the door that the last answer came from
  bool returns_wanted = false;       // the operation's own steps: `returns` may be read with the last answer
  bool returns_ready = false;
  ExprResults returns;                 // what `returns` gave, if ready
  int each_steps = 0, each_empty = 0;  // `each` steps done, and those of them that found nothing
  ExprResults prepared;                // holes of the customer's details and the payment's data
  bool is_undo = false;
  std::vector<CommitPoint::Frame> frames;      // where it stands: one for the operation and for each fragment in it
  std::shared_ptr<const CommitPoint> resumes;  // where it is to begin; null once it is there
  bool in_each = false;
};

// What is about to be sent.
struct Outgoing {
  http::HttpRequest request;
  std::string host;
  const Plan::Host* plan_host = nullptr;
  std::string session;
  const Plan::Session* plan_session = nullptr;
  int follow = 10;
  std::string stop_at;
  absl::Duration timeout;
  SourcePosition position;
};

struct SessionState {
  bool open = false, opening = false;
  std::string value = "null";  // JSON text
  uint64_t generation = 0;
  std::vector<std::shared_ptr<runtime::OneShot>> waiters;
};

// What an answer means for its step.
enum class Verdict { kOn, kStop, kSessionLost, kTryLater };

class Operations::Impl {
 public:
  Impl(Ports ports, std::shared_ptr<const TargetPlan> plan, RunOptions options);

  // operations.cc
  awaitable<Ended> Perform(OperationId id, std::string request_json, Actor actor, CallOptions options);
  awaitable<Undone> Undo(UndoRequest request, Actor actor, CallOptions options);
  awaitable<bool> Prepare(Run& run);
  void Finish(Run& run);
  // Ends the operation.
  bool Stop(Run& run, const Problem& problem);
  bool Stop(Run& run, End end, FailureKind kind, std::string words, const SourcePosition& position,
            const std::string& host = "");
  bool Refuse(Run& run, v1::Refusal refusal);

  // steps.cc
  awaitable<bool> RunSteps(Run& run, const google::protobuf::RepeatedPtrField<Plan::Step>& steps);
  awaitable<bool> DoStep(Run& run, const Plan::Step& step, bool last);
  awaitable<bool> DoOnce(Run& run, const Plan::Step& step, bool last);
  awaitable<bool> DoUse(Run& run, const Plan::Step& step);
  awaitable<bool> Enter(Run& run, const Plan::Fragment& fragment, OuterNames outer);
  // With no answer of its own: `expect`, `until`, `save` over the last one.
  awaitable<bool> JudgeLast(Run& run, const Plan::Step& step, bool& until_true);
  bool Save(Run& run, const Plan::Step& step, const ExprResults& results);
  void CollectSaved(const Plan::Step& step, std::vector<const Expr*>& out) const;
  awaitable<bool> Evaluate(Run& run, const std::vector<const Expr*>& exprs, ExprResults& results);

  // exchange.cc: one request with its redirects, sessions and pages
  awaitable<bool> DoExchange(Run& run, const Plan::Step& step, bool last, bool& until_true);
  awaitable<bool> OneExchange(Run& run, const Plan::Step& step, bool last, const std::optional<std::string>& page_url,
                              bool& until_true, std::optional<std::string>& next_page, std::string& items);
  awaitable<bool> Build(Run& run, const Plan::Step& step, const std::optional<std::string>& page_url, Outgoing& out);
  awaitable<bool> BuildHttp(Run& run, const Plan::Http& http, const std::optional<std::string>& page_url,
                            Outgoing& out);
  awaitable<bool> BuildSubmit(Run& run, const Plan::Submit& submit, Outgoing& out);
  // The door an address belongs to; `at`: the one that is meant where several have it.
  bool Address(Run& run, const std::string& url, const SourcePosition& position, absl::string_view at,
               std::string& host, std::string& normalised);
  void CollectHost(const Plan::Host& host, const Plan::Session* session, bool has_session,
                   std::vector<const Expr*>& out) const;
  bool DressHost(Run& run, const Plan::Host& host, const Plan::Session* session, bool has_session,
                 const ExprResults& results, http::Headers& headers);
  bool SetHeader(Run& run, http::Headers& headers, const puckdrop::v1::NamedTemplate& header,
                 const ExprResults& results);

  // send.cc
  awaitable<bool> Send(Run& run, Outgoing& out);
  bool TransportFailed(Run& run, const Outgoing& out, const http::HttpRequest& request, const http::HttpAnswer& answer,
                       bool our_deadline);
  std::shared_ptr<const http::HostSettings> SettingsOf(const Plan::Host& host, std::optional<Problem>& problem);
  std::shared_ptr<http::CookieJar> JarOf(const Run& run, const std::string& host);
  void Remember(Run& run, const http::HttpRequest& request, const http::HttpAnswer& answer, const Outgoing& out);
  void HideCookies(const http::HttpAnswer& answer);

  // judge.cc
  awaitable<Verdict> Judge(Run& run, const Plan::Step& step, const Outgoing& out, bool last, bool& until_true,
                           std::optional<std::string>& next_page, std::string& items);
  Verdict Reading(Run& run, const Outgoing& out, const ExprResults& results);
  // False: the operation has ended; `refused`: because the expression gave a refusal.
  bool RefusedByPlan(Run& run, const puckdrop::v1::Expression& expression, const ExprResults& results, bool& refused);
  bool NextPage(Run& run, const Plan::Pages& pages, const ExprResults& results, std::optional<std::string>& next_page,
                std::string& items);

  // sessions.cc
  awaitable<bool> EnsureSession(Run& run, const std::string& name);
  awaitable<bool> OpenSession(Run& run, const Plan::Session& session, SessionState& state);
  SessionState& StateOf(const Run& run, const Plan::Session& session);
  bool HasSession(const Run& run, const Plan::Session* session);
  void Forget(const Actor& actor);

  // returns.cc
  awaitable<bool> FillResponse(Run& run);
  void CollectReturns(const Plan::Mapping& mapping, std::vector<const Expr*>& out) const;
  bool ReturnsMayComeWith(const Plan::Operation& operation);

  // undo_needs.cc: a problem when a secret that undoing the operation needs is not there
  std::optional<Problem> UndoLacks(absl::string_view id);

  // accounts.cc
  absl::StatusOr<std::string> PilotPassword(absl::string_view name);
  std::optional<std::string> CustomerJson(Run& run, Problem& problem);
  std::optional<std::string> PaymentJson(Run& run, Problem& problem);
  std::string DeviceJson(const Run& run) const;
  std::string LaunchJson() const;
  const Plan::PaymentData* PaymentDataOf(absl::string_view customer, absl::string_view method,
                                         absl::string_view payment_case) const;
  std::optional<std::string> Secret(const puckdrop::v1::Secret& secret, absl::string_view name,
                                    std::optional<Problem>& problem);
  void HideData(const puckdrop::v1::Value& value);

  puckdrop::v1::Actor ByOf(absl::string_view operation) const;
  std::string Where(const SourcePosition& position) const { return plan->Where(position); }
  absl::Time Now() const { return ports.clock.Now(); }

  Ports ports;
  std::shared_ptr<const TargetPlan> plan;
  const Compiled& compiled;
  RunOptions options;
  http::CookieJars jars;
  std::map<std::string, SessionState> sessions;
  std::map<std::string, std::shared_ptr<const http::HostSettings>> settings;
  std::map<std::string, std::string> secrets;  // resolved, by where they come from
  std::set<std::string> hidden;                // given to the redactor already
  std::unordered_map<const Plan::Operation*, bool> returns_may_come;
  std::set<std::string, std::less<>> can_undo;  // operations whose undo has all that it needs
};

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_INTERPRETER_H_
