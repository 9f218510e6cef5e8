#ifndef PUCKDROP_CHECKS_OPERATION_PORT_H_
#define PUCKDROP_CHECKS_OPERATION_PORT_H_

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/target/v1/target.pb.h"
#include "puckdrop/v1/obligation.pb.h"
#include "puckdrop/v1/result.pb.h"

// What a journey needs of the world: operations at the target, and obligations at readiness. The prober gives the real
// ones; tests give a fake target (tests/fakes/fake_target.h).
namespace puckdrop::checks {

// Who acts, on which device, for which account. A value; copies are cheap.
struct Actor {
  // Customer id of the plan.
  std::string customer;
  // Sign-in name and password; both empty for a visitor. The password is never printed.
  std::string email;
  std::string password;
  std::string account_id;
  // Index among the customer's standing accounts; -1 for an account we signed up.
  int standing_index = -1;
  // Which device of its kind; sessions and cookies are kept per device.
  std::string device_instance;
  // Overrides of the customer's device; empty for the plan's.
  std::string app_version;
  std::string device_profile;
};

// How one operation ended (PLAN.md, "Operations and their answers").
struct OperationEnd {
  enum class Kind { kOk, kRefused, kFault, kUnreadable, kOurs };

  Kind kind = Kind::kOurs;
  // Operation id.
  std::string operation;
  // For kOk: a message of the operation's response type.
  std::shared_ptr<const google::protobuf::Message> response;
  // For kRefused.
  target::v1::Refusal refusal;
  // For all but kOk: what happened, in words, with the plan position when there is one.
  std::string words;
  std::string expected;
  std::string actual;
  std::string plan_position;
  int step = 0;
  int steps = 0;
  // The host could not be reached from here and had not answered in this run (kind kOurs).
  bool unreachable = false;
  // A certificate or handshake that a customer's device would refuse (kind kFault).
  bool certificate = false;
  // The run's deadline ended it (kind kOurs).
  bool deadline = false;
  absl::Time start;
  // When the step marked `commit` began; equals `start` if none is.
  absl::Time commit;
  absl::Time finish;
  // Where the step marked `commit` began, for PerformOptions::from_commit; null if it was not reached. Opaque.
  std::shared_ptr<const void> commit_point;
  // Names given by `customer_does`, in the order they were taken.
  std::vector<std::string> customer_steps;
  // The plan maps it `by: operator` though it is a customer's or a device's.
  bool through_back_office = false;
  // A curl command for the deciding exchange, secrets as $NAME.
  std::string reproduce;
  // Exchanges as HAR, redacted; empty if there were none.
  std::vector<v1::Evidence> evidence;
};

// Whether the plan lets an operation be performed.
struct OperationMapping {
  enum class State { kMapped, kNotOffered, kNotMapped, kReadOnly };
  State state = State::kNotMapped;
  // For kNotOffered: the plan's words.
  std::string words;
};

// Options of one performance.
struct PerformOptions {
  // Ends it as kOurs with `deadline` set.
  absl::Time deadline = absl::InfiniteFuture();
  // New connections and a new session: what a device that was just switched on does.
  bool cold = false;
  // Begin there: an OperationEnd::commit_point of the same operation, actor and run.
  std::shared_ptr<const void> from_commit;
  // On whose behalf, for records.
  std::string check;
};

// Performs operations at the target. Lives on the loop's thread; every call ends by its deadline.
class OperationPort {
 public:
  virtual ~OperationPort() = default;

  // `kept_json` is the journey's `.journey` object; it is replaced by what the plan's `keep` saved.
  virtual boost::asio::awaitable<OperationEnd> Perform(const std::string& operation,
                                                       const google::protobuf::Message& request, const Actor& actor,
                                                       const PerformOptions& options, std::string& kept_json) = 0;

  virtual OperationMapping Mapping(const std::string& operation) const = 0;
  // Whether the plan returns a response field, `invoices.lines.vat_basis_points`, of a mapped operation.
  virtual bool Returns(const std::string& operation, const std::string& field) const = 0;
  // Whether the operation leaves something behind that must be undone.
  virtual bool Creates(const std::string& operation) const = 0;
  // FAILED_PRECONDITION when what the operation leaves behind could not be undone (a secret that its undo needs is not
  // there), in whole words: it must not be performed, and nothing is owed.
  virtual absl::Status CanUndo(const std::string& operation) = 0;
  // Whether the operation changes anything (creating ones included): an answer worth keeping for the whole journey.
  virtual bool Acts(const std::string& operation) const = 0;
  // Whether the plan has payment data for a case (PAYMENT_CASE_ACCEPTED is always true for a target without payment).
  virtual bool HasPaymentCase(const std::string& customer, target::v1::PaymentCase payment_case) const = 0;
  // Undoes what an obligation says, from its account and key alone. OK when undone or when nothing was left; otherwise
  // the status says what a person must do.
  virtual boost::asio::awaitable<absl::StatusOr<std::string>> Undo(const v1::Obligation& obligation,
                                                                   absl::Time deadline) = 0;
};

// Obligations, kept by readiness.
class ObligationPort {
 public:
  virtual ~ObligationPort() = default;
  // Durable when it answers; gives the resource name. On an error the act must not be performed.
  virtual boost::asio::awaitable<absl::StatusOr<std::string>> Open(v1::Obligation obligation) = 0;
  // Adds ids the target gave. Losing this costs nothing: undo works from account and key.
  virtual boost::asio::awaitable<absl::Status> Update(v1::Obligation obligation) = 0;
};

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_OPERATION_PORT_H_
