#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using OfficeTest = ArenaTest;
constexpr char kAino[] = "aino@example.test";

TEST_F(OfficeTest, IsClosedToEverybodyElse) {
  Visitor visitor = Customer();
  for (const char* path :
       {"/admin/orders", "/admin/counts", "/admin/faults", "/admin/mailbox", "/admin/configuration"}) {
    EXPECT_EQ(visitor.Get(path).Code(), "office_unauthorised") << path;
    EXPECT_EQ(NewVisitor().Get(path).status, 401) << path;
  }
}

TEST_F(OfficeTest, FindsOrdersByAccountAndKey) {
  Visitor visitor = Subscriber();
  Subscriber("season", "other@example.test");
  Visitor office = Office();
  EXPECT_EQ(office.Items("/admin/orders").size(), 2u);
  EXPECT_EQ(office.Items("/admin/orders?key=key-1").size(), 2u);
  EXPECT_EQ(office.Only("/admin/orders?account=aino@example.test&key=key-1")["id"], visitor.Only("/v1/orders")["id"]);
  EXPECT_TRUE(office.Items("/admin/orders?account=aino@example.test&key=other").empty());
  EXPECT_TRUE(office.Items("/admin/orders?account=nobody@example.test").empty());
  for (const char* list : {"charges", "invoices", "subscriptions", "entitlements"}) {
    EXPECT_EQ(office.Only(std::string("/admin/") + list + "?account=aino@example.test"),
              visitor.Only(std::string("/v1/") + list))
        << list;
  }
}

TEST_F(OfficeTest, VoidingUndoesAnOrderWhateverStateItIsIn) {
  Visitor visitor = Subscriber();
  visitor.Play();
  MoveClock(kAino, "2027-01-10T00:00:00+02:00");
  const std::string path = "/admin/orders/" + visitor.Only("/v1/orders")["id"].get<std::string>();
  Visitor office = Office();
  const Reply voided = office.Post(path + "/void");
  ASSERT_EQ(voided.status, 200) << voided.body;
  EXPECT_EQ(voided.json["refunded"], true);
  EXPECT_EQ(voided.json["refunds"].size(), 2u);
  EXPECT_EQ(voided.json["order"]["state"], "cancelled");
  EXPECT_EQ(office.Post(path + "/void").json, voided.json);
  EXPECT_EQ(visitor.Play().Code(), "not_entitled");
  MoveClock(kAino, "2027-06-10T00:00:00+03:00");
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 2u);
  EXPECT_EQ(Count("live_orders"), 0);
  EXPECT_EQ(Count("live_subscriptions"), 0);
  EXPECT_EQ(Count("active_entitlements"), 0);
}

TEST_F(OfficeTest, VoidingAnOrderThatIsNotActiveYetKeepsItFromBecomingSo) {
  Visitor visitor = Customer();
  const std::string id = visitor.Ordered("early_bird")["id"].get<std::string>();
  EXPECT_EQ(Count("open_authorisations"), 1);
  EXPECT_EQ(Office().Post("/admin/orders/" + id + "/void").json["order"]["payment_state"], "voided");
  MoveClock(kAino, "2027-01-10T00:00:00+02:00");
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "cancelled");
  EXPECT_TRUE(visitor.Items("/v1/entitlements").empty());
  EXPECT_EQ(Count("open_authorisations"), 0);
  EXPECT_EQ(Office().Post("/admin/orders/ord_none/void").Code(), "order_not_found");
}

TEST_F(OfficeTest, RefundsNeverExceedWhatWasCharged) {
  Visitor visitor = Subscriber();
  const std::string path = "/admin/orders/" + visitor.Only("/v1/orders")["id"].get<std::string>() + "/refund";
  Visitor office = Office();
  EXPECT_EQ(office.Post(path, {{"amount", -1}}).status, 422);
  EXPECT_EQ(office.Post(path, {{"amount", 490}}).json["refunds"][0]["amount"], MoneyJson(490, "EUR"));
  EXPECT_EQ(visitor.Only("/v1/invoices")["state"], "paid");
  EXPECT_EQ(office.Post(path).json["refunds"][0]["amount"], MoneyJson(1000, "EUR"));
  EXPECT_EQ(office.Post(path).Code(), "nothing_to_refund");
  EXPECT_EQ(visitor.Only("/v1/invoices")["state"], "refunded");
  EXPECT_EQ(office.Items("/admin/refunds?account=aino@example.test").size(), 2u);
}

TEST_F(OfficeTest, ForgettingACustomerLeavesNothing) {
  Visitor visitor = Subscriber();
  visitor.Play();
  EXPECT_EQ(Office().Send("DELETE", "/admin/accounts/aino@example.test").status, 204);
  EXPECT_EQ(Office().Send("DELETE", "/admin/accounts/aino@example.test").Code(), "account_not_found");
  EXPECT_EQ(visitor.Get("/v1/me").status, 401);
  EXPECT_EQ(
      Office().Get("/admin/counts").json,
      Json::parse(
          R"({"accounts":0,"orders":{"processing":0,"active":0,"cancelled":0},"live_orders":0,"live_subscriptions":0,
                            "active_entitlements":0,"open_playback_sessions":0,"open_authorisations":0})"));
  EXPECT_TRUE(Office().Items("/admin/mailbox?to=aino@example.test").empty());
  Customer();
}

TEST_F(OfficeTest, TheFingerprintFollowsTheConfigurationAndNotTheFaults) {
  Visitor office = Office();
  const std::string before = office.Get("/admin/configuration").json["fingerprint"].get<std::string>();
  On(Fault::kBlack);
  EXPECT_EQ(office.Get("/admin/configuration").json["fingerprint"], before);
  EXPECT_NE(office.Send("PATCH", "/admin/configuration", {{"stream_limit", 1}}).json["fingerprint"], before);
  Visitor visitor = Subscriber();
  visitor.Play();
  EXPECT_EQ(visitor.Play().Code(), "concurrency_limit");
  EXPECT_EQ(office.Send("PATCH", "/admin/configuration", {{"nothing", 1}}).status, 422);
  EXPECT_EQ(office.Send("PATCH", "/admin/configuration", {{"stream_limit", "two"}}).status, 422);
}

TEST_F(OfficeTest, FaultsAreSwitchedByName) {
  Visitor office = Office();
  EXPECT_EQ(office.Post("/admin/faults", {{"on", {"billing.wrong_vat", "target.slow"}}}).status, 200);
  EXPECT_TRUE(arena_->faults().On(Fault::kWrongVat));
  EXPECT_EQ(office.Post("/admin/faults", {{"off", {"target.slow"}}}).status, 200);
  EXPECT_FALSE(arena_->faults().On(Fault::kSlow));
  const Reply unknown = office.Post("/admin/faults", {{"on", {"billing.wrong_wat", "target.slow"}}});
  EXPECT_EQ(unknown.Code(), "unknown_fault");
  EXPECT_FALSE(arena_->faults().On(Fault::kSlow)) << "a list with a mistake changes nothing";
  EXPECT_EQ(office.Post("/admin/faults", {{"set", Json::array()}}).status, 200);
  for (const Json& item : office.Items("/admin/faults")) EXPECT_EQ(item["on"], false);
  EXPECT_EQ(office.Post("/admin/faults", {{"on", "billing.wrong_vat"}}).status, 422);
}

TEST_F(OfficeTest, ListsGoOnOverPages) {
  Visitor visitor = Subscriber();
  MoveClock(kAino, "2028-12-10T00:00:00+02:00");
  Visitor office = Office();
  size_t seen = 0;
  std::string path = "/admin/charges?account=aino%40example.test&limit=10";
  for (int pages = 0; !path.empty() && pages < 10; ++pages) {
    const Reply reply = office.Get(path);
    seen += reply.json["items"].size();
    path = reply.json["next"].is_null() ? "" : reply.json["next"].get<std::string>().substr(arena_->base_url().size());
  }
  EXPECT_EQ(seen, 25u);
}

}  // namespace
}  // namespace puckdrop::arena
