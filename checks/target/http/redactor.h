// Keeps secrets out of everything that is written: evidence, logs, reports, errors.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_REDACTOR_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_REDACTOR_H_

#include <cstddef>
#include <memory>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace puckdrop::http {

inline constexpr absl::string_view kRedacted = "<redacted>";

// One per run. Knows the run's secret values and blots them out wherever they appear, also URL-encoded, in base64
// (whole, both alphabets) and escaped as JSON. Thread-safe. Bounded: once 10,000 secrets are known a further one makes
// Redact hide every text whole, because it could not promise anything any more.
class Redactor {
 public:
  Redactor();
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // `name` appears in reproducing commands as $NAME; empty is allowed. A value of fewer than 4 bytes is not looked for
  // in texts, for it would blot out half of them (false); it still never appears, because headers and fields are
  // allow-listed.
  bool AddSecret(absl::string_view value, absl::string_view name = "");

  // `text` with every known secret replaced by "<redacted>".
  std::string Redact(absl::string_view text) const;

  // The same, in pieces, for who must write the secrets in another way: as $NAME in a command that a person runs.
  struct Piece {
    std::string text;  // empty for a secret
    bool is_secret = false;
    std::string placeholder;  // of a named secret that stands there as it is: its name as [A-Z_][A-Z0-9_]*; else empty
  };
  std::vector<Piece> Split(absl::string_view text) const;

  // The value if a header of that name may be shown (an allow-list), redacted as text; "<redacted>" otherwise.
  std::string HeaderValue(absl::string_view name, absl::string_view value) const;

  // The URL with userinfo removed and with the values of query parameters that are not allow-listed replaced.
  std::string Url(absl::string_view url) const;

  // A body for evidence: redacted as text, and in JSON and forms the values of members whose names speak of secrets
  // (password, token, card number, …) replaced; then cut to `most` bytes on a character's border, with "… (n bytes
  // more)".
  std::string Body(absl::string_view content_type, absl::string_view body, size_t most) const;

  size_t size() const;

  // Whether a header's or a query parameter's value may be shown, and whether a member's name speaks of a secret.
  static bool HeaderMayBeShown(absl::string_view name);
  static bool QueryMayBeShown(absl::string_view name);
  static bool NameIsSecret(absl::string_view name);

 private:
  struct Index;
  // Of the text's first `most` bytes; what begins in them is recognised as a whole.
  std::vector<Piece> SplitFirst(absl::string_view text, size_t most) const;

  mutable std::shared_mutex mutex_;
  std::unique_ptr<Index> index_;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_REDACTOR_H_
