#include <gmock/gmock.h>

#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::HasSubstr;

constexpr char kPlan[] = R"(sessions:
  viewer:
    per: device
    open: sign_in
    read: .headers["x-token"]
    lost: .status == 401
    send: { authorization: "Bearer {{ .session }}" }
fragments:
  sign_in:
    - http: { host: shop, post: /login, json: { user: "{{ .customer.email }}", password: "{{ .customer.password }}" } }
      customer_does: signs in
operations:
  ordering.get_account:
    http: { host: shop, get: /me }
    returns: { account_id: .body.id }
  ordering.sign_up:
    http: { host: shop, post: /accounts, json: { email: "{{ .request.email }}" } }
    returns: { account_id: .body.id }
    undo: { nothing: a test }
  ordering.list_offers:
    http: { host: shop, get: /offers, session: none }
    returns: { offers: { each: ".body[]", offer_id: .id, purchasable: .b, price: .p } }
)";

class SessionsTest : public OperationsTest {
 protected:
  SessionsTest() {
    Load(kPlan, "      session: viewer\n");
    http_.On("POST", "/api/login", [this](const http::HttpRequest&) {
      http::HttpAnswer answer = Answered(200, "{}");
      answer.headers.Set("X-Token", "token-number-" + std::to_string(++logins_));
      return answer;
    });
    http_.On("GET", "/api/me", [this](const http::HttpRequest& request) {
      const std::string good = "Bearer token-number-" + std::to_string(good_);
      if (request.headers.Get("authorization").value_or("") != absl::string_view(good)) return Answered(401, "{}");
      return Answered(200, R"({"id":"a1"})");
    });
  }
  Ended GetAccount() { return Perform("ordering.get_account", v1::GetAccountRequest()); }
  int logins_ = 0, good_ = 1;
};

TEST_F(SessionsTest, OpensWhenFirstNeededAndOnlyOnce) {
  Ended ended = GetAccount();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  EXPECT_TRUE(ended.customer_steps.empty());  // signing in on the way is not a step of this operation
  ASSERT_EQ(ended.exchanges.size(), 2u);
  EXPECT_TRUE(ended.exchanges[0].of_session);
  EXPECT_TRUE(GetAccount().ok());
  EXPECT_EQ(logins_, 1);
}

TEST_F(SessionsTest, OperationsAtTheSameTimeShareOneOpening) {
  std::vector<runtime::Task<Ended>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(loop_.Spawn(operations_->Perform("ordering.get_account", v1::GetAccountRequest(), Fan())));
  }
  for (auto& task : tasks) EXPECT_TRUE(Wait(std::move(task)).ok());
  EXPECT_EQ(logins_, 1);
}

TEST_F(SessionsTest, ALostSessionIsOpenedAgainOnce) {
  ASSERT_TRUE(GetAccount().ok());
  good_ = 2;
  const Ended ended = GetAccount();
  EXPECT_TRUE(ended.ok()) << ended.Words();
  EXPECT_EQ(logins_, 2);
}

TEST_F(SessionsTest, ASessionThatStaysLostIsARefusal) {
  good_ = 99;
  const Ended ended = GetAccount();
  EXPECT_TRUE(ended.refused(v1::REASON_UNAUTHENTICATED)) << ended.Words();
  EXPECT_EQ(logins_, 2);
}

TEST_F(SessionsTest, ADeviceOfItsOwnSignsInByItself) {
  ASSERT_TRUE(GetAccount().ok());
  Actor other = Fan();
  other.device.set_instance_id("another");
  good_ = 2;
  EXPECT_TRUE(Wait(loop_.Spawn(operations_->Perform("ordering.get_account", v1::GetAccountRequest(), other))).ok());
  EXPECT_EQ(logins_, 2);
}

TEST_F(SessionsTest, ForgettingMakesTheNextOneCold) {
  ASSERT_TRUE(GetAccount().ok());
  operations_->ForgetSessions(Fan());
  good_ = 2;
  EXPECT_TRUE(GetAccount().ok());
  EXPECT_EQ(logins_, 2);
}

TEST_F(SessionsTest, SigningUpNeedsNoSessionAndMayOpenIt) {
  http::HttpAnswer answer = Answered(201, R"({"id":"a1"})");
  answer.headers.Set("X-Token", "token-number-1");
  http_.On("POST", "/api/accounts", {answer});
  v1::SignUpRequest request;
  request.set_email("a@b");
  ASSERT_TRUE(Perform("ordering.sign_up", request).ok());
  ASSERT_TRUE(GetAccount().ok());
  EXPECT_EQ(logins_, 0);
}

TEST_F(SessionsTest, AVisitorGoesWithout) {
  http_.On("GET", "/api/offers", {Answered(200, "[]")});
  EXPECT_TRUE(ListOffers().ok());
  Actor visitor;
  visitor.customer = "fan";
  EXPECT_TRUE(Wait(loop_.Spawn(operations_->Perform("ordering.get_account", v1::GetAccountRequest(), visitor)))
                  .refused(v1::REASON_UNAUTHENTICATED));
  EXPECT_EQ(logins_, 0);
}

TEST_F(SessionsTest, AnOpeningThatFindsNoTokenIsUnreadableAtRead) {
  Load(R"(sessions:
  viewer: { open: [ { http: { host: shop, post: /other } } ], read: ".headers[\"x-token\"]", send: { authorization: "Bearer {{ .session }}" } }
operations:
  ordering.get_account:
    http: { host: shop, get: /me }
    returns: { account_id: .body.id }
)",
       "      session: viewer\n");
  http_.On("POST", "/api/other", {Answered(200, "{}")});
  const Ended ended = GetAccount();
  EXPECT_EQ(ended.end, End::kUnreadable);
  EXPECT_THAT(ended.failure.words, HasSubstr("while opening the session viewer"));
}

TEST_F(SessionsTest, CookiesStayWithTheirDevice) {
  Load(R"(operations:
  ordering.get_account:
    http: { host: shop, get: /cookie }
    returns: { account_id: .cookies.sid }
)");
  http::HttpAnswer answer = Answered(200, "{}");
  answer.headers.Add("Set-Cookie", "sid=abcdef; Path=/");
  http_.On("GET", "/api/cookie", {answer});
  const Ended ended = GetAccount();
  ASSERT_TRUE(ended.ok()) << ended.Words();
  GetAccount();
  Actor other = Fan();
  other.device.set_instance_id("another");
  Wait(loop_.Spawn(operations_->Perform("ordering.get_account", v1::GetAccountRequest(), other)));
  ASSERT_EQ(http_.requests().size(), 3u);
  EXPECT_FALSE(http_.requests()[0].headers.Has("Cookie"));
  EXPECT_TRUE(http_.requests()[1].headers.Has("Cookie"));
  EXPECT_FALSE(http_.requests()[2].headers.Has("Cookie"));
}

}  // namespace
}  // namespace puckdrop::target
