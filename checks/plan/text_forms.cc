#include "checks/plan/text_forms.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace puckdrop::plan {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool AllDigits(absl::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit); }

absl::Status Not(absl::string_view what) { return absl::InvalidArgumentError(what); }

// Digits with at most `decimals` after a point, as an integer of the smallest unit.
std::optional<std::int64_t> FixedPoint(absl::string_view text, int decimals, bool exact) {
  std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('.', 1));
  const bool has_point = absl::StrContains(text, '.');
  if (!AllDigits(parts.first) || parts.first.size() > 13) return std::nullopt;
  if (has_point && !AllDigits(parts.second)) return std::nullopt;
  if (static_cast<int>(parts.second.size()) > decimals) return std::nullopt;
  if (exact && static_cast<int>(parts.second.size()) != decimals) return std::nullopt;
  std::string digits = absl::StrCat(parts.first, parts.second,
                                    std::string(static_cast<std::size_t>(decimals) - parts.second.size(), '0'));
  std::int64_t out = 0;
  if (!absl::SimpleAtoi(digits, &out)) return std::nullopt;
  return out;
}

bool IsHost(absl::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  if (host.front() == '[') {
    return host.back() == ']' && host.size() > 3 && std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
             return absl::ascii_isxdigit(c) || c == ':' || c == '.';
           });
  }
  for (absl::string_view label : absl::StrSplit(host, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; })) {
      return false;
    }
  }
  return true;
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return AllDigits(port) && absl::SimpleAtoi(port, &number) && number > 0 && number <= 65535;
}

bool IsHostAndPort(absl::string_view text, bool port_needed) {
  absl::string_view host = text;
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon != absl::string_view::npos && (bracket == absl::string_view::npos || colon > bracket)) {
    host = text.substr(0, colon);
    if (!IsPort(text.substr(colon + 1))) return false;
  } else if (port_needed) {
    return false;
  }
  return IsHost(host);
}

bool IsUrl(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "http://") && !absl::ConsumePrefix(&rest, "https://")) return false;
  if (std::any_of(rest.begin(), rest.end(), [](char c) {
        const unsigned char u = static_cast<unsigned char>(c);
        return u <= 0x20 || u == 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '{' || c == '}';
      })) {
    return false;
  }
  // User names and passwords have no place in an address: they end in logs.
  const absl::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return !absl::StrContains(authority, '@') && IsHostAndPort(authority, false);
}

bool IsDate(absl::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!AllDigits(text.substr(0, 4)) || !AllDigits(text.substr(5, 2)) || !AllDigits(text.substr(8, 2)) ||
      !absl::SimpleAtoi(text.substr(0, 4), &year) || !absl::SimpleAtoi(text.substr(5, 2), &month) ||
      !absl::SimpleAtoi(text.substr(8, 2), &day)) {
    return false;
  }
  const absl::CivilDay civil(year, month, day);
  return civil.year() == year && civil.month() == month && civil.day() == day;
}

// P, then years, months, weeks, days in this order, each at most once.
bool IsPeriod(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "P") || text.empty()) return false;
  absl::string_view units = "YMWD";
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && IsDigit(text[digits])) ++digits;
    if (digits == 0 || digits > 4 || digits == text.size()) return false;
    const std::size_t unit = units.find(text[digits]);
    if (unit == absl::string_view::npos) return false;
    units.remove_prefix(unit + 1);
    text.remove_prefix(digits + 1);
  }
  return true;
}

bool IsTimeZone(absl::string_view text) {
  // Only names of the database: absl would also take a path or an offset of its own.
  if (text.empty() || text.size() > 64 || text.front() == '/' || text.front() == ':' || absl::StrContains(text, "..") ||
      !std::all_of(text.begin(), text.end(),
                   [](char c) { return absl::ascii_isalnum(c) || c == '/' || c == '_' || c == '-' || c == '+'; })) {
    return false;
  }
  absl::TimeZone zone;
  return absl::LoadTimeZone(text, &zone) && (text == "UTC" || absl::StrContains(text, '/'));
}

bool IsId(absl::string_view text) {
  return !text.empty() && text.size() <= 100 && (IsLower(text[0]) || IsDigit(text[0])) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsName(absl::string_view text) {
  static constexpr std::array<absl::string_view, 15> kReserved = {"and",     "or",   "def",   "if",    "then",
                                                                  "else",    "elif", "end",   "as",    "reduce",
                                                                  "foreach", "try",  "catch", "label", "import"};
  return !text.empty() && text.size() <= 100 && (IsLower(text[0]) || text[0] == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLower(c) || IsDigit(c) || c == '_'; }) &&
         std::find(kReserved.begin(), kReserved.end(), text) == kReserved.end() && text != "include" &&
         text != "__loc__";
}

bool IsCheckPattern(absl::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '_' || c == '.' || c == '*';
  });
}

bool IsLanguage(absl::string_view text) {
  if (text == "none") return true;
  if (text.empty() || text.size() > 35) return false;
  bool first = true;
  for (absl::string_view part : absl::StrSplit(text, '-')) {
    if (part.empty() || part.size() > 8) return false;
    if (first && (part.size() < 2 || part.size() > 3 || !std::all_of(part.begin(), part.end(), IsLower))) return false;
    if (!std::all_of(part.begin(), part.end(), [](char c) { return absl::ascii_isalnum(c); })) return false;
    first = false;
  }
  return true;
}

bool IsAddressPattern(absl::string_view text) {
  if (IsUrl(text)) return true;
  absl::ConsumePrefix(&text, "*.");
  return IsHostAndPort(text, false);
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  const absl::Status wrong = Not("a duration (500ms, 10s, 1m30s, 24h, -15m)");
  absl::string_view rest = text;
  const bool negative = absl::ConsumePrefix(&rest, "-");
  if (!negative) absl::ConsumePrefix(&rest, "+");
  if (rest.empty()) return wrong;
  absl::Duration sum;
  while (!rest.empty()) {
    std::size_t end = 0;
    while (end < rest.size() && (IsDigit(rest[end]) || rest[end] == '.')) ++end;
    const std::optional<std::int64_t> thousandths = FixedPoint(rest.substr(0, end), 3, false);
    if (!thousandths.has_value()) return wrong;
    rest.remove_prefix(end);
    absl::Duration unit;
    if (absl::ConsumePrefix(&rest, "ms")) {
      unit = absl::Milliseconds(1);
    } else if (absl::ConsumePrefix(&rest, "s")) {
      unit = absl::Seconds(1);
    } else if (absl::ConsumePrefix(&rest, "m")) {
      unit = absl::Minutes(1);
    } else if (absl::ConsumePrefix(&rest, "h")) {
      unit = absl::Hours(1);
    } else if (absl::ConsumePrefix(&rest, "d")) {
      unit = absl::Hours(24);
    } else {
      return wrong;
    }
    sum += unit * *thousandths / 1000;
  }
  if (sum > absl::Hours(24) * 3660) return Not("a duration of at most ten years");
  return negative ? -sum : sum;
}

std::optional<int> CurrencyDecimals(absl::string_view code) {
  static constexpr absl::string_view kNone = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
  static constexpr absl::string_view kThree = " BHD IQD JOD KWD LYD OMR TND ";
  static constexpr absl::string_view kTwo =
      " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
      "COP "
      "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
      "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
      "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
      "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWL ";
  if (code.size() != 3) return std::nullopt;
  const std::string word = absl::StrCat(" ", code, " ");
  if (absl::StrContains(kTwo, word)) return 2;
  if (absl::StrContains(kNone, word)) return 0;
  if (absl::StrContains(kThree, word)) return 3;
  return std::nullopt;
}

absl::StatusOr<target::v1::Money> ParseMoney(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.size() != 2) return Not("an amount of money (14.90 EUR)");
  const std::optional<int> decimals = CurrencyDecimals(words[1]);
  if (!decimals.has_value()) return Not("an amount in a currency of ISO 4217 (14.90 EUR)");
  absl::string_view amount = words[0];
  const bool negative = absl::ConsumePrefix(&amount, "-");
  const std::optional<std::int64_t> units = FixedPoint(amount, *decimals, true);
  if (!units.has_value()) {
    return Not(*decimals == 0
                   ? absl::StrCat("an amount of ", words[1], ", which has no decimals")
                   : absl::StrCat("an amount of ", words[1], ", which has exactly ", *decimals, " decimals"));
  }
  target::v1::Money out;
  out.set_currency_code(std::string(words[1]));
  out.set_minor_units(negative ? -*units : *units);
  return out;
}

absl::StatusOr<absl::Time> ParseTimestamp(absl::string_view text) {
  absl::Time time;
  std::string error;
  const bool shape = text.size() >= 20 && IsDate(text.substr(0, 10)) && (text[10] == 'T' || text[10] == ' ') &&
                     IsDigit(text[11]) && !absl::StrContains(text, ' ');
  if (!shape || !absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time == absl::InfiniteFuture() ||
      time == absl::InfinitePast()) {
    if (text.size() >= 10 && IsDate(text.substr(0, 10)) && text.find_first_of("Z+", 10) == absl::string_view::npos &&
        text.find('-', 10) == absl::string_view::npos) {
      return Not("an instant: it lacks its zone (2026-12-04T18:30:00+02:00)");
    }
    return Not("an instant (2026-12-04T18:30:00+02:00)");
  }
  return time;
}

absl::StatusOr<v1::Plan::Quality> ParseQuality(absl::string_view text) {
  const absl::Status wrong = Not("a picture's quality (720p50, 1080p25, 2160p50)");
  const std::size_t split = text.find_first_of("pi");
  if (split == absl::string_view::npos) return wrong;
  v1::Plan::Quality out;
  int height = 0;
  int rate = 0;
  const absl::string_view rest = text.substr(split + 1);
  if (!AllDigits(text.substr(0, split)) || !absl::SimpleAtoi(text.substr(0, split), &height) || height < 1 ||
      height > 20000) {
    return wrong;
  }
  if (!rest.empty() && (!AllDigits(rest) || !absl::SimpleAtoi(rest, &rate) || rate < 1 || rate > 1000)) return wrong;
  out.set_height(height);
  out.set_frame_rate(rate);
  out.set_interlaced(text[split] == 'i');
  return out;
}

absl::StatusOr<std::int32_t> ParsePercent(absl::string_view text) {
  const absl::Status wrong = Not("a percentage with at most two decimals (25.5 %)");
  absl::string_view number = text;
  if (!absl::ConsumeSuffix(&number, "%")) return wrong;
  const std::optional<std::int64_t> points = FixedPoint(absl::StripTrailingAsciiWhitespace(number), 2, false);
  if (!points.has_value() || *points > 10'000) return wrong;
  return static_cast<std::int32_t>(*points);
}

absl::StatusOr<std::int64_t> ParseBytes(absl::string_view text) {
  const absl::Status wrong = Not("a number of bytes (1000, 512 KiB, 5 GB)");
  static constexpr std::array<std::pair<absl::string_view, std::int64_t>, 8> kUnits = {{{"KiB", 1LL << 10},
                                                                                        {"MiB", 1LL << 20},
                                                                                        {"GiB", 1LL << 30},
                                                                                        {"TB", 1'000'000'000'000},
                                                                                        {"GB", 1'000'000'000},
                                                                                        {"MB", 1'000'000},
                                                                                        {"kB", 1'000},
                                                                                        {"B", 1}}};
  absl::string_view number = text;
  std::int64_t unit = 1;
  for (const auto& [name, size] : kUnits) {
    if (absl::ConsumeSuffix(&number, name)) {
      unit = size;
      break;
    }
  }
  number = absl::StripTrailingAsciiWhitespace(number);
  std::int64_t count = 0;
  if (!AllDigits(number) || !absl::SimpleAtoi(number, &count) ||
      count > std::numeric_limits<std::int64_t>::max() / unit) {
    return wrong;
  }
  return count * unit;
}

bool IsJsonNumber(absl::string_view text) {
  absl::ConsumePrefix(&text, "-");
  std::size_t i = 0;
  while (i < text.size() && IsDigit(text[i])) ++i;
  if (i == 0 || (i > 1 && text[0] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    const std::size_t begin = ++i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    if (i == begin) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const std::size_t begin = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    if (i == begin) return false;
  }
  return i == text.size();
}

bool MatchesPattern(absl::string_view pattern, absl::string_view text) {
  // Backtracks to the last star only, so the time is bounded by the product of the lengths.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = absl::string_view::npos;
  std::size_t after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

absl::Status CheckForm(v1::TextForm form, absl::string_view text) {
  switch (form) {
    case v1::TEXT_FORM_DATE:
      return IsDate(text) ? absl::OkStatus() : Not("a date (2026-12-04)");
    case v1::TEXT_FORM_PERIOD:
      return IsPeriod(text) ? absl::OkStatus() : Not("a period (P1M, P1Y, P14D)");
    case v1::TEXT_FORM_TIME_ZONE:
      return IsTimeZone(text) ? absl::OkStatus() : Not("a time zone of the IANA database (Europe/Helsinki)");
    case v1::TEXT_FORM_URL:
      return IsUrl(text) ? absl::OkStatus() : Not("an http or https address (https://shop.example)");
    case v1::TEXT_FORM_ID:
      return IsId(text) ? absl::OkStatus() : Not("an id (small letters, digits and _ . -)");
    case v1::TEXT_FORM_NAME:
      return IsName(text) ? absl::OkStatus()
                          : Not("a name that expressions can use (small letters, digits and _; no word of jq's own)");
    case v1::TEXT_FORM_MARKET:
      return text.size() == 2 && absl::ascii_isupper(text[0]) && absl::ascii_isupper(text[1])
                 ? absl::OkStatus()
                 : Not("a country code of two capitals (FI)");
    case v1::TEXT_FORM_LANGUAGE:
      return IsLanguage(text) ? absl::OkStatus() : Not("a language (fi, sv, pt-BR; none for no commentary)");
    case v1::TEXT_FORM_CHECK_PATTERN:
      return IsCheckPattern(text) ? absl::OkStatus() : Not("a check's id or a pattern (billing.vat, billing.*)");
    case v1::TEXT_FORM_ADDRESS_PATTERN:
      return IsAddressPattern(text) ? absl::OkStatus()
                                    : Not("a host (cdn.example, *.cdn.example) or an http(s) address");
    case v1::TEXT_FORM_ENDPOINT:
      return IsHostAndPort(text, true) ? absl::OkStatus() : Not("host:port");
    case v1::TEXT_FORM_FILE:
      return text.empty() ? Not("a file's name") : absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

}  // namespace puckdrop::plan
