#include "checks/target/jq/worker/dates.h"

#include <cctype>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace puckdrop::jq::worker {
namespace {

constexpr double kMaxInstant = 253402300800.0;  // the year 10000
constexpr double kMinInstant = -62135596800.0;  // the year 1
constexpr std::size_t kMaxText = 1000;

std::string Shown(std::string_view text) { return absl::StrCat("\"", std::string(text.substr(0, 80)), "\""); }

bool InRange(double instant) { return std::isfinite(instant) && instant >= kMinInstant && instant < kMaxInstant; }

absl::Time ToTime(double instant) {
  const double whole = std::floor(instant);
  // Microseconds: a double has no more, and rounding to nanoseconds would print .24999999.
  return absl::FromUnixSeconds(static_cast<std::int64_t>(whole)) +
         absl::Microseconds(static_cast<std::int64_t>(std::llround((instant - whole) * 1e6)));
}

double FromTime(absl::Time time) {
  const std::int64_t whole = absl::ToUnixSeconds(time);
  const std::int64_t nanos = absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(whole));
  return static_cast<double>(whole) + static_cast<double>(nanos) / 1e9;
}

}  // namespace

std::string ParseRfc3339(std::string_view text, double* instant) {
  const auto refuse = [&] {
    return absl::StrCat(Shown(text),
                        " is not an instant: it should be like 2026-12-04T18:30:00+02:00, with its offset or Z");
  };
  if (text.size() < 20 || text.size() > 60) return refuse();
  std::string upright(text);
  for (char& c : upright) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (upright[10] == ' ') upright[10] = 'T';
  // absl takes years of any width and skips spaces; RFC 3339 has one form.
  for (std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18}) {
    if (std::isdigit(static_cast<unsigned char>(upright[i])) == 0) return refuse();
  }
  if (upright.find(' ') != std::string::npos) return refuse();
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", upright, absl::UTCTimeZone(), &time, &error)) return refuse();
  *instant = FromTime(time);
  return "";
}

std::string ParseTime(std::string_view text, std::string_view format, double* instant) {
  if (text.size() > kMaxText || format.size() > kMaxText) return "the text or its format is too long";
  std::string ours;
  for (std::size_t i = 0; i < format.size(); ++i) {
    ours.push_back(format[i]);
    if (format[i] != '%' || i + 1 >= format.size()) continue;
    const char c = format[++i];
    if (c == 'S') {
      ours += "E*S";
    } else if (c == 'T') {
      ours += "H:%M:%E*S";
    } else if (c == 'z') {
      ours += "Ez";
    } else if (c == 'Z') {
      return "strptime does not read the zone names of %Z, which are ambiguous: use %z, which takes +0200, +02:00 and "
             "Z";
    } else {
      ours.push_back(c);
    }
  }
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(ours, absl::string_view(text.data(), text.size()), absl::UTCTimeZone(), &time, &error) ||
      time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return absl::StrCat(Shown(text), " does not match the format ", Shown(format));
  }
  *instant = FromTime(time);
  return InRange(*instant) ? "" : absl::StrCat(Shown(text), " is out of range");
}

std::string FormatTime(double instant, std::string_view format, std::string_view zone, std::string* text) {
  if (!InRange(instant)) return "the time is out of range: seconds since 1970 are expected, not milliseconds";
  if (format.size() > kMaxText) return "the format is too long";
  absl::TimeZone place = absl::UTCTimeZone();
  if (zone != "UTC") {
    // The loader takes paths and POSIX rules too; a plan means a name.
    const bool plain = !zone.empty() && zone.size() <= 60 && zone.find("..") == std::string_view::npos &&
                       zone[0] != '/' &&
                       zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
                           std::string_view::npos;
    if (!plain || !absl::LoadTimeZone(std::string(zone), &place)) {
      return absl::StrCat(Shown(zone), " is not a time zone of the IANA list, like Europe/Helsinki");
    }
  }
  *text = absl::FormatTime(std::string(format), ToTime(instant), place);
  return "";
}

std::string ToBrokenDown(double instant, BrokenDown* broken_down) {
  if (!InRange(instant)) return "the time is out of range: seconds since 1970 are expected, not milliseconds";
  const absl::Time time = ToTime(instant);
  const absl::TimeZone::CivilInfo info = absl::UTCTimeZone().At(time);
  const absl::CivilSecond civil = info.cs;
  const absl::CivilDay day(civil);
  *broken_down = {static_cast<double>(civil.year()),
                  static_cast<double>(civil.month() - 1),
                  static_cast<double>(civil.day()),
                  static_cast<double>(civil.hour()),
                  static_cast<double>(civil.minute()),
                  civil.second() + static_cast<double>(absl::ToInt64Nanoseconds(info.subsecond)) / 1e9,
                  static_cast<double>((static_cast<int>(absl::GetWeekday(day)) + 1) % 7),
                  static_cast<double>(absl::GetYearDay(day) - 1)};
  return "";
}

std::string FromBrokenDown(const BrokenDown& broken_down, double* instant) {
  for (std::size_t i = 0; i < 6; ++i) {
    if (!std::isfinite(broken_down[i]) || std::fabs(broken_down[i]) > 1e9) return "a broken-down time is out of range";
  }
  const double seconds = std::floor(broken_down[5]);
  const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(std::floor(broken_down[i])); };
  const absl::CivilSecond civil(whole(0), whole(1) + 1, whole(2), whole(3), whole(4),
                                static_cast<std::int64_t>(seconds));
  *instant = FromTime(absl::FromCivil(civil, absl::UTCTimeZone())) + (broken_down[5] - seconds);
  return InRange(*instant) ? "" : "a broken-down time is out of range";
}

}  // namespace puckdrop::jq::worker
