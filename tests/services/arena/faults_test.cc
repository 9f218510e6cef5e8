#include <chrono>
#include <thread>

#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using FaultsTest = ArenaTest;
constexpr char kAino[] = "aino@example.test";
constexpr char kDeclined[] = "4000000000000002";

std::string SubscriptionId(Visitor& visitor) { return visitor.Only("/v1/subscriptions")["id"].get<std::string>(); }

TEST_F(FaultsTest, OffersEmpty) {
  On(Fault::kOffersEmpty);
  EXPECT_TRUE(NewVisitor().Items("/v1/offers").empty());
  EXPECT_EQ(Customer().Order("season", "k").status, 201);
}

TEST_F(FaultsTest, OfferUnpurchasable) {
  On(Fault::kOfferUnpurchasable);
  EXPECT_EQ(NewVisitor().Items("/v1/offers")[0]["purchasable"], false);
  EXPECT_EQ(Customer().Order("season", "k").status, 201);
}

TEST_F(FaultsTest, CheckoutPriceDiffersButTheOfferIsCharged) {
  On(Fault::kCheckoutPriceDiffers);
  Visitor visitor = Customer();
  const std::string cart = visitor.Post("/v1/carts", {{"offer_id", "season"}}).json["id"].get<std::string>();
  EXPECT_EQ(visitor.Post("/v1/carts/" + cart + "/checkout").json["terms"]["price"]["gross"], 1690);
  EXPECT_EQ(visitor.Ordered("season")["terms"]["price"]["gross"], 1490);
  EXPECT_EQ(visitor.Only("/v1/charges")["amount"]["minor_units"], 1490);
}

TEST_F(FaultsTest, RenewalUndisclosedInAllThreePlaces) {
  On(Fault::kRenewalUndisclosed);
  Visitor visitor = Customer();
  const std::string cart = visitor.Post("/v1/carts", {{"offer_id", "season"}}).json["id"].get<std::string>();
  for (const Json& terms :
       {visitor.Items("/v1/offers")[0], visitor.Post("/v1/carts/" + cart + "/checkout").json["terms"],
        visitor.Ordered("season")["terms"]}) {
    EXPECT_FALSE(terms.contains("auto_renews"));
    EXPECT_FALSE(terms.contains("cancellation_text"));
  }
  Advance(2000);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["auto_renews"], true);
}

TEST_F(FaultsTest, SignUpFails) {
  On(Fault::kSignUpFails);
  EXPECT_EQ(
      NewVisitor()
          .Post("/v1/accounts", {{"email", "a@b.test"}, {"password", "correct horse"}, {"name", "A"}, {"market", "FI"}})
          .status,
      500);
}

TEST_F(FaultsTest, AccountUnreadableForAMinuteFromOtherSessions) {
  On(Fault::kAccountUnreadable);
  Visitor visitor = Customer();
  EXPECT_EQ(visitor.Get("/v1/me").status, 200);
  Visitor other = NewVisitor("device-2");
  other.SignIn(kAino);
  EXPECT_EQ(other.Get("/v1/me").Code(), "account_not_found");
  EXPECT_EQ(other.Get("/v1/orders").status, 200);
  Advance(61'000);
  EXPECT_EQ(other.Get("/v1/me").status, 200);
}

TEST_F(FaultsTest, SignInRejectedOnNewDevices) {
  Customer();
  On(Fault::kSignInRejected);
  NewVisitor().SignIn(kAino);
  EXPECT_EQ(NewVisitor("device-2").Post("/v1/sessions", {{"username", kAino}, {"password", "correct horse"}}).Code(),
            "invalid_credentials");
}

TEST_F(FaultsTest, NeverActivated) {
  On(Fault::kNeverActivated);
  Visitor visitor = Subscriber();
  MoveClock(kAino, "2026-12-20T00:00:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "processing");
  EXPECT_EQ(visitor.Only("/v1/charges")["state"], "succeeded");
}

TEST_F(FaultsTest, ActivationLate) {
  On(Fault::kActivationLate);
  Visitor visitor = Subscriber();
  Advance(17'000);
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "processing");
  Advance(2000);
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "active");
}

TEST_F(FaultsTest, OrderFailsForGoodCardsOnly) {
  On(Fault::kOrderFails);
  Visitor visitor = Customer();
  EXPECT_EQ(visitor.Order("season", "k").status, 500);
  EXPECT_EQ(visitor.Order("season", "k").status, 500);
  EXPECT_EQ(visitor.Order("season", "k2", kDeclined).Code(), "card_declined");
  EXPECT_TRUE(visitor.Items("/v1/orders").empty());
}

TEST_F(FaultsTest, DoubleOrderOnRetry) {
  On(Fault::kDoubleOrderOnRetry);
  Visitor visitor = Customer();
  visitor.Ordered("season", "k");
  EXPECT_EQ(visitor.Order("season", "k").status, 201);
  EXPECT_EQ(visitor.Items("/v1/orders?idempotency_key=k").size(), 2u);
}

TEST_F(FaultsTest, DoubleChargeOnRetry) {
  On(Fault::kDoubleChargeOnRetry);
  Visitor visitor = Customer();
  visitor.Ordered("season", "k");
  EXPECT_EQ(visitor.Order("season", "k").status, 200);
  EXPECT_EQ(visitor.Items("/v1/orders").size(), 1u);
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
}

TEST_F(FaultsTest, DeclinedLeavesOrder) {
  On(Fault::kDeclinedLeavesOrder);
  Visitor visitor = Customer();
  EXPECT_EQ(visitor.Order("season", "k", kDeclined).status, 402);
  EXPECT_EQ(visitor.Only("/v1/orders?idempotency_key=k")["state"], "processing");
  EXPECT_TRUE(visitor.Items("/v1/entitlements").empty());
}

TEST_F(FaultsTest, DeclinedEntitles) {
  On(Fault::kDeclinedEntitles);
  Visitor visitor = Customer();
  EXPECT_EQ(visitor.Order("season", "k", kDeclined).status, 402);
  EXPECT_TRUE(visitor.Items("/v1/orders").empty());
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], true);
  EXPECT_EQ(visitor.Play().status, 201);
}

TEST_F(FaultsTest, UnentitledPlays) {
  On(Fault::kUnentitledPlays);
  EXPECT_EQ(Customer().Play().status, 201);
}

TEST_F(FaultsTest, Fmp4ForTelevisions) {
  On(Fault::kFmp4ForTelevisions);
  EXPECT_EQ(Subscriber().Play("lg_webos4.x_2018_19").json["manifests"][0]["container"], "fmp4");
}

TEST_F(FaultsTest, OldApps) {
  Visitor visitor = NewVisitor();
  visitor.app_version = "1.0.0";
  On(Fault::kOldAppCrashes);
  EXPECT_EQ(visitor.Get("/v1/compatibility").status, 500);
  Off(Fault::kOldAppCrashes);
  On(Fault::kOldAppWelcome);
  EXPECT_EQ(visitor.Get("/v1/compatibility").status, 200);
}

TEST_F(FaultsTest, StreamsUnlimited) {
  On(Fault::kStreamsUnlimited);
  Visitor visitor = Subscriber();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(visitor.Play().status, 201);
}

TEST_F(FaultsTest, SlotNeverFreedOnceTheLimitWasReached) {
  On(Fault::kSlotNeverFreed);
  Visitor visitor = Subscriber();
  const auto stop = [&](const Reply& reply) {
    return visitor.Send("DELETE", "/v1/playback/sessions/" + reply.json["id"].get<std::string>()).status;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stop(visitor.Play()), 204) << "below the limit slots come back";
  const Reply first = visitor.Play(), second = visitor.Play();
  EXPECT_EQ(visitor.Play().Code(), "concurrency_limit");
  EXPECT_EQ(stop(first), 204);
  EXPECT_EQ(stop(second), 204);
  Advance(70'000);
  EXPECT_EQ(visitor.Play().Code(), "concurrency_limit");
  visitor.Cancel(SubscriptionId(visitor));
  EXPECT_EQ(visitor.Play().status, 201) << "what is judged after the cancellation is not hurt";
}

TEST_F(FaultsTest, StartFailsForTheEntitledOnly) {
  On(Fault::kStartFails);
  EXPECT_EQ(Subscriber().Play().status, 500);
  EXPECT_EQ(Customer("b@example.test").Play().Code(), "not_entitled");
}

TEST_F(FaultsTest, InvoicePriceDiffers) {
  On(Fault::kInvoicePriceDiffers);
  Visitor visitor = Subscriber();
  EXPECT_EQ(visitor.Only("/v1/invoices")["total"]["minor_units"], 1690);
  EXPECT_EQ(visitor.Only("/v1/invoices")["vat_basis_points"], 2550);
  EXPECT_EQ(visitor.Only("/v1/charges")["amount"]["minor_units"], 1490);
}

TEST_F(FaultsTest, ChargePriceDiffers) {
  On(Fault::kChargePriceDiffers);
  Visitor visitor = Subscriber();
  EXPECT_EQ(visitor.Only("/v1/charges")["amount"]["minor_units"], 1590);
  EXPECT_EQ(visitor.Only("/v1/invoices")["total"]["minor_units"], 1490);
  EXPECT_EQ(visitor.Only("/v1/orders")["total"]["gross"], 1490);
}

TEST_F(FaultsTest, ChargedTwice) {
  On(Fault::kChargedTwice);
  Visitor visitor = Subscriber();
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
  EXPECT_EQ(visitor.Items("/v1/invoices").size(), 1u);
  Visitor early = Subscriber("early_bird", "early@example.test");
  EXPECT_EQ(early.Items("/v1/charges").size(), 1u);
  MoveClock("early@example.test", "2026-12-12T00:00:00+02:00");
  EXPECT_EQ(early.Items("/v1/charges").size(), 2u);
}

TEST_F(FaultsTest, NeverCharged) {
  On(Fault::kNeverCharged);
  Visitor visitor = Subscriber();
  EXPECT_TRUE(visitor.Items("/v1/charges").empty());
  EXPECT_EQ(visitor.Only("/v1/invoices")["state"], "open");
  Visitor early = Subscriber("early_bird", "early@example.test");
  MoveClock("early@example.test", "2026-12-12T00:00:00+02:00");
  EXPECT_EQ(early.Only("/v1/charges")["state"], "authorised");
}

TEST_F(FaultsTest, ChargedEarly) {
  On(Fault::kChargedEarly);
  Visitor visitor = Subscriber("early_bird");
  EXPECT_EQ(visitor.Only("/v1/charges")["charged_at"], "2026-12-04T18:30:00.000+02:00");
  EXPECT_EQ(visitor.Only("/v1/orders")["terms"]["first_charge_date"], "2026-12-11");
  MoveClock(kAino, "2026-12-12T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u) << "once, only too early";
}

TEST_F(FaultsTest, WrongVat) {
  On(Fault::kWrongVat);
  const Json invoice = Subscriber().Only("/v1/invoices");
  EXPECT_EQ(invoice["vat_basis_points"], 2400);
  EXPECT_EQ(invoice["total"]["minor_units"], 1490);
  EXPECT_EQ(invoice["vat"], 288);
}

TEST_F(FaultsTest, CancelDoesNothing) {
  On(Fault::kCancelDoesNothing);
  Visitor visitor = Subscriber();
  EXPECT_NE(visitor.Cancel(SubscriptionId(visitor)).body.find("CR-"), std::string::npos);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["auto_renews"], true);
  MoveClock(kAino, "2027-01-10T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
}

TEST_F(FaultsTest, CancelSixSteps) {
  On(Fault::kCancelSixSteps);
  Visitor visitor = Subscriber();
  int steps = 0;
  visitor.Cancel(SubscriptionId(visitor), &steps);
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["auto_renews"], false);
}

TEST_F(FaultsTest, CancelNoReceipt) {
  On(Fault::kCancelNoReceipt);
  Visitor visitor = Subscriber();
  EXPECT_EQ(visitor.Cancel(SubscriptionId(visitor)).body.find("Receipt"), std::string::npos);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["auto_renews"], false);
  EXPECT_TRUE(visitor.Only("/v1/subscriptions")["cancellation"]["receipt_number"].is_null());
  EXPECT_EQ(Office().Items("/admin/mailbox?to=aino@example.test")[0]["subject"], "You can watch now");
}

TEST_F(FaultsTest, AccessLostAtOnce) {
  On(Fault::kAccessLostAtOnce);
  Visitor visitor = Subscriber();
  visitor.Cancel(SubscriptionId(visitor));
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["end_date"], "2027-01-03");
}

TEST_F(FaultsTest, AccessNeverEnds) {
  On(Fault::kAccessNeverEnds);
  Visitor visitor = Subscriber();
  visitor.Cancel(SubscriptionId(visitor));
  MoveClock(kAino, "2027-06-10T00:00:00+03:00");
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], true);
  EXPECT_EQ(visitor.Play().status, 201);
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
  Office().Post("/admin/orders/" + visitor.Only("/v1/orders")["id"].get<std::string>() + "/void");
  EXPECT_EQ(Count("active_entitlements"), 0) << "what is undone is undone";
}

TEST_F(FaultsTest, ChargedAfterCancel) {
  On(Fault::kChargedAfterCancel);
  Visitor visitor = Subscriber();
  visitor.Cancel(SubscriptionId(visitor));
  MoveClock(kAino, "2027-03-10T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 4u);
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["state"], "ended");
  Office().Post("/admin/orders/" + visitor.Only("/v1/orders")["id"].get<std::string>() + "/void");
  MoveClock(kAino, "2027-06-10T00:00:00+03:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 4u);
}

TEST_F(FaultsTest, WithdrawalMissing) {
  On(Fault::kWithdrawalMissing);
  EXPECT_EQ(NewVisitor().Get("/withdraw").status, 404);
}

TEST_F(FaultsTest, WithdrawalUnacknowledged) {
  On(Fault::kWithdrawalUnacknowledged);
  Visitor visitor = Subscriber();
  const Reply done =
      NewVisitor().SendForm("/withdraw/confirm", {{"name", "Aino"},
                                                  {"contract_id", visitor.Only("/v1/orders")["id"].get<std::string>()},
                                                  {"electronic_address", "aino@home.test"}});
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body.find("WD-"), std::string::npos);
  EXPECT_TRUE(Office().Items("/admin/mailbox?to=aino@home.test").empty());
  EXPECT_EQ(visitor.Only("/v1/orders")["payment_state"], "refunded");
}

TEST_F(FaultsTest, ErrorsWithStatus200) {
  On(Fault::kHtmlError200);
  const Reply html = NewVisitor().Get("/v1/offers");
  EXPECT_EQ(html.status, 200);
  EXPECT_NE(html.Header("Content-Type").find("text/html"), std::string::npos);
  Off(Fault::kHtmlError200);
  On(Fault::kJsonError200);
  EXPECT_EQ(NewVisitor().Get("/v1/offers").json["error"]["code"], "internal_error");
  EXPECT_EQ(Office().Get("/admin/counts").json["accounts"], 0) << "the office is never hurt";
}

TEST_F(FaultsTest, SessionsExpire) {
  On(Fault::kSessionsExpire);
  EXPECT_EQ(Customer().Get("/v1/me").Code(), "session_expired");
}

TEST_F(FaultsTest, Unavailable) {
  On(Fault::kUnavailable);
  const Reply reply = NewVisitor().Get("/v1/offers");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.Header("Retry-After"), "1");
}

TEST_F(FaultsTest, EveryThirdRequestAndItsRetryAreReset) {
  On(Fault::kResets);
  const auto status = [&](const std::string& path) {
    httplib::Client client(arena_->base_url());
    const auto result = client.Get(path);
    return result ? result->status : 0;
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(status("/v1/offers"), 200);
    EXPECT_EQ(status("/v1/events"), 200);
    EXPECT_EQ(status("/v1/notices"), 0);
    EXPECT_EQ(status("/v1/notices"), 0);
  }
  EXPECT_EQ(Office().Get("/admin/counts").status, 200);
}

TEST_F(FaultsTest, SlowAnswersEndWhenTheArenaStops) {
  On(Fault::kSlow);
  std::thread customer([url = arena_->base_url()] {
    httplib::Client client(url);
    client.set_read_timeout(30);
    client.Get("/v1/offers");
  });
  httplib::Client hurried(arena_->base_url());
  hurried.set_read_timeout(0, 300'000);
  EXPECT_FALSE(hurried.Get("/v1/offers"));
  const auto begin = std::chrono::steady_clock::now();
  arena_.reset();
  customer.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace puckdrop::arena
