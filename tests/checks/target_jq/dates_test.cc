#include "checks/target/jq/worker/dates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puckdrop::jq::worker {
namespace {

using ::testing::HasSubstr;

double Instant(const char* text) {
  double instant = -1;
  EXPECT_EQ(ParseRfc3339(text, &instant), "") << text;
  return instant;
}

TEST(DatesTest, HeedsTheOffset) {
  EXPECT_EQ(Instant("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(Instant("2026-12-04T18:30:00+02:00"), 1796401800);
  EXPECT_EQ(Instant("2026-12-04T16:30:00Z"), 1796401800);
  EXPECT_EQ(Instant("2026-12-04T11:30:00-05:00"), 1796401800);
  EXPECT_EQ(Instant("2026-12-04 22:15:00+05:45"), 1796401800);
  EXPECT_EQ(Instant("2026-12-04t16:30:00.250z"), 1796401800.25);
  EXPECT_EQ(Instant("2024-02-29T00:00:00Z"), 1709164800);
}

TEST(DatesTest, RefusesWhatIsNoInstant) {
  double instant = 0;
  for (const char* text :
       {"", "2026-12-04", "2026-12-04T16:30:00", "2026-13-04T16:30:00Z", "2026-02-30T00:00:00Z", "04.12.2026 16:30:00Z",
        "2026-12-04T24:30:00Z", "2026-12-04T16:30Z", "1796401800", "2026-12-04T16:30:00Z trailing",
        "2026-12-04T16:30:00 Z", "2026-12-04T16:30:00Europe/Helsinki"}) {
    EXPECT_THAT(ParseRfc3339(text, &instant), HasSubstr("is not an instant")) << text;
  }
}

struct ZoneCase {
  const char* instant;
  const char* zone;
  const char* text;
};

TEST(DatesTest, KnowsTheEdgesOfSummerTime) {
  const ZoneCase cases[] = {
      // Helsinki 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC.
      {"2026-03-29T00:59:59Z", "Europe/Helsinki", "2026-03-29 02:59:59 +0200 EET"},
      {"2026-03-29T01:00:00Z", "Europe/Helsinki", "2026-03-29 04:00:00 +0300 EEST"},
      {"2026-10-25T00:59:59Z", "Europe/Helsinki", "2026-10-25 03:59:59 +0300 EEST"},
      {"2026-10-25T01:00:00Z", "Europe/Helsinki", "2026-10-25 03:00:00 +0200 EET"},
      {"2026-12-04T16:30:00Z", "Europe/Helsinki", "2026-12-04 18:30:00 +0200 EET"},
      {"2026-12-31T22:00:00Z", "Europe/Helsinki", "2027-01-01 00:00:00 +0200 EET"},
      {"2026-12-31T23:30:00Z", "Europe/Stockholm", "2027-01-01 00:30:00 +0100 CET"},
      {"2026-11-01T05:59:59Z", "America/New_York", "2026-11-01 01:59:59 -0400 EDT"},
      {"2026-11-01T06:00:00Z", "America/New_York", "2026-11-01 01:00:00 -0500 EST"},
      {"2026-12-04T16:30:00Z", "UTC", "2026-12-04 16:30:00 +0000 UTC"},
  };
  for (const ZoneCase& c : cases) {
    std::string text;
    EXPECT_EQ(FormatTime(Instant(c.instant), "%Y-%m-%d %H:%M:%S %z %Z", c.zone, &text), "");
    EXPECT_EQ(text, c.text) << c.instant << " " << c.zone;
  }
  std::string text;
  EXPECT_EQ(FormatTime(Instant("2026-12-04T16:30:00Z"), "%d.%m.%Y klo %H.%M", "Asia/Kathmandu", &text), "");
  EXPECT_EQ(text, "04.12.2026 klo 22.15");
}

TEST(DatesTest, RefusesAnUnknownZone) {
  std::string text;
  for (const char* zone : {"", "Helsinki", "Europe/Helsinky", "../../etc/passwd", "/etc/localtime",
                           "Europe/../Europe/Helsinki", "EET-2"}) {
    EXPECT_THAT(FormatTime(0, "%Y", zone, &text), HasSubstr("is not a time zone")) << zone;
  }
  EXPECT_THAT(FormatTime(1.8e12, "%Y", "UTC", &text), HasSubstr("milliseconds"));
}

TEST(DatesTest, ReadsCivilTimesWithTheirZone) {
  double instant = 0;
  EXPECT_EQ(ParseTime("04/Dec/2026:18:30:00 +0200", "%d/%b/%Y:%H:%M:%S %z", &instant), "");
  EXPECT_EQ(instant, 1796401800);
  EXPECT_EQ(ParseTime("2026-12-04T18:30:00.5+02:00", "%Y-%m-%dT%H:%M:%S%z", &instant), "");
  EXPECT_EQ(instant, 1796401800.5);
  EXPECT_EQ(ParseTime("2026-12-04T16:30:00Z", "%Y-%m-%dT%H:%M:%SZ", &instant), "");
  EXPECT_EQ(instant, 1796401800);
  EXPECT_EQ(ParseTime("2026-12-04T16:30:00Z", "%Y-%m-%dT%T%z", &instant), "");
  EXPECT_EQ(instant, 1796401800);
  EXPECT_EQ(ParseTime("2026-12-04", "%Y-%m-%d", &instant), "");
  EXPECT_EQ(instant, 1796342400);
  EXPECT_THAT(ParseTime("4.12.", "%Y-%m-%d", &instant), HasSubstr("does not match"));
  EXPECT_THAT(ParseTime("2026-12-04 EET", "%Y-%m-%d %Z", &instant), HasSubstr("%z"));
}

TEST(DatesTest, TakesTimesApartAndPutsThemTogether) {
  BrokenDown parts{};
  EXPECT_EQ(ToBrokenDown(1796401800.25, &parts), "");
  EXPECT_THAT(parts, ::testing::ElementsAre(2026, 11, 4, 16, 30, 0.25, 5, 337));
  double instant = 0;
  EXPECT_EQ(FromBrokenDown(parts, &instant), "");
  EXPECT_EQ(instant, 1796401800.25);
  EXPECT_EQ(ToBrokenDown(-0.5, &parts), "");
  EXPECT_THAT(parts, ::testing::ElementsAre(1969, 11, 31, 23, 59, 59.5, 3, 364));
  EXPECT_NE(ToBrokenDown(1e18, &parts), "");
}

}  // namespace
}  // namespace puckdrop::jq::worker
