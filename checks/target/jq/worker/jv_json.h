#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_JV_JSON_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_JV_JSON_H_

extern "C" {
#include <jv.h>
}

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace puckdrop::jq::worker {

constexpr int kMaxDepth = 200;

// The parts of a JSON text that are worth building.
class Wanted {
 public:
  // Adds the value at path[from…], with all below it; an empty path is everything.
  void Add(const std::vector<std::string>& path, std::size_t from = 0);
  bool everything() const { return everything_; }
  // Null when nothing of that member is wanted.
  const Wanted* Member(std::string_view name) const;

 private:
  bool everything_ = false;
  std::map<std::string, Wanted, std::less<>> members_;
};

// Reads one JSON text (RFC 8259, strictly; a byte order mark is skipped). Differs from jv_parse where that loses or
// hangs: integers beyond 2^53 become strings, deeper than kMaxDepth is an error instead of an assertion, invalid UTF-8
// and lone surrogates become U+FFFD. Empty text and only spaces are null. False: `*error` says what is wrong and where.
// With `wanted`, members of objects that are not wanted are checked like the rest but left out.
bool ParseJson(std::string_view text, jv* value, std::string* error, const Wanted* wanted = nullptr);

// A string of any bytes; what is not UTF-8 becomes U+FFFD.
jv ToJvString(std::string_view text);

// The bytes of a string value, which must outlive the view.
std::string_view View(const jv& string);

enum class WriteEnd { kOk, kTooLarge, kTooDeep };

// Appends `value` (not consumed) as compact JSON: numbers in the fewest digits that read back the same, NaN as null.
// Stops when `out` grows beyond `max_size` bytes.
WriteEnd WriteJson(const jv& value, std::size_t max_size, std::string* out);

// A finite number as decimal digits without exponent: 14.9 is "14.9", 1e21 is "1000000000000000000000".
std::string PlainNumber(double number);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_JV_JSON_H_
