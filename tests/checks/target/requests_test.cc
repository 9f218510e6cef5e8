// How a step of the plan becomes a request.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class RequestsTest : public OperationsTest {
 protected:
  // An order by one step, whose `http:` has these lines.
  void LoadOrder(const std::string& lines, const std::string& host = "") {
    Load("operations:\n  ordering.place_order:\n    http:\n      host: shop\n" + lines +
             "    returns: { order_id: .body.id, state: .body.state }\n    undo: { nothing: a test }\n",
         host);
    http_.On("POST", "/*", {Answered(201, R"({"id":"o","state":"ACTIVE"})")});
  }
  const http::HttpRequest& sent() { return http_.requests().at(0); }
};

TEST_F(RequestsTest, OneHoleKeepsItsTypeAndNullLeavesTheMemberOut) {
  LoadOrder(R"(      post: /orders
      headers: { idempotency-key: "{{ .request.idempotency_key }}", x-voucher: "{{ .request.voucher }}" }
      query: { now: "{{ .request.starts_now_consent }}", voucher: "{{ .request.voucher }}" }
      json:
        now: "{{ .request.starts_now_consent }}"
        text: "now: {{ .request.starts_now_consent }}"
        voucher: "{{ .request.voucher }}"
        keep: null
        postcode: 00100
        list: ["{{ .request.offer_id }}", 2, 1.50]
        device: "{{ .device }}"
)");
  ASSERT_TRUE(PlaceOrder().ok());
  EXPECT_EQ(sent().headers.Get("idempotency-key").value_or(""), "key-1");
  EXPECT_FALSE(sent().headers.Has("x-voucher"));
  EXPECT_EQ(sent().url, "http://shop.test/api/orders?now=false");
  const json body = json::parse(sent().body);
  EXPECT_EQ(body["now"], false);
  EXPECT_EQ(body["text"], "now: false");
  EXPECT_FALSE(body.contains("voucher"));
  EXPECT_TRUE(body.at("keep").is_null());
  EXPECT_EQ(body["postcode"], "00100");
  EXPECT_EQ(body["list"][0], "season");
  EXPECT_EQ(body["device"]["profile"], "chrome_desktop");
  EXPECT_THAT(sent().body, HasSubstr("1.50"));
  EXPECT_EQ(sent().headers.Get("content-type").value_or(""), "application/json");
}

TEST_F(RequestsTest, NullInsideALongerTextIsRefused) {
  LoadOrder("      post: /orders/{{ .request.voucher }}/pay\n");
  const Ended ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_THAT(ended.failure.words, HasSubstr("must be a scalar"));
  EXPECT_TRUE(http_.requests().empty());
}

TEST_F(RequestsTest, AValueCannotLeaveItsPlaceInTheAddress) {
  LoadOrder("      post: /orders/{{ .request.offer_id }}/pay\n      query: { q: \"{{ .request.offer_id }}\" }\n");
  v1::PlaceOrderRequest request;
  request.set_offer_id("../../admin?x=1#f&ö /");
  ASSERT_TRUE(Perform("ordering.place_order", request).ok());
  EXPECT_EQ(sent().url,
            "http://shop.test/api/orders/..%2F..%2Fadmin%3Fx%3D1%23f%26%C3%B6%20%2F/pay"
            "?q=..%2F..%2Fadmin%3Fx%3D1%23f%26%C3%B6%20%2F");
}

TEST_F(RequestsTest, ALineBreakInAHeaderIsRefused) {
  LoadOrder("      post: /orders\n      headers: { x-offer: \"{{ .request.offer_id }}\" }\n");
  v1::PlaceOrderRequest request;
  request.set_offer_id("a\r\nx-admin: 1");
  const Ended ended = Perform("ordering.place_order", request);
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_THAT(ended.failure.words, HasSubstr("line break"));
  EXPECT_TRUE(http_.requests().empty());
}

TEST_F(RequestsTest, FormsAndBodies) {
  LoadOrder(
      "      post: /orders\n      form: { a: \"{{ .request.offer_id }} &\", gone: \"{{ .request.voucher }}\" }\n");
  ASSERT_TRUE(PlaceOrder().ok());
  EXPECT_EQ(sent().body, "a=season+%26");
  EXPECT_EQ(sent().headers.Get("content-type").value_or(""), "application/x-www-form-urlencoded");
}

TEST_F(RequestsTest, HostHeadersSecretsCustomerAndPaymentAreSeen) {
  LoadOrder(
      R"(      post: /orders
      headers: { x-step: "2" }
      json: { who: "{{ .customer.email }}", street: "{{ .customer.details.street }}", card: "{{ .payment.number }}", run: "{{ .run.id }}", zone: "{{ .launch.time_zone }}" }
)",
      "      headers: { x-synthetic: puckdrop, x-step: \"1\", authorization: \"Bearer {{ .secrets.office }}\" }\n");
  v1::PlaceOrderRequest request;
  request.set_offer_id("season");
  request.set_payment_case(v1::PAYMENT_CASE_DECLINED_CARD);
  ASSERT_TRUE(Perform("ordering.place_order", request).ok());
  EXPECT_EQ(sent().headers.Get("x-synthetic").value_or(""), "puckdrop");
  EXPECT_EQ(sent().headers.Get("x-step").value_or(""), "2");
  EXPECT_EQ(sent().headers.Get("authorization").value_or(""), "Bearer office-secret-1");
  const json body = json::parse(sent().body);
  EXPECT_EQ(body["who"], "pd-r1-fan-1@pilot.invalid");
  EXPECT_EQ(body["street"], "Mannerheimintie 1");
  EXPECT_EQ(body["card"], "4000000000000002");
  EXPECT_EQ(body["run"], "r1");
  EXPECT_EQ(body["zone"], "Europe/Helsinki");
}

TEST_F(RequestsTest, AnotherHostDoesNotSeeWhatOpensTheFirst) {
  Load(R"(operations:
  ordering.place_order:
    http: { host: shop, post: /orders, json: { a: 1 } }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)",
       "      headers: { authorization: \"Bearer {{ .secrets.office }}\" }\n");
  http_.On("POST", "/api/orders", {Redirected(303, "http://office.test/done?a=b")});
  http_.On("GET", "/done", {Answered(200, R"({"id":"o","state":"ACTIVE"})")});
  ASSERT_TRUE(PlaceOrder().ok());
  ASSERT_EQ(http_.requests().size(), 2u);
  EXPECT_EQ(http_.requests()[1].method, "GET");
  EXPECT_EQ(http_.requests()[1].url, "http://office.test/done?a=b");
  EXPECT_FALSE(http_.requests()[1].headers.Has("authorization"));
  EXPECT_TRUE(http_.requests()[1].body.empty());
}

TEST_F(RequestsTest, StopsAtTheAddressThePlanNames) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /orders, redirects: { stop_at: "fi.example:/cb" } }
    returns:
      order_id: .location | url_query | .code
      state: '"ACTIVE"'
    undo: { nothing: a test }
)");
  http_.On("POST", "/api/orders", {Redirected(302, "/api/hop")});
  http_.On("GET", "/api/hop", {Redirected(302, "fi.example:/cb?code=c1&state=s")});
  const Ended ended = PlaceOrder();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(static_cast<const v1::PlaceOrderResponse&>(*ended.response).order_id(), "c1");
}

TEST_F(RequestsTest, RedirectsWithoutEndAreAFault) {
  Load(kPlaceOrder);
  http_.On("POST", "/api/orders", {Redirected(302, "/api/loop")});
  http_.On("GET", "/api/loop", {Redirected(302, "/api/loop")});
  const Ended ended = PlaceOrder();
  EXPECT_EQ(ended.end, End::kFault);
  EXPECT_EQ(ended.failure.kind, FailureKind::kRedirects);
  EXPECT_LE(http_.requests().size(), 12u);
}

TEST_F(RequestsTest, SubmitsAFormWithItsHiddenFields) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, get: /checkout }
      - submit:
          form: .page.forms[0]
          set: { card: "{{ .payment.number }}", newsletter: "{{ null }}" }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("GET", "/api/checkout",
           {Answered(200,
                     "<form action=/api/orders method=post><input type=hidden name=csrf value='a&amp;b'>"
                     "<input name=card><input type=checkbox name=newsletter checked><button name=pay value=1></form>",
                     "text/html; charset=utf-8")});
  http_.On("POST", "/api/orders", {Answered(201, R"({"id":"o","state":"ACTIVE"})")});
  const Ended ended = PlaceOrder();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(http_.requests()[1].body, "csrf=a%26b&card=4242424242424242&pay=1");
}

TEST_F(RequestsTest, AFormThatThePageLacksIsUnreadable) {
  Load(R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, get: /checkout }
      - submit: { form: ".page.forms[3]" }
    returns: { order_id: .body.id, state: .body.state }
    undo: { nothing: a test }
)");
  http_.On("GET", "/api/checkout", {Answered(200, "<p>no form</p>", "text/html"), Answered(200, "{}")});
  EXPECT_EQ(PlaceOrder().failure.kind, FailureKind::kForm);
  EXPECT_EQ(PlaceOrder().end, End::kFault);
}

}  // namespace
}  // namespace puckdrop::target
