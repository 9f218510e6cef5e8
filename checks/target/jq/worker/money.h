#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_MONEY_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_MONEY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace puckdrop::jq::worker {

// An amount of money, exact.
struct Amount {
  std::string currency_code;  // ISO 4217, upper case
  std::int64_t minor_units = 0;
};

// How many decimals the currency has (ISO 4217: JPY 0, EUR 2, KWD 3), -1 for a code that is not in the list. Case is
// ignored.
int CurrencyDecimals(std::string_view code);

// All three return an empty string, or the sentence that says why not.

// "14.90" of a currency in major units, by decimal arithmetic. Zeros beyond the currency's decimals are fine, other
// digits are not.
std::string MoneyFromDecimal(std::string_view decimal, std::string_view currency, Amount* amount);

// "1490" in minor units.
std::string MoneyFromMinor(std::string_view integer, std::string_view currency, Amount* amount);

// google.type.Money: whole units and billionths, of the same sign.
std::string MoneyFromNanos(std::string_view units, std::string_view nanos, std::string_view currency, Amount* amount);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_MONEY_H_
