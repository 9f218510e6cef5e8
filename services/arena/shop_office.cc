#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

constexpr Millis kFarthest = 5 * 366 * kDayMillis;

}  // namespace

Json Shop::OfficeOrders(const Caller& caller, const std::string& account, const std::string& key) {
  const std::lock_guard lock(mutex_);
  std::string account_id;
  Json orders = Json::array();
  if (!account.empty()) {
    const auto found = LoadAccount(account.find('@') == std::string::npos ? "id" : "email", account);
    if (!found) return orders;
    account_id = NeedAccount(found->id).id;
  }
  for (const Order& order : LoadOrders("(?1 = '' OR account_id = ?1) AND (?2 = '' OR key = ?2)", {account_id, key})) {
    if (account_id.empty()) NeedAccount(order.account_id);
    Json json = OrderJson(caller.base_url, *LoadOrder("id", order.id));
    json["account_id"] = order.account_id;
    orders.push_back(std::move(json));
  }
  return orders;
}

Json Shop::OfficeOrder(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto order = LoadOrder("id", id);
  if (!order) throw NotFound("order_not_found", "order");
  NeedAccount(order->account_id);
  Json json = OrderJson(caller.base_url, *LoadOrder("id", id));
  json["account_id"] = order->account_id;
  return json;
}

Json Shop::OfficeRefund(const Caller& caller, const std::string& order_id, std::optional<int64_t> amount) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const auto order = LoadOrder("id", order_id);
  if (!order) throw NotFound("order_not_found", "order");
  if (amount && *amount <= 0) throw Problem{422, "invalid_input", "The input is not valid", "amount must be above 0"};
  const Account account = NeedAccount(order->account_id);
  Json refunds = RefundOrder(*order, account.now, amount, "Refund by the office");
  if (refunds.empty())
    throw Problem{409, "nothing_to_refund", "There is nothing to refund", "Every charge of this order was refunded."};
  Json answer = {{"refunds", std::move(refunds)}, {"order", OfficeOrder(caller, order_id)}};
  transaction.Commit();
  return answer;
}

Json Shop::OfficeVoid(const Caller& caller, const std::string& order_id) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const auto order = LoadOrder("id", order_id);
  if (!order) throw NotFound("order_not_found", "order");
  const Account account = NeedAccount(order->account_id);
  // Also an order that ended already: whatever was charged since is given back.
  EndOrder(*order, order->cancelled_at.value_or(account.now), "Voided by the office");
  Json answer = {{"order", OfficeOrder(caller, order_id)},
                 {"refunded", true},
                 {"refunds", RefundsWhere("order_id = ?", {order_id})}};
  transaction.Commit();
  return answer;
}

Json Shop::OfficeList(const Caller& caller, const std::string& what, const std::string& account_name, Millis since) {
  const std::lock_guard lock(mutex_);
  std::string id;
  std::optional<Account> account;
  if (!account_name.empty()) {
    account = NeedAccount(account_name);
    id = account->id;
  }
  const std::string mine = "(?1 = '' OR account_id = ?1)";
  if (what == "charges") return ChargesWhere(mine + " AND coalesce(charged_at, created_at) >= ?2", {id, since});
  if (what == "invoices") return InvoicesWhere(mine + " AND created_at >= ?2", {id, since});
  if (what == "refunds") return RefundsWhere(mine + " AND created_at >= ?2", {id, since});
  if (what == "subscriptions") {
    Json subscriptions = Json::array();
    for (const Subscription& subscription : LoadSubscriptions(mine, {id})) {
      subscriptions.push_back(SubscriptionJson(caller.base_url, subscription));
    }
    return subscriptions;
  }
  if (!account) throw Problem{422, "invalid_input", "The input is not valid", "account is missing"};
  return EntitlementsOf(*account);
}

Json Shop::OfficeAccounts(const Caller&, const std::string& email) {
  const std::lock_guard lock(mutex_);
  Json accounts = Json::array();
  for (const Row& row :
       db_->Query("SELECT id FROM accounts WHERE ?1 = '' OR email = ?1 ORDER BY rowid DESC LIMIT 5000", {email})) {
    const Account account = *LoadAccount("id", row.Text(0));
    accounts.push_back({{"id", account.id},
                        {"email", account.email},
                        {"name", account.name},
                        {"market", account.market->code},
                        {"created_at", FormatInstant(account.created_at, account.market->zone)},
                        {"clock", FormatInstant(account.now, account.market->zone)}});
  }
  return accounts;
}

void Shop::ForgetAccount(const std::string& name) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = NeedAccount(name);
  db_->Run("DELETE FROM withdrawals WHERE order_id IN (SELECT id FROM orders WHERE account_id = ?)", {account.id});
  for (const char* table : {"sessions", "carts", "orders", "idempotency", "subscriptions", "charges", "invoices",
                            "refunds", "entitlements", "devices", "playback_sessions"}) {
    db_->Run(absl::StrCat("DELETE FROM ", table, " WHERE account_id = ?"), {account.id});
  }
  db_->Run("DELETE FROM mails WHERE recipient = ?", {account.email});
  db_->Run("DELETE FROM accounts WHERE id = ?", {account.id});
  transaction.Commit();
}

Json Shop::AccountClock(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Account account = NeedAccount(name);
  return {{"now", FormatInstant(account.now, account.market->zone)}, {"offset_seconds", account.offset / 1000}};
}

Json Shop::AdvanceClock(const std::string& name, const std::string& text) {
  const auto to = ParseInstant(text);
  if (!to) {
    throw Problem{422,
                  "invalid_input",
                  "The input is not valid",
                  "to must be an RFC 3339 instant with a zone",
                  "",
                  0,
                  {{"to", "must be like 2027-01-05T12:00:00+02:00"}}};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = NeedAccount(name);
  // A second of grace: "now" as the caller last read it is not backwards.
  if (*to < account.now - 1000) {
    throw Problem{409, "clock_backwards", "A clock never goes back",
                  "This account's clock is at " + FormatInstant(account.now, account.market->zone) + "."};
  }
  if (*to > account.now + kFarthest)
    throw Problem{422, "invalid_input", "The input is not valid", "to is more than 5 years ahead"};
  if (*to > account.now) {
    RunDue(account, *to);
    db_->Run("UPDATE accounts SET clock_offset = ? WHERE id = ?", {account.offset + (*to - account.now), account.id});
  }
  Json clock = AccountClock(account.id);
  transaction.Commit();
  return clock;
}

Json Shop::AccountSettings(const std::string& email, const Json& body) {
  const auto start = ParseInstant(TextMember(body, "start_at"));
  if (!start || email.find('@') == std::string::npos) {
    throw Problem{422, "invalid_input", "The input is not valid",
                  "start_at must be an RFC 3339 instant, the account an e-mail address"};
  }
  const std::lock_guard lock(mutex_);
  if (LoadAccount("email", email)) {
    throw Problem{409, "account_exists", "This account exists already", "Move its clock instead."};
  }
  db_->Run(
      "INSERT INTO account_settings(email, start_at) VALUES(?1, ?2) ON CONFLICT(email) DO UPDATE SET start_at = ?2",
      {email, *start});
  return {{"email", email}, {"start_at", FormatInstant(*start, "UTC")}};
}

Json Shop::Mailbox(const std::string& to, Millis since) {
  const std::lock_guard lock(mutex_);
  if (const auto account = LoadAccount("email", to)) RunDue(*account, account->now);
  Json mails = Json::array();
  for (const Row& row :
       db_->Query("SELECT id, recipient, subject, text, link, sent_real FROM mails WHERE (?1 = '' OR recipient = ?1) "
                  "AND sent_real >= ?2 ORDER BY seq DESC LIMIT 5000",
                  {to, since})) {
    mails.push_back({{"id", row.Text(0)},
                     {"to", row.Text(1)},
                     {"subject", row.Text(2)},
                     {"text", row.Text(3)},
                     {"html", nullptr},
                     {"links", row.Text(4).empty() ? Json::array() : Json::array({row.Text(4)})},
                     {"channel", "email"},
                     {"received_at", FormatInstant(row.Int(5), "Europe/Helsinki")}});
  }
  return mails;
}

Json Shop::Counts() {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  // Only accounts that still hold something can have something due.
  int64_t entitlements = 0;
  for (const Row& row :
       db_->Query("SELECT DISTINCT account_id FROM orders WHERE state = 'processing' UNION SELECT account_id FROM "
                  "subscriptions WHERE state != 'ended' UNION SELECT account_id FROM entitlements")) {
    const Account account = NeedAccount(row.Text(0));
    for (const Json& entitlement : EntitlementsOf(account)) entitlements += entitlement["active"].get<bool>();
  }
  Json orders = {{"processing", 0}, {"active", 0}, {"cancelled", 0}};
  for (const Row& row : db_->Query("SELECT state, count(*) FROM orders GROUP BY state"))
    orders[row.Text(0)] = row.Int(1);
  const auto count = [this](const std::string& sql, const std::vector<SqlValue>& values = {}) {
    return db_->QueryOne("SELECT count(*) FROM " + sql, values)->Int(0);
  };
  Json counts = {{"accounts", count("accounts")},
                 {"orders", orders},
                 {"live_orders", orders["processing"].get<int64_t>() + orders["active"].get<int64_t>()},
                 {"live_subscriptions", count("subscriptions WHERE state != 'ended'")},
                 {"active_entitlements", entitlements},
                 {"open_playback_sessions",
                  count("playback_sessions WHERE ended = 0 AND heartbeat_real > ?", {RealNow() - 60'000})},
                 {"open_authorisations", count("charges WHERE state = 'authorised'")}};
  transaction.Commit();
  return counts;
}

Json Shop::Configuration() {
  const std::lock_guard lock(mutex_);
  std::string catalogue;
  for (const Offer& offer : AllOffers()) {
    for (const auto& [market, gross] : offer.gross_by_market) absl::StrAppend(&catalogue, offer.id, market, gross, ";");
  }
  Json parts = {{"catalogue", Sha256Hex(catalogue).substr(0, 12)},
                {"media", options_.media_version},
                {"first_charge_in_days", std::to_string(options_.first_charge_in_days)},
                {"stream_limit", Setting("stream_limit", "2")},
                {"device_limit", Setting("device_limit", "5")},
                {"minimum_app_version", MinimumAppVersion()},
                {"release", Setting("release", options_.release)}};
  return {{"fingerprint", Sha256Hex(parts.dump()).substr(0, 16)}, {"parts", parts}};
}

Json Shop::ChangeConfiguration(const Json& body) {
  if (!body.is_object() || body.empty()) {
    throw Problem{422, "invalid_input", "The input is not valid", "Send an object with what is to change."};
  }
  for (const auto& [name, value] : body.items()) {
    const bool number = name == "stream_limit" || name == "device_limit";
    const bool text = name == "minimum_app_version" || name == "release";
    if (!(number && value.is_number_integer() && value >= 0 && value <= 1000) &&
        !(text && value.is_string() && value.get<std::string>().size() <= 100)) {
      throw Problem{422,
                    "invalid_input",
                    "The input is not valid",
                    "There is no setting " + name + " with such a value.",
                    "",
                    0,
                    {{name, "is not a setting with such a value"}}};
    }
  }
  {
    const std::lock_guard lock(mutex_);
    Transaction transaction(*db_, depth_);
    for (const auto& [name, value] : body.items()) {
      db_->Run("INSERT INTO settings(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
               {name, value.is_string() ? value.get<std::string>() : value.dump()});
    }
    transaction.Commit();
  }
  return Configuration();
}

}  // namespace puckdrop::arena
