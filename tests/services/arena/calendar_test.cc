#include "services/arena/calendar.h"

#include <set>

#include "gtest/gtest.h"
#include "services/arena/catalogue.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

TEST(CalendarTest, AddsMonthsToTheAnchorAndKeepsItsDay) {
  EXPECT_EQ(AddMonths("2027-01-31", 1), "2027-02-28");
  EXPECT_EQ(AddMonths("2027-01-31", 2), "2027-03-31");
  EXPECT_EQ(AddMonths("2027-01-31", 3), "2027-04-30");
  EXPECT_EQ(AddMonths("2028-01-31", 1), "2028-02-29");
  EXPECT_EQ(AddMonths("2026-11-30", 3), "2027-02-28");
  EXPECT_EQ(AddMonths("2026-12-04", 12), "2027-12-04");
}

TEST(CalendarTest, KnowsTheDateInTheZoneNotInUtc) {
  const Millis late = *ParseInstant("2026-12-04T22:30:00Z");
  EXPECT_EQ(DateAt(late, "Europe/Helsinki"), "2026-12-05");
  EXPECT_EQ(DateAt(late, "Europe/Stockholm"), "2026-12-04");
}

TEST(CalendarTest, StartsDaysAtLocalMidnightInSummerAndWinter) {
  EXPECT_EQ(FormatInstant(StartOf("2027-01-04", "Europe/Helsinki"), "UTC"), "2027-01-03T22:00:00.000+00:00");
  EXPECT_EQ(FormatInstant(StartOf("2027-07-04", "Europe/Helsinki"), "UTC"), "2027-07-03T21:00:00.000+00:00");
}

TEST(CalendarTest, ReadsOnlyInstantsWithAZone) {
  EXPECT_EQ(ParseInstant("2026-12-04T18:30:00+02:00"), ParseInstant("2026-12-04T16:30:00Z"));
  for (const char* wrong :
       {"", "2026-12-04", "2026-12-04T18:30:00", "yesterday", "1960-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseInstant(wrong), std::nullopt) << wrong;
  }
}

TEST(VatTest, RoundsTheNetPartHalfUp) {
  EXPECT_EQ(NetOf(1490, 2550), 1187);
  EXPECT_EQ(NetOf(14900, 2500), 11920);
  EXPECT_EQ(NetOf(1390, 2400), 1121);
}

TEST(VersionTest, ComparesNumbersNotText) {
  EXPECT_TRUE(OlderVersion("2.9", "2.10"));
  EXPECT_FALSE(OlderVersion("2.10", "2.9"));
  EXPECT_FALSE(OlderVersion("2.0.0", "2.0.0"));
  EXPECT_TRUE(OlderVersion("nonsense", "2.0.0"));
}

TEST(FaultsTest, AreListedOnceEachInTheOrderOfTheirNumbers) {
  int i = 0;
  std::set<std::string> names;
  for (const FaultInfo& info : AllFaults()) {
    EXPECT_EQ(static_cast<int>(info.fault), i++) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(*info.check == '\0', std::string(info.name).rfind("target.", 0) == 0) << info.name;
  }
  EXPECT_EQ(i, static_cast<int>(Fault::kCount));
}

TEST(FaultsTest, SuggestsTheNearestName) {
  Fault fault;
  EXPECT_EQ(FindFault("playback.blak", &fault).message(),
            "there is no fault named \"playback.blak\"; did you mean playback.black? (arena fault list prints all)");
}

}  // namespace
}  // namespace puckdrop::arena
