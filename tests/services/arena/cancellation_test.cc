#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using CancellationTest = ArenaTest;
constexpr char kAino[] = "aino@example.test";

std::string SubscriptionId(Visitor& visitor) { return visitor.Only("/v1/subscriptions")["id"].get<std::string>(); }

std::string ContractNumber(Visitor& visitor) { return visitor.Only("/v1/orders")["number"].get<std::string>(); }

httplib::Params Statement(const std::string& contract) {
  return {{"name", "Aino"}, {"contract_id", contract}, {"electronic_address", "aino@home.test"}};
}

TEST_F(CancellationTest, TakesTwoStepsAndGivesAReceiptAtOnce) {
  Visitor visitor = Subscriber();
  int steps = 0;
  const Reply done = visitor.Cancel(SubscriptionId(visitor), &steps);
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(done.status, 200);
  const Json subscription = visitor.Only("/v1/subscriptions");
  EXPECT_EQ(subscription["state"], "cancelling");
  EXPECT_EQ(subscription["auto_renews"], false);
  EXPECT_EQ(subscription["end_date"], "2027-01-03");
  EXPECT_TRUE(subscription["next_charge_date"].is_null());
  const std::string receipt = subscription["cancellation"]["receipt_number"].get<std::string>();
  EXPECT_NE(done.body.find("Receipt number: <strong id=\"receipt-number\">" + receipt + "<"), std::string::npos)
      << done.body;
  EXPECT_NE(Office().Items("/admin/mailbox?to=aino@example.test")[0]["text"].get<std::string>().find(receipt),
            std::string::npos);
}

TEST_F(CancellationTest, LeavesAccessToTheEndOfThePaidPeriodAndChargesNothingAfter) {
  Visitor visitor = Subscriber();
  visitor.Cancel(SubscriptionId(visitor));
  EXPECT_EQ(visitor.Play().status, 201);
  MoveClock(kAino, "2027-01-03T23:59:59+02:00");
  EXPECT_EQ(visitor.Play().status, 201);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["state"], "cancelling");
  MoveClock(kAino, "2027-01-04T00:00:00+02:00");
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["state"], "ended");
  MoveClock(kAino, "2027-06-01T00:00:00+03:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
  EXPECT_EQ(visitor.Items("/v1/invoices").size(), 1u);
}

TEST_F(CancellationTest, TwiceIsTheSameAndCanBeTakenBackUntilItEnds) {
  Visitor visitor = Subscriber();
  const std::string id = SubscriptionId(visitor);
  const Reply first = visitor.Cancel(id), second = visitor.Cancel(id);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(visitor.Post("/v1/subscriptions/" + id + "/resume").json["state"], "active");
  MoveClock(kAino, "2027-01-05T00:00:00+02:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
  visitor.Cancel(id);
  MoveClock(kAino, "2027-03-05T00:00:00+02:00");
  EXPECT_EQ(visitor.Post("/v1/subscriptions/" + id + "/resume").Code(), "subscription_ended");
  EXPECT_EQ(visitor.Order("season", "again").status, 201);
}

TEST_F(CancellationTest, BeforeTheFirstChargeNothingIsEverTaken) {
  Visitor visitor = Subscriber("early_bird");
  const std::string id = SubscriptionId(visitor);
  visitor.Cancel(id);
  EXPECT_EQ(visitor.Only("/v1/charges")["state"], "voided");
  EXPECT_EQ(visitor.Post("/v1/subscriptions/" + id + "/resume").status, 200);
  EXPECT_EQ(visitor.Items("/v1/charges")[0]["state"], "authorised");
  visitor.Cancel(id);
  MoveClock(kAino, "2027-02-01T00:00:00+02:00");
  for (const Json& charge : visitor.Items("/v1/charges")) EXPECT_EQ(charge["state"], "voided");
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
}

TEST_F(CancellationTest, AFormWithoutItsTokenOrSessionDoesNothing) {
  Visitor visitor = Subscriber();
  const std::string path = "/account/subscriptions/" + SubscriptionId(visitor) + "/cancel";
  EXPECT_EQ(visitor.SendForm(path, {{"step", "2"}}).status, 403);
  EXPECT_EQ(visitor.SendForm(path, {{"step", "2"}, {"csrf_token", "00"}}).status, 403);
  Visitor stranger = NewVisitor();
  const Reply refused = stranger.Get(path);
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.Header("Content-Type").find("text/html"), std::string::npos);
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["state"], "active");
  EXPECT_NE(visitor.Get("/account").body.find(path), std::string::npos);
}

TEST_F(CancellationTest, WithdrawingNeedsNoSessionAndReturnsEverything) {
  Visitor visitor = Subscriber();
  Visitor stranger = NewVisitor();
  const Reply start = stranger.Get("/withdraw");
  EXPECT_EQ(start.status, 200);
  EXPECT_NE(start.body.find("Withdraw from contract here"), std::string::npos);
  const Reply review = stranger.SendForm("/withdraw", Statement(ContractNumber(visitor)));
  EXPECT_NE(review.body.find("Confirm withdrawal"), std::string::npos) << review.body;
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "active") << "the statement alone is not yet the withdrawal";
  const Reply done = stranger.SendForm("/withdraw/confirm", Statement(ContractNumber(visitor)));
  EXPECT_NE(done.body.find("<data id=\"refund\" value=\"1490\">14.90 EUR</data>"), std::string::npos) << done.body;
  EXPECT_NE(done.body.find("id=\"received-at\" datetime=\"2026-12-04T18:30:02"), std::string::npos) << done.body;
  EXPECT_EQ(done.body.find("<form"), std::string::npos);
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "cancelled");
  EXPECT_EQ(visitor.Only("/v1/orders")["payment_state"], "refunded");
  EXPECT_EQ(visitor.Only("/v1/refunds")["amount"], MoneyJson(1490, "EUR"));
  EXPECT_EQ(visitor.Only("/v1/invoices")["state"], "refunded");
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
  EXPECT_NE(Office().Only("/admin/mailbox?to=aino@home.test")["text"].get<std::string>().find("WD-"),
            std::string::npos);
  EXPECT_EQ(stranger.SendForm("/withdraw/confirm", Statement(ContractNumber(visitor))).body, done.body);
  EXPECT_EQ(visitor.Items("/v1/refunds").size(), 1u);
}

TEST_F(CancellationTest, WithdrawalIsOfferedOnDayFourteenAndNotOnDayFifteen) {
  Visitor visitor = Subscriber();
  MoveClock(kAino, "2026-12-18T23:59:00+02:00");
  EXPECT_EQ(NewVisitor().SendForm("/withdraw", Statement(ContractNumber(visitor))).status, 200);
  MoveClock(kAino, "2026-12-19T00:00:00+02:00");
  EXPECT_EQ(NewVisitor().SendForm("/withdraw", Statement(ContractNumber(visitor))).status, 409);
}

TEST_F(CancellationTest, WithdrawalExplainsWhatIsMissing) {
  Visitor visitor = NewVisitor();
  EXPECT_EQ(visitor.SendForm("/withdraw", Statement("A-999999")).status, 422);
  EXPECT_EQ(visitor.SendForm("/withdraw", Statement("A-1 OR 1=1")).status, 422);
  const Reply reply = visitor.SendForm("/withdraw", {{"name", "<b>"}, {"contract_id", ""}, {"electronic_address", ""}});
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.body.find("value=\"&lt;b&gt;\""), std::string::npos);
}

}  // namespace
}  // namespace puckdrop::arena
