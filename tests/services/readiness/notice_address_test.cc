#include "services/readiness/notice_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runtime/status_convert.h"

namespace puckdrop::readiness {
namespace {

v1::Plan PlanWithHosts() {
  v1::Plan plan;
  v1::Plan::Host* shop = plan.mutable_target()->add_hosts();
  shop->set_name("shop");
  shop->set_url("https://shop.example/api");
  shop->add_urls("https://*.cdn.example");
  plan.add_waivers()->set_notice_url("https://help.example/known-issues");
  return plan;
}

TEST(NoticeAddressTest, IsOneOfThePlan) {
  const v1::Plan plan = PlanWithHosts();
  for (const char* url : {"https://shop.example/status", "https://a.cdn.example/notice.html",
                          "https://help.example/other", "https://help.example/"}) {
    EXPECT_TRUE(CheckNoticeAddress(plan, url).ok()) << url << CheckNoticeAddress(plan, url);
  }
}

TEST(NoticeAddressTest, IsNothingElseThatReadinessCouldReach) {
  const v1::Plan plan = PlanWithHosts();
  for (const char* url : {"http://169.254.169.254/latest/meta-data", "http://127.0.0.1:9470/metrics",
                          "http://help.example/", "https://help.example:8443/", "https://help.example.evil.test/",
                          "https://cdn.example/", "http://[::1]:7070/"}) {
    const absl::Status refused = CheckNoticeAddress(plan, url);
    EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied) << url;
    EXPECT_EQ(runtime::ReasonOf(refused), "NOTICE_ADDRESS");
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("`urls`"));
  }
  for (const char* url :
       {"", "help.example", "file:///etc/passwd", "https://shop.example@evil.test/", "https://a b/"}) {
    EXPECT_EQ(CheckNoticeAddress(plan, url).code(), absl::StatusCode::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace puckdrop::readiness
