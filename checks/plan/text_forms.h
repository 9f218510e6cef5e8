#ifndef PUCKDROP_CHECKS_PLAN_TEXT_FORMS_H_
#define PUCKDROP_CHECKS_PLAN_TEXT_FORMS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "puckdrop/v1/options.pb.h"
#include "puckdrop/v1/plan.pb.h"

// How single words of a plan are read. Every function is pure; an error is INVALID_ARGUMENT whose message says what is
// wanted in words that follow "`text` is not": "a duration (10s, 1m30s, -15m)".
namespace puckdrop::plan {

// `500ms`, `10s`, `1m30s`, `24h`, `-15m`, `+4h`, `2d`; a unit is always needed. At most 10 years either way.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);
// `14.90 EUR`: as many decimals as the currency has (ISO 4217), no more, no fewer. At most 13 digits before the point.
absl::StatusOr<target::v1::Money> ParseMoney(absl::string_view text);
// Decimals of a currency's amounts, or nothing if ISO 4217 has no such currency in use.
std::optional<int> CurrencyDecimals(absl::string_view code);
// RFC 3339, with its zone.
absl::StatusOr<absl::Time> ParseTimestamp(absl::string_view text);
// `720p50`, `2160p`, `1080i25`.
absl::StatusOr<v1::Plan::Quality> ParseQuality(absl::string_view text);
// `25.5 %` is 2550.
absl::StatusOr<std::int32_t> ParsePercent(absl::string_view text);
// `5 GB`, `512 KiB`, `1000`.
absl::StatusOr<std::int64_t> ParseBytes(absl::string_view text);
// A string field's form; OK for TEXT_FORM_UNSPECIFIED.
absl::Status CheckForm(v1::TextForm form, absl::string_view text);
// JSON's grammar of numbers.
bool IsJsonNumber(absl::string_view text);
// `*` stands for any run of characters.
bool MatchesPattern(absl::string_view pattern, absl::string_view text);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_TEXT_FORMS_H_
