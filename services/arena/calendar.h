#ifndef PUCKDROP_SERVICES_ARENA_CALENDAR_H_
#define PUCKDROP_SERVICES_ARENA_CALENDAR_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace puckdrop::arena {

// An instant: milliseconds since 1970-01-01T00:00:00Z.
using Millis = int64_t;

inline constexpr Millis kDayMillis = 86'400'000;

// Tells the real time. Thread-safe.
using Clock = std::function<Millis()>;
Clock SystemClock();

// A civil date as "YYYY-MM-DD". All dates here are of years 1970 to 2200.
using Date = std::string;

// The civil date at `instant` in the IANA zone `zone`. An unknown zone is UTC.
Date DateAt(Millis instant, const std::string& zone);

// The first instant of `date` in `zone`.
Millis StartOf(const Date& date, const std::string& zone);

Date AddDays(const Date& date, int days);

// `anchor` plus `months`, on the anchor's day of month or, in a month that has no such day, on its last one. So 31 Jan
// plus 1 is 28 (29) Feb and plus 2 is 31 Mar: add to the anchor, never to the last result.
Date AddMonths(const Date& anchor, int months);

// RFC 3339 with milliseconds and the zone's offset: 2026-12-04T18:30:00.000+02:00.
std::string FormatInstant(Millis instant, const std::string& zone);

// Reads RFC 3339 with an offset or Z; nullopt for anything else or outside 1970 to 2200.
std::optional<Millis> ParseInstant(const std::string& text);

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_CALENDAR_H_
