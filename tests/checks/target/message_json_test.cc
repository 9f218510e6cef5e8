#include "checks/target/message_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "puckdrop/target/v1/ordering.pb.h"
#include "puckdrop/target/v1/playback.pb.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Put PutInto(google::protobuf::Message& message, const std::string& text, std::set<std::string>* told = nullptr) {
  std::set<std::string> unused;
  return PutMessage(message, json::parse(text), "", told == nullptr ? unused : *told);
}

TEST(RequestJsonTest, LeavesOutWhatIsNotSetAsNull) {
  v1::PlaceOrderRequest request;
  request.set_offer_id("season");
  request.set_payment_case(v1::PAYMENT_CASE_DECLINED_CARD);
  const json out = json::parse(RequestJson(request));
  EXPECT_EQ(out["offer_id"], "season");
  EXPECT_EQ(out["payment_case"], "DECLINED_CARD");
  EXPECT_TRUE(out.at("idempotency_key").is_null());
  EXPECT_TRUE(out.at("device").is_null());
  EXPECT_EQ(out["starts_now_consent"], false);
}

TEST(RequestJsonTest, WritesInstantsAndBytesAsTexts) {
  v1::ListOrdersRequest since;
  since.mutable_since()->set_seconds(1780000000);
  EXPECT_EQ(json::parse(RequestJson(since))["since"], "2026-05-28T20:26:40Z");
  v1::AcquireLicenceRequest licence;
  licence.set_challenge("\x01\x02");
  EXPECT_EQ(json::parse(RequestJson(licence))["challenge"], "AQI=");
}

TEST(PutMessageTest, ReadsMoneyInAllItsForms) {
  v1::Money money;
  EXPECT_TRUE(PutInto(money, R"({"currency_code":"EUR","minor_units":1490})").status.ok());
  EXPECT_EQ(money.minor_units(), 1490);
  v1::Price price;
  EXPECT_TRUE(PutInto(price, R"({"gross":"14.9 EUR","vat_basis_points":2550})").status.ok());
  EXPECT_EQ(price.gross().minor_units(), 1490);
  price.Clear();
  EXPECT_TRUE(PutInto(price, R"({"gross":"1490 JPY"})").status.ok());
  EXPECT_EQ(price.gross().minor_units(), 1490);
  for (const char* wrong :
       {"14.901 EUR", "14,90 EUR", "EUR", "14.90", "1e3 EUR", "14. EUR", "- EUR", "\t14 EUR", "--1 EUR"}) {
    v1::Price other;
    EXPECT_FALSE(PutInto(other, json{{"gross", wrong}}.dump()).status.ok()) << wrong;
  }
}

TEST(PutMessageTest, MissesRequiredFieldsAndEmptyIds) {
  v1::Order order;
  Put put = PutInto(order, R"({"order_id":"o1"})");
  EXPECT_TRUE(put.missing);
  EXPECT_THAT(std::string(put.status.message()), HasSubstr("state"));
  order.Clear();
  EXPECT_TRUE(PutInto(order, R"({"order_id":"","state":"ACTIVE"})").missing);
  order.Clear();
  EXPECT_TRUE(PutInto(order, R"({"order_id":null,"state":"ACTIVE"})").missing);
}

TEST(PutMessageTest, TellsNothingOfNull) {
  v1::Offer offer;
  std::set<std::string> told;
  ASSERT_TRUE(
      PutInto(
          offer,
          R"({"offer_id":"a","purchasable":true,"price":{"gross":"1 EUR","vat_minor_units":null},"minimum_term":null})",
          &told)
          .status.ok());
  EXPECT_FALSE(offer.price().has_vat_minor_units());
  EXPECT_FALSE(offer.has_minimum_term());
  EXPECT_THAT(told, Contains("price.gross"));
  EXPECT_THAT(told, Not(Contains("minimum_term")));
  EXPECT_THAT(told, Not(Contains("price.vat_minor_units")));
}

TEST(PutMessageTest, RefusesWhatFitsNeitherTypeNorEnum) {
  v1::Order order;
  EXPECT_THAT(std::string(PutInto(order, R"({"order_id":"o","state":"busy"})").status.message()),
              HasSubstr("none of PENDING"));
  v1::DatedMoney dated;
  EXPECT_THAT(std::string(PutInto(dated, R"({"date":"2026-12-04T00:00:00Z","amount":"1 EUR"})").status.message()),
              HasSubstr("civil date"));
  v1::Price price;
  EXPECT_FALSE(PutInto(price, R"({"gross":"1 EUR","vat_basis_points":25.5})").status.ok());
  EXPECT_FALSE(PutInto(price, R"({"gross":{"currency_code":"Euro","minor_units":1}})").status.ok());
  v1::GetAccountResponse account;
  EXPECT_FALSE(PutInto(account, R"({"account_id":"a","may_watch":"true"})").status.ok());
  EXPECT_THAT(std::string(PutInto(account, R"({"account_id":"a","emial":"x"})").status.message()), HasSubstr("emial"));
}

TEST(PutMessageTest, ReadsInstantsDurationsAndNumbersAsIds) {
  v1::StartPlaybackResponse playback;
  ASSERT_TRUE(PutInto(playback,
                      R"({"session_id":42,"manifests":[{"url":"https://a/b","protocol":"HLS","headers":{"x":"y"}}],
                          "heartbeat_interval":"PT1M30S","expire_time":"2026-12-04T18:30:00+02:00"})")
                  .status.ok());
  EXPECT_EQ(playback.session_id(), "42");
  EXPECT_EQ(playback.heartbeat_interval().seconds(), 90);
  EXPECT_EQ(playback.expire_time().seconds(), 1796401800);
  EXPECT_EQ(playback.manifests(0).headers().at("x"), "y");
  playback.Clear();
  EXPECT_TRUE(PutInto(playback, R"({"manifests":[]})").missing);
  playback.Clear();
  EXPECT_FALSE(PutInto(playback, R"({"manifests":[{"url":"u"}],"expire_time":"2026-12-04T18:30:00"})").status.ok());
}

TEST(PutMessageTest, RefusesInstantsAndDurationsThatNoMessageHolds) {
  for (const char* now : {"infinite-future", "infinite-past", "10000-01-01T00:00:00Z", "0000-12-31T23:59:59Z"}) {
    v1::GetClockResponse clock;
    EXPECT_FALSE(PutInto(clock, json{{"now", now}}.dump()).status.ok()) << now;
  }
  v1::GetClockResponse clock;
  EXPECT_TRUE(PutInto(clock, R"({"now":"9999-12-31T23:59:59.999999999Z"})").status.ok());
  for (const char* wait : {"P999999999999W", "inf", "1000000000000000h", "-100000000h"}) {
    v1::Refusal refusal;
    EXPECT_FALSE(PutInto(refusal, json{{"reason", "OTHER"}, {"retry_after", wait}}.dump()).status.ok()) << wait;
  }
}

}  // namespace
}  // namespace puckdrop::target
