#include "checks/target/jq/worker/money.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::jq::worker {
namespace {

using ::testing::HasSubstr;

struct Case {
  const char* decimal;
  const char* currency;
  std::int64_t minor_units;
};

TEST(MoneyTest, IsExactInEveryCurrency) {
  const Case cases[] = {{"14.90", "EUR", 1490},
                        {"14.9", "EUR", 1490},
                        {"19.99", "EUR", 1999},
                        {"0.07", "EUR", 7},
                        {"-0.01", "EUR", -1},
                        {"+3", "EUR", 300},
                        {"1", "JPY", 1},
                        {"1500", "JPY", 1500},
                        {"1500.00", "JPY", 1500},
                        {"1.234", "KWD", 1234},
                        {"1.2", "BHD", 1200},
                        {"0.0001", "CLF", 1},
                        {"4.35", "eur", 435},
                        {"1.005000", "TND", 1005},
                        {"92233720368547758.07", "USD", INT64_MAX},
                        {"0", "ISK", 0},
                        {"100000000.10", "SEK", 10000000010},
                        {"-92233720368547758.08", "USD", INT64_MIN}};
  for (const Case& c : cases) {
    Amount amount;
    EXPECT_EQ(MoneyFromDecimal(c.decimal, c.currency, &amount), "") << c.decimal;
    EXPECT_EQ(amount.minor_units, c.minor_units) << c.decimal << " " << c.currency;
    EXPECT_EQ(amount.currency_code.size(), 3U);
  }
  Amount amount;
  EXPECT_EQ(MoneyFromDecimal("4.35", "eur", &amount), "");
  EXPECT_EQ(amount.currency_code, "EUR");
}

TEST(MoneyTest, RefusesWhatIsNotExactlyAnAmount) {
  Amount amount;
  EXPECT_THAT(MoneyFromDecimal("14.905", "EUR", &amount), HasSubstr("more decimals than EUR (2)"));
  EXPECT_THAT(MoneyFromDecimal("0.5", "JPY", &amount), HasSubstr("more decimals than JPY (0)"));
  for (const char* text :
       {"", "-", ".", "14,90", "14.", ".5", "1e3", "0x10", "14.90 EUR", " 1", "1 ", "--1", "NaN", "1.2.3"}) {
    EXPECT_THAT(MoneyFromDecimal(text, "EUR", &amount), HasSubstr("is not an amount")) << text;
  }
  EXPECT_THAT(MoneyFromDecimal("92233720368547758.08", "EUR", &amount), HasSubstr("too large"));
  for (const char* code : {"", "EU", "EURO", "XXX", "FIM", "E R", "€"}) {
    EXPECT_THAT(MoneyFromDecimal("1", code, &amount), HasSubstr("ISO 4217")) << code;
  }
}

TEST(MoneyTest, TakesMinorUnitsAsTheyAre) {
  Amount amount;
  EXPECT_EQ(MoneyFromMinor("1490", "EUR", &amount), "");
  EXPECT_EQ(amount.minor_units, 1490);
  EXPECT_EQ(MoneyFromMinor("9223372036854775807", "JPY", &amount), "");
  EXPECT_EQ(amount.minor_units, INT64_MAX);
  EXPECT_THAT(MoneyFromMinor("14.9", "EUR", &amount), HasSubstr("whole number"));
  EXPECT_THAT(MoneyFromMinor("", "EUR", &amount), HasSubstr("whole number"));
  EXPECT_THAT(MoneyFromMinor("9223372036854775808", "EUR", &amount), HasSubstr("too large"));
}

TEST(MoneyTest, ReadsUnitsAndNanos) {
  Amount amount;
  EXPECT_EQ(MoneyFromNanos("14", "900000000", "EUR", &amount), "");
  EXPECT_EQ(amount.minor_units, 1490);
  EXPECT_EQ(MoneyFromNanos("-1", "-750000000", "USD", &amount), "");
  EXPECT_EQ(amount.minor_units, -175);
  EXPECT_EQ(MoneyFromNanos("1", "5000000", "KWD", &amount), "");
  EXPECT_EQ(amount.minor_units, 1005);
  EXPECT_THAT(MoneyFromNanos("1", "5000000", "EUR", &amount), HasSubstr("more decimals"));
  EXPECT_THAT(MoneyFromNanos("1", "1", "JPY", &amount), HasSubstr("more decimals"));
  EXPECT_THAT(MoneyFromNanos("1", "-10000000", "EUR", &amount), HasSubstr("different signs"));
  EXPECT_THAT(MoneyFromNanos("1", "1000000000", "EUR", &amount), HasSubstr("below 1000000000"));
  EXPECT_THAT(MoneyFromNanos("9223372036854775807", "0", "EUR", &amount), HasSubstr("too large"));
}

}  // namespace
}  // namespace puckdrop::jq::worker
