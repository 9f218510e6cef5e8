// Each end of an operation, as PLAN.md's table has them.
#include <gmock/gmock.h>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using E = http::TransportError;

constexpr char kOffers[] = R"(operations:
  ordering.list_offers:
    http: { host: shop, get: /offers }
    returns:
      offers:
        each: .body.items[]
        offer_id: .id
        title: .title
        purchasable: .buy
        price:
          gross: .price | money("EUR")
          vat_basis_points: .vat
        regular_price: .regular | money("EUR")
)";
constexpr char kTwoOffers[] = R"({"items":[
  {"id":"season","title":"Kausi","buy":true,"price":"14.90","vat":2550,"regular":null},
  {"id":"match","title":"Ottelu","buy":false,"price":9.9,"vat":null,"regular":12.5}]})";

class EndsTest : public OperationsTest {
 protected:
  Ended OffersFrom(std::vector<http::HttpAnswer> answers, const std::string& plan = kOffers,
                   const std::string& host = "") {
    Load(plan, host);
    http_.On("GET", "/api/offers", std::move(answers));
    return ListOffers();
  }
};

TEST_F(EndsTest, OkMapsTheAnswerAndSaysWhatWasTold) {
  const Ended ended = OffersFrom({Answered(200, kTwoOffers)});
  ASSERT_EQ(ended.end, End::kOk) << ended.Words();
  const auto& response = static_cast<const v1::ListOffersResponse&>(*ended.response);
  ASSERT_EQ(response.offers_size(), 2);
  EXPECT_EQ(response.offers(0).offer_id(), "season");
  EXPECT_EQ(response.offers(0).price().gross().minor_units(), 1490);
  EXPECT_EQ(response.offers(0).price().vat_basis_points(), 2550);
  EXPECT_FALSE(response.offers(0).has_regular_price());
  EXPECT_EQ(response.offers(1).price().gross().minor_units(), 990);
  EXPECT_FALSE(response.offers(1).price().has_vat_basis_points());
  EXPECT_EQ(response.offers(1).regular_price().minor_units(), 1250);
  EXPECT_TRUE(ended.told_field("offers.price.vat_basis_points"));
  EXPECT_FALSE(ended.told_field("offers.trial_period"));
  EXPECT_EQ(http_.lines()[0], "GET http://shop.test/api/offers");
  ASSERT_EQ(ended.exchanges.size(), 1u);
  EXPECT_EQ(ended.exchanges[0].exchange.status, 200);
  EXPECT_EQ(pool_->statistics().requests, 1u);  // one round trip for everything
}

TEST_F(EndsTest, RefusedByTheDefaultTable) {
  const std::pair<int, v1::Reason> kTable[] = {
      {400, v1::REASON_BAD_INPUT},    {422, v1::REASON_BAD_INPUT},    {401, v1::REASON_UNAUTHENTICATED},
      {402, v1::REASON_DECLINED},     {403, v1::REASON_NOT_ENTITLED}, {404, v1::REASON_NOT_FOUND},
      {409, v1::REASON_OTHER},        {410, v1::REASON_EXPIRED},      {426, v1::REASON_UPDATE_REQUIRED},
      {429, v1::REASON_RATE_LIMITED}, {451, v1::REASON_WRONG_COUNTRY}};
  Load(kOffers);
  int status = 0;
  http_.On("GET", "/api/offers", [&](const http::HttpRequest&) {
    return Answered(status, R"({"type":"https://x/problems/card_declined","title":"T","detail":"Bank said no"})",
                    "application/problem+json");
  });
  for (const auto& [code, reason] : kTable) {
    status = code;
    const Ended ended = ListOffers();
    ASSERT_EQ(ended.end, End::kRefused) << code << ended.Words();
    EXPECT_EQ(ended.refusal.reason(), reason) << code;
    EXPECT_EQ(ended.refusal.code(), "card_declined");
    EXPECT_EQ(ended.refusal.text(), "Bank said no");
  }
}

TEST_F(EndsTest, RefusedByThePlanWithStatus200And500) {
  const std::string host =
      "      refused: |\n        select(.body.error?) | { reason: ({ no_card: \"DECLINED\" }[.body.error] // "
      "\"OTHER\"), "
      "code: .body.error, text: .body.text, retry_after: 5 }\n";
  Load(kOffers, host);
  http_.On("GET", "/api/offers",
           {Answered(200, R"({"error":"no_card","text":"nej"})"), Answered(500, R"({"error":"twice"})"),
            Answered(200, kTwoOffers)});
  Ended ended = ListOffers();
  EXPECT_TRUE(ended.refused(v1::REASON_DECLINED)) << ended.Words();
  EXPECT_EQ(ended.refusal.text(), "nej");
  EXPECT_EQ(ended.refusal.retry_after().seconds(), 5);
  EXPECT_TRUE(ListOffers().refused(v1::REASON_OTHER));
  EXPECT_TRUE(ListOffers().ok());
}

TEST_F(EndsTest, RefusalWithAnUnknownReasonIsUnreadable) {
  const Ended ended = OffersFrom({Answered(200, "{}")}, kOffers, "      refused: '{ reason: \"SORRY\" }'\n");
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_THAT(ended.failure.words, HasSubstr("SORRY"));
}

TEST_F(EndsTest, FaultsOfTheTransport) {
  const std::pair<E, FailureKind> kTable[] = {
      {E::kReset, FailureKind::kReset},    {E::kCutShort, FailureKind::kReset},
      {E::kProtocol, FailureKind::kReset}, {E::kBadEncoding, FailureKind::kReset},
      {E::kTlsPeer, FailureKind::kTls},    {E::kTimeout, FailureKind::kTimeout}};
  Load(kOffers);
  E error = E::kNone;
  http_.On("GET", "/api/offers", [&](const http::HttpRequest&) { return Broken(error); });
  for (const auto& [one, kind] : kTable) {
    error = one;
    const Ended ended = ListOffers();
    EXPECT_EQ(ended.end, End::kFault) << TransportErrorName(one);
    EXPECT_EQ(ended.failure.kind, kind) << TransportErrorName(one);
    EXPECT_THAT(ended.failure.words, HasSubstr("plan.yaml:"));
    EXPECT_EQ(ended.exchanges.size(), 1u);
  }
}

TEST_F(EndsTest, UnreachableIsOursUntilTheHostHasAnswered) {
  Load(kOffers);
  http_.On("GET", "/api/offers",
           {Broken(E::kConnectRefused), Broken(E::kResolve), Answered(200, kTwoOffers), Broken(E::kConnectRefused)});
  EXPECT_EQ(ListOffers().end, End::kOurs);
  const Ended ended = ListOffers();
  EXPECT_EQ(ended.end, End::kOurs);
  EXPECT_THAT(ended.failure.words, HasSubstr("unreachable from here"));
  EXPECT_EQ(ListOffers().end, End::kOk);
  EXPECT_EQ(ListOffers().end, End::kFault);
}

TEST_F(EndsTest, FaultsOfTheAnswer) {
  Load(kOffers);
  http_.On("GET", "/api/offers",
           {Answered(500, "oops", "text/html"), Answered(503, "{}"), Answered(418, "{}"),
            Answered(200, "<html>Sorry</html>", "text/html"), Answered(200, "{\"items\": [", "application/json")});
  for (int status : {500, 503, 418}) {
    const Ended ended = ListOffers();
    EXPECT_EQ(ended.end, End::kFault);
    EXPECT_EQ(ended.failure.kind, FailureKind::kStatus);
    EXPECT_THAT(ended.failure.words, HasSubstr(std::to_string(status)));
  }
  const Ended page = ListOffers();
  EXPECT_EQ(page.end, End::kFault);
  EXPECT_EQ(page.failure.kind, FailureKind::kContent) << page.Words();
  const Ended cut = ListOffers();
  EXPECT_EQ(cut.end, End::kFault);
  EXPECT_EQ(cut.failure.kind, FailureKind::kContent) << cut.Words();
}

TEST_F(EndsTest, APageIsAFaultEvenIfTheExpressionWouldForgiveIt) {
  const Ended ended = OffersFrom({Answered(200, "<html>Sorry</html>", "text/html")}, R"(operations:
  ordering.list_offers:
    http: { host: shop, get: /offers }
    returns:
      offers:
        each: .body.items[]?
        offer_id: .id
        purchasable: "true"
        price: .price
)");
  EXPECT_EQ(ended.end, End::kFault);
  EXPECT_EQ(ended.failure.kind, FailureKind::kContent);
}

TEST_F(EndsTest, FaultWhenExpectIsFalse) {
  const Ended ended = OffersFrom({Answered(200, R"({"items":[],"ok":false})")}, R"(operations:
  ordering.list_offers:
    steps:
      - http: { host: shop, get: /offers }
        expect: .body.ok
    returns: { offers: { each: ".body.items[]", offer_id: .id, purchasable: .b, price: .p } }
)");
  EXPECT_EQ(ended.end, End::kFault);
  EXPECT_EQ(ended.failure.kind, FailureKind::kExpectation);
}

TEST_F(EndsTest, ATypoInAMappingIsUnreadableAtItsLine) {
  Load(kOffers);
  http_.On("GET", "/api/offers",
           {Answered(200, kTwoOffers), Answered(200, R"({"items":[{"id":"a","buy":true,"prize":"1"}]})")});
  ASSERT_TRUE(ListOffers().ok());
  const Ended ended = ListOffers();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_EQ(ended.failure.kind, FailureKind::kMissing);
  EXPECT_THAT(ended.failure.words, HasSubstr("offers[0].price"));
  EXPECT_THAT(ended.failure.words, HasSubstr("last read well at 2026-"));
  EXPECT_THAT(ended.failure.position, HasSubstr("plan.yaml:"));
}

TEST_F(EndsTest, UnreadableWhenAnExpressionFailsOrGivesTooManyValues) {
  const char* kReturns = R"(operations:
  ordering.list_offers:
    http: { host: shop, get: /offers }
    returns:
      offers:
        each: .body.items[]
        offer_id: .id
        purchasable: .buy[]
        price: .price
)";
  const Ended many = OffersFrom({Answered(200, R"({"items":[{"id":"a","buy":[true,false],"price":null}]})")}, kReturns);
  EXPECT_EQ(many.end, End::kUnreadable);
  EXPECT_THAT(many.failure.words, HasSubstr("gave 2 values"));
  const Ended failing = OffersFrom({Answered(200, R"({"items":7})")}, kReturns);
  EXPECT_EQ(failing.end, End::kUnreadable);
  EXPECT_EQ(failing.failure.kind, FailureKind::kExpression);
}

TEST_F(EndsTest, UnreadableWhenSaveIsNullOrAnEnumIsUnknown) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /orders }
        save: { cart: .body.cart }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("POST", "/api/orders",
           {Answered(201, R"({"id":"o","state":"ACTIVE"})"), Answered(201, R"({"id":"o","state":"busy","cart":1})")});
  Ended ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_EQ(ended.failure.kind, FailureKind::kNull);
  ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_EQ(ended.failure.kind, FailureKind::kType);
  EXPECT_THAT(ended.failure.words, HasSubstr("none of PENDING"));
}

TEST_F(EndsTest, LargeIdsKeepTheirDigits) {
  Load(kPlaceOrder);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":9007199254740993,"state":"ACTIVE"})")});
  const Ended ended = PlaceOrder();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(static_cast<const v1::PlaceOrderResponse&>(*ended.response).order_id(), "9007199254740993");
}

TEST_F(EndsTest, OursWhenTheRunsDeadlineComesBeforeTheSteps) {
  Load(kOffers);
  http_.On("GET", "/api/offers", {Broken(E::kTimeout)});
  CallOptions options;
  options.deadline = clock_.Now() + absl::Seconds(5);
  const Ended ended = ListOffers(options);
  EXPECT_EQ(ended.end, End::kOurs);
  EXPECT_EQ(ended.failure.kind, FailureKind::kDeadline);
  options.deadline = clock_.Now();
  EXPECT_EQ(ListOffers(options).failure.kind, FailureKind::kDeadline);
}

TEST_F(EndsTest, OursWhenAnExpressionRunsAway) {
  const Ended ended = OffersFrom({Answered(200, R"({"items":[]})")}, R"(operations:
  ordering.list_offers:
    steps:
      - http: { host: shop, get: /offers }
        save: { x: "[range(1e12)] | length" }
    returns: { offers: { each: ".body.items[]", offer_id: .id, purchasable: .b, price: .p } }
)");
  EXPECT_EQ(ended.end, End::kOurs);
  EXPECT_EQ(ended.failure.kind, FailureKind::kRanAway) << ended.Words();
  EXPECT_THAT(ended.failure.position, HasSubstr("plan.yaml:"));
}

TEST_F(EndsTest, OursWhenASecretIsMissing) {
  const Ended ended =
      OffersFrom({Answered(200, kTwoOffers)}, kOffers, "      headers: { x-key: \"{{ .secrets.absent }}\" }\n");
  EXPECT_EQ(ended.end, End::kOurs);
  EXPECT_EQ(ended.failure.kind, FailureKind::kMissingSecret);
  EXPECT_THAT(ended.failure.words, HasSubstr("NOT_THERE"));
  EXPECT_THAT(http_.lines(), IsEmpty());
}

TEST_F(EndsTest, OursWhenAnAddressLiesOutsideTheHosts) {
  Load(R"(operations:
  ordering.list_offers:
    steps:
      - http: { host: shop, get: /start }
      - http: { host: shop, get: "{{ .body.next }}" }
    returns: { offers: { each: ".body.items[]", offer_id: .id, purchasable: .b, price: .p } }
)");
  http_.On("GET", "/api/start",
           {Answered(200, R"({"next":"http://evil.test/x?token=tttttttt"})"), Redirected(302, "https://evil.test/")});
  for (int i = 0; i < 2; ++i) {
    const Ended ended = ListOffers();
    EXPECT_EQ(ended.end, End::kOurs);
    EXPECT_EQ(ended.failure.kind, FailureKind::kOutsideHosts) << ended.Words();
    EXPECT_THAT(ended.failure.words, HasSubstr("evil.test"));
    EXPECT_THAT(ended.failure.words, Not(HasSubstr("tttttttt")));
  }
  EXPECT_EQ(http_.lines().size(), 2u);
}

TEST_F(EndsTest, OursWhenOurOwnLimitHoldsItBack) {
  limits_.orders_per_hour = 1;
  Load(kPlaceOrder);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o","state":"ACTIVE"})")});
  CallOptions options;
  options.deadline = clock_.Now() + absl::Minutes(1);
  EXPECT_TRUE(PlaceOrder(options).ok());
  const Ended ended = PlaceOrder(options);
  EXPECT_EQ(ended.end, End::kOurs);
  EXPECT_EQ(ended.failure.kind, FailureKind::kLimiter);
}

TEST_F(EndsTest, OursWhenThePlanHasNoSuchOperation) {
  Load(R"(operations:
  billing.preview_invoice: { not_offered: the shop has no dry run }
)");
  EXPECT_EQ(ListOffers().failure.kind, FailureKind::kNotMapped);
  const Ended ended = Perform("billing.preview_invoice", v1::PreviewInvoiceRequest());
  EXPECT_EQ(ended.failure.kind, FailureKind::kNotOffered);
  EXPECT_THAT(ended.failure.words, HasSubstr("the shop has no dry run"));
  EXPECT_EQ(operations_->OfferingOf("billing.preview_invoice"), Offering::kNotOffered);
  EXPECT_EQ(operations_->OfferingOf("ordering.list_offers"), Offering::kNotMapped);
  EXPECT_EQ(Perform("ordering.nothing", v1::PreviewInvoiceRequest()).end, End::kOurs);
}

TEST_F(EndsTest, OursWhenThePaymentHasNoDataForTheCase) {
  Load(R"(operations:
  ordering.place_order:
    http: { host: shop, post: /orders, json: { card: "{{ .payment.number }}" } }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  v1::PlaceOrderRequest request;
  request.set_payment_case(v1::PAYMENT_CASE_DISPUTED);
  const Ended ended = Perform("ordering.place_order", request);
  EXPECT_EQ(ended.failure.kind, FailureKind::kNotMapped);
  EXPECT_FALSE(operations_->HasPaymentCase("fan", v1::PAYMENT_CASE_DISPUTED));
  EXPECT_TRUE(operations_->HasPaymentCase("fan", v1::PAYMENT_CASE_DECLINED_CARD));
}

}  // namespace
}  // namespace puckdrop::target
