#ifndef PUCKDROP_TESTS_FAKES_FAKE_TARGET_H_
#define PUCKDROP_TESTS_FAKES_FAKE_TARGET_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checks/operation_port.h"
#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/cancellation.pb.h"
#include "puckdrop/target/v1/device_support.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"
#include "puckdrop/target/v1/playback.pb.h"
#include "puckdrop/target/v1/target.pb.h"
#include "services/runtime/clock.h"

namespace puckdrop::fakes {

// A small streaming shop in memory that does everything right, until a test tells it to do one thing wrong: by a knob of
// `habits`, or by putting its own answer in place of an operation's with `On`. One thread.
class FakeTarget : public checks::OperationPort {
 public:
  // Everything right by default.
  struct Habits {
    absl::Duration activation = absl::Seconds(1);
    // Answers to place_order under a key that was used before make a new order / a new charge.
    bool order_again_on_retry = false;
    bool charge_again_on_retry = false;
    bool declined_leaves_order = false;
    bool declined_entitles = false;
    int captures_per_order = 1;
    bool charge_at_order_always = false;
    int64_t charge_minor_units = 0;   // 0: the offer's price
    int64_t invoice_minor_units = 0;  // 0: the offer's price
    int32_t invoice_vat_basis_points = 2550;
    bool unentitled_plays = false;
    bool cancel_does_nothing = false;
    std::vector<std::string> cancel_steps = {"opens the cancel page", "confirms"};
    std::string receipt = "R-1";
    bool receipt_mail = true;
    bool access_ends_at_cancel = false;
    bool access_never_ends = false;
    bool charges_after_cancel = false;
    bool withdrawal_acknowledged = true;
    int stream_limit = 2;
    bool stop_frees_slot = true;
    std::string minimum_app_version = "2.0.0";
    bool old_app_welcome = false;
  };

  explicit FakeTarget(runtime::FakeClock* clock);

  Habits habits;
  // What list_offers answers; one offer `season` (14.90 EUR, P1M) and one `early_bird` (first charge in 7 days).
  std::vector<target::v1::Offer> offers;

  using Handler = std::function<checks::OperationEnd(const google::protobuf::Message& request,
                                                     const checks::Actor& actor)>;
  // Answers `operation` instead of the shop. The handler may call Shop() for the right answer and spoil it.
  void On(const std::string& operation, Handler handler) { handlers_[operation] = std::move(handler); }
  checks::OperationEnd Shop(const std::string& operation, const google::protobuf::Message& request,
                            const checks::Actor& actor);
  // Takes an operation out of the plan.
  void Unmap(const std::string& operation) { unmapped_.insert(operation); }
  void NotOffer(const std::string& operation, const std::string& words) { not_offered_[operation] = words; }
  // Fields the plan does not return, `operation:field`.
  std::set<std::string> untold;
  std::set<target::v1::PaymentCase> missing_payment_cases;

  static checks::OperationEnd Ok(const google::protobuf::Message& response);
  static checks::OperationEnd Refused(target::v1::Reason reason, const std::string& text = "");
  static checks::OperationEnd Fault(const std::string& words);

  int performed(const std::string& operation) const;
  // Where each performance was to begin, in order: PerformOptions::from_commit.
  std::map<std::string, std::vector<std::shared_ptr<const void>>> began_from;
  int orders() const { return next_order_; }

  // checks::OperationPort
  boost::asio::awaitable<checks::OperationEnd> Perform(const std::string& operation,
                                                       const google::protobuf::Message& request,
                                                       const checks::Actor& actor,
                                                       const checks::PerformOptions& options,
                                                       std::string& kept_json) override;
  checks::OperationMapping Mapping(const std::string& operation) const override;
  bool Returns(const std::string& operation, const std::string& field) const override;
  // Set to what stands in the way of undoing.
  absl::Status can_undo = absl::OkStatus();
  absl::Status CanUndo(const std::string&) override { return can_undo; }
  bool Creates(const std::string& operation) const override;
  bool Acts(const std::string& operation) const override;
  bool HasPaymentCase(const std::string& customer, target::v1::PaymentCase payment_case) const override;
  boost::asio::awaitable<absl::StatusOr<std::string>> Undo(const v1::Obligation& obligation,
                                                           absl::Time deadline) override;

 private:
  struct OrderRecord {
    std::string id;
    std::string key;
    std::string offer_id;
    absl::Time placed;
    absl::Time paid_through;
    bool declined = false;
    bool cancelled = false;
    bool withdrawn = false;
    bool captured = false;
    int charges = 0;
  };
  struct AccountRecord {
    std::string password;
    absl::Duration ahead;
    std::vector<OrderRecord> orders;
    std::vector<target::v1::Charge> charges;
    std::vector<target::v1::Invoice> invoices;
    std::vector<target::v1::Message> messages;
    std::set<std::string> streams;
  };

  absl::Time Now(const AccountRecord& account) const;
  const target::v1::Offer* OfferOf(const std::string& id) const;
  void Capture(AccountRecord& account, OrderRecord& order, absl::Time at);
  // Runs renewals and captures that became due.
  void Bill(AccountRecord& account);
  bool Entitled(const AccountRecord& account, const OrderRecord& order) const;

  runtime::FakeClock* clock_;
  std::map<std::string, Handler> handlers_;
  std::set<std::string> unmapped_;
  std::map<std::string, std::string> not_offered_;
  std::map<std::string, AccountRecord> accounts_;
  std::map<std::string, int> performed_;
  int next_order_ = 0;
  int next_charge_ = 0;
  int next_stream_ = 0;
};

// Obligations in memory.
class FakeObligations : public checks::ObligationPort {
 public:
  // Set to refuse.
  absl::Status answer = absl::OkStatus();
  std::vector<v1::Obligation> opened;
  boost::asio::awaitable<absl::StatusOr<std::string>> Open(v1::Obligation obligation) override;
  boost::asio::awaitable<absl::Status> Update(v1::Obligation obligation) override;
};

}  // namespace puckdrop::fakes

#endif  // PUCKDROP_TESTS_FAKES_FAKE_TARGET_H_
