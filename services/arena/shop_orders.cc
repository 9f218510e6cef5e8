#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

constexpr char kOrderColumns[] =
    "seq, id, account_id, cart_id, offer_id, market, language, key, state, first_charge_date, subscription_id, gross, "
    "placed_at, activate_at, activated_at, cancelled_at, declined";
constexpr Millis kLateActivation = 20'000;
constexpr int64_t kCheckoutSurcharge = 200;

struct TestCard {
  const char* number;
  const char* code;  // nullptr: the payment goes through
  const char* title;
  const char* detail;
};

constexpr TestCard kCards[] = {
    {"4242424242424242", nullptr, nullptr, nullptr},
    {"4000000000000002", "card_declined", "The card was declined", "The bank refused this card. No money was taken."},
    {"4000000000009995", "insufficient_funds", "The card has not enough money",
     "There is not enough money on this card. No money was taken."},
    {"4000000000000069", "expired_card", "The card has expired", "This card is no longer valid. No money was taken."},
    {"4000000000000127", "incorrect_cvc", "The security code is wrong",
     "The three digits on the back do not match. No money was taken."},
};

Problem Declined(const TestCard& card) { return {402, card.code, card.title, card.detail}; }

const TestCard& NeedCard(const Json& body) {
  const Json payment = body.is_object() && body.contains("payment") ? body["payment"] : Json();
  std::string number;
  for (const char c : payment.is_object() ? TextMember(payment, "number", 64) : "") {
    if (c != ' ' && c != '-') number += c;
  }
  for (const TestCard& card : kCards) {
    if (number == card.number) return card;
  }
  throw Problem{422,
                "invalid_card",
                "This is not a card we know",
                "payment.number must be one of the test cards.",
                "",
                0,
                {{"payment.number", number.empty() ? "is missing" : "is not a test card"}}};
}

}  // namespace

Shop::Order Shop::ReadOrder(const Row& row) const {
  Order order;
  order.seq = row.Int(0);
  order.id = row.Text(1);
  order.account_id = row.Text(2);
  order.cart_id = row.Text(3);
  order.offer_id = row.Text(4);
  order.market = row.Text(5);
  order.language = row.Text(6);
  order.key = row.Text(7);
  order.state = row.Text(8);
  order.first_charge_date = row.Text(9);
  order.subscription_id = row.Text(10);
  order.gross = row.Int(11);
  order.placed_at = row.Int(12);
  order.activate_at = row.MaybeInt(13);
  order.activated_at = row.MaybeInt(14);
  order.cancelled_at = row.MaybeInt(15);
  order.declined = row.Int(16) != 0;
  return order;
}

std::vector<Shop::Order> Shop::LoadOrders(const std::string& where, const std::vector<SqlValue>& values) {
  std::vector<Order> orders;
  for (const Row& row :
       db_->Query(absl::StrCat("SELECT ", kOrderColumns, " FROM orders WHERE ", where, " ORDER BY seq DESC LIMIT 5000"),
                  values)) {
    orders.push_back(ReadOrder(row));
  }
  return orders;
}

std::optional<Shop::Order> Shop::LoadOrder(const std::string& where, const std::string& value) {
  std::vector<Order> orders = LoadOrders(where + " = ?", {value});
  if (orders.empty()) return std::nullopt;
  return orders.front();
}

Json Shop::OrderJson(const std::string& base_url, const Order& order) {
  const Market& market = *FindMarket(order.market);
  const Offer& offer = *FindOffer(order.offer_id);
  std::string payment_state = "none", payment_id;
  int64_t authorised = 0;
  for (const Row& row :
       db_->Query("SELECT id, state, amount, refunded FROM charges WHERE order_id = ? ORDER BY seq DESC", {order.id})) {
    payment_id = row.Text(0);
    authorised = row.Int(2);
    payment_state = row.Text(1) == "succeeded" ? (row.Int(3) >= row.Int(2) ? "refunded" : "captured") : row.Text(1);
  }
  const auto instant = [&](const std::optional<int64_t>& at) {
    return at ? Json(FormatInstant(*at, market.zone)) : Json(nullptr);
  };
  return {{"id", order.id},
          {"number", order.Number()},
          {"state", order.state},
          {"offer_id", order.offer_id},
          {"title", OfferTitle(offer, order.language)},
          {"market", order.market},
          {"total", PriceJson(order.gross, market.currency, market.vat_basis_points)},
          {"payment_state", payment_state},
          {"authorised", payment_id.empty() ? Json(nullptr) : MoneyJson(authorised, market.currency)},
          {"terms", TermsJson(base_url, offer, market, order.language, order.gross, order.first_charge_date)},
          {"idempotency_key", order.key},
          {"subscription_id", order.subscription_id.empty() ? Json(nullptr) : Json(order.subscription_id)},
          {"payment_id", payment_id.empty() ? Json(nullptr) : Json(payment_id)},
          {"placed_at", FormatInstant(order.placed_at, market.zone)},
          {"activated_at", instant(order.activated_at)},
          {"cancelled_at", instant(order.cancelled_at)}};
}

Json Shop::MakeCart(const Caller& caller, const Json& body) {
  const std::string offer_id = TextMember(body, "offer_id");
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = Authenticate(caller);
  if (FindOffer(offer_id) == nullptr) throw NotFound("offer_not_found", "offer");
  const std::string id = NewId("crt_");
  db_->Run("INSERT INTO carts(id, account_id, offer_id, market, state, created_at) VALUES(?, ?, ?, ?, 'open', ?)",
           {id, account.id, offer_id, account.market->code, account.now});
  transaction.Commit();
  return GetCart(caller, id);
}

Json Shop::GetCart(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  const auto row = db_->QueryOne(
      "SELECT offer_id, market, state, created_at FROM carts WHERE id = ? AND account_id = ?", {id, account.id});
  if (!row) throw NotFound("cart_not_found", "cart");
  return {{"id", id},
          {"offer_id", row->Text(0)},
          {"market", row->Text(1)},
          {"state", row->Text(2)},
          {"created_at", FormatInstant(row->Int(3), account.market->zone)}};
}

Json Shop::Checkout(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  const Json cart = GetCart(caller, id);
  if (cart["state"] != "open")
    throw Problem{409, "cart_closed", "This cart is paid already", "See your orders.", "/v1/orders"};
  const Offer& offer = *FindOffer(cart["offer_id"].get<std::string>());
  const int64_t gross = offer.Gross(*account.market) + (On(Fault::kCheckoutPriceDiffers) ? kCheckoutSurcharge : 0);
  return {{"cart_id", id},
          {"offer_id", offer.id},
          {"title", OfferTitle(offer, account.language)},
          {"terms", TermsJson(caller.base_url, offer, *account.market, account.language, gross,
                              FirstChargeDate(offer, DateAt(account.now, account.market->zone)))},
          {"preselected_extras", Json::array()},
          {"order_button", Say(Text::kOrderButton, account.language)}};
}

Shop::Order Shop::CreateOrder(const Account& account, const std::string& cart_id, const Offer& offer,
                              const std::string& key) {
  const std::string zone = account.market->zone;
  const Date today = DateAt(account.now, zone);
  const Date first_charge = FirstChargeDate(offer, today);
  const std::string id = NewId("ord_");
  const std::string subscription_id = offer.renews ? NewId("sub_") : "";
  SqlValue activate_at = account.now + (On(Fault::kActivationLate) ? kLateActivation : options_.activation_delay);
  if (On(Fault::kNeverActivated)) activate_at = nullptr;
  db_->Run(
      "INSERT INTO orders(id, account_id, cart_id, offer_id, market, language, key, state, gross, first_charge_date, "
      "placed_at, "
      "activate_at, subscription_id) VALUES(?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?, ?, ?)",
      {id, account.id, cart_id, std::string(offer.id), account.market->code, account.language, key,
       offer.Gross(*account.market), first_charge, account.now, activate_at, OrNull(subscription_id)});
  const Order order = *LoadOrder("id", id);

  const bool later = offer.charged_later && first_charge > today;
  const bool paid_now = !later || On(Fault::kChargedEarly);
  const Date anchor = later ? first_charge : today;
  const Date next = paid_now ? AddMonths(anchor, 1) : anchor;
  if (offer.renews) {
    db_->Run(
        "INSERT INTO subscriptions(id, account_id, order_id, offer_id, market, gross, state, anchor, periods, "
        "next_date, "
        "started_at) VALUES(?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)",
        {subscription_id, account.id, id, std::string(offer.id), account.market->code, order.gross, anchor,
         int64_t{paid_now ? 1 : 0}, next, account.now});
  }
  if (paid_now) {
    ChargeNow(account, order, subscription_id, account.now, offer.renews ? anchor : today,
              offer.renews ? AddDays(next, -1) : today, true);
  } else {
    Authorise(account, order, subscription_id, account.now, first_charge);
  }
  std::string text = absl::StrCat("Order ", order.Number(), ": ", OfferTitle(offer, account.language), ", ",
                                  MoneyText(order.gross, account.market->currency),
                                  " including VAT.\nFirst charge: ", first_charge, ".\n");
  if (!On(Fault::kRenewalUndisclosed)) {
    absl::StrAppend(&text, offer.renews ? "Billed each month, renews automatically. " : "",
                    Say(offer.renews ? Text::kCancellation : Text::kTicketCancellation, account.language), "\n");
  }
  SendMail(account.email, "Order confirmation " + order.Number(), text);
  return order;
}

Shop::Paid Shop::Pay(const Caller& caller, const std::string& cart_id, const std::string& key, const Json& body) {
  std::string offer_id, account_id;
  const TestCard* card = nullptr;
  {
    const std::lock_guard lock(mutex_);
    Transaction transaction(*db_, depth_);
    const Account account = Authenticate(caller);
    account_id = account.id;
    if (key.empty() || key.size() > 255) {
      throw Problem{400, "idempotency_key_missing", "The Idempotency-Key header is missing",
                    "Send a new key of 1 to 255 characters for each purchase, and the same one when you repeat it."};
    }
    const Json cart = GetCart(caller, cart_id);
    offer_id = cart["offer_id"].get<std::string>();
    const std::string fingerprint = Sha256Hex(
        offer_id + "\n" + (body.is_object() && body.contains("payment") ? nlohmann::json(body["payment"]).dump() : ""));
    const auto before =
        db_->QueryOne("SELECT fingerprint, state, order_id, refusal FROM idempotency WHERE account_id = ? AND key = ?",
                      {account.id, key});
    const bool second_order = before && before->Text(1) != "refused" && On(Fault::kDoubleOrderOnRetry);
    if (before) {
      if (before->Text(0) != fingerprint) {
        throw Problem{422, "idempotency_key_reused", "This Idempotency-Key belongs to another purchase",
                      "The key was used with another offer or another payment. Use a new key."};
      }
      if (before->Text(1) == "refused") {
        for (const TestCard& known : kCards) {
          if (known.code != nullptr && before->Text(3) == known.code) throw Declined(known);
        }
      }
      if (!second_order) {
        if (before->Text(1) == "in_flight") {
          Problem wait{409, "payment_in_progress", "This purchase is being paid", "Ask again in a moment."};
          wait.retry_after_seconds = 1;
          throw wait;
        }
        const auto order = LoadOrder("id", before->Text(2));
        if (!order) throw NotFound("order_not_found", "order");
        if (On(Fault::kDoubleChargeOnRetry)) {
          ChargeNow(account, *order, order->subscription_id, account.now, DateAt(account.now, account.market->zone),
                    DateAt(account.now, account.market->zone), true);
        }
        Paid paid{true, OrderJson(caller.base_url, *order)};
        transaction.Commit();
        return paid;
      }
    }
    card = &NeedCard(body);
    if (!second_order) {
      if (cart["state"] != "open") {
        throw Problem{409, "cart_closed", "This cart is paid already", "See your orders.", "/v1/orders"};
      }
      if (!LoadSubscriptions("account_id = ? AND offer_id = ? AND state != 'ended'", {account.id, offer_id}).empty()) {
        throw Problem{409, "already_owned", "You have this already", "You need not buy it again: just watch.",
                      "/v1/subscriptions"};
      }
      db_->Run("INSERT INTO idempotency(account_id, key, fingerprint, state) VALUES(?, ?, ?, 'in_flight')",
               {account.id, key, fingerprint});
    }
    transaction.Commit();
  }

  // The card network takes its time; others are served meanwhile.
  std::this_thread::sleep_for(std::chrono::milliseconds(options_.payment_time));

  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const auto account = LoadAccount("id", account_id);
  if (!account) throw NotFound("account_not_found", "account");
  const Offer& offer = *FindOffer(offer_id);
  if (card->code != nullptr) {
    db_->Run("UPDATE idempotency SET state = 'refused', refusal = ? WHERE account_id = ? AND key = ?",
             {std::string(card->code), account_id, key});
    if (On(Fault::kDeclinedLeavesOrder)) {
      db_->Run(
          "INSERT INTO orders(id, account_id, cart_id, offer_id, market, language, key, state, gross, "
          "first_charge_date, "
          "placed_at, declined) VALUES(?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, ?, 1)",
          {NewId("ord_"), account_id, cart_id, offer_id, account->market->code, account->language, key,
           offer.Gross(*account->market), FirstChargeDate(offer, DateAt(account->now, account->market->zone)),
           account->now});
    }
    if (On(Fault::kDeclinedEntitles)) {
      db_->Run("INSERT INTO entitlements(id, account_id, offer_id, starts_at) VALUES(?, ?, ?, ?)",
               {NewId("ent_"), account_id, offer_id, account->now});
    }
    transaction.Commit();
    throw Declined(*card);
  }
  if (On(Fault::kOrderFails)) {
    db_->Run("DELETE FROM idempotency WHERE account_id = ? AND key = ?", {account_id, key});
    transaction.Commit();
    throw Problem{500, "internal_error", "Something went wrong", "Please try again later."};
  }
  const Order order = CreateOrder(*account, cart_id, offer, key);
  db_->Run("UPDATE carts SET state = 'paid' WHERE id = ?", {cart_id});
  db_->Run("UPDATE idempotency SET state = 'done', order_id = ? WHERE account_id = ? AND key = ?",
           {order.id, account_id, key});
  Paid paid{false, OrderJson(caller.base_url, order)};
  transaction.Commit();
  return paid;
}

Json Shop::Orders(const Caller& caller, const std::string& key, Millis since) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  Json orders = Json::array();
  for (const Order& order :
       LoadOrders("account_id = ?1 AND (?2 = '' OR key = ?2) AND placed_at >= ?3", {account.id, key, since})) {
    orders.push_back(OrderJson(caller.base_url, order));
  }
  return orders;
}

Json Shop::GetOrder(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  const auto order = LoadOrder("id", id);
  if (!order || order->account_id != account.id) throw NotFound("order_not_found", "order");
  return OrderJson(caller.base_url, *order);
}

// Columns: id, offer_id, order_id, subscription_id, starts_at, ends_at, whether its subscription was cancelled.
static constexpr char kEntitlementQuery[] =
    "SELECT e.id, e.offer_id, e.order_id, e.subscription_id, e.starts_at, e.ends_at, s.cancelled_at IS NOT NULL "
    "FROM entitlements e LEFT JOIN subscriptions s ON s.id = e.subscription_id WHERE e.account_id = ? ORDER BY e.seq "
    "DESC";

bool Shop::EntitlementActive(const Row& row, Millis now) {
  if (row.Int(4) > now) return false;
  if (On(Fault::kAccessNeverEnds) && row.Int(6) != 0) return true;
  return row.IsNull(5) || now < row.Int(5);
}

bool Shop::Entitled(const Account& account, const std::string& event_id) {
  for (const Row& row : db_->Query(kEntitlementQuery, {account.id})) {
    if (!EntitlementActive(row, account.now)) continue;
    const Offer* offer = FindOffer(row.Text(1));
    for (const std::string& event : offer->event_ids) {
      if (event == event_id) return true;
    }
  }
  return false;
}

Json Shop::EntitlementsOf(const Account& account) {
  Json entitlements = Json::array();
  const auto text = [](const Row& row, int column) {
    return row.IsNull(column) ? Json(nullptr) : Json(row.Text(column));
  };
  for (const Row& row : db_->Query(kEntitlementQuery, {account.id})) {
    entitlements.push_back(
        {{"id", row.Text(0)},
         {"offer_id", row.Text(1)},
         {"order_id", text(row, 2)},
         {"subscription_id", text(row, 3)},
         {"active", EntitlementActive(row, account.now)},
         {"starts_at", FormatInstant(row.Int(4), account.market->zone)},
         {"ends_at", row.IsNull(5) ? Json(nullptr) : Json(FormatInstant(row.Int(5), account.market->zone))},
         {"event_ids", FindOffer(row.Text(1))->event_ids}});
  }
  return entitlements;
}

Json Shop::Entitlements(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  return EntitlementsOf(Authenticate(caller));
}

}  // namespace puckdrop::arena
