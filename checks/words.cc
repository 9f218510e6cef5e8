#include "checks/words.h"

#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace puckdrop::checks {
namespace {

// ISO 4217: currencies whose minor unit is not a hundredth.
int MinorUnits(std::string_view currency) {
  static constexpr std::array<std::string_view, 8> kNone = {"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF"};
  static constexpr std::array<std::string_view, 7> kThree = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
  for (std::string_view code : kNone) {
    if (code == currency) return 0;
  }
  for (std::string_view code : kThree) {
    if (code == currency) return 3;
  }
  return 2;
}

}  // namespace

std::string Words(const target::v1::Money& money) {
  const int digits = MinorUnits(money.currency_code());
  int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const bool negative = money.minor_units() < 0;
  const uint64_t amount =
      negative ? 0 - static_cast<uint64_t>(money.minor_units()) : static_cast<uint64_t>(money.minor_units());
  std::string text = absl::StrCat(negative ? "-" : "", amount / static_cast<uint64_t>(unit));
  if (digits > 0) absl::StrAppend(&text, absl::StrFormat(".%0*d", digits, amount % static_cast<uint64_t>(unit)));
  return absl::StrCat(text, " ", money.currency_code());
}

std::string Count(int64_t number, const std::string& one, const std::string& many) {
  if (number == 1) return absl::StrCat("1 ", one);
  return absl::StrCat(number == 0 ? "no" : absl::StrCat(number), " ", many.empty() ? one + "s" : many);
}

bool Same(const target::v1::Money& a, const target::v1::Money& b) {
  return a.currency_code() == b.currency_code() && a.minor_units() == b.minor_units();
}

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace puckdrop::checks
