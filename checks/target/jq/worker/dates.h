#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_DATES_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_DATES_H_

#include <array>
#include <string>
#include <string_view>

namespace puckdrop::jq::worker {

// Instants are seconds since 1970-01-01T00:00:00Z, with fractions; a double keeps microseconds for our centuries.
// Functions that can fail return an empty string, or the sentence that says why.

// jq's broken-down time, in UTC: year, month (0 to 11), day, hours, minutes, seconds with fraction, weekday (Sunday 0),
// day of the year (from 0).
using BrokenDown = std::array<double, 8>;

// RFC 3339: "2026-12-04T18:30:00.250+02:00"; the offset or Z is required, `T` may be a space.
std::string ParseRfc3339(std::string_view text, double* instant);

// strptime; `%S` takes a fraction, `%z` takes +0200, +02:00 and Z, and is heeded. Without a zone the text is in UTC.
std::string ParseTime(std::string_view text, std::string_view format, double* instant);

// strftime in an IANA zone ("Europe/Helsinki", "UTC").
std::string FormatTime(double instant, std::string_view format, std::string_view zone, std::string* text);

std::string ToBrokenDown(double instant, BrokenDown* broken_down);
// Only the first six numbers count; months and the like may be out of range and carry over.
std::string FromBrokenDown(const BrokenDown& broken_down, double* instant);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_DATES_H_
