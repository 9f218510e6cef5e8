// Who may do what at a service: the tokens file.
//
//   # name   what proves it                                                            what it may do
//   alice    sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08   run waive pause
//   ci       sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752   run
//   night    cert:prober.launch.example                                                prober
#ifndef PUCKDROP_SERVICES_RUNTIME_ACCESS_LIST_H_
#define PUCKDROP_SERVICES_RUNTIME_ACCESS_LIST_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "puckdrop/v1/access.pb.h"

namespace puckdrop::runtime {

// A set of v1::Scope.
class Scopes {
 public:
  void Add(v1::Scope scope) { bits_ |= 1u << scope; }
  // Whoever has `run`, `waive`, `pause` or `plan` has `read`. Nobody has SCOPE_UNSPECIFIED.
  bool Has(v1::Scope scope) const;
  bool empty() const { return bits_ == 0; }
  // `run, pause`, in the order of the enum.
  std::string Words() const;

 private:
  unsigned bits_ = 0;
};

// `run` for SCOPE_RUN.
std::string ScopeWord(v1::Scope scope);
// Words with commas or spaces between them. INVALID_ARGUMENT names the word that is none, and those there are.
absl::StatusOr<Scopes> ParseScopes(absl::string_view words);

struct Grant {
  std::string name;
  std::string token_sha256;  // 32 bytes; empty for a certificate's
  std::string certificate;   // its common name or one of its alternative names; empty for a token's
  Scopes scopes;
};

// INVALID_ARGUMENT with `file:line`, what is wrong and how it is written; never repeats what may be a token.
absl::StatusOr<std::vector<Grant>> ParseTokens(absl::string_view text, const std::string& file);

// The list now in force. Thread-safe.
class AccessList {
 public:
  // As ReadSmallFile and ParseTokens; FAILED_PRECONDITION when others may write the file.
  static absl::StatusOr<std::shared_ptr<AccessList>> Load(const std::string& file);

  // Reads the file again. When it cannot be read or is broken the old list stays in force.
  absl::Status Reload();

  // Whose token this is. Takes as long for any that is none.
  std::optional<Grant> FindToken(absl::string_view token) const;
  std::optional<Grant> FindTokenByHash(absl::string_view sha256) const;
  // The first line that names one of these.
  std::optional<Grant> FindCertificate(const std::vector<std::string>& names) const;

  const std::string& file() const { return file_; }

 private:
  explicit AccessList(std::string file) : file_(std::move(file)) {}
  std::shared_ptr<const std::vector<Grant>> grants() const;

  const std::string file_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<Grant>> grants_;  // guarded by mutex_
};

// A token nobody can guess, 256 random bits: `pd_` and 43 characters of A-Z a-z 0-9 - _.
std::string NewToken();
// 32 bytes.
std::string Sha256(absl::string_view text);
// The line of the tokens file for it. INVALID_ARGUMENT for a name that is not 1 to 64 of A-Z a-z 0-9 . _ @ -.
absl::StatusOr<std::string> TokenLine(const std::string& name, absl::string_view token, const Scopes& scopes);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_ACCESS_LIST_H_
