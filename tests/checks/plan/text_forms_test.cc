#include "checks/plan/text_forms.h"

#include <gtest/gtest.h>

#include "checks/plan/suggest.h"

namespace puckdrop::plan {
namespace {

TEST(TextFormsTest, ReadsDurations) {
  EXPECT_EQ(*ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("-15m"), -absl::Minutes(15));
  EXPECT_EQ(*ParseDuration("+4h"), absl::Hours(4));
  EXPECT_EQ(*ParseDuration("0.5s"), absl::Milliseconds(500));
  for (const char* wrong : {"", "10", "s", "10 s", "1e3s", "--1s", "10x", "1..5s", "99999999h", "-", "1s2"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

TEST(TextFormsTest, ReadsMoneyExactly) {
  EXPECT_EQ(ParseMoney("14.90 EUR")->minor_units(), 1490);
  EXPECT_EQ(ParseMoney("1490 JPY")->minor_units(), 1490);
  EXPECT_EQ(ParseMoney("1.234 KWD")->minor_units(), 1234);
  EXPECT_EQ(ParseMoney("-0.01 EUR")->minor_units(), -1);
  EXPECT_EQ(ParseMoney("9999999999999.99 EUR")->minor_units(), 999999999999999);
  for (const char* wrong : {"14.9 EUR", "14 EUR", "14.900 EUR", "14.90", "EUR 14.90", "14,90 EUR", "1.0 JPY",
                            "14.90 eur", "14.90 EURO", "99999999999999.00 EUR", "1e2 EUR", ".90 EUR"}) {
    EXPECT_FALSE(ParseMoney(wrong).ok()) << wrong;
  }
}

TEST(TextFormsTest, AnInstantNeedsItsZone) {
  EXPECT_EQ(*ParseTimestamp("2026-12-04T18:30:00+02:00"), *ParseTimestamp("2026-12-04T16:30:00Z"));
  const auto without = ParseTimestamp("2026-12-04T18:30:00");
  ASSERT_FALSE(without.ok());
  EXPECT_NE(without.status().message().find("zone"), absl::string_view::npos);
  for (const char* wrong : {"", "infinite-future", "2026-02-30T18:30:00Z", "2026-12-04 18:30:00Z", "tomorrow"}) {
    EXPECT_FALSE(ParseTimestamp(wrong).ok()) << wrong;
  }
}

TEST(TextFormsTest, ReadsTheSmallForms) {
  EXPECT_EQ(ParseQuality("720p50")->height(), 720);
  EXPECT_EQ(ParseQuality("1080i25")->interlaced(), true);
  EXPECT_EQ(ParseQuality("2160p")->frame_rate(), 0);
  EXPECT_FALSE(ParseQuality("4K").ok());
  EXPECT_EQ(*ParsePercent("25.5 %"), 2550);
  EXPECT_EQ(*ParsePercent("24%"), 2400);
  EXPECT_FALSE(ParsePercent("25.555 %").ok());
  EXPECT_FALSE(ParsePercent("101 %").ok());
  EXPECT_EQ(*ParseBytes("5 GB"), 5'000'000'000);
  EXPECT_EQ(*ParseBytes("512 KiB"), 512 * 1024);
  EXPECT_FALSE(ParseBytes("9999999999 GB").ok());
  EXPECT_FALSE(ParseBytes("-1").ok());
}

TEST(TextFormsTest, ChecksForms) {
  const auto fits = [](v1::TextForm form, const char* text) { return CheckForm(form, text).ok(); };
  EXPECT_TRUE(fits(v1::TEXT_FORM_DATE, "2028-02-29"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_DATE, "2027-02-29"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_PERIOD, "P1Y2M"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_PERIOD, "P2M1Y"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_PERIOD, "P"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_TIME_ZONE, "Europe/Helsinki"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_TIME_ZONE, "Europe/Nowhere"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_TIME_ZONE, "/etc/localtime"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_URL, "http://127.0.0.1:8080/admin"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_URL, "https://[::1]:1/"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_URL, "https://a.example:0"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_URL, "ftp://a.example"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_URL, "https://me:you@a.example"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_ADDRESS_PATTERN, "*.cdn.example"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_ADDRESS_PATTERN, "*.*.example"));
  EXPECT_TRUE(fits(v1::TEXT_FORM_LANGUAGE, "pt-BR"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_LANGUAGE, "Finnish"));
  EXPECT_FALSE(fits(v1::TEXT_FORM_NAME, "if"));
}

TEST(TextFormsTest, JsonNumbersFollowJson) {
  for (const char* right : {"0", "-1", "1.5", "1e9", "0.0"}) EXPECT_TRUE(IsJsonNumber(right)) << right;
  for (const char* wrong : {"00100", "+1", "1.", ".5", "0x10", "1_000", "", "-", "NaN", "1e"}) {
    EXPECT_FALSE(IsJsonNumber(wrong)) << wrong;
  }
}

TEST(TextFormsTest, PatternsMatch) {
  EXPECT_TRUE(MatchesPattern("*", "billing.vat"));
  EXPECT_TRUE(MatchesPattern("billing.no_*", "billing.no_charge"));
  EXPECT_FALSE(MatchesPattern("billing.no_*", "billing.vat"));
  EXPECT_TRUE(MatchesPattern("*.*_fit", "device_support.codec_fit"));
  EXPECT_FALSE(MatchesPattern("", "a"));
}

TEST(TextFormsTest, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(Nearest("hots", {"clock", "hosts"}), "hosts");
  EXPECT_EQ(Nearest("ordering.plce_order", {"ordering.place_order", "ordering.list_orders"}), "ordering.place_order");
  EXPECT_EQ(Nearest("x", {"y"}), "");
  EXPECT_EQ(Nearest("banana", {"clock"}), "");
  EXPECT_EQ(EditDistance("ab", "ba"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
}

}  // namespace
}  // namespace puckdrop::plan
