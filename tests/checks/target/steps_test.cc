// Repetitions, conditions, fragments, pages, and what is saved and kept.
#include <gmock/gmock.h>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StepsTest : public OperationsTest {};

constexpr char kUntil[] = R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /orders }
        keep: { order: .body.id }
      - http: { host: shop, get: "/orders/{{ .journey.order }}" }
        until: { is: .body.state != "busy", every: 1s, for: 30s }
        save: { final: .body.state }
    returns:
      order_id: .body.id
      state: '{ live: "ACTIVE" }[.final]'
    undo: { nothing: a test }
)";

TEST_F(StepsTest, UntilWaitsForTheTargetAndThenReads) {
  Load(kUntil);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o 1"})")});
  http_.On("GET", "/api/orders/o%201",
           {Answered(200, R"({"state":"busy"})"), Answered(200, R"({"state":"busy"})"),
            Answered(200, R"({"id":"o 1","state":"live"})")});
  const absl::Time start = clock_.Now();
  const Ended ended = PlaceOrder();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(clock_.Now() - start, absl::Seconds(2));
  EXPECT_EQ(journey_.kept["order"], "\"o 1\"");
  EXPECT_EQ(static_cast<const v1::PlaceOrderResponse&>(*ended.response).state(), v1::ORDER_STATE_ACTIVE);
}

TEST_F(StepsTest, UntilThatDoesNotComeTrueIsAFault) {
  Load(kUntil);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o1"})")});
  http_.On("GET", "/api/orders/o1", {Answered(200, R"({"state":"busy"})")});
  const Ended ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kFault);
  EXPECT_EQ(ended.failure.kind, FailureKind::kUntil);
  EXPECT_EQ(ended.failure.step, 2);
  EXPECT_EQ(ended.failure.steps, 2);
  EXPECT_EQ(http_.CountOf("GET", "/api/orders/o1"), 31);
}

TEST_F(StepsTest, UntilEndsWithTheCallersDeadlineAsOurs) {
  Load(kUntil);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o1"})")});
  http_.On("GET", "/api/orders/o1", {Answered(200, R"({"state":"busy"})")});
  CallOptions options;
  options.deadline = clock_.Now() + absl::Milliseconds(3500);
  EXPECT_EQ(PlaceOrder(options).failure.kind, FailureKind::kDeadline);
}

TEST_F(StepsTest, ConditionsFragmentsArgumentsAndCommit) {
  Load(R"(fragments:
  challenge:
    - http: { host: shop, post: "/challenge/{{ .id }}" }
      customer_does: authenticates
      keep: { proof: .body.proof }
  either:
    - use: "{{ .which }}"
      with: { id: "{{ .number }}" }
operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /carts }
        save: { cart: .body.id }
        customer_does: chooses
      - when: .body.challenge != null
        use: either
        with: { which: challenge, number: "{{ .body.challenge }}" }
      - commit: true
        customer_does: pays
        http: { host: shop, post: "/carts/{{ .cart }}/pay", json: { proof: "{{ .journey.proof }}" } }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("POST", "/api/carts", {Answered(201, R"({"id":7,"challenge":12})"), Answered(201, R"({"id":8})")});
  http_.On("POST", "/api/challenge/12", {Answered(200, R"({"proof":"p"})")});
  http_.On("POST", "/api/carts/*", {Answered(201, R"({"id":"o","state":"CONFIRMED"})")});
  int commits = 0;
  CallOptions options;
  options.on_commit = [&] {
    ++commits;
    EXPECT_EQ(http_.CountOf("POST", "/api/carts/7/pay"), 0);
  };
  const Ended with = PlaceOrder(options);
  ASSERT_TRUE(with.ok()) << with.Words();
  EXPECT_THAT(with.customer_steps, ElementsAre("chooses", "authenticates", "pays"));
  EXPECT_EQ(commits, 1);
  EXPECT_TRUE(with.commit_time.has_value());
  EXPECT_EQ(http_.requests().back().body, R"({"proof":"p"})");
  journey_.kept.clear();
  const Ended without = PlaceOrder();
  ASSERT_TRUE(without.ok()) << without.Words();
  EXPECT_THAT(without.customer_steps, ElementsAre("chooses", "pays"));
  EXPECT_EQ(http_.requests().back().body, "{}");
  EXPECT_TRUE(operations_->HasCommit("ordering.place_order"));
}

TEST_F(StepsTest, AFailureBeforeTheCommitHasNoCommitTime) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /carts }
      - commit: true
        http: { host: shop, post: /pay }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("POST", "/api/carts", {Answered(500, "{}")});
  EXPECT_FALSE(PlaceOrder().commit_time.has_value());
}

constexpr char kPages[] = R"(operations:
  billing.list_charges:
    http: { host: shop, get: /charges, query: { limit: 2, tag: "a b" } }
    pages: { items: ".body.data[]", next: .body.next }
    returns:
      charges:
        each: .items[]
        charge_id: .id
        state: .state
        amount: .amount | minor("EUR")
)";
constexpr char kPage[] = R"({"data":[{"id":"c1","state":"SUCCEEDED","amount":1490}],"next":)";

TEST_F(StepsTest, ReadsPageAfterPageByAddressAndByPatch) {
  Load(kPages);
  http_.On("GET", "/api/charges",
           {Answered(200, std::string(kPage) + "\"/api/charges?limit=2&cursor=x\"}"),
            Answered(200, std::string(kPage) + "{\"cursor\":\"y z\"}}"), Answered(200, std::string(kPage) + "null}")});
  const Ended ended = Perform("billing.list_charges", v1::ListChargesRequest());
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(static_cast<const v1::ListChargesResponse&>(*ended.response).charges_size(), 3);
  EXPECT_THAT(http_.lines(), ElementsAre("GET http://shop.test/api/charges?limit=2&tag=a%20b",
                                         "GET http://shop.test/api/charges?limit=2&cursor=x",
                                         "GET http://shop.test/api/charges?limit=2&cursor=y%20z"));
}

TEST_F(StepsTest, PagesWithoutEndAreAFaultAndStrangeAddressesAreNotAsked) {
  Load(kPages);
  int page = 0;
  http_.On("GET", "/api/charges", [&](const http::HttpRequest&) {
    return Answered(200, std::string(kPage) + "\"?cursor=" + std::to_string(++page) + "\"}");
  });
  Ended ended = Perform("billing.list_charges", v1::ListChargesRequest());
  EXPECT_EQ(ended.end, End::kFault);
  EXPECT_EQ(ended.failure.kind, FailureKind::kPages);
  EXPECT_EQ(page, 100);
}

TEST_F(StepsTest, TheSamePageAgainIsAFault) {
  Load(kPages);
  http_.On("GET", "/api/charges", {Answered(200, std::string(kPage) + "\"?cursor=1\"}")});
  EXPECT_EQ(Perform("billing.list_charges", v1::ListChargesRequest()).failure.kind, FailureKind::kPages);
  EXPECT_EQ(http_.requests().size(), 2u);
}

TEST_F(StepsTest, EachRepeatsAStepForEveryItem) {
  Load(R"(operations:
  ordering.sign_out:
    steps:
      - http: { host: shop, get: /sessions }
      - each: .body[]
        http: { host: shop, delete: "/sessions/{{ $each.id }}" }
)");
  http_.On("GET", "/api/sessions", {Answered(200, R"([{"id":"a"},{"id":"b/c"}])")});
  http_.On("DELETE", "/*", {Answered(204, "", "")});
  ASSERT_TRUE(Perform("ordering.sign_out", v1::SignOutRequest()).ok());
  EXPECT_THAT(http_.lines(), ElementsAre("GET http://shop.test/api/sessions", "DELETE http://shop.test/api/sessions/a",
                                         "DELETE http://shop.test/api/sessions/b%2Fc"));
}

TEST_F(StepsTest, RetryAfterIsHonouredOnceAndThenItIsARefusal) {
  Load(kPlaceOrder);
  http::HttpAnswer later = Answered(429, "{}");
  later.headers.Set("Retry-After", "7");
  http_.On("POST", "/api/orders", {later, Answered(201, R"({"id":"o","state":"ACTIVE"})"), later, later});
  const absl::Time start = clock_.Now();
  EXPECT_TRUE(PlaceOrder().ok());
  EXPECT_GE(clock_.Now() - start, absl::Seconds(7));
  EXPECT_TRUE(PlaceOrder().refused(v1::REASON_RATE_LIMITED));
  EXPECT_EQ(http_.requests().size(), 4u);
}

TEST_F(StepsTest, ARetryAfterBeyondTheDeadlineIsARefusalAtOnce) {
  Load(kPlaceOrder);
  http::HttpAnswer later = Answered(429, "{}");
  later.headers.Set("Retry-After", "60");
  http_.On("POST", "/api/orders", {later});
  CallOptions options;
  options.deadline = clock_.Now() + absl::Seconds(20);
  const Ended ended = PlaceOrder(options);
  EXPECT_TRUE(ended.refused(v1::REASON_RATE_LIMITED)) << ended.Words();
  EXPECT_EQ(ended.refusal.retry_after().seconds(), 60);
  EXPECT_EQ(http_.requests().size(), 1u);
}

TEST_F(StepsTest, TheBackOfficeIsNoCustomer) {
  Load(R"(operations:
  ordering.list_orders:
    http: { host: office, get: /orders }
    returns: { orders: { each: ".body[]", order_id: .id, state: .state } }
)");
  http_.On("GET", "/orders", {Answered(200, "[]")});
  const Ended ended = Perform("ordering.list_orders", v1::ListOrdersRequest());
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended.by, puckdrop::v1::ACTOR_OPERATOR);
  EXPECT_TRUE(operations_->Returns("ordering.list_orders", "orders.state"));
  EXPECT_FALSE(operations_->Returns("ordering.list_orders", "orders.total"));
}

}  // namespace
}  // namespace puckdrop::target
