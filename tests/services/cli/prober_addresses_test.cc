#include "services/cli/prober_addresses.h"

#include <gtest/gtest.h>

namespace puckdrop::cli {
namespace {

TEST(ProberAddressesTest, ReadsOneAddressAndSeveralOfSeveralVantages) {
  ProberAddresses probers;
  ASSERT_EQ(ParseProbers("billing=10.0.0.7:7075", &probers), absl::OkStatus());
  ASSERT_EQ(ParseProbers("playback=helsinki@a:7074,helsinki@b:7074,stockholm@[::1]:7074", &probers), absl::OkStatus());
  ASSERT_EQ(ParseProbers("playback=tallinn@c:7074", &probers), absl::OkStatus());
  ASSERT_EQ(probers[v1::PATH_BILLING].size(), 1u);
  EXPECT_EQ(probers[v1::PATH_BILLING][0].vantage, "");
  EXPECT_EQ(probers[v1::PATH_BILLING][0].address, "10.0.0.7:7075");
  ASSERT_EQ(probers[v1::PATH_PLAYBACK].size(), 4u);
  EXPECT_EQ(probers[v1::PATH_PLAYBACK][1].vantage, "helsinki");
  EXPECT_EQ(probers[v1::PATH_PLAYBACK][2].address, "[::1]:7074");
  EXPECT_EQ(probers[v1::PATH_PLAYBACK][3].vantage, "tallinn");
}

TEST(ProberAddressesTest, RefusesWhatIsNone) {
  for (const char* text : {"", "billing", "billing=", "billing=host", "billing=host:0", "billing=host:70756",
                           "billing=:7075", "billing=@host:7075", "billing=a:1,", "notices=a:1", "readiness=a:1"}) {
    ProberAddresses probers;
    EXPECT_TRUE(absl::IsInvalidArgument(ParseProbers(text, &probers))) << text;
  }
}

}  // namespace
}  // namespace puckdrop::cli
