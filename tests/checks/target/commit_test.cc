// A repeat begins at the step marked `commit: true`: a second click on `pay` is not a second cart.
#include <gmock/gmock.h>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CommitTest : public OperationsTest {
 protected:
  Ended Repeat(const Ended& first) {
    CallOptions options;
    options.from = first.commit_point;
    return PlaceOrder(options);
  }
};

constexpr char kCart[] = R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /carts }
        customer_does: chooses
        save: { cart: .body.id }
        hide: { nonce: .body.nonce }
      - commit: true
        customer_does: pays
        http: { host: shop, post: "/carts/{{ .cart }}/pay", json: { nonce: "{{ .nonce }}", key: "{{ .request.idempotency_key }}", of: "{{ .body.id }}" } }
      - http: { host: shop, get: "/carts/{{ .cart }}" }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)";

TEST_F(CommitTest, ARepeatPaysTheSameCartWithWhatWasSaved) {
  Load(kCart);
  http_.On("POST", "/api/carts",
           {Answered(201, R"({"id":7,"nonce":"nonce-1"})"), Answered(201, R"({"id":8,"nonce":"nonce-2"})")});
  http_.On("POST", "/api/carts/*", {Answered(200, "{}")});
  http_.On("GET", "/api/carts/*", {Answered(200, R"({"id":"o","state":"ACTIVE"})")});
  const Ended first = PlaceOrder();
  ASSERT_TRUE(first.ok()) << first.Words();
  ASSERT_NE(first.commit_point, nullptr);
  const Ended second = Repeat(first);
  ASSERT_TRUE(second.ok()) << second.Words();
  EXPECT_THAT(http_.lines(), ElementsAre("POST http://shop.test/api/carts", "POST http://shop.test/api/carts/7/pay",
                                         "GET http://shop.test/api/carts/7", "POST http://shop.test/api/carts/7/pay",
                                         "GET http://shop.test/api/carts/7"));
  EXPECT_EQ(http_.requests()[3].body, http_.requests()[1].body);
  EXPECT_THAT(http_.requests()[3].body, ::testing::HasSubstr("nonce-1"));
  EXPECT_THAT(second.customer_steps, ElementsAre("pays"));
  EXPECT_TRUE(second.commit_time.has_value());
  EXPECT_TRUE(Repeat(second).ok());
  EXPECT_EQ(http_.CountOf("POST", "/api/carts"), 1);
}

TEST_F(CommitTest, ACommitInsideFragmentsIsFoundAgainWithTheirArguments) {
  Load(R"(fragments:
  checkout:
    - http: { host: shop, post: /carts, json: { sku: "{{ .sku }}" } }
      save: { cart: .body.id }
    - use: pay
      with: { door: "{{ .kind }}", sku: inner }
    - http: { host: shop, post: "/after/{{ .sku }}" }
  pay:
    - when: .body.id != null
      commit: true
      http: { host: shop, post: "/pay/{{ .door }}/{{ .sku }}/{{ .cart }}" }
operations:
  ordering.place_order:
    steps:
      - http: { host: shop, get: /start }
        save: { sku: .body.sku }
      - use: checkout
        with: { kind: card, sku: middle }
      - http: { host: shop, post: "/last/{{ .sku }}" }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("GET", "/api/start", {Answered(200, R"({"sku":"outer"})")});
  http_.On("POST", "/api/carts", {Answered(200, R"({"id":7})")});
  http_.On("POST", "/*", {Answered(200, R"({"id":"o","state":"ACTIVE"})")});
  const Ended first = PlaceOrder();
  ASSERT_TRUE(first.ok()) << first.Words();
  const size_t before = http_.requests().size();
  const Ended second = Repeat(first);
  ASSERT_TRUE(second.ok()) << second.Words();
  const std::vector<std::string> lines = http_.lines();
  EXPECT_THAT(std::vector<std::string>(lines.begin() + static_cast<long>(before), lines.end()),
              ElementsAre("POST http://shop.test/api/pay/card/inner/7", "POST http://shop.test/api/after/middle",
                          "POST http://shop.test/api/last/outer"));
}

TEST_F(CommitTest, WithoutACommitAndBeforeItThereIsNoPoint) {
  Load(kPlaceOrder);
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o","state":"ACTIVE"})")});
  const Ended plain = PlaceOrder();
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain.commit_point, nullptr);
  EXPECT_TRUE(Repeat(plain).ok());
  EXPECT_EQ(http_.CountOf("POST", "/api/orders"), 2);
  Load(kCart);
  http_.On("POST", "/api/carts", {Answered(500, "{}")});
  EXPECT_EQ(PlaceOrder().commit_point, nullptr);
}

TEST_F(CommitTest, ACommitThatIsRefusedCanStillBeRepeated) {
  Load(kCart);
  http_.On("POST", "/api/carts", {Answered(201, R"({"id":7,"nonce":"nonce-1"})")});
  http_.On("POST", "/api/carts/*", {Answered(402, "{}"), Answered(200, "{}")});
  http_.On("GET", "/api/carts/*", {Answered(200, R"({"id":"o","state":"ACTIVE"})")});
  const Ended first = PlaceOrder();
  EXPECT_TRUE(first.refused(v1::REASON_DECLINED)) << first.Words();
  ASSERT_NE(first.commit_point, nullptr);
  EXPECT_TRUE(Repeat(first).ok());
}

class CanUndoTest : public OperationsTest {
 protected:
  static std::string With(const std::string& undo) {
    return R"(sessions:
  clerk:
    per: run
    open:
      - http: { host: office, session: none, post: /login, json: { key: "{{ .secrets.absent }}" } }
fragments:
  give_back:
    - http: { host: office, post: /refund, headers: { authorization: "Bearer {{ .secrets.absent }}" } }
operations:
  ordering.place_order:
    http: { host: shop, post: /orders }
    returns: { order_id: .body.id, state: .body.state }
    undo:
      steps:
)" + undo + "      done: .status == 200\n";
  }
  void ExpectNotBegun() {
    const Ended ended = PlaceOrder();
    EXPECT_EQ(ended.end, End::kOurs);
    EXPECT_EQ(ended.failure.kind, FailureKind::kMissingSecret);
    EXPECT_THAT(ended.Words(),
                ::testing::HasSubstr("ordering.place_order is not performed, because undoing it needs the "
                                     "secret absent"));
    EXPECT_THAT(ended.Words(), ::testing::ContainsRegex("NOT_THERE is not set, named at plan.yaml:[0-9]+:[0-9]+"));
    EXPECT_THAT(ended.failure.position, ::testing::StartsWith("plan.yaml:"));
    EXPECT_THAT(http_.lines(), IsEmpty());
    EXPECT_FALSE(operations_->CanUndo("ordering.place_order").ok());
  }
};

TEST_F(CanUndoTest, WhatCouldNotBeUndoneIsNotDone) {
  Load(With(R"(        - http: { host: office, post: /refund, json: { key: "{{ .secrets.absent }}" } }
)"));
  ExpectNotBegun();
}

TEST_F(CanUndoTest, TheSecretMayBeAFragmentsOrASessions) {
  Load(With("        - use: give_back\n"));
  ExpectNotBegun();
  Load(With("        - http: { host: office, session: clerk, post: /refund }\n"));
  ExpectNotBegun();
}

TEST_F(CanUndoTest, OtherSecretsDoNotStandInTheWay) {
  Load(With(R"(        - http: { host: office, post: /refund, json: { key: "{{ .secrets.office }}" } }
)"));
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o","state":"ACTIVE"})")});
  EXPECT_TRUE(PlaceOrder().ok());
  EXPECT_TRUE(operations_->CanUndo("ordering.place_order").ok());
  // Once it is known to be there, it is not asked for again.
  environment_.erase("OFFICE");
  EXPECT_TRUE(operations_->CanUndo("ordering.place_order").ok());
}

}  // namespace
}  // namespace puckdrop::target
