#include "services/cli/report/words.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/readiness/verdict.h"
#include "services/runtime/text.h"

namespace puckdrop::report {
namespace {

struct Character {
  unsigned code = 0;
  size_t bytes = 1;
};

// The character at `at` of valid UTF-8.
Character CharacterAt(absl::string_view text, size_t at) {
  const unsigned char first = static_cast<unsigned char>(text[at]);
  Character c;
  c.bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  c.bytes = std::min(c.bytes, text.size() - at);
  c.code = c.bytes == 1 ? first : first & (0xFFu >> (c.bytes + 1));
  for (size_t i = 1; i < c.bytes; ++i) c.code = (c.code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  return c;
}

// Characters that reorder or break what a reader sees, though they are no control characters by their category (Unicode
// UAX 9, Trojan Source), and those no XML 1.0 document may hold.
bool Deceives(unsigned code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

std::string Visible(absl::string_view text, bool keep_lines) {
  const std::string valid = runtime::ValidUtf8(text);
  std::string out;
  out.reserve(valid.size());
  for (size_t i = 0; i < valid.size();) {
    const Character c = CharacterAt(valid, i);
    if (keep_lines && (c.code == '\n' || c.code == '\t')) {
      out.push_back(valid[i]);
    } else if (keep_lines && c.code == '\r' && i + 1 < valid.size() && valid[i + 1] == '\n') {
      // The line feed says it.
    } else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0)) {
      absl::StrAppend(&out, absl::StrFormat("\\x%02x", c.code));
    } else if (Deceives(c.code)) {
      absl::StrAppend(&out, absl::StrFormat("\\u%04x", c.code));
    } else {
      out.append(valid, i, c.bytes);
    }
    i += c.bytes;
  }
  return out;
}

// Unicode UAX 11 and emoji, by block: enough to keep columns straight.
size_t Columns(unsigned code) {
  if ((code >= 0x0300 && code <= 0x036F) || (code >= 0x200B && code <= 0x200D) || (code >= 0xFE00 && code <= 0xFE0F)) {
    return 0;
  }
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                    (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
  return wide ? 2 : 1;
}

// Bytes of `text` that fit into `columns`.
size_t Fitting(absl::string_view text, size_t columns) {
  size_t used = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = CharacterAt(text, i);
    used += Columns(c.code);
    if (used > columns) return i;
    i += c.bytes;
  }
  return text.size();
}

}  // namespace

std::string OneLine(absl::string_view text, size_t most) {
  // Cut first: a hostile text may be long.
  std::string line = Visible(text.substr(0, most * 4 + 4), false);
  return runtime::CutText(std::move(line), most);
}

std::string Lines(absl::string_view text, size_t most) {
  std::string lines = Visible(text.substr(0, most * 4 + 4), true);
  return runtime::CutText(std::move(lines), most);
}

std::string JsonSafe(absl::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    const Character c = CharacterAt(json, i);
    if ((c.code >= 0x7F && c.code < 0xA0) || Deceives(c.code)) {
      absl::StrAppend(&out, absl::StrFormat("\\u%04x", c.code));
    } else {
      out.append(json.data() + i, c.bytes);
    }
    i += c.bytes;
  }
  return out;
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = CharacterAt(text, i);
    width += Columns(c.code);
    i += c.bytes;
  }
  return width;
}

std::string CutToWidth(absl::string_view text, size_t columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  return absl::StrCat(absl::StripTrailingAsciiWhitespace(text.substr(0, Fitting(text, columns - 1))), "…");
}

std::string Padded(absl::string_view text, size_t columns) {
  const size_t width = DisplayWidth(text);
  return absl::StrCat(text, std::string(width < columns ? columns - width : 0, ' '));
}

std::vector<std::string> Wrapped(absl::string_view text, size_t columns) {
  columns = std::max<size_t>(columns, 8);
  std::vector<std::string> lines;
  while (DisplayWidth(text) > columns) {
    size_t end = Fitting(text, columns);
    // A space right after the last character that fits is a fine place too.
    const size_t space = text.substr(0, end + 1).rfind(' ');
    if (space != absl::string_view::npos && space > 0) end = space;
    lines.emplace_back(absl::StripTrailingAsciiWhitespace(text.substr(0, end)));
    text = absl::StripLeadingAsciiWhitespace(text.substr(end));
  }
  if (lines.empty() || !text.empty()) lines.emplace_back(text);
  return lines;
}

std::string Percent(double share) { return absl::StrFormat("%.3g %%", std::isfinite(share) ? share * 100 : 0); }

std::string Count(int n, absl::string_view noun) { return absl::StrCat(n, " ", noun, n == 1 ? "" : "s"); }

std::string Span(absl::Duration duration) {
  if (duration < absl::Milliseconds(1)) return "0 s";
  if (duration < absl::Seconds(1)) return absl::StrCat(absl::ToInt64Milliseconds(duration), " ms");
  if (duration < absl::Seconds(10)) return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(duration));
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min ", seconds % 60, " s");
  if (seconds < 48 * 3600) return absl::StrCat(seconds / 3600, " h ", seconds / 60 % 60, " min");
  return absl::StrCat(seconds / 86400, " days ", seconds / 3600 % 24, " h");
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return absl::InfinitePast();
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

Clockface::Clockface(const cli::GateReport& report) : zone_(absl::UTCTimeZone()) {
  // Names only: an absolute path or `..` would make the zone library read any file.
  const std::string& name = report.time_zone;
  if (!name.empty() && name[0] != '/' && name.find("..") == std::string::npos) absl::LoadTimeZone(name, &zone_);
}

std::string Clockface::Time(absl::Time time) const {
  if (time == absl::InfinitePast()) return "unknown";
  return absl::FormatTime("%H:%M:%S", time, zone_);
}

std::string Clockface::Date(absl::Time time) const {
  if (time == absl::InfinitePast()) return "unknown";
  return absl::FormatTime("%a %d %b %Y %H:%M %Z", time, zone_);
}

std::string Stamp(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string VerdictPeople(v1::VerdictState state) { return absl::AsciiStrToUpper(readiness::VerdictWords(state)); }

std::string PathPeople(v1::Path path) {
  std::string name = readiness::PathName(path);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string ReasonName(v1::FailureReason reason) {
  if (reason == v1::FAILURE_REASON_UNSPECIFIED || !v1::FailureReason_IsValid(reason)) return "";
  return std::string(absl::StripPrefix(v1::FailureReason_Name(reason), "FAILURE_REASON_"));
}

std::string SkipName(v1::SkipCause cause) {
  if (cause == v1::SKIP_CAUSE_UNSPECIFIED || !v1::SkipCause_IsValid(cause)) return "";
  return std::string(absl::StripPrefix(v1::SkipCause_Name(cause), "SKIP_CAUSE_"));
}

std::string SeverityName(v1::Severity severity) { return severity == v1::SEVERITY_ADVISORY ? "ADVISORY" : "BLOCKING"; }

std::string ExitMeaning(int code) {
  switch (code) {
    case 0:
      return "ready";
    case 1:
      return "not ready";
    case 2:
      return "not known";
    case 3:
      return "nothing to judge";
    case 64:
      return "wrong usage";
    case 70:
      return "puckdrop itself failed, or a report could not be written";
    case 130:
    case 143:
      return "ended by a signal";
    default:
      return "";
  }
}

std::string CustomerList(const cli::GateReport& report, const std::vector<std::string>& customers) {
  if (std::find(customers.begin(), customers.end(), "any") != customers.end()) return "every customer";
  if (customers.size() > 1 && customers.size() == report.customers.size()) {
    return absl::StrCat("all ", customers.size(), " customers");
  }
  return absl::StrJoin(customers, ", ",
                       [](std::string* out, const std::string& id) { absl::StrAppend(out, OneLine(id, 60)); });
}

std::string CustomerCount(const cli::GateReport& report, const std::vector<std::string>& customers) {
  if (std::find(customers.begin(), customers.end(), "any") != customers.end()) return "every customer";
  // A run for some of the plan's customers says nothing of the others.
  std::set<std::string> judged;
  for (const v1::InstanceStanding& instance : report.verdict.instances()) {
    if (instance.customer() != "any") judged.insert(instance.customer());
  }
  const size_t all = judged.empty() ? report.customers.size() : judged.size();
  if (all < customers.size() || all == 0) return Count(static_cast<int>(customers.size()), "customer");
  return absl::StrCat(customers.size(), " of ", Count(static_cast<int>(all), "customer"));
}

std::string StepOf(const v1::Result& result) {
  if (result.step() <= 0 || result.steps() <= 1) return "";
  return absl::StrCat(result.step(), " of ", result.steps(), " of ");
}

std::string TitleOf(const cli::GateReport& report) {
  if (!report.launch_title.empty()) return OneLine(report.launch_title, 200);
  if (!report.launch_id.empty()) return OneLine(report.launch_id, 200);
  return "the launch";
}

}  // namespace puckdrop::report
