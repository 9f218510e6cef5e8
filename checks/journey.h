#ifndef PUCKDROP_CHECKS_JOURNEY_H_
#define PUCKDROP_CHECKS_JOURNEY_H_

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "checks/check.h"
#include "checks/operation_port.h"
#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/cancellation.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"
#include "puckdrop/target/v1/playback.pb.h"
#include "puckdrop/v1/fact.pb.h"
#include "puckdrop/v1/plan.pb.h"
#include "services/runtime/clock.h"

namespace puckdrop::checks {

// Thrown by a journey when an operation did not end as the check needs, or could not be asked. The runner turns it into
// an outcome by DESIGN section 6, so that no check decides that for itself.
class OperationEnded : public std::exception {
 public:
  explicit OperationEnded(OperationEnd end) : end_(std::move(end)) {}
  const char* what() const noexcept override { return end_.words.c_str(); }
  const OperationEnd& end() const { return end_; }

 private:
  OperationEnd end_;
};

// Thrown when a check ends early with its judgement already known (an operation that is not mapped: SKIPPED; a fact that
// an earlier check should have left: BLOCKED).
class Judged : public std::exception {
 public:
  explicit Judged(Judgement judgement) : judgement_(std::move(judgement)) {}
  const char* what() const noexcept override { return judgement_.summary.c_str(); }
  const Judgement& judgement() const { return judgement_; }

 private:
  Judgement judgement_;
};

// The typed answer of Journey::Try.
template <typename Response>
struct Ended {
  OperationEnd end;
  // Default when not ok.
  Response response;
  bool ok() const { return end.kind == OperationEnd::Kind::kOk; }
  bool refused() const { return end.kind == OperationEnd::Kind::kRefused; }
  bool refused(target::v1::Reason reason) const { return refused() && end.refusal.reason() == reason; }
};

// What a journey is made of, shared by all journeys of one RunChecks. Outlives them.
struct JourneyEnvironment {
  const v1::Plan* plan = nullptr;
  const v1::Plan::Customer* customer = nullptr;
  OperationPort* operations = nullptr;
  ObligationPort* obligations = nullptr;
  const runtime::Clock* clock = nullptr;
  std::string run;
  // Of the run.
  absl::Time deadline = absl::InfiniteFuture();
  // Derives passwords of accounts we sign up.
  std::string pilot_key;
  // Passwords of the customer's standing accounts, in the plan's order.
  std::vector<std::string> standing_passwords;
  // Path of the prober, the writer of facts.
  v1::Path path = v1::PATH_UNSPECIFIED;
  // Makes account names unique within a run: counts over all journeys of the customer in this prober.
  int* account_counter = nullptr;
  // How long Order() waits for ACTIVE: the `fail` threshold of ordering.order_completes.
  absl::Duration activation_limit = absl::Seconds(60);
  // What waits without a wall clock in tests: sleeps on `clock`.
  std::function<Task<void>(absl::Duration)> sleep;
};

// One customer's walk, and what was learned on the way. Each act is performed once and its answer shared; reads are kept
// until ForgetReads. One coroutine at a time; lives on the loop's thread.
//
// Every accessor that performs something throws OperationEnded when it did not end OK, and Judged when it cannot be asked.
class Journey {
 public:
  // `label` is empty for the main journey, else names the side journey ([a-z0-9_]).
  Journey(const JourneyEnvironment& environment, std::string label);

  // A walk beside this one, of a new account (always: a declined payment may lock the customer's next good order).
  // Throws Judged (SKIPPED) when the customer has standing accounts only and none is spare.
  std::unique_ptr<Journey> Side(std::string_view label) const;

  const v1::Plan& plan() const { return *environment_.plan; }
  const v1::Plan::Customer& customer() const { return *environment_.customer; }
  const std::string& label() const { return label_; }
  absl::Time deadline() const { return environment_.deadline; }
  // To ask what the plan maps; perform through the journey.
  OperationPort& operations() const { return *environment_.operations; }

  // --- Performing. Responses are of the operation's own types; the id is derived from the request type's name.

  // Throws OperationEnded unless it ended OK.
  template <typename Response, typename Request>
  Task<Response> Perform(std::string operation, const Request& request, PerformOptions options = {}) {
    Ended<Response> ended = co_await Try<Response>(std::move(operation), request, std::move(options));
    if (!ended.ok()) throw OperationEnded(std::move(ended.end));
    co_return std::move(ended.response);
  }

  // Gives every end; throws only Judged when it cannot be asked.
  template <typename Response, typename Request>
  Task<Ended<Response>> Try(std::string operation, const Request& request, PerformOptions options = {}) {
    Ended<Response> ended;
    ended.end = co_await PerformErased(std::move(operation), request, std::move(options));
    if (ended.ok()) ended.response.CopyFrom(*ended.end.response);
    co_return ended;
  }

  // As Perform, but done once in this journey under `operation` + the request: acts for good, reads until ForgetReads.
  template <typename Response, typename Request>
  Task<Response> Once(std::string operation, const Request& request, PerformOptions options = {}) {
    OperationEnd end = co_await OnceErased(std::move(operation), request, std::move(options));
    if (end.kind != OperationEnd::Kind::kOk) throw OperationEnded(std::move(end));
    Response response;
    response.CopyFrom(*end.response);
    co_return response;
  }

  // As another device of the same customer, until changed; gives the previous one. New instances: `NewDevice()`.
  std::string UseDevice(std::string device_instance);
  std::string NewDevice();
  const std::string& device_instance() const { return actor_.device_instance; }
  // A request's Device message for the customer's profile.
  target::v1::Device Device() const;
  // Acts as somebody who never signed in (own cookie jar), for the scope of the object returned.
  Actor VisitorActor() const;
  Actor& actor() { return actor_; }

  // --- Shared answers of a walk.

  // The plan's claim for this customer: `offer_id` of the customer, else the first claim of its market. Throws Judged
  // (SKIPPED, NOT_TOLD) when the plan claims none.
  const v1::Plan::OfferClaim& Claim() const;
  // ordering.list_offers for the customer's market, as a visitor.
  Task<target::v1::ListOffersResponse> Offers();
  // The claimed offer as listed; throws Judged (BLOCKED by ordering.offer_visible) when it is not listed.
  Task<target::v1::Offer> Offer();
  // The account, signed up (or a standing one) if this journey has none yet.
  Task<v1::AccountFact> Account();
  // The order, placed if this journey has none yet, and waited for until ACTIVE or the activation limit: look at
  // `order.state`. Opens the obligation first.
  Task<v1::OrderFact> Order();
  // Same with another offer or key; only before Order().
  struct OrderOptions {
    std::string offer_id;
    std::string idempotency_key;
    target::v1::PaymentCase payment_case = target::v1::PAYMENT_CASE_ACCEPTED;
    bool wait_for_activation = true;
    bool starts_now_consent = true;
    // A repeat under a key that was ordered with before: it begins at the plan's step marked `commit`, because a customer
    // who clicks again does not fill a second cart. The whole operation where the plan marks none.
    bool from_commit = false;
  };
  Task<v1::OrderFact> Order(OrderOptions options);
  // ordering.place_order with every end given back; opens the obligation under its key first (once a key). `Order` and
  // the storms of retry_safe and the declined cases are made of it.
  Task<Ended<target::v1::PlaceOrderResponse>> PlaceOrder(OrderOptions options);
  // Whether an order under that key reached the step marked `commit`, so that a repeat can begin there.
  bool reached_commit(const std::string& key) const { return commit_points_.contains(key); }
  // Has this journey an order that became ACTIVE?
  bool has_active_order() const;
  const std::optional<v1::OrderFact>& order() const { return order_; }
  const std::optional<v1::CancelledFact>& cancelled() const { return cancelled_; }
  const std::optional<v1::ChargesFact>& charges_seen() const { return charges_seen_; }

  // Reads of the customer's (or, by mapping, the back office's) lists. Kept until ForgetReads.
  Task<target::v1::ListChargesResponse> Charges();
  Task<target::v1::ListInvoicesResponse> Invoices();
  Task<target::v1::ListEntitlementsResponse> Entitlements();
  Task<target::v1::ListSubscriptionsResponse> Subscriptions();
  // The subscription of the order; throws Judged (BLOCKED by ordering.order_completes) when there is none.
  Task<target::v1::Subscription> Subscription();
  // Cancels the subscription of the order if it was not, at the end of its period; then reads it back from another device.
  Task<v1::CancelledFact> Cancel();
  // Takes the subscription as it reads after the cancellation into the fact, for what judges its end.
  void LearnEnd(const target::v1::Subscription& subscription);
  // The subscription as it reads from a device that was never used before.
  Task<target::v1::Subscription> SubscriptionFromElsewhere();
  // ordering.list_orders, from the beginning of the journey.
  Task<target::v1::ListOrdersResponse> Orders();
  // ordering.list_messages to the account's address.
  Task<target::v1::ListMessagesResponse> Messages();

  // --- Time.

  // Now, at the target, for this account: target.get_clock when mapped, else our clock.
  Task<absl::Time> Now();
  // Moves the account's time forward (never back; does nothing when it is later already). Throws Judged (SKIPPED,
  // NOT_MAPPED) when `target.clock` is none.
  Task<absl::Time> AdvanceClock(absl::Time to);
  // The launch's time zone.
  absl::TimeZone time_zone() const;
  // Start of a civil date "YYYY-MM-DD" in the launch's time zone; nullopt for anything else.
  std::optional<absl::Time> StartOfDay(const std::string& date) const;
  // The civil date of an instant in the launch's time zone, "YYYY-MM-DD".
  std::string Date(absl::Time time) const;
  // Waits; throws OperationEnded (kOurs, deadline) when the run's deadline comes first.
  Task<void> Sleep(absl::Duration duration);
  absl::Time clock_now() const { return environment_.clock->Now(); }

  // Something a check made that others of this journey may use, until ForgetReads; nullptr if there is none.
  std::shared_ptr<const void> Shared(const std::string& name) const;
  void Share(const std::string& name, std::shared_ptr<const void> value) { shared_[name] = std::move(value); }

  // --- For the runner.

  // Takes facts of this journey that came with the request. Unknown names are ignored.
  void Load(const std::vector<v1::Fact>& facts);
  // Facts learned since the last call, to be sent. Main journey only.
  std::vector<v1::Fact> TakeNewFacts();
  // Forgets reads and acts that failed, for a second look.
  void ForgetReads();
  // A journey that starts from the beginning with a new account, to take this one's place in a second look.
  std::unique_ptr<Journey> Renewed() const;
  // Exchanges and deciding operation since the last call, for a result's evidence.
  std::vector<v1::Evidence> TakeEvidence();
  // The last operation performed (for step, position and the command that reproduces it); nullptr if none.
  const OperationEnd* last_end() const { return last_end_ ? &*last_end_ : nullptr; }
  // Records of operations since the last call.
  std::vector<v1::OperationRecord> TakeRecords();
  // Tags records and options with the check at work.
  void set_check(std::string check) { check_ = std::move(check); }

 private:
  Task<OperationEnd> PerformErased(std::string operation, const google::protobuf::Message& request,
                                   PerformOptions options);
  Task<OperationEnd> OnceErased(std::string operation, const google::protobuf::Message& request,
                                PerformOptions options);
  // Opens an obligation for a creating operation under `key`, once a key.
  Task<void> Owe(const std::string& operation, const std::string& key, const google::protobuf::Message& request);
  void AddFact(const std::string& name, const google::protobuf::Message& value);
  std::string NewKey();

  JourneyEnvironment environment_;
  std::string label_;
  Actor actor_;
  std::string kept_json_ = "{}";
  std::string check_;
  std::optional<v1::AccountFact> account_;
  std::optional<v1::OrderFact> order_;
  std::optional<v1::CancelledFact> cancelled_;
  std::optional<v1::ChargesFact> charges_seen_;
  std::map<std::string, OperationEnd> memo_;
  std::map<std::string, std::shared_ptr<const void>> shared_;
  std::map<std::string, v1::Obligation> owed_;
  std::map<std::string, std::shared_ptr<const void>> commit_points_;  // by idempotency key
  std::map<std::string, v1::Fact> new_facts_;
  std::vector<v1::Evidence> evidence_;
  std::vector<v1::OperationRecord> records_;
  std::optional<OperationEnd> last_end_;
  absl::Time advanced_to_ = absl::InfinitePast();
  int devices_ = 0;
  int keys_ = 0;
};


// The password of an account we signed up: HMAC-SHA256 of its name under the plan's `pilot_key`, so that a restart can
// sign in again from the plan alone.
std::string DerivePassword(const std::string& pilot_key, const std::string& email);

}  // namespace puckdrop::checks

#endif  // PUCKDROP_CHECKS_JOURNEY_H_
