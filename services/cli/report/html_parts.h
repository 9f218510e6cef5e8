// The pieces of the HTML report.
#ifndef PUCKDROP_SERVICES_CLI_REPORT_HTML_PARTS_H_
#define PUCKDROP_SERVICES_CLI_REPORT_HTML_PARTS_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/cli/gate_report.h"
#include "services/cli/report/summary.h"

namespace puckdrop::report {

// One line, escaped for text and quoted attributes.
std::string Html(absl::string_view text, size_t most = 2000);
// A name of words joined by `_` and `.`, which may be broken there and nowhere else.
std::string Name(absl::string_view name);
// Several lines, for <pre>.
std::string HtmlLines(absl::string_view text, size_t most);
// An id for links: `p-billing.charged_once`.
std::string Anchor(absl::string_view prefix, absl::string_view text);

// Appends in order, without an opinion on what.
template <typename... Parts>
void Put(std::string* out, const Parts&... parts) {
  absl::StrAppend(out, parts...);
}

// The whole style sheet.
absl::string_view StyleSheet();

// What may still be written.
struct Budget {
  size_t left = 0;
  bool Take(size_t bytes) {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  }
};

// Writes evidence; each piece once, and within the budget. Points into the report.
class EvidenceWriter {
 public:
  EvidenceWriter(const cli::GateReport& report, Budget* budget);

  // Figures of the pictures that these results name, at most `most`; empty if there is none left to show.
  std::string Pictures(const std::vector<const v1::Result*>& results, size_t most);
  // Figures of all pictures not yet shown.
  std::string OtherPictures();
  // Folded blocks of exchanges, playlists and numbers of these results; empty if there is none.
  std::string Blocks(const std::vector<const v1::Result*>& results, Budget* budget);
  // What did not fit, in words; empty if everything did.
  std::string LeftOut() const;

 private:
  std::string Figure(const v1::Evidence& evidence, const std::string& of, Budget* budget);
  std::string Exchanges(const v1::Evidence& evidence) const;
  std::string Block(const v1::Evidence& evidence) const;

  const cli::GateReport& report_;
  Budget* budget_;
  std::set<std::string> shown_;
  int pictures_left_out_ = 0;
  int blocks_left_out_ = 0;
};

}  // namespace puckdrop::report

#endif  // PUCKDROP_SERVICES_CLI_REPORT_HTML_PARTS_H_
