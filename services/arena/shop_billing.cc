#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

// More than a thousand years of monthly events: a clock that needs more is a defect, not a customer.
constexpr int kMaxDue = 20'000;
constexpr int kPaymentDays = 14;
constexpr int64_t kInvoiceSurcharge = 200;
constexpr int64_t kChargeSurcharge = 100;
constexpr int kVatError = 150;

}  // namespace

void Shop::RunDue(const Account& account, Millis upto) {
  Transaction transaction(*db_, depth_);
  for (int i = 0; i < kMaxDue && RunNextDue(account, upto); ++i) {
  }
  transaction.Commit();
}

bool Shop::RunNextDue(const Account& account, Millis upto) {
  const std::string zone = account.market->zone;
  enum class What { kNothing, kActivate, kCapture, kRenew, kEnd, kGhostCharge } what = What::kNothing;
  Millis at = upto;
  std::string charge_id;
  std::optional<Order> order;
  std::optional<Subscription> subscription;
  // Ties go to the first found: an activation before a capture before a renewal.
  const auto earlier = [&](Millis due) { return due <= upto && (what == What::kNothing || due < at); };
  for (const Order& candidate :
       LoadOrders("account_id = ? AND state = 'processing' AND activate_at IS NOT NULL", {account.id})) {
    if (earlier(*candidate.activate_at)) what = What::kActivate, at = *candidate.activate_at, order = candidate;
  }
  for (const Row& row :
       db_->Query("SELECT id, capture_date FROM charges WHERE account_id = ? AND state = 'authorised' AND "
                  "capture_date IS NOT NULL",
                  {account.id})) {
    if (const Millis due = StartOf(row.Text(1), zone); earlier(due))
      what = What::kCapture, at = due, charge_id = row.Text(0);
  }
  for (const Subscription& candidate : LoadSubscriptions("account_id = ? AND state != 'pending'", {account.id})) {
    if (candidate.state == "active") {
      if (const Millis due = StartOf(candidate.next_date, zone); earlier(due)) {
        what = What::kRenew, at = due, subscription = candidate;
      }
      continue;
    }
    if (candidate.state == "cancelling") {
      if (const Millis due = StartOf(AddDays(candidate.end_date, 1), zone); earlier(due)) {
        what = What::kEnd, at = due, subscription = candidate;
      }
    }
    if (On(Fault::kChargedAfterCancel) && candidate.cancelled_at && !candidate.next_date.empty()) {
      if (const Millis due = StartOf(candidate.next_date, zone); earlier(due)) {
        what = What::kGhostCharge, at = due, subscription = candidate;
      }
    }
  }
  switch (what) {
    case What::kNothing:
      return false;
    case What::kActivate:
      Activate(account, *order, at);
      return true;
    case What::kCapture:
      Capture(account, charge_id, at);
      return true;
    case What::kRenew:
      Renew(account, *subscription, at);
      return true;
    case What::kEnd:
      db_->Run("UPDATE subscriptions SET state = 'ended' WHERE id = ?", {subscription->id});
      return true;
    case What::kGhostCharge: {
      const Date next = AddMonths(subscription->anchor, subscription->periods + 1);
      ChargeNow(account, *LoadOrder("id", subscription->order_id), subscription->id, at, subscription->next_date,
                AddDays(next, -1), false);
      db_->Run("UPDATE subscriptions SET periods = periods + 1, next_date = ? WHERE id = ?", {next, subscription->id});
      return true;
    }
  }
  return false;
}

void Shop::Activate(const Account& account, const Order& order, Millis at) {
  db_->Run("UPDATE orders SET state = 'active', activated_at = ? WHERE id = ?", {at, order.id});
  const Offer& offer = *FindOffer(order.offer_id);
  SqlValue ends_at = nullptr;
  if (offer.renews) {
    db_->Run("UPDATE subscriptions SET state = 'active' WHERE id = ? AND state = 'pending'", {order.subscription_id});
    const auto row = db_->QueryOne("SELECT next_date FROM subscriptions WHERE id = ?", {order.subscription_id});
    ends_at = StartOf(row->Text(0), account.market->zone);
  } else {
    // The match is at a real time; how long it can still be watched is the same on the account's clock.
    ends_at = account.now + (NeedEvent(offer.event_ids.front()).window_end - RealNow());
  }
  db_->Run(
      "INSERT INTO entitlements(id, account_id, order_id, subscription_id, offer_id, starts_at, ends_at) VALUES(?, ?, "
      "?, ?, ?, ?, ?)",
      {NewId("ent_"), account.id, order.id, OrNull(order.subscription_id), order.offer_id, at, ends_at});
  SendMail(account.email, "You can watch now",
           absl::StrCat("Your order ", order.Number(), " is active. Enjoy the match!"));
}

void Shop::MoveEntitlement(const std::string& subscription_id, const Date& next_date, const std::string& zone) {
  db_->Run("UPDATE entitlements SET ends_at = ? WHERE subscription_id = ?",
           {StartOf(next_date, zone), subscription_id});
}

void Shop::Renew(const Account& account, Subscription subscription, Millis at) {
  const Date from = subscription.next_date;
  const Date next = AddMonths(subscription.anchor, subscription.periods + 1);
  ChargeNow(account, *LoadOrder("id", subscription.order_id), subscription.id, at, from, AddDays(next, -1), false);
  db_->Run("UPDATE subscriptions SET periods = periods + 1, next_date = ? WHERE id = ?", {next, subscription.id});
  MoveEntitlement(subscription.id, next, account.market->zone);
}

void Shop::Capture(const Account& account, const std::string& charge_id, Millis at) {
  const auto row = db_->QueryOne(
      "SELECT order_id, subscription_id, capture_date, amount, currency FROM charges WHERE id = ?", {charge_id});
  const Order order = *LoadOrder("id", row->Text(0));
  const std::string subscription_id = row->Text(1);
  const Date from = row->Text(2);
  Date until = from;
  if (!subscription_id.empty()) {
    const Subscription subscription = LoadSubscriptions("id = ?", {subscription_id}).front();
    const Date next = AddMonths(subscription.anchor, subscription.periods + 1);
    db_->Run("UPDATE subscriptions SET periods = periods + 1, next_date = ? WHERE id = ?", {next, subscription_id});
    MoveEntitlement(subscription_id, next, account.market->zone);
    until = AddDays(next, -1);
  }
  if (On(Fault::kNeverCharged)) {
    db_->Run("UPDATE charges SET capture_date = NULL WHERE id = ?", {charge_id});
    MakeInvoice(account, order, subscription_id, "", at, from, until);
    return;
  }
  const std::string invoice_id = MakeInvoice(account, order, subscription_id, charge_id, at, from, until);
  db_->Run("UPDATE charges SET state = 'succeeded', charged_at = ?, invoice_id = ?, capture_date = NULL WHERE id = ?",
           {at, invoice_id, charge_id});
  if (On(Fault::kChargedTwice)) {
    db_->Run(
        "INSERT INTO charges(id, account_id, order_id, subscription_id, invoice_id, state, amount, currency, "
        "created_at, "
        "charged_at, customer_present) VALUES(?, ?, ?, ?, ?, 'succeeded', ?, ?, ?, ?, 0)",
        {NewId("chg_"), account.id, order.id, OrNull(subscription_id), invoice_id, row->Int(3), row->Text(4), at, at});
  }
}

void Shop::Authorise(const Account& account, const Order& order, const std::string& subscription_id, Millis at,
                     const Date& capture_date) {
  db_->Run(
      "INSERT INTO charges(id, account_id, order_id, subscription_id, state, amount, currency, created_at, "
      "capture_date, "
      "customer_present) VALUES(?, ?, ?, ?, 'authorised', ?, ?, ?, ?, 1)",
      {NewId("chg_"), account.id, order.id, OrNull(subscription_id),
       order.gross + (On(Fault::kChargePriceDiffers) ? kChargeSurcharge : 0), account.market->currency, at,
       capture_date});
}

void Shop::ChargeNow(const Account& account, const Order& order, const std::string& subscription_id, Millis at,
                     const Date& from, const Date& until, bool customer_present) {
  if (On(Fault::kNeverCharged)) {
    MakeInvoice(account, order, subscription_id, "", at, from, until);
    return;
  }
  const std::string charge_id = NewId("chg_");
  const std::string invoice_id = MakeInvoice(account, order, subscription_id, charge_id, at, from, until);
  for (int i = 0; i < (On(Fault::kChargedTwice) ? 2 : 1); ++i) {
    db_->Run(
        "INSERT INTO charges(id, account_id, order_id, subscription_id, invoice_id, state, amount, currency, "
        "created_at, "
        "charged_at, customer_present) VALUES(?, ?, ?, ?, ?, 'succeeded', ?, ?, ?, ?, ?)",
        {i == 0 ? charge_id : NewId("chg_"), account.id, order.id, OrNull(subscription_id), invoice_id,
         order.gross + (On(Fault::kChargePriceDiffers) ? kChargeSurcharge : 0), account.market->currency, at, at,
         int64_t{customer_present}});
  }
}

std::string Shop::MakeInvoice(const Account& account, const Order& order, const std::string& subscription_id,
                              const std::string& charge_id, Millis at, const Date& from, const Date& until) {
  const std::string id = NewId("inv_");
  const Date issued = DateAt(at, account.market->zone);
  db_->Run(
      "INSERT INTO invoices(id, account_id, order_id, subscription_id, charge_id, state, market, offer_id, issue_date, "
      "due_date, "
      "gross, currency, vat_basis_points, from_date, until_date, created_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?)",
      {id, account.id, order.id, OrNull(subscription_id), OrNull(charge_id), charge_id.empty() ? "open" : "paid",
       account.market->code, order.offer_id, issued, AddDays(issued, kPaymentDays),
       order.gross + (On(Fault::kInvoicePriceDiffers) ? kInvoiceSurcharge : 0), account.market->currency,
       int64_t{account.market->vat_basis_points - (On(Fault::kWrongVat) ? kVatError : 0)}, from, until, at});
  return id;
}

Json Shop::RefundOrder(const Order& order, Millis at, std::optional<int64_t> amount, const std::string& text) {
  const Market& market = *FindMarket(order.market);
  Json refunds = Json::array();
  int64_t left = amount.value_or(INT64_MAX);
  for (const Row& row :
       db_->Query("SELECT id, amount, refunded FROM charges WHERE order_id = ? AND state = 'succeeded' AND "
                  "refunded < amount ORDER BY seq DESC",
                  {order.id})) {
    const int64_t part = std::min(left, row.Int(1) - row.Int(2));
    if (part <= 0) break;
    left -= part;
    const std::string id = NewId("rfd_");
    db_->Run(
        "INSERT INTO refunds(id, account_id, charge_id, order_id, amount, currency, created_at, text) VALUES(?, ?, ?, "
        "?, ?, ?, ?, ?)",
        {id, order.account_id, row.Text(0), order.id, part, market.currency, at, text});
    db_->Run("UPDATE charges SET refunded = refunded + ? WHERE id = ?", {part, row.Text(0)});
    db_->Run(
        "UPDATE invoices SET state = 'refunded' WHERE charge_id = ? AND (SELECT refunded >= amount FROM charges WHERE "
        "id = ?)",
        {row.Text(0), row.Text(0)});
    for (Json& refund : RefundsWhere("id = ?", {id})) refunds.push_back(std::move(refund));
  }
  return refunds;
}

Json Shop::InvoicesWhere(const std::string& where, const std::vector<SqlValue>& values) {
  Json invoices = Json::array();
  for (const Row& row : db_->Query(
           absl::StrCat(
               "SELECT seq, id, order_id, subscription_id, charge_id, state, market, offer_id, issue_date, due_date, "
               "gross, currency, vat_basis_points, from_date, until_date, (SELECT language FROM orders o WHERE o.id = "
               "order_id) FROM invoices WHERE ",
               where, " ORDER BY seq DESC LIMIT 5000"),
           values)) {
    const std::string number = absl::StrFormat("%s-%06d", row.Text(8).substr(0, 4), row.Int(0));
    const int64_t gross = row.Int(10), net = NetOf(gross, static_cast<int>(row.Int(12)));
    const Json subscription = row.IsNull(3) ? Json(nullptr) : Json(row.Text(3));
    const std::string title = OfferTitle(*FindOffer(row.Text(7)), row.Text(15));
    invoices.push_back(
        {{"id", row.Text(1)},
         {"number", number},
         {"state", row.Text(5)},
         {"issue_date", row.Text(8)},
         {"due_date", row.Text(9)},
         {"order_id", row.Text(2)},
         {"subscription_id", subscription},
         {"charge_id", row.IsNull(4) ? Json(nullptr) : Json(row.Text(4))},
         {"total", MoneyJson(gross, row.Text(11))},
         {"net", net},
         {"vat", gross - net},
         {"vat_basis_points", row.Int(12)},
         {"market", row.Text(6)},
         {"lines", Json::array({{{"text", absl::StrCat(title, " ", row.Text(13), " – ", row.Text(14))},
                                 {"from_date", row.Text(13)},
                                 {"until_date", row.Text(14)},
                                 {"gross", gross},
                                 {"net", net},
                                 {"vat", gross - net},
                                 {"vat_basis_points", row.Int(12)},
                                 {"currency", row.Text(11)},
                                 {"subscription_id", subscription}}})},
         {"text",
          absl::StrCat("Invoice ", number, ": ", title, ", ", MoneyText(gross, row.Text(11)), " of which VAT ",
                       MoneyText(gross - net, row.Text(11)),
                       ". Cancel in your account at /account, withdraw at /withdraw, write to help@arena.example.")}});
  }
  return invoices;
}

Json Shop::ChargesWhere(const std::string& where, const std::vector<SqlValue>& values) {
  Json charges = Json::array();
  for (const Row& row :
       db_->Query(absl::StrCat("SELECT id, state, amount, currency, refunded, order_id, invoice_id, "
                               "subscription_id, created_at, charged_at, customer_present, (SELECT market FROM "
                               "orders o WHERE o.id = order_id) FROM charges WHERE ",
                               where, " ORDER BY seq DESC LIMIT 5000"),
                  values)) {
    const char* zone = FindMarket(row.Text(11))->zone;
    const auto text = [&](int column) { return row.IsNull(column) ? Json(nullptr) : Json(row.Text(column)); };
    charges.push_back({{"id", row.Text(0)},
                       {"state", row.Text(1)},
                       {"amount", MoneyJson(row.Int(2), row.Text(3))},
                       {"refunded", row.Int(4)},
                       {"order_id", row.Text(5)},
                       {"invoice_id", text(6)},
                       {"subscription_id", text(7)},
                       {"authorised_at", FormatInstant(row.Int(8), zone)},
                       {"charged_at", row.IsNull(9) ? Json(nullptr) : Json(FormatInstant(row.Int(9), zone))},
                       {"created_at", FormatInstant(row.Int(8), zone)},
                       {"statement_descriptor", "ARENA TV"},
                       {"live_mode", false},
                       {"failure_code", nullptr},
                       {"customer_present", row.Int(10) != 0}});
  }
  return charges;
}

Json Shop::RefundsWhere(const std::string& where, const std::vector<SqlValue>& values) {
  Json refunds = Json::array();
  for (const Row& row :
       db_->Query(absl::StrCat("SELECT id, charge_id, order_id, amount, currency, created_at, text, (SELECT market "
                               "FROM orders o WHERE o.id = order_id) FROM refunds WHERE ",
                               where, " ORDER BY seq DESC LIMIT 5000"),
                  values)) {
    refunds.push_back({{"id", row.Text(0)},
                       {"charge_id", row.Text(1)},
                       {"order_id", row.Text(2)},
                       {"amount", MoneyJson(row.Int(3), row.Text(4))},
                       {"state", "succeeded"},
                       {"refunded_at", FormatInstant(row.Int(5), FindMarket(row.Text(7))->zone)},
                       {"kind", "refund"},
                       {"text", row.Text(6)}});
  }
  return refunds;
}

Json Shop::Invoices(const Caller& caller, Millis since) {
  const std::lock_guard lock(mutex_);
  return InvoicesWhere("account_id = ? AND created_at >= ?", {Authenticate(caller).id, since});
}

Json Shop::Charges(const Caller& caller, Millis since) {
  const std::lock_guard lock(mutex_);
  return ChargesWhere("account_id = ? AND coalesce(charged_at, created_at) >= ?", {Authenticate(caller).id, since});
}

Json Shop::Refunds(const Caller& caller, Millis since) {
  const std::lock_guard lock(mutex_);
  return RefundsWhere("account_id = ? AND created_at >= ?", {Authenticate(caller).id, since});
}

}  // namespace puckdrop::arena
