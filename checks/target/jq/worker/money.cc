#include "checks/target/jq/worker/money.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::jq::worker {
namespace {

// ISO 4217, active codes, by number of decimals. Source: SIX, list one, 2024-06-25.
constexpr std::string_view kNoDecimals = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
constexpr std::string_view kThreeDecimals = "BHD IQD JOD KWD LYD OMR TND ";
constexpr std::string_view kFourDecimals = "CLF UYW ";
constexpr std::string_view kTwoDecimals =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS "
    "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
    "MZN "
    "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC "
    "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG ";

bool Listed(std::string_view list, std::string_view code) {
  for (std::size_t at = 0; at + 3 < list.size(); at += 4) {
    if (list.substr(at, 3) == code) return true;
  }
  return false;
}

std::string Upper(std::string_view code) {
  std::string upper(code);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", text.size() > 60 ? std::string(text.substr(0, 60)) + "…" : std::string(text), "\"");
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

int CurrencyDecimals(std::string_view code) {
  const std::string upper = Upper(code);
  if (upper.size() != 3) return -1;
  if (Listed(kTwoDecimals, upper)) return 2;
  if (Listed(kNoDecimals, upper)) return 0;
  if (Listed(kThreeDecimals, upper)) return 3;
  return Listed(kFourDecimals, upper) ? 4 : -1;
}

std::string MoneyFromDecimal(std::string_view decimal, std::string_view currency, Amount* amount) {
  const int decimals = CurrencyDecimals(currency);
  if (decimals < 0) return absl::StrCat(Shown(currency), " is not a currency code of ISO 4217");
  std::string_view rest = decimal;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
  const std::size_t point = rest.find('.');
  const std::string_view whole = rest.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
  if (whole.empty() || !AllDigits(whole) || !AllDigits(fraction) ||
      (point != std::string_view::npos && fraction.empty())) {
    return absl::StrCat(Shown(decimal), " is not an amount: digits, and a point before the decimals");
  }
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > static_cast<std::size_t>(decimals)) {
    return absl::StrCat(std::string(decimal.substr(0, 60)), " has more decimals than ", Upper(currency), " (", decimals,
                        "): compute in minor units, or round first");
  }
  const std::string digits = absl::StrCat(negative ? "-" : "", std::string(whole), std::string(fraction),
                                          std::string(static_cast<std::size_t>(decimals) - fraction.size(), '0'));
  if (!absl::SimpleAtoi(digits, &amount->minor_units)) return absl::StrCat(Shown(decimal), " is too large an amount");
  amount->currency_code = Upper(currency);
  return "";
}

std::string MoneyFromMinor(std::string_view integer, std::string_view currency, Amount* amount) {
  if (CurrencyDecimals(currency) < 0) return absl::StrCat(Shown(currency), " is not a currency code of ISO 4217");
  const std::string_view digits = integer.substr(!integer.empty() && (integer[0] == '-' || integer[0] == '+') ? 1 : 0);
  if (digits.empty() || !AllDigits(digits))
    return absl::StrCat(Shown(integer), " is not a whole number of minor units");
  if (!absl::SimpleAtoi(std::string(integer), &amount->minor_units)) {
    return absl::StrCat(Shown(integer), " is too large an amount");
  }
  amount->currency_code = Upper(currency);
  return "";
}

std::string MoneyFromNanos(std::string_view units, std::string_view nanos, std::string_view currency, Amount* amount) {
  const int decimals = CurrencyDecimals(currency);
  if (decimals < 0) return absl::StrCat(Shown(currency), " is not a currency code of ISO 4217");
  std::int64_t whole = 0;
  std::int64_t billionths = 0;
  if (!absl::SimpleAtoi(std::string(units), &whole))
    return absl::StrCat("units ", Shown(units), " is not a whole number");
  if (!absl::SimpleAtoi(std::string(nanos), &billionths) || billionths <= -1'000'000'000 ||
      billionths >= 1'000'000'000) {
    return absl::StrCat("nanos ", Shown(nanos), " is not a whole number below 1000000000");
  }
  if ((whole > 0 && billionths < 0) || (whole < 0 && billionths > 0)) return "units and nanos have different signs";
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const std::int64_t nanos_of_minor = 1'000'000'000 / scale;
  if (billionths % nanos_of_minor != 0) {
    return absl::StrCat("nanos ", billionths, " has more decimals than ", Upper(currency), " (", decimals, ")");
  }
  std::int64_t minor = 0;
  if (__builtin_mul_overflow(whole, scale, &minor) ||
      __builtin_add_overflow(minor, billionths / nanos_of_minor, &minor)) {
    return absl::StrCat("units ", Shown(units), " is too large an amount");
  }
  *amount = {Upper(currency), minor};
  return "";
}

}  // namespace puckdrop::jq::worker
