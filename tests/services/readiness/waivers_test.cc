#include "services/readiness/waivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);  // 2026-05-28

Subject Launch() {
  Subject subject = MakeSubject();
  v1::Plan::Host* host = subject.plan.mutable_target()->add_hosts();
  host->set_name("shop");
  host->set_url("https://shop.example");
  return subject;
}

v1::Waiver Good() {
  v1::Waiver waiver;
  waiver.set_check("playback.*");
  waiver.set_customer("sofa");
  waiver.add_findings("no_4k");
  waiver.set_owner("video");
  waiver.set_reason("4K comes later");
  waiver.set_expires("2026-06-30");
  waiver.set_notice_url("https://shop.example/notices");
  waiver.set_notice_says("4K broadcasts start in January");
  return waiver;
}

TEST(WaiversTest, AWaiverThatHasEverythingIsTaken) {
  EXPECT_EQ(Waivers::Validate(Launch(), Good(), kNow), absl::OkStatus());
}

TEST(WaiversTest, EveryMistakeIsTold) {
  v1::Waiver waiver = Good();
  waiver.set_check("playback.nonsense");
  waiver.set_customer("nobody");
  waiver.clear_owner();
  waiver.clear_reason();
  waiver.set_expires("2026-05-01");
  waiver.set_notice_url("https://elsewhere.example/notices");
  waiver.set_notice_says("säännöt ööö");  // 11 characters, more bytes
  const absl::Status status = Waivers::Validate(Launch(), waiver, kNow);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  const std::string words(status.message());
  for (const char* mistake :
       {"`check`", "`customer`", "`owner`", "`reason`", "`expires` is past", "`notice_url`", "`notice_says`"}) {
    EXPECT_THAT(words, HasSubstr(mistake));
  }
}

TEST(WaiversTest, OnlyAPageOnThePlansHostsIsEverFetched) {
  for (const char* url : {"http://shop.example/notices", "https://shop.example:8443/x", "https://shop.example.evil/",
                          "https://evil@shop.example/", "file:///etc/passwd", ""}) {
    v1::Waiver waiver = Good();
    waiver.set_notice_url(url);
    EXPECT_THAT(std::string(Waivers::Validate(Launch(), waiver, kNow).message()), HasSubstr("`notice_url`")) << url;
  }
}

TEST(WaiversTest, WithoutFindingsItCoversThoseThatAreThereNow) {
  v1::Result failed, passed, other;
  failed.set_check("playback.cold_start");
  failed.set_customer("sofa");
  failed.set_outcome(v1::OUTCOME_FAILED);
  failed.add_findings()->set_id("too_slow");
  passed = failed;
  passed.set_outcome(v1::OUTCOME_PASSED);
  passed.mutable_findings(0)->set_id("nothing");
  other = failed;
  other.set_customer("cabin");
  other.mutable_findings(0)->set_id("elsewhere");
  EXPECT_THAT(Waivers::FindingsNow(Good(), {&failed, &passed, &other}), ElementsAre("too_slow"));
}

}  // namespace
}  // namespace puckdrop::readiness
