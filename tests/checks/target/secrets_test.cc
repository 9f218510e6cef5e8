// Nothing secret is written, wherever it came from.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Everything(const Ended& ended) {
  std::string out = absl::StrCat(ended.Words(), ended.failure.words, ended.refusal.text());
  for (const ExchangeRecord& record : ended.exchanges) {
    absl::StrAppend(&out, http::HarEntryJson(record.exchange), record.exchange.curl, record.exchange.url,
                    record.exchange.request_body, record.exchange.response_body);
  }
  return out;
}

TEST_F(OperationsTest, SecretsOfPlanCookiesAccountsAndAnswersAreRedacted) {
  Load(R"(sessions:
  viewer:
    open: [ { http: { host: shop, post: /login, form: { p: "{{ .customer.password }}" } } } ]
    read: .body.access
    send: { authorization: "Bearer {{ .session }}" }
operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /carts, json: { card: "{{ .payment.number }}", office: "{{ .secrets.office }}" } }
        hide: { nonce: .body.nonce }
      - http: { host: shop, post: "/pay/{{ .nonce }}", json: { nonce: "{{ .nonce }}" } }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)",
       "      session: viewer\n");
  http::HttpAnswer login = Answered(200, R"({"access":"session-token-77"})");
  login.headers.Add("Set-Cookie", "sid=cookie-value-88; Path=/");
  http_.On("POST", "/api/login", {login});
  http_.On("POST", "/api/carts", {Answered(200, R"({"nonce":"hidden-nonce-99","echo":"office-secret-1"})")});
  http_.On(
      "POST", "/api/pay/*",
      {Answered(402, R"({"detail":"nonce hidden-nonce-99 of session-token-77 was used","echo":"cookie-value-88"})")});
  const Ended ended = PlaceOrder();
  ASSERT_EQ(ended.end, End::kRefused);
  ASSERT_EQ(ended.exchanges.size(), 3u);
  const std::string all = Everything(ended);
  const std::string password = Fan().password;
  for (const std::string& secret :
       {std::string("office-secret-1"), std::string("cookie-value-88"), std::string("session-token-77"),
        std::string("hidden-nonce-99"), std::string("4242424242424242"), password}) {
    EXPECT_THAT(all, Not(HasSubstr(secret)));
  }
  EXPECT_THAT(all, HasSubstr("<redacted>"));
}

TEST_F(OperationsTest, AFailuresWordsHoldNoSecretOfTheAnswer) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /carts }
        hide: { nonce: .body.nonce }
      - http: { host: shop, post: /pay }
        save: { x: '.body.echo | error' }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("POST", "/api/carts", {Answered(200, R"({"nonce":"hidden-nonce-99"})")});
  http_.On("POST", "/api/pay", {Answered(200, R"({"echo":"hidden-nonce-99"})")});
  const Ended ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_THAT(Everything(ended), Not(HasSubstr("hidden-nonce-99")));
}

TEST_F(OperationsTest, PilotAccountsAreTheSameAfterARestart) {
  Load(kPlaceOrder);
  const auto first = operations_->NewAccount("fan", 3);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->email, "pd-r1-fan-3@pilot.invalid");
  Load(kPlaceOrder);
  const auto again = operations_->AccountOf("fan", first->email, -1);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->password, first->password);
  EXPECT_NE(operations_->NewAccount("fan", 4)->password, first->password);
  EXPECT_FALSE(operations_->NewAccount("nobody", 1).ok());
  EXPECT_FALSE(operations_->StandingAccount("fan", 0).ok());
}

TEST_F(OperationsTest, WhatWentWellIsRecordedWhenSomebodyAsksIfTheCallerSaysSo) {
  Load(kPlaceOrder);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o","state":"ACTIVE"})"), Answered(500, "")});
  CallOptions options;
  options.record = false;
  const Ended well = PlaceOrder(options);
  EXPECT_TRUE(well.exchanges.empty());
  EXPECT_EQ(well.exchange_count, 1);
  EXPECT_EQ(well.deciding_status, 201);
  ASSERT_TRUE(well.exchanges_later);
  ASSERT_EQ(well.exchanges_later().size(), 1u);
  EXPECT_EQ(well.exchanges_later()[0].exchange.status, 201);
  EXPECT_EQ(well.exchanges_later()[0].position, well.deciding_position);
  EXPECT_EQ(PlaceOrder(options).exchanges.size(), 1u);
}

}  // namespace
}  // namespace puckdrop::target
