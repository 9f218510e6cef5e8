#include <unistd.h>

#include <map>
#include <set>
#include <thread>

#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using ShopTest = ArenaTest;

TEST_F(ShopTest, OffersComeInPagesWithTheirPriceAndTerms) {
  Visitor visitor = NewVisitor();
  const Reply first = visitor.Get("/v1/offers?market=FI&language=fi");
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(first.json["items"].size(), 2u);
  const Json& season = first.json["items"][0];
  EXPECT_EQ(season["id"], "season");
  EXPECT_EQ(
      season["price"],
      Json::parse(R"({"currency":"EUR","gross":1490,"net":1187,"vat":303,"vat_rate":25.5,"vat_basis_points":2550})"));
  EXPECT_EQ(season["billing_period"], "P1M");
  EXPECT_EQ(season["auto_renews"], true);
  EXPECT_EQ(season["first_charge_date"], "2026-12-04");
  EXPECT_FALSE(season["cancellation_text"].get<std::string>().empty());
  EXPECT_EQ(season["purchasable"], true);
  EXPECT_EQ(first.json["items"][1]["first_charge_date"], "2026-12-11");
  const std::string next = first.json["next"].get<std::string>();
  ASSERT_EQ(next.rfind(arena_->base_url(), 0), 0u) << next;
  const Reply second = visitor.Get(next.substr(arena_->base_url().size()));
  EXPECT_EQ(second.json["items"][0]["id"], "match_ticket");
  EXPECT_TRUE(second.json["next"].is_null());
}

TEST_F(ShopTest, PricesFollowTheMarket) {
  Visitor visitor = NewVisitor();
  EXPECT_EQ(visitor.Get("/v1/offers/season?market=SE&language=sv").json["price"]["vat"], 2980);
  EXPECT_EQ(visitor.Get("/v1/offers/season?market=EE&language=et").json["price"]["gross"], 1390);
  EXPECT_EQ(visitor.Get("/v1/offers?market=XX").Code(), "unknown_market");
  EXPECT_EQ(visitor.Get("/v1/offers?language=xx").Code(), "unknown_language");
  EXPECT_EQ(visitor.Get("/v1/offers/nothing").Code(), "offer_not_found");
  EXPECT_NE(visitor.Get("/terms?market=SE&language=sv").body.find("149.00 SEK"), std::string::npos);
}

TEST_F(ShopTest, SigningUpOpensASessionByTokenAndByCookie) {
  Visitor visitor = NewVisitor();
  const Reply reply = visitor.Post(
      "/v1/accounts", {{"email", "a@b.test"}, {"password", "correct horse"}, {"name", "A"}, {"market", "FI"}});
  ASSERT_EQ(reply.status, 201);
  const std::string cookie = reply.Header("Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly"), std::string::npos);
  const Reply by_cookie = visitor.Get("/v1/me", {{"Cookie", "other=1; " + cookie.substr(0, cookie.find(';'))}});
  EXPECT_EQ(by_cookie.json["email"], "a@b.test");
  EXPECT_EQ(by_cookie.json["may_watch"], false);
  EXPECT_EQ(visitor.Get("/v1/me").Code(), "session_missing");
}

TEST_F(ShopTest, SignUpRefusesTakenAddressesAndBadInputFieldByField) {
  Customer("a@b.test");
  Visitor visitor = NewVisitor();
  EXPECT_EQ(
      visitor
          .Post("/v1/accounts", {{"email", "A@B.test"}, {"password", "correct horse"}, {"name", "A"}, {"market", "FI"}})
          .Code(),
      "email_taken");
  const Reply bad = visitor.Post("/v1/accounts", {{"email", "nobody"}, {"password", "x"}, {"market", "FI"}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.Header("Content-Type"), "application/problem+json");
  ASSERT_EQ(bad.json["errors"].size(), 3u) << bad.body;
  EXPECT_EQ(visitor.Post("/v1/accounts", {{"email", 7}}).Code(), "invalid_input");
  EXPECT_EQ(visitor.Post("/v1/accounts", Json::array()).Code(), "invalid_input");
}

TEST_F(ShopTest, SessionsEndAfterHalfAnHourAndBySigningOut) {
  Visitor visitor = Customer();
  Visitor other = NewVisitor("device-2");
  EXPECT_EQ(other.Post("/v1/sessions", {{"username", "aino@example.test"}, {"password", "wrong horse"}}).Code(),
            "invalid_credentials");
  EXPECT_EQ(other.Post("/v1/sessions", {{"username", "no@example.test"}, {"password", "wrong horse"}}).status, 401);
  other.SignIn("AINO@example.test");
  EXPECT_EQ(other.Get("/v1/me").status, 200);
  EXPECT_EQ(other.Send("DELETE", "/v1/sessions/current").status, 204);
  EXPECT_EQ(other.Get("/v1/me").Code(), "session_expired");
  Advance(30 * 60'000);
  EXPECT_EQ(visitor.Get("/v1/me").Code(), "session_expired");
}

TEST_F(ShopTest, AnOrderIsConfirmedAtOnceAndActiveAfterTheDelay) {
  Visitor visitor = Customer();
  const Reply cart = visitor.Post("/v1/carts", {{"offer_id", "season"}});
  const std::string path = "/v1/carts/" + cart.json["id"].get<std::string>();
  EXPECT_EQ(visitor.Get(path).json["state"], "open");
  const Json terms = visitor.Post(path + "/checkout").json["terms"];
  const Reply paid = visitor.Post(path + "/pay", {{"payment", {{"number", "4242 4242 4242 4242"}, {"cvc", "123"}}}},
                                  {{"Idempotency-Key", "k"}});
  ASSERT_EQ(paid.status, 201) << paid.body;
  EXPECT_EQ(paid.json["terms"], terms);
  const Json offer = visitor.Get("/v1/offers/season").json;
  for (const char* name :
       {"price", "billing_period", "minimum_term", "auto_renews", "cancellation_text", "first_charge_date"}) {
    EXPECT_EQ(terms[name], offer[name]) << name;
  }
  EXPECT_EQ(paid.json["state"], "processing");
  EXPECT_EQ(paid.json["payment_state"], "captured");
  EXPECT_TRUE(visitor.Items("/v1/entitlements").empty());
  EXPECT_EQ(visitor.Only("/v1/subscriptions")["state"], "pending");
  Advance(1500);
  EXPECT_EQ(visitor.Get("/v1/orders/" + paid.json["id"].get<std::string>()).json["state"], "active");
  EXPECT_EQ(visitor.Only("/v1/entitlements")["active"], true);
  EXPECT_EQ(visitor.Get("/v1/me").json["may_watch"], true);
  const Json mails = Office().Items("/admin/mailbox?to=aino@example.test");
  ASSERT_EQ(mails.size(), 3u);
  EXPECT_NE(mails[1]["text"].get<std::string>().find("14.90 EUR"), std::string::npos);
}

TEST_F(ShopTest, ARefusedCardLeavesNothingAndItsKeyRepeatsTheRefusal) {
  Visitor visitor = Customer();
  for (const auto& [card, code] : std::map<std::string, std::string>{{"4000000000000002", "card_declined"},
                                                                     {"4000000000009995", "insufficient_funds"},
                                                                     {"4000000000000069", "expired_card"},
                                                                     {"4000000000000127", "incorrect_cvc"}}) {
    const Reply reply = visitor.Order("season", "key-" + card, card);
    EXPECT_EQ(reply.status, 402);
    EXPECT_EQ(reply.Code(), code);
    EXPECT_EQ(visitor.Order("season", "key-" + card, card).Code(), code);
  }
  EXPECT_EQ(visitor.Order("season", "k", "1234").Code(), "invalid_card");
  Advance(60'000);
  for (const char* list : {"orders", "entitlements", "subscriptions", "charges", "invoices"}) {
    EXPECT_TRUE(visitor.Items(std::string("/v1/") + list).empty()) << list;
  }
  EXPECT_EQ(visitor.Order("season", "k", "4242424242424242").status, 201);
}

TEST_F(ShopTest, OneKeyMakesOneOrderAlsoFromAnotherCart) {
  Visitor visitor = Customer();
  const Json order = visitor.Ordered("season", "k1");
  const Reply again = visitor.Order("season", "k1");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.Header("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.json["id"], order["id"]);
  EXPECT_EQ(visitor.Order("match_ticket", "k1").Code(), "idempotency_key_reused");
  EXPECT_EQ(visitor.Order("season", "k1", "4000000000000002").Code(), "idempotency_key_reused");
  EXPECT_EQ(visitor.Order("season", "").Code(), "idempotency_key_missing");
  EXPECT_EQ(visitor.Order("season", "k2").Code(), "already_owned");
  EXPECT_EQ(visitor.Items("/v1/orders?idempotency_key=k1").size(), 1u);
  EXPECT_TRUE(visitor.Items("/v1/orders?idempotency_key=k2").empty());
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
}

TEST_F(ShopTest, StrangersDoNotSeeEachOthersThings) {
  Visitor visitor = Customer();
  const Json order = visitor.Ordered("season");
  Visitor other = Customer("other@example.test");
  EXPECT_EQ(other.Get("/v1/orders/" + order["id"].get<std::string>()).Code(), "order_not_found");
  EXPECT_EQ(other.Get("/v1/subscriptions/" + order["subscription_id"].get<std::string>()).Code(),
            "subscription_not_found");
  EXPECT_EQ(other.Get("/account/subscriptions/" + order["subscription_id"].get<std::string>() + "/cancel").status, 404);
}

TEST_F(ShopTest, BadRequestsAreProblemsWithWords) {
  Visitor visitor = Customer();
  EXPECT_EQ(visitor.Get("/v1/nothing").Code(), "not_found");
  EXPECT_EQ(visitor.Get("/v1/carts").Code(), "method_not_allowed");
  EXPECT_EQ(visitor.Get("/v1/carts").Header("Allow"), "POST");
  EXPECT_EQ(visitor.Get("/v1/orders?limit=0").Code(), "bad_query");
  EXPECT_EQ(visitor.Get("/v1/orders?since=yesterday").Code(), "bad_query");
  EXPECT_EQ(visitor.Get("/v1/offers?cursor=nothing").Code(), "bad_cursor");
  httplib::Client client(arena_->base_url());
  EXPECT_EQ(client.Post("/v1/accounts", "{", "application/json")->status, 400);
  EXPECT_EQ(client.Post("/v1/accounts", "{}", "text/plain")->status, 415);
  EXPECT_EQ(client.Get("/" + std::string(4000, 'a'))->status, 414);
  EXPECT_EQ(client.Get("/v1/orders/%0A%00'--")->status, 401);
  EXPECT_EQ(client.Post("/v1/accounts", std::string(300 * 1024, ' '), "application/json")->status, 413);
}

TEST_F(ShopTest, NoticesArePublishedAndClosed) {
  Visitor visitor = NewVisitor();
  EXPECT_EQ(visitor.Only("/v1/notices")["title"], "4K broadcasts start in January");
  Visitor office = Office();
  const Reply made =
      office.Post("/admin/notices", {{"title", "No <sound>"}, {"text", "On LG televisions."}, {"about", {"playback"}}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json["state"], "open");
  EXPECT_NE(visitor.Get("/status").body.find("No &lt;sound&gt;"), std::string::npos);
  EXPECT_EQ(office.Send("DELETE", "/admin/notices/" + made.json["id"].get<std::string>()).status, 204);
  EXPECT_EQ(visitor.Items("/v1/notices")[0]["state"], "closed");
}

class SlowPaymentTest : public ArenaTest {
  void Configure(ArenaOptions& options) override { options.shop.payment_time = 300; }
};

TEST_F(SlowPaymentTest, TheSameKeyAtTheSameTimeMakesOneOrder) {
  Visitor visitor = Customer();
  std::vector<Visitor> doubles;
  for (int i = 0; i < 6; ++i) {
    doubles.push_back(NewVisitor());
    doubles.back().token = visitor.token;
  }
  std::vector<Reply> replies(doubles.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < doubles.size(); ++i) {
    threads.emplace_back([&, i] { replies[i] = doubles[i].Order("season", "one"); });
  }
  for (std::thread& thread : threads) thread.join();
  std::multiset<int> statuses;
  for (const Reply& reply : replies) {
    statuses.insert(reply.status);
    if (reply.status == 409) {
      EXPECT_EQ(reply.Code(), "payment_in_progress");
      EXPECT_EQ(reply.Header("Retry-After"), "1");
    }
  }
  EXPECT_EQ(statuses.count(201), 1u);
  EXPECT_EQ(statuses.count(201) + statuses.count(200) + statuses.count(409), replies.size());
  EXPECT_EQ(visitor.Items("/v1/orders").size(), 1u);
  EXPECT_EQ(visitor.Items("/v1/charges").size(), 1u);
  EXPECT_EQ(visitor.Order("season", "one").status, 200);
}

TEST(StateTest, SurvivesARestart) {
  const std::string folder = ::testing::TempDir() + "arena-state-" + std::to_string(::getpid());
  ArenaOptions options;
  options.live = false;
  options.state_folder = folder;
  options.shop.payment_time = 0;
  options.shop.activation_delay = 0;
  std::string token;
  {
    auto arena = Arena::Start(options);
    ASSERT_TRUE(arena.ok());
    Visitor visitor((*arena)->base_url());
    visitor.SignUp("a@b.test");
    visitor.Ordered("season");
    token = visitor.token;
  }
  auto arena = Arena::Start(options);
  ASSERT_TRUE(arena.ok());
  Visitor visitor((*arena)->base_url());
  visitor.token = token;
  EXPECT_EQ(visitor.Only("/v1/orders")["state"], "active");
}

TEST(StartTest, SaysWhatIsWrong) {
  ArenaOptions options;
  options.live = false;
  options.faults = {"billing.wrong_wat"};
  EXPECT_NE(std::string(Arena::Start(options).status().message()).find("did you mean billing.wrong_vat?"),
            std::string::npos);
  options.faults.clear();
  auto first = Arena::Start(options);
  ASSERT_TRUE(first.ok());
  options.port = std::stoi((*first)->base_url().substr((*first)->base_url().rfind(':') + 1));
  EXPECT_NE(std::string(Arena::Start(options).status().message()).find("is another arena running?"), std::string::npos);
}

}  // namespace
}  // namespace puckdrop::arena
