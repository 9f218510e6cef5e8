#include <gmock/gmock.h>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSteps[] = R"(operations:
  ordering.place_order:
    http: { host: shop, post: /orders }
    returns: { order_id: .body.id, state: .body.state }
    undo:
      steps:
        - http: { host: office, get: /orders, query: { key: "{{ .request.idempotency_key }}" } }
        - each: .body.orders[]
          http: { host: office, post: "/orders/{{ $each.id }}/refund" }
      done: .body.refunded
)";

class UndoTest : public OperationsTest {
 protected:
  Undone UndoOrder() {
    UndoRequest request;
    request.operation = "ordering.place_order";
    request.request_json = R"({"offer_id":"season"})";
    request.idempotency_key = "our key";
    return Undo(std::move(request));
  }
};

TEST_F(UndoTest, FindsItByOurKeyAndUndoesIt) {
  Load(kSteps);
  http_.On("GET", "/orders", {Answered(200, R"({"orders":[{"id":"o1"}]})")});
  http_.On("POST", "/orders/o1/refund", {Answered(200, R"({"refunded":true})")});
  const Undone undone = UndoOrder();
  EXPECT_TRUE(undone.done) << undone.words;
  EXPECT_THAT(http_.lines(),
              ElementsAre("GET http://office.test/orders?key=our%20key", "POST http://office.test/orders/o1/refund"));
}

TEST_F(UndoTest, NothingFoundIsNothingOwed) {
  Load(kSteps);
  http_.On("GET", "/orders", {Answered(200, R"({"orders":[]})")});
  const Undone undone = UndoOrder();
  EXPECT_TRUE(undone.done);
  EXPECT_THAT(undone.words, HasSubstr("nothing of ours"));
}

TEST_F(UndoTest, IsNotDoneWhenTheTargetDoesNotSaySo) {
  Load(kSteps);
  http_.On("GET", "/orders", {Answered(200, R"({"orders":[{"id":"o1"}]})"), Answered(503, "")});
  http_.On("POST", "/orders/o1/refund", {Answered(200, R"({"refunded":false})")});
  Undone undone = UndoOrder();
  EXPECT_FALSE(undone.done);
  EXPECT_THAT(undone.words, HasSubstr("is not true"));
  undone = UndoOrder();
  EXPECT_FALSE(undone.done);
  EXPECT_THAT(undone.words, HasSubstr("503"));
}

TEST_F(UndoTest, ByAnotherOperationAndByNothing) {
  Load(R"(operations:
  ordering.place_order:
    http: { host: shop, post: /orders }
    returns: { order_id: .body.id, state: .body.state }
    undo:
      operation: cancellation.cancel_subscription
      request: { subscription_id: "{{ .journey.subscription }}", at_once: true }
  cancellation.cancel_subscription:
    http: { host: shop, post: "/subscriptions/{{ .request.subscription_id }}/cancel", json: { now: "{{ .request.at_once }}" } }
  ordering.create_voucher:
    http: { host: office, post: /vouchers }
    returns: { voucher: .body.code }
    undo: { nothing: it is worth nothing }
)");
  http_.On("POST", "/api/subscriptions/s1/cancel", {Answered(200, "{}")});
  UndoRequest request;
  request.operation = "ordering.place_order";
  request.target_ids = {{"subscription", "s1"}};
  Undone undone = Undo(request);
  EXPECT_TRUE(undone.done) << undone.words;
  EXPECT_EQ(http_.requests().back().body, R"({"now":true})");
  request.operation = "ordering.create_voucher";
  undone = Undo(request);
  EXPECT_TRUE(undone.done);
  EXPECT_THAT(undone.words, HasSubstr("worth nothing"));
  request.operation = "ordering.sign_up";
  EXPECT_FALSE(Undo(request).done);
}

}  // namespace
}  // namespace puckdrop::target
