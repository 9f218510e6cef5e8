#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_TEXT_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_TEXT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace puckdrop::jq::worker {

// Percent-encoding. kQuery leaves RFC 3986's unreserved characters; kForm is application/x-www-form-urlencoded of the
// URL standard (space as +).
enum class Escaping { kQuery, kForm };
std::string PercentEncode(std::string_view text, Escaping escaping);
// `+` is a space; a broken escape stays as it is.
std::string PercentDecode(std::string_view text);

// The pairs, in order and decoded, of a query string, or of the query of a URL ("https://x/cb?code=1#y"). A URL whose
// answer stands in its fragment ("https://x/cb#access_token=…") gives those.
std::vector<std::pair<std::string, std::string>> QueryPairs(std::string_view url_or_query);

// The visible text of an HTML document, for searching words in it: tags, comments, scripts, styles and the head's title
// are left out, character references resolved (the common names and all numbers), white space folded, one line per
// block.
std::string HtmlText(std::string_view html);

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_TEXT_H_
