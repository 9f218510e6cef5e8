#ifndef PUCKDROP_SERVICES_ARENA_SHOP_H_
#define PUCKDROP_SERVICES_ARENA_SHOP_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "services/arena/calendar.h"
#include "services/arena/catalogue.h"
#include "services/arena/database.h"
#include "services/arena/faults.h"
#include "services/arena/problem.h"

namespace puckdrop::arena {

using Json = nlohmann::ordered_json;

struct ShopOptions {
  Clock clock = SystemClock();
  Millis activation_delay = 1500;  // from a paid order to its activation, on the account's clock
  Millis payment_time = 120;       // how long the card payment takes, real time
  int first_charge_in_days = 7;    // of the offers that are charged later
  std::string release = "1";       // part of the configuration's fingerprint
  std::string media_version;       // likewise
};

// What a request says about who sends it.
struct Caller {
  std::string base_url;  // scheme and authority, no slash at the end
  std::string token;     // session token, empty without one
  std::string device_id;
  std::string profile;
  std::string app_version;
};

// The shop: catalogue, accounts, orders, money, subscriptions, devices and playback rights, over one SQLite store.
//
// Every account has a clock of its own, real time plus an offset. Whatever is due on it (activations, captures,
// renewals, ends) is done before any question about the account is answered, in order of its due instants, so that
// nothing depends on when somebody looked.
//
// Thread-safe: each method is one critical section, except that Pay lets go of the lock while the card is charged.
// Refusals are thrown as Problem (problem.h). Answers are the JSON documents of API.md; lists come whole, newest first.
class Shop {
 public:
  Shop(std::unique_ptr<Database> database, const FaultSet* faults, ShopOptions options);

  // Catalogue, devices, events, notices: shop_catalogue.cc
  Json Offers(const Caller& caller, const std::string& market, const std::string& language);
  Json OneOffer(const Caller& caller, const std::string& id, const std::string& market, const std::string& language);
  std::string TermsHtml(const std::string& market, const std::string& language);
  Json Events(const Caller& caller, const std::string& language);
  Json OneEvent(const Caller& caller, const std::string& id, const std::string& language);
  Json DeviceClaims(const std::string& language);
  Json Compatibility(const Caller& caller);
  Json Notices(const Caller& caller);
  Json PublishNotice(const Caller& caller, const Json& body);
  void CloseNotice(const std::string& id);

  // Accounts and sessions: shop_accounts.cc
  Json SignUp(const Caller& caller, const Json& body);
  Json SignIn(const Caller& caller, const Json& body);
  void SignOut(const Caller& caller);
  Json Me(const Caller& caller);

  // Orders: shop_orders.cc
  Json MakeCart(const Caller& caller, const Json& body);
  Json GetCart(const Caller& caller, const std::string& id);
  Json Checkout(const Caller& caller, const std::string& id);
  struct Paid {
    bool replayed = false;
    Json order;
  };
  Paid Pay(const Caller& caller, const std::string& cart_id, const std::string& idempotency_key, const Json& body);
  Json Orders(const Caller& caller, const std::string& key, Millis since);
  Json GetOrder(const Caller& caller, const std::string& id);
  Json Entitlements(const Caller& caller);

  // Subscriptions: shop_subscriptions.cc
  Json Subscriptions(const Caller& caller);
  Json GetSubscription(const Caller& caller, const std::string& id);
  Json Resume(const Caller& caller, const std::string& id);
  // Returns what the done page shows: receipt_number (null under a fault), end_date, title.
  Json Cancel(const Caller& caller, const std::string& id);
  // The order of a contract id (its id or number): {order_id, number, title, total}. Needs no session.
  Json FindContract(const std::string& contract_id);
  // {receipt_number, received_at, refund: {minor_units, currency}, refund_by_date}; the first two null under a fault.
  Json Withdraw(const std::string& contract_id, const std::string& name, const std::string& address);
  // Ties a form to the session that got it.
  std::string CsrfToken(const Caller& caller);

  // Money: shop_billing.cc
  Json Invoices(const Caller& caller, Millis since);
  Json Charges(const Caller& caller, Millis since);
  Json Refunds(const Caller& caller, Millis since);

  // Devices and playback: shop_playback.cc
  struct Registered {
    bool created = false;
    Json device;
  };
  Registered RegisterDevice(const Caller& caller, const Json& body);
  Json Devices(const Caller& caller);
  int DeviceLimit();
  void RemoveDevice(const Caller& caller, const std::string& id);
  Json StartPlayback(const Caller& caller, const Json& body);
  Json KeepPlayback(const Caller& caller, const std::string& id);
  void StopPlayback(const Caller& caller, const std::string& id);
  // Whether `token` of a stream's address is ours and not expired.
  bool StreamTokenValid(const std::string& token);

  // The office: shop_office.cc. `account` is an e-mail address or an id.
  Json OfficeOrders(const Caller& caller, const std::string& account, const std::string& key);
  Json OfficeOrder(const Caller& caller, const std::string& id);
  Json OfficeRefund(const Caller& caller, const std::string& order_id, std::optional<int64_t> amount);
  Json OfficeVoid(const Caller& caller, const std::string& order_id);
  Json OfficeList(const Caller& caller, const std::string& what, const std::string& account, Millis since);
  Json OfficeAccounts(const Caller& caller, const std::string& email);
  void ForgetAccount(const std::string& account);
  Json AccountClock(const std::string& account);
  Json AdvanceClock(const std::string& account, const std::string& to);
  Json AccountSettings(const std::string& email, const Json& body);
  Json Mailbox(const std::string& to, Millis since);
  Json Counts();
  Json Configuration();
  Json ChangeConfiguration(const Json& body);

 private:
  struct Account {
    std::string id, email, name, language, device_id, maker_session, password;
    const Market* market = nullptr;
    Millis created_at = 0, created_real = 0, offset = 0;
    Millis now = 0;  // on its own clock
  };
  struct Subscription {
    std::string id, account_id, order_id, offer_id, market, state, anchor, next_date, end_date, receipt;
    int64_t gross = 0;
    int periods = 0;
    Millis started_at = 0;
    std::optional<int64_t> cancelled_at;
  };
  struct Order {
    int64_t seq = 0;
    std::string id, account_id, cart_id, offer_id, market, language, key, state, first_charge_date, subscription_id;
    int64_t gross = 0;
    Millis placed_at = 0;
    std::optional<int64_t> activate_at, activated_at, cancelled_at;
    bool declined = false;
    std::string Number() const { return "A-" + std::to_string(100'000 + seq); }
  };

  bool On(Fault fault) const { return faults_->On(fault); }
  Millis RealNow() const { return options_.clock(); }

  // shop_accounts.cc
  std::optional<Account> LoadAccount(const std::string& where, const std::string& value);
  Account NeedAccount(const std::string& id_or_email);
  // The signed-in customer, with everything due done; throws 401.
  Account Authenticate(const Caller& caller, std::string* session_hash = nullptr);
  std::optional<Account> TryAuthenticate(const Caller& caller);
  Json OpenSession(const Account& account, const Caller& caller);
  void SendMail(const std::string& to, const std::string& subject, const std::string& text,
                const std::string& link = "");

  // shop_catalogue.cc
  Json OfferJson(const Caller& caller, const Offer& offer, const Market& market, const std::string& language,
                 const Date& today);
  Json TermsJson(const std::string& base_url, const Offer& offer, const Market& market, const std::string& language,
                 int64_t gross, const Date& first_charge_date);
  Json EventJson(const MatchEvent& event, const std::optional<Account>& account);
  Date FirstChargeDate(const Offer& offer, const Date& today) const;
  const Market& NeedMarket(const std::string& code) const;
  const MatchEvent& NeedEvent(const std::string& id) const;

  // shop_orders.cc
  Order ReadOrder(const Row& row) const;
  std::optional<Order> LoadOrder(const std::string& where, const std::string& value);
  std::vector<Order> LoadOrders(const std::string& where, const std::vector<SqlValue>& values);
  Json OrderJson(const std::string& base_url, const Order& order);
  Order CreateOrder(const Account& account, const std::string& cart_id, const Offer& offer, const std::string& key);
  Json EntitlementsOf(const Account& account);
  bool EntitlementActive(const Row& row, Millis now);
  bool Entitled(const Account& account, const std::string& event_id);

  // shop_subscriptions.cc
  Subscription ReadSubscription(const Row& row) const;
  std::vector<Subscription> LoadSubscriptions(const std::string& where, const std::vector<SqlValue>& values);
  Subscription NeedSubscription(const Account& account, const std::string& id);
  Json SubscriptionJson(const std::string& base_url, const Subscription& subscription);
  // Ends an order at once and gives its money back.
  void EndOrder(const Order& order, Millis at, const std::string& reason);

  // shop_billing.cc
  // Does what is due up to `upto` on the account's clock.
  void RunDue(const Account& account, Millis upto);
  bool RunNextDue(const Account& account, Millis upto);
  void Activate(const Account& account, const Order& order, Millis at);
  void Renew(const Account& account, Subscription subscription, Millis at);
  void Capture(const Account& account, const std::string& charge_id, Millis at);
  void ChargeNow(const Account& account, const Order& order, const std::string& subscription_id, Millis at,
                 const Date& from, const Date& until, bool customer_present);
  void Authorise(const Account& account, const Order& order, const std::string& subscription_id, Millis at,
                 const Date& capture_date);
  std::string MakeInvoice(const Account& account, const Order& order, const std::string& subscription_id,
                          const std::string& charge_id, Millis at, const Date& from, const Date& until);
  void MoveEntitlement(const std::string& subscription_id, const Date& next_date, const std::string& zone);
  Json RefundOrder(const Order& order, Millis at, std::optional<int64_t> amount, const std::string& text);
  Json InvoicesWhere(const std::string& where, const std::vector<SqlValue>& values);
  Json ChargesWhere(const std::string& where, const std::vector<SqlValue>& values);
  Json RefundsWhere(const std::string& where, const std::vector<SqlValue>& values);

  // shop_playback.cc
  Json DeviceJson(const Row& row, const std::string& zone);
  std::string StreamToken(const std::string& session_id, Millis expires);
  int OpenStreams(const std::string& account_id);
  std::string MinimumAppVersion();
  // Throws 426 (or does what a fault says) when the caller's app is too old.
  void RequireApp(const std::string& app_version);

  std::string Setting(const std::string& name, const std::string& fallback);

  std::unique_ptr<Database> db_;
  const FaultSet* faults_;
  ShopOptions options_;
  std::vector<MatchEvent> events_;
  std::string secret_;  // signs form and stream tokens; kept in the store so that a restart does not break them
  std::recursive_mutex mutex_;
  int depth_ = 0;  // of transactions
};

// shop_util.cc
std::string NewId(const std::string& prefix);
std::string NewReceipt(const std::string& prefix);  // "CR-7F3K2M9A"
std::string Sha256Hex(const std::string& data);
std::string HmacHex(const std::string& key, const std::string& data);
std::string HashPassword(const std::string& password);
bool PasswordMatches(const std::string& password, const std::string& hash);
Json MoneyJson(int64_t minor_units, const std::string& currency);
Json PriceJson(int64_t gross, const std::string& currency, int vat_basis_points);
// The member `name` of `body` as text, "" when absent; throws 422 when it is no string or longer than `limit`.
std::string TextMember(const Json& body, const std::string& name, size_t limit = 256);
Problem NotFound(const std::string& code, const std::string& what);
// Compares dotted numbers: "2.10" is newer than "2.9". Text that is no version is older than any.
bool OlderVersion(const std::string& a, const std::string& b);

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_SHOP_H_
