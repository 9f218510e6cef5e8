// What a caller of RunChecks or SettleObligation hands in (facts, ids, a request) reaches the plan's expressions.
// However a plan uses it, none of it leads a prober to an address that is not of the plan.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/checks/target/operations_fixture.h"

namespace puckdrop::target {
namespace {

using ::testing::HasSubstr;

// Each as a caller would try to be taken to evil.test, or to another part of the target than the plan meant.
constexpr const char* kAttempts[] = {
    "http://evil.test/",
    "https://evil.test:8443/x",
    "//evil.test/x",
    "/\\evil.test/x",
    "http://shop.test@evil.test/",
    "http://shop.test.evil.test/",
    "http://evil.test#@shop.test/",
    "http://shop.test:81/api",
    "https://shop.test/api",
    "file:///etc/passwd",
    "gopher://shop.test/",
    "http://127.0.0.1:6379/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data",
    "x HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    "../../../evil",
    "%2e%2e/%2e%2e/evil",
    "?next=http://evil.test/",
    "@evil.test/",
    ".evil.test/",
    ":81/x",
};

class CallersAddressTest : public OperationsTest {
 protected:
  // All that was asked went to the plan's two hosts.
  void ExpectOnlyThePlansHosts(const std::string& attempt) {
    for (const std::string& line : http_.lines()) {
      const size_t at = line.find(' ') + 1;
      EXPECT_TRUE(absl::StartsWith(line.substr(at), "http://shop.test/") ||
                  absl::StartsWith(line.substr(at), "http://office.test/"))
          << attempt << " led to " << line;
    }
    for (const http::HttpRequest& request : http_.requests()) {
      for (const auto& [name, value] : request.headers) {
        EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << attempt << " wrote the header " << name;
      }
    }
  }
};

TEST_F(CallersAddressTest, AFactIsNeverAnAddressOutsideThePlan) {
  // The least careful plan there can be: the fact is the whole address.
  Load(R"(operations:
  ordering.list_offers:
    http: { host: shop, get: "{{ .journey.page }}" }
    returns: { offers: { each: ".body.items[]", offer_id: .id, purchasable: .b, price: .p } }
)");
  for (const char* attempt : kAttempts) {
    JourneyScope journey;
    journey.kept["page"] = nlohmann::json(attempt).dump();
    CallOptions options;
    options.journey = &journey;
    const Ended ended = ListOffers(options);
    EXPECT_NE(ended.end, End::kOk) << attempt;
    ExpectOnlyThePlansHosts(attempt);
  }
}

TEST_F(CallersAddressTest, AFactWithinAPathAQueryOrAHeaderStaysThere) {
  Load(R"(operations:
  ordering.list_offers:
    http:
      host: shop
      get: "/offers/{{ .journey.page }}/list"
      query: { from: "{{ .journey.page }}" }
      headers: { x-page: "{{ .journey.page }}" }
    returns: { offers: { each: ".body.items[]", offer_id: .id, purchasable: .b, price: .p } }
)");
  for (const char* attempt : kAttempts) {
    JourneyScope journey;
    journey.kept["page"] = nlohmann::json(attempt).dump();
    CallOptions options;
    options.journey = &journey;
    const size_t before = http_.requests().size();
    (void)ListOffers(options);
    ExpectOnlyThePlansHosts(attempt);
    for (size_t i = before; i < http_.requests().size(); ++i) {
      EXPECT_THAT(http_.requests()[i].url, ::testing::StartsWith("http://shop.test/api/offers/")) << attempt;
      EXPECT_THAT(http_.requests()[i].url, HasSubstr("/list?from=")) << attempt;
    }
  }
}

TEST_F(CallersAddressTest, AnObligationThatIsHandedInIsUndoneAtThePlansHostsOnly) {
  Load(R"(operations:
  ordering.place_order:
    http: { host: shop, post: /orders }
    returns: { order_id: .body.id, state: .body.state }
    undo:
      steps:
        - http: { host: office, get: "{{ .journey.order_id }}" }
        - http: { host: office, post: "/orders/{{ .journey.order_id }}/{{ .request.offer_id }}/{{ .request.idempotency_key }}" }
      done: .body.refunded
)");
  for (const char* attempt : kAttempts) {
    UndoRequest request;
    request.operation = "ordering.place_order";
    request.request_json = nlohmann::json{{"offer_id", attempt}}.dump();
    request.idempotency_key = attempt;
    request.target_ids = {{"order_id", attempt}};
    EXPECT_FALSE(Undo(std::move(request)).done) << attempt;
    ExpectOnlyThePlansHosts(attempt);
  }
}

}  // namespace
}  // namespace puckdrop::target
