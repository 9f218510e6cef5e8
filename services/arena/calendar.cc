#include "services/arena/calendar.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace puckdrop::arena {
namespace {

absl::TimeZone Zone(const std::string& name) {
  // absl caches loaded zones itself; a name it does not know leaves UTC.
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(name, &zone);
  return zone;
}

absl::CivilDay Day(const Date& date) {
  absl::CivilDay day;
  absl::ParseCivilTime(date, &day);
  return day;
}

}  // namespace

Clock SystemClock() {
  return [] { return absl::ToUnixMillis(absl::Now()); };
}

Date DateAt(Millis instant, const std::string& zone) {
  return absl::FormatCivilTime(absl::ToCivilDay(absl::FromUnixMillis(instant), Zone(zone)));
}

Millis StartOf(const Date& date, const std::string& zone) {
  return absl::ToUnixMillis(absl::FromCivil(Day(date), Zone(zone)));
}

Date AddDays(const Date& date, int days) { return absl::FormatCivilTime(Day(date) + days); }

Date AddMonths(const Date& anchor, int months) {
  const absl::CivilDay day = Day(anchor);
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const int last = (absl::CivilDay(month + 1) - 1).day();
  return absl::FormatCivilTime(absl::CivilDay(month.year(), month.month(), std::min(day.day(), last)));
}

std::string FormatInstant(Millis instant, const std::string& zone) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3S%Ez", absl::FromUnixMillis(instant), Zone(zone));
}

std::optional<Millis> ParseInstant(const std::string& text) {
  absl::Time time;
  std::string error;
  if (text.size() > 40 || !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return std::nullopt;
  const Millis millis = absl::ToUnixMillis(time);
  if (millis < 0 || millis > 7'258'118'400'000) return std::nullopt;
  return millis;
}

}  // namespace puckdrop::arena
