// How checks and probers reach the target: one object that performs the plan's operations.
#ifndef PUCKDROP_CHECKS_TARGET_OPERATIONS_H_
#define PUCKDROP_CHECKS_TARGET_OPERATIONS_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checks/target/http/exchange.h"
#include "puckdrop/target/v1/target.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::http {
struct HostSettings;
class HttpClient;
class Limiter;
class Redactor;
}  // namespace puckdrop::http

namespace puckdrop::jq {
class ExpressionPool;
}  // namespace puckdrop::jq

namespace puckdrop::target {

class RunMemory;
class TargetPlan;

// Where an operation stood when its step marked `commit: true` was about to be done: what a repeat begins from. Opaque;
// it holds what was saved until then, secrets included, and belongs to the Operations that gave it.
struct CommitPoint;

// "ordering.place_order".
using OperationId = std::string;

// How an operation ended; PLAN.md has the table.
enum class End {
  kOk,          // the answer fits the response
  kRefused,     // the target said no: `refusal`
  kFault,       // the target's fault
  kUnreadable,  // the answer does not fit what the plan says of it
  kOurs,        // we could not tell
};
// "OK", "REFUSED", "FAULT", "UNREADABLE", "OURS".
absl::string_view EndName(End end);

// What exactly went wrong, for FAULT, UNREADABLE and OURS.
enum class FailureKind {
  kNone,
  // FAULT
  kStatus,       // a status that nothing in the plan expects
  kExpectation,  // `expect` is false
  kReset,        // the connection broke, or the answer is cut or not HTTP
  kTls,          // a certificate or handshake that a customer's device would refuse
  kTimeout,      // no answer in the step's timeout
  kUnreachable,  // no name, no listener (FAULT if the host answered before in this run, else OURS)
  kContent,      // not what its content type says, or a page where the plan reads JSON
  kUntil,        // `until` did not come true in its time
  kRedirects,    // more redirects than allowed
  kPages,        // more pages than allowed
  // UNREADABLE
  kExpression,  // an expression failed on the answer, or gave not one value
  kNull,        // `save`, `keep` or `hide` gave null
  kMissing,     // a required field is missing or null
  kType,        // a value fits neither type nor enum
  kForm,        // the page has no such form
  // OURS
  kDeadline,       // the caller's deadline
  kCancelled,      // the caller gave up
  kLimiter,        // our own limits
  kRanAway,        // an expression took too long or too much
  kMissingSecret,  // a secret of the plan that is not there
  kOutsideHosts,   // an address outside the plan's hosts
  kLocal,          // our own machine, or a bound of ours
  kNotMapped,      // the plan does not map the operation, or not this case of it
  kNotOffered,     // the plan says that the target has no such thing
  kReadOnly,       // the plan forbids operations that create something
};
// "STATUS", "EXPECTATION", …
absl::string_view FailureKindName(FailureKind kind);

// Why an operation ended FAULT, UNREADABLE or OURS. Texts are redacted.
struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string words;     // a whole sentence, with the plan position and "last read well at …" where known
  std::string position;  // "plan.yaml:120:9", of the expression or step
  int step = 0;          // k of n: the step that failed, from 1; 0 before the first
  int steps = 0;         // n, of the operation itself (a fragment is one step)
  std::string host;      // the plan's name of the door, if a request was the cause
};

// One request and its answer, redacted when made.
struct ExchangeRecord {
  http::Exchange exchange;
  std::string host;                // the plan's name of the door
  std::string position;            // of the step
  int step = 0;                    // k of n, as in Failure
  bool of_session = false;         // it opened a session
  std::vector<std::string> saved;  // names that the step saved or kept, for `puckdrop try`
};

// Performing one operation, from its beginning to its end.
struct Ended {
  End end = End::kOurs;
  OperationId operation;
  // Only with kOk; of the operation's response type, its `refusal` unset.
  std::unique_ptr<google::protobuf::Message> response;
  // Only with kRefused. `reason` is set.
  v1::Refusal refusal;
  Failure failure;
  std::vector<ExchangeRecord> exchanges;

  absl::Time start_time;
  absl::Time finish_time;
  // When the step marked `commit: true` began to send; not set if the operation ended before it.
  std::optional<absl::Time> commit_time;
  // For CallOptions::from; null if the operation ended before that step, or if an `each` repeats it.
  std::shared_ptr<const CommitPoint> commit_point;
  // What the customer did, by `customer_does`, in order.
  std::vector<std::string> customer_steps;
  // Every field of the response that the target told, as the plan's coverage writes it:
  // "invoices.lines.vat_basis_points" (no indices; told for at least one item).
  std::set<std::string> told;
  // Whose act it was here: the plan's `by` of the operation or of a door it used, else the operation's own.
  puckdrop::v1::Actor by = puckdrop::v1::ACTOR_UNSPECIFIED;

  bool ok() const { return end == End::kOk; }
  bool refused(v1::Reason reason) const { return end == End::kRefused && refusal.reason() == reason; }
  bool told_field(absl::string_view path) const { return told.contains(std::string(path)); }
  absl::Duration took() const { return finish_time - start_time; }
  // One sentence: "the target refused: DECLINED (card_declined)", or the failure's words.
  std::string Words() const;
};

// An Ended whose response has a type.
template <typename Response>
struct EndedAs : Ended {
  explicit EndedAs(Ended ended) : Ended(std::move(ended)) {}
  // Only with kOk.
  const Response& value() const { return static_cast<const Response&>(*response); }
};

// As whom we act.
struct Actor {
  // Id of a customer of the plan.
  std::string customer;
  // The account: its sign-in name (an address) and password.
  std::string email;
  std::string password;  // a secret
  std::string name = "Pilot Customer";
  // The target's id of it, once known.
  std::string account_id;
  // Index of the plan's standing account, from 0; -1 for one we signed up.
  int standing_index = -1;
  // The device; `profile` and versions default to the customer's in the plan, `instance_id` must be the same for one
  // device throughout a journey.
  v1::Device device;
  // Actors with different scopes share no session and no cookie: a cold session is one with a new scope.
  std::string session_scope;
};

// What the operations of one journey share: `.journey.*`. Owned by the caller, used on the loop's thread only; several
// operations of a journey may run at once.
struct JourneyScope {
  std::map<std::string, std::string> kept;  // name -> JSON text
};

struct CallOptions {
  // The caller's; passing it is OURS. A step's own timeout is never longer.
  absl::Time deadline = absl::InfiniteFuture();
  // May be null: nothing is kept then.
  JourneyScope* journey = nullptr;
  // Called once, on the loop's thread, when the step marked `commit: true` is about to be sent.
  std::function<void()> on_commit;
  // Begin at that point of an earlier performance, with what it had saved: the second click on `pay`, not a second
  // cart. Null: begin at the beginning. One of another operation is not heeded.
  std::shared_ptr<const CommitPoint> from;
  // Of place_order: taken from the plan's money budget before the order; nothing when not set.
  std::optional<v1::Money> spends;
  // Keep the exchanges of an operation that ended OK or REFUSED; those of others are always kept.
  bool record = true;
  // New connections for every request.
  bool fresh_connections = false;
};

// What is needed to undo what an operation left behind, known from our own books: nothing of it came from the target
// unless it is in `target_ids`.
struct UndoRequest {
  OperationId operation;
  // The operation's request as it was, without secrets, as JSON with the proto's field names; `idempotency_key` in it
  // is replaced by the one below if that is not empty.
  std::string request_json;
  std::string idempotency_key;
  // `.journey` of the undo's expressions.
  std::map<std::string, std::string> target_ids;
};

struct Undone {
  // Nothing is owed any more.
  bool done = false;
  // How it was found to be so, or what stands in the way. Redacted.
  std::string words;
  Ended ended;
};

// Whether the plan can perform an operation.
enum class Offering {
  kMapped,
  kNotOffered,  // `not_offered`: the target has no such thing
  kNotMapped,   // the plan says nothing
};

// Performs operations of one plan as one run. Loop thread only. Everything passed in must outlive it; it must outlive
// the operations that run. Many operations may run at once; those that need the same session wait for its opening.
class Operations {
 public:
  struct Ports {
    runtime::EventLoop& loop;
    const runtime::Clock& clock;
    http::HttpClient& http;
    http::Limiter& limiter;
    http::Redactor& redactor;
    // Over TargetPlan::programs() of the plan below.
    jq::ExpressionPool& expressions;
    // What this vantage has seen in this run; may be shared by several Operations of one thread.
    RunMemory& memory;
  };
  struct RunOptions {
    // `.run.id`, and part of the names of accounts we sign up: [a-z0-9-].
    std::string run_id;
    // Of a step that gives none.
    absl::Duration step_timeout = absl::Seconds(30);
  };

  Operations(Ports ports, std::shared_ptr<const TargetPlan> plan, RunOptions options);
  ~Operations();
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // Always ends, by options.deadline at the latest; never throws. `request` is read before this returns. A request
  // whose type is not the operation's, or an id that does not exist, ends kOurs (kLocal).
  awaitable<Ended> Perform(OperationId operation, const google::protobuf::Message& request, Actor actor,
                           CallOptions options = {});

  // The same; the operation is the one that takes this request:
  //   EndedAs<PlaceOrderResponse> ended = co_await operations.Perform<PlaceOrderResponse>(request, actor, options);
  template <typename Response, typename Request>
  awaitable<EndedAs<Response>> Perform(const Request& request, Actor actor, CallOptions options = {}) {
    return Typed<Response>(Perform(OperationOf(*Request::descriptor(), *Response::descriptor()), request,
                                   std::move(actor), std::move(options)));
  }

  // Whether what the operation leaves behind could be undone: FAILED_PRECONDITION, with the secret and its place in the
  // plan, when one that its `undo` needs is not there. Perform refuses the act then (kOurs, kMissingSecret); who writes
  // down what will be owed asks before. OK for operations without `undo`.
  absl::Status CanUndo(absl::string_view operation);

  // Undoes by the plan's `undo` of the operation. `done` only if the target said so, or the plan says that nothing is
  // left behind, or every `each` of its steps found nothing. Works after a restart from the plan and the books alone.
  awaitable<Undone> Undo(UndoRequest request, Actor actor, CallOptions options = {});

  // What the plan says.
  Offering OfferingOf(absl::string_view operation) const;
  // The plan's reason for kNotOffered; empty otherwise.
  std::string NotOfferedReason(absl::string_view operation) const;
  // Who performs it: the plan's `by`, the `by` of a door it uses, else the operation's own.
  puckdrop::v1::Actor By(absl::string_view operation) const;
  // Whether the plan's `returns` fills the field: "invoices.lines.vat_basis_points". True too where an expression gives
  // a whole message above it, because only an answer can tell then.
  bool Returns(absl::string_view operation, absl::string_view field_path) const;
  // Whether the customer's payment method (or `payment_method`, if not empty) has data for the case.
  bool HasPaymentCase(absl::string_view customer, v1::PaymentCase payment_case,
                      absl::string_view payment_method = "") const;
  // Whether the operation has a step marked `commit: true`.
  bool HasCommit(absl::string_view operation) const;
  // How many `customer_does` steps the operation has when all are done; fragments counted.
  int CustomerSteps(absl::string_view operation) const;

  // A new account for that customer of the plan: names derived from run, customer and n, the password from the name and
  // the pilot key, a device instance of its own. NOT_FOUND: no such customer; FAILED_PRECONDITION: no pilot key.
  absl::StatusOr<Actor> NewAccount(absl::string_view customer, int n) const;
  // The account with that sign-in name, also one that another run signed up (standing_index -1).
  absl::StatusOr<Actor> AccountOf(absl::string_view customer, absl::string_view email, int standing_index) const;
  // A standing account of the plan. NOT_FOUND when there is none with that index (from 0).
  absl::StatusOr<Actor> StandingAccount(absl::string_view customer, int index) const;

  // Forgets sessions and cookies of this actor's device and scope: what follows signs in anew.
  void ForgetSessions(const Actor& actor);

  // How a host of the plan is reached (TLS, proxy); the same object each time, so that connections are shared.
  // NOT_FOUND: no such host; FAILED_PRECONDITION: the secret of its key is not there.
  absl::StatusOr<std::shared_ptr<const http::HostSettings>> HostSettingsOf(absl::string_view host);

  const TargetPlan& plan() const;

  class Impl;  // interpreter.h; nobody else's

 private:
  static OperationId OperationOf(const google::protobuf::Descriptor& request,
                                 const google::protobuf::Descriptor& response);
  template <typename Response>
  static awaitable<EndedAs<Response>> Typed(awaitable<Ended> performing) {
    Ended ended = co_await std::move(performing);
    co_return EndedAs<Response>(std::move(ended));
  }

  std::unique_ptr<Impl> impl_;
};

// The expressions' process for this plan: Operations' port. Starts nothing before its first use.
std::unique_ptr<jq::ExpressionPool> MakeExpressionPool(runtime::EventLoop& loop, const TargetPlan& plan);

}  // namespace puckdrop::target

#endif  // PUCKDROP_CHECKS_TARGET_OPERATIONS_H_
