#include "absl/strings/str_cat.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

constexpr char kColumns[] =
    "id, account_id, order_id, offer_id, market, state, anchor, next_date, end_date, receipt, gross, periods, "
    "started_at, "
    "cancelled_at";
constexpr int kWithdrawalDays = 14;

}  // namespace

Shop::Subscription Shop::ReadSubscription(const Row& row) const {
  Subscription subscription;
  subscription.id = row.Text(0);
  subscription.account_id = row.Text(1);
  subscription.order_id = row.Text(2);
  subscription.offer_id = row.Text(3);
  subscription.market = row.Text(4);
  subscription.state = row.Text(5);
  subscription.anchor = row.Text(6);
  subscription.next_date = row.Text(7);
  subscription.end_date = row.Text(8);
  subscription.receipt = row.Text(9);
  subscription.gross = row.Int(10);
  subscription.periods = static_cast<int>(row.Int(11));
  subscription.started_at = row.Int(12);
  subscription.cancelled_at = row.MaybeInt(13);
  return subscription;
}

std::vector<Shop::Subscription> Shop::LoadSubscriptions(const std::string& where, const std::vector<SqlValue>& values) {
  std::vector<Subscription> subscriptions;
  for (const Row& row : db_->Query(
           absl::StrCat("SELECT ", kColumns, " FROM subscriptions WHERE ", where, " ORDER BY seq DESC LIMIT 5000"),
           values)) {
    subscriptions.push_back(ReadSubscription(row));
  }
  return subscriptions;
}

Shop::Subscription Shop::NeedSubscription(const Account& account, const std::string& id) {
  const auto found = LoadSubscriptions("id = ? AND account_id = ?", {id, account.id});
  if (found.empty()) throw NotFound("subscription_not_found", "subscription");
  return found.front();
}

Json Shop::SubscriptionJson(const std::string& base_url, const Subscription& subscription) {
  const Market& market = *FindMarket(subscription.market);
  const bool renews = subscription.state == "active" || subscription.state == "pending";
  // While it renews, what is paid ends the day before the next charge; later it ended on its end date.
  const Date paid_through = renews ? AddDays(subscription.next_date, -1) : subscription.end_date;
  Json cancellation;
  if (subscription.cancelled_at) {
    cancellation = {{"receipt_number", subscription.receipt.empty() ? Json(nullptr) : Json(subscription.receipt)},
                    {"cancelled_at", FormatInstant(*subscription.cancelled_at, market.zone)}};
  }
  return {{"id", subscription.id},
          {"state", subscription.state},
          {"offer_id", subscription.offer_id},
          {"order_id", subscription.order_id},
          {"auto_renews", renews},
          {"started_at", FormatInstant(subscription.started_at, market.zone)},
          {"paid_through_date", paid_through},
          {"end_date", renews ? Json(nullptr) : Json(subscription.end_date)},
          {"next_charge_date", renews ? Json(subscription.next_date) : Json(nullptr)},
          {"next_charge", renews ? MoneyJson(subscription.gross, market.currency) : Json(nullptr)},
          {"cancellation", std::move(cancellation)},
          {"cancel_url", absl::StrCat(base_url, "/account/subscriptions/", subscription.id, "/cancel")}};
}

Json Shop::Subscriptions(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  Json subscriptions = Json::array();
  for (const Subscription& subscription : LoadSubscriptions("account_id = ?", {Authenticate(caller).id})) {
    subscriptions.push_back(SubscriptionJson(caller.base_url, subscription));
  }
  return subscriptions;
}

Json Shop::GetSubscription(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  return SubscriptionJson(caller.base_url, NeedSubscription(Authenticate(caller), id));
}

std::string Shop::CsrfToken(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  return HmacHex(secret_, "form " + caller.token).substr(0, 32);
}

Json Shop::Cancel(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = Authenticate(caller);
  Subscription subscription = NeedSubscription(account, id);
  const Offer& offer = *FindOffer(subscription.offer_id);
  const std::string zone = account.market->zone;
  const auto answer = [&](const Date& end_date, const std::string& receipt) {
    return Json{{"receipt_number", receipt.empty() ? Json(nullptr) : Json(receipt)},
                {"end_date", end_date},
                {"title", OfferTitle(offer, account.language)}};
  };
  if (subscription.state == "cancelling" || subscription.state == "ended") {
    return answer(subscription.end_date, subscription.receipt);
  }
  // Before anything was paid, there is nothing to watch to the end of: it lasts until the day before the first charge.
  const Date end_date = AddDays(subscription.next_date, -1);
  const std::string receipt = On(Fault::kCancelNoReceipt) ? "" : NewReceipt("CR-");
  if (!On(Fault::kCancelDoesNothing)) {
    db_->Run("UPDATE subscriptions SET state = 'cancelling', end_date = ?, cancelled_at = ?, receipt = ? WHERE id = ?",
             {end_date, account.now, OrNull(receipt), id});
    db_->Run(
        "UPDATE charges SET state = 'voided', capture_date = NULL WHERE subscription_id = ? AND state = 'authorised'",
        {id});
    if (On(Fault::kAccessLostAtOnce)) {
      db_->Run("UPDATE entitlements SET ends_at = ? WHERE subscription_id = ?", {account.now, id});
    }
    db_->Run("DELETE FROM playback_sessions WHERE account_id = ? AND leaked = 1", {account.id});
  }
  if (!On(Fault::kCancelNoReceipt)) {
    SendMail(account.email, "Your subscription is cancelled",
             absl::StrCat("We received your cancellation of ", OfferTitle(offer, account.language), " on ",
                          FormatInstant(account.now, zone), ".\nReceipt number: ", receipt, "\nYou can watch until ",
                          end_date, ". Nothing more will be charged."));
  }
  transaction.Commit();
  return answer(end_date, receipt);
}

Json Shop::Resume(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = Authenticate(caller);
  const Subscription subscription = NeedSubscription(account, id);
  if (subscription.state == "ended") {
    throw Problem{409, "subscription_ended", "This subscription has ended", "Order it again.", "/v1/offers"};
  }
  if (subscription.state == "cancelling") {
    const Order order = *LoadOrder("id", subscription.order_id);
    db_->Run("UPDATE subscriptions SET state = ?, end_date = NULL, cancelled_at = NULL, receipt = NULL WHERE id = ?",
             {std::string(order.state == "processing" ? "pending" : "active"), id});
    // A promised first charge whose authorisation the cancellation voided is authorised anew.
    if (subscription.periods == 0) Authorise(account, order, id, account.now, subscription.next_date);
  }
  Json json = SubscriptionJson(caller.base_url, NeedSubscription(account, id));
  transaction.Commit();
  return json;
}

void Shop::EndOrder(const Order& order, Millis at, const std::string& reason) {
  const Market& market = *FindMarket(order.market);
  db_->Run("UPDATE orders SET state = 'cancelled', cancelled_at = ?, activate_at = NULL WHERE id = ?", {at, order.id});
  // No next date: whatever else is wrong, an order that was undone is never charged again.
  db_->Run("UPDATE subscriptions SET state = 'ended', end_date = ?, next_date = '' WHERE order_id = ?",
           {DateAt(at, market.zone), order.id});
  db_->Run("UPDATE entitlements SET ends_at = min(coalesce(ends_at, ?), ?) WHERE order_id = ?", {at, at, order.id});
  db_->Run("UPDATE subscriptions SET cancelled_at = NULL WHERE order_id = ?", {order.id});
  db_->Run("UPDATE charges SET state = 'voided', capture_date = NULL WHERE order_id = ? AND state = 'authorised'",
           {order.id});
  db_->Run("UPDATE invoices SET state = 'refunded' WHERE order_id = ? AND state = 'open'", {order.id});
  RefundOrder(order, at, std::nullopt, reason);
}

Json Shop::FindContract(const std::string& contract_id) {
  const std::lock_guard lock(mutex_);
  auto order = LoadOrder("id", contract_id);
  if (!order && contract_id.rfind("A-", 0) == 0) {
    const auto orders = LoadOrders("seq + 100000 = CAST(? AS INTEGER)", {contract_id.substr(2)});
    if (!orders.empty() && orders.front().Number() == contract_id) order = orders.front();
  }
  if (!order || order->declined) {
    throw Problem{422, "contract_not_found", "We do not find this contract",
                  "Check the contract id: it is in your order confirmation, like A-100001."};
  }
  const Account account = NeedAccount(order->account_id);
  const auto withdrawn = db_->QueryOne("SELECT 1 FROM withdrawals WHERE order_id = ?", {order->id});
  if (!withdrawn && account.now >= StartOf(AddDays(DateAt(order->placed_at, account.market->zone), kWithdrawalDays + 1),
                                           account.market->zone)) {
    throw Problem{409, "withdrawal_period_over", "The 14 days are over", "You can still cancel in your account.",
                  "/account"};
  }
  return {{"order_id", order->id},
          {"number", order->Number()},
          {"title", OfferTitle(*FindOffer(order->offer_id), order->language)},
          {"total", MoneyJson(order->gross, account.market->currency)}};
}

Json Shop::Withdraw(const std::string& contract_id, const std::string& name, const std::string& address) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Json contract = FindContract(contract_id);
  const Order order = *LoadOrder("id", contract["order_id"].get<std::string>());
  const Account account = NeedAccount(order.account_id);
  const Market& market = *account.market;
  if (!db_->QueryOne("SELECT 1 FROM withdrawals WHERE order_id = ?", {order.id})) {
    EndOrder(order, account.now, "Withdrawal from the contract");
    const auto refunded = db_->QueryOne("SELECT coalesce(sum(amount), 0) FROM refunds WHERE order_id = ?", {order.id});
    const std::string receipt = NewReceipt("WD-");
    db_->Run("INSERT INTO withdrawals(order_id, name, address, receipt, received_at, refund) VALUES(?, ?, ?, ?, ?, ?)",
             {order.id, name, address, receipt, account.now, refunded->Int(0)});
    if (!On(Fault::kWithdrawalUnacknowledged)) {
      SendMail(
          address, "We received your withdrawal",
          absl::StrCat("Acknowledgement number: ", receipt, "\nReceived: ", FormatInstant(account.now, market.zone),
                       "\nStatement: ", name, " withdraws from contract ", order.Number(), " (", order.id, "), ",
                       contract["title"].get<std::string>(),
                       ".\nRefund: ", MoneyText(refunded->Int(0), market.currency), " to the card it was paid with."));
    }
  }
  const auto row = db_->QueryOne("SELECT receipt, received_at, refund FROM withdrawals WHERE order_id = ?", {order.id});
  const bool told = !On(Fault::kWithdrawalUnacknowledged);
  Json answer = {{"receipt_number", told ? Json(row->Text(0)) : Json(nullptr)},
                 {"received_at", told ? Json(FormatInstant(row->Int(1), market.zone)) : Json(nullptr)},
                 {"number", order.Number()},
                 {"refund", MoneyJson(row->Int(2), market.currency)},
                 {"refund_by_date", AddDays(DateAt(row->Int(1), market.zone), 14)}};
  transaction.Commit();
  return answer;
}

}  // namespace puckdrop::arena
