#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using MoneyTest = ArenaTest;
constexpr char kAino[] = "aino@example.test";

TEST_F(MoneyTest, TheFirstMonthIsChargedAndInvoicedAtTheOrder) {
  Visitor visitor = Subscriber();
  const Json charge = visitor.Only("/v1/charges"), invoice = visitor.Only("/v1/invoices");
  EXPECT_EQ(charge["state"], "succeeded");
  EXPECT_EQ(charge["amount"], MoneyJson(1490, "EUR"));
  EXPECT_EQ(charge["charged_at"], "2026-12-04T18:30:00.000+02:00");
  EXPECT_EQ(charge["invoice_id"], invoice["id"]);
  EXPECT_EQ(invoice["total"], charge["amount"]);
  EXPECT_EQ(invoice["vat"], 303);
  EXPECT_EQ(invoice["vat_basis_points"], 2550);
  EXPECT_EQ(invoice["issue_date"], "2026-12-04");
  EXPECT_EQ(invoice["due_date"], "2026-12-18");
  EXPECT_EQ(invoice["lines"][0]["from_date"], "2026-12-04");
  EXPECT_EQ(invoice["lines"][0]["until_date"], "2027-01-03");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["paid_through_date"], "2027-01-03");
}

TEST_F(MoneyTest, EachCountryHasItsVat) {
  EXPECT_EQ(Subscriber("season", "se@example.test", "SE").Only("/v1/invoices")["vat"], 2980);
  EXPECT_EQ(Subscriber("season", "ee@example.test", "EE").Only("/v1/invoices")["vat"], 269);
}

TEST_F(MoneyTest, RenewsOncePerMonthAtLocalMidnight) {
  Visitor visitor = Subscriber();
  MoveClock(kAino, "2027-01-03T23:59:59+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
  MoveClock(kAino, "2027-01-04T00:00:00+02:00");
  const Json charges = visitor.Items("/v1/charges");
  ASSERT_EQ(charges.size(), 2u);
  EXPECT_EQ(charges[0]["charged_at"], "2027-01-04T00:00:00.000+02:00");
  EXPECT_EQ(charges[0]["customer_present"], false);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["next_charge_date"], "2027-02-04");
  MoveClock(kAino, "2027-12-31T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 13u);
  EXPECT_EQ(visitor.Items("/v1/invoices").size(), 13u);
  EXPECT_EQ(visitor.Items("/v1/charges?since=2027-12-01T00:00:00Z").size(), 1u);
}

TEST_F(MoneyTest, AnAccountThatStartsOnTheLastOfJanuaryKeepsItsAnchor) {
  ASSERT_EQ(
      Office().Post("/admin/accounts/jan@example.test/settings", {{"start_at", "2027-01-31T10:00:00+02:00"}}).status,
      200);
  Visitor visitor = Subscriber("season", "jan@example.test");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["next_charge_date"], "2027-02-28");
  MoveClock("jan@example.test", "2027-03-01T12:00:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["next_charge_date"], "2027-03-31");
  MoveClock("jan@example.test", "2027-04-01T12:00:00+03:00");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["next_charge_date"], "2027-04-30");
  EXPECT_EQ(visitor.Items("/v1/charges")[0]["charged_at"], "2027-03-31T00:00:00.000+03:00");
}

TEST_F(MoneyTest, AnEarlyBirdIsAuthorisedAndCapturedOnTheDayItWasTold) {
  Visitor visitor = Subscriber("early_bird");
  const Json order = visitor.Only("/v1/orders");
  EXPECT_EQ(order["payment_state"], "authorised");
  EXPECT_EQ(order["terms"]["first_charge_date"], "2026-12-11");
  EXPECT_EQ(visitor.Only("/v1/charges")["state"], "authorised");
  EXPECT_TRUE(visitor.Only("/v1/charges")["charged_at"].is_null());
  EXPECT_TRUE(visitor.Items("/v1/invoices").empty());
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], true);
  MoveClock(kAino, "2026-12-10T23:59:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/charges")["state"], "authorised");
  MoveClock(kAino, "2026-12-11T08:00:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/charges")["state"], "succeeded");
  EXPECT_EQ(visitor.Only("/v1/charges")["charged_at"], "2026-12-11T00:00:00.000+02:00");
  EXPECT_EQ(visitor.Only("/v1/invoices")["issue_date"], "2026-12-11");
  EXPECT_EQ(visitor.Only("/v1/orders")["payment_state"], "captured");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["next_charge_date"], "2027-01-11");
  MoveClock(kAino, "2027-01-12T08:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
}

TEST_F(MoneyTest, ATicketIsPaidOnceAndEndsWithTheMatch) {
  Visitor visitor = Subscriber("match_ticket");
  EXPECT_TRUE(visitor.Items("/v1/subscriptions").empty());
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], true);
  EXPECT_EQ(visitor.Play().status, 201);
  MoveClock(kAino, "2027-03-01T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], false);
}

TEST_F(MoneyTest, AccountsHaveClocksOfTheirOwnThatNeverGoBack) {
  Visitor one = Subscriber("season", "one@example.test");
  Visitor two = Subscriber("season", "two@example.test");
  MoveClock("one@example.test", "2027-02-10T00:00:00+02:00");
  EXPECT_EQ(one.Items("/v1/charges").size(), 3u);
  EXPECT_EQ(two.Items("/v1/charges").size(), 1u);
  Visitor office = Office();
  EXPECT_EQ(office.Post("/admin/accounts/one@example.test/clock", {{"to", "2027-01-01T00:00:00Z"}}).Code(),
            "clock_backwards");
  EXPECT_EQ(office.Post("/admin/accounts/one@example.test/clock", {{"to", "2040-01-01T00:00:00Z"}}).status, 422);
  EXPECT_EQ(office.Post("/admin/accounts/one@example.test/clock", {{"to", "tomorrow"}}).status, 422);
  EXPECT_EQ(office.Post("/admin/accounts/nobody@example.test/clock", {{"to", "2027-01-01T00:00:00Z"}}).Code(),
            "account_not_found");
  EXPECT_EQ(office.Get("/admin/accounts/one@example.test/clock").json["now"], "2027-02-10T00:00:00.000+02:00");
}

TEST_F(MoneyTest, MovingTheClockActivatesAnOrderOnTheWay) {
  Visitor visitor = Customer();
  visitor.Ordered("season");
  MoveClock(kAino, "2027-01-05T00:00:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/orders")["activated_at"], "2026-12-04T18:30:01.500+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
}

TEST_F(MoneyTest, RenewalsInRealTimeNeedNoClockToBeMoved) {
  Visitor visitor = Subscriber();
  Advance(40 * kDayMillis);
  visitor.SignIn(kAino);
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
}

}  // namespace
}  // namespace puckdrop::arena
