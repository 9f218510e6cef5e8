#include "services/runtime/access_list.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/runtime/file_watch.h"
#include "services/runtime/logging.h"

namespace puckdrop::runtime {
namespace {

constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kMostGrants = 1000;
constexpr size_t kTokenBytes = 32;
constexpr char kForm[] = "a line is NAME sha256:HASH SCOPES or NAME cert:NAME SCOPES (`puckdrop token new` prints one)";

bool IsName(absl::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '@' && c != '-') {
      return false;
    }
  }
  return true;
}

std::string AllScopeWords() {
  std::vector<std::string> words;
  for (int scope = v1::SCOPE_READ; scope <= v1::Scope_MAX; ++scope) {
    if (v1::Scope_IsValid(scope)) words.push_back(ScopeWord(static_cast<v1::Scope>(scope)));
  }
  return absl::StrJoin(words, ", ");
}

absl::StatusOr<Grant> ParseLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t,"), absl::SkipEmpty());
  if (words.size() < 3) return absl::InvalidArgumentError(kForm);
  Grant grant;
  grant.name = std::string(words[0]);
  if (!IsName(grant.name)) return absl::InvalidArgumentError("a name is 1 to 64 of A-Z a-z 0-9 . _ @ -");
  absl::string_view proof = words[1];
  if (absl::ConsumePrefix(&proof, "sha256:")) {
    for (const char c : proof) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) proof = "";
    }
    if (proof.size() != 64) return absl::InvalidArgumentError("what follows sha256: must be 64 hexadecimal digits");
    grant.token_sha256 = absl::HexStringToBytes(proof);
  } else if (absl::ConsumePrefix(&proof, "cert:")) {
    if (proof.empty() || proof.size() > 256) return absl::InvalidArgumentError("cert: needs a certificate's name");
    grant.certificate = std::string(proof);
  } else if (absl::StartsWith(proof, "pd_")) {
    return absl::InvalidArgumentError(
        "this is a token itself, which does not belong here: anybody who reads this file could use it. Make a new one "
        "with `puckdrop token new` and write down its hash");
  } else {
    return absl::InvalidArgumentError(kForm);
  }
  absl::StatusOr<Scopes> scopes = ParseScopes(absl::StrJoin(words.begin() + 2, words.end(), " "));
  if (!scopes.ok()) return scopes.status();
  grant.scopes = *scopes;
  return grant;
}

}  // namespace

bool Scopes::Has(v1::Scope scope) const {
  if (scope == v1::SCOPE_UNSPECIFIED) return false;
  if ((bits_ & (1u << scope)) != 0) return true;
  const unsigned people = 1u << v1::SCOPE_RUN | 1u << v1::SCOPE_WAIVE | 1u << v1::SCOPE_PAUSE | 1u << v1::SCOPE_PLAN;
  return scope == v1::SCOPE_READ && (bits_ & people) != 0;
}

std::string Scopes::Words() const {
  std::vector<std::string> words;
  for (int scope = v1::SCOPE_READ; scope <= v1::Scope_MAX; ++scope) {
    if ((bits_ & (1u << scope)) != 0) words.push_back(ScopeWord(static_cast<v1::Scope>(scope)));
  }
  return absl::StrJoin(words, ", ");
}

std::string ScopeWord(v1::Scope scope) {
  return absl::AsciiStrToLower(absl::StripPrefix(v1::Scope_Name(scope), "SCOPE_"));
}

absl::StatusOr<Scopes> ParseScopes(absl::string_view words) {
  Scopes scopes;
  for (absl::string_view word : absl::StrSplit(words, absl::ByAnyChar(" \t,"), absl::SkipEmpty())) {
    v1::Scope scope = v1::SCOPE_UNSPECIFIED;
    const std::string text(word);
    if (text != absl::AsciiStrToLower(text) || !v1::Scope_Parse("SCOPE_" + absl::AsciiStrToUpper(text), &scope) ||
        scope == v1::SCOPE_UNSPECIFIED) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no scope \"", Printable(text, 24), "\"; there are ", AllScopeWords()));
    }
    scopes.Add(scope);
  }
  if (scopes.empty()) return absl::InvalidArgumentError(absl::StrCat("it needs a scope: ", AllScopeWords()));
  return scopes;
}

absl::StatusOr<std::vector<Grant>> ParseTokens(absl::string_view text, const std::string& file) {
  std::vector<Grant> grants;
  std::set<std::string> proofs;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = line.substr(0, line.find('#'));
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(file, ":", number, ": ", what));
    };
    absl::StatusOr<Grant> grant = ParseLine(line);
    if (!grant.ok()) return wrong(grant.status().message());
    // Two names for one proof: whose act would it be?
    const std::string proof = grant->certificate.empty() ? grant->token_sha256 : "cert:" + grant->certificate;
    if (!proofs.insert(proof).second) return wrong("the same token or certificate stands above; give each its own");
    if (grants.size() >= kMostGrants) return wrong(absl::StrCat("at most ", kMostGrants, " lines"));
    grants.push_back(*std::move(grant));
  }
  return grants;
}

absl::StatusOr<std::shared_ptr<AccessList>> AccessList::Load(const std::string& file) {
  std::shared_ptr<AccessList> list(new AccessList(file));
  absl::Status read = list->Reload();
  if (!read.ok()) return read;
  return list;
}

absl::Status AccessList::Reload() {
  absl::StatusOr<std::string> text = ReadSmallFile(file_, kMostBytes);
  if (!text.ok()) return text.status();
  if ((FileMode(file_) & 0002) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(file_, ": everybody may write it, and so give themselves any right: chmod o-w ", file_));
  }
  absl::StatusOr<std::vector<Grant>> grants = ParseTokens(*text, file_);
  if (!grants.ok()) return grants.status();
  std::lock_guard<std::mutex> lock(mutex_);
  grants_ = std::make_shared<const std::vector<Grant>>(*std::move(grants));
  return absl::OkStatus();
}

std::shared_ptr<const std::vector<Grant>> AccessList::grants() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return grants_;
}

std::optional<Grant> AccessList::FindToken(absl::string_view token) const { return FindTokenByHash(Sha256(token)); }

std::optional<Grant> AccessList::FindTokenByHash(absl::string_view sha256) const {
  std::optional<Grant> found;
  const std::shared_ptr<const std::vector<Grant>> all = grants();
  // To the end, whichever it is.
  for (const Grant& grant : *all) {
    if (grant.token_sha256.size() != sha256.size()) continue;
    if (CRYPTO_memcmp(grant.token_sha256.data(), sha256.data(), sha256.size()) == 0) found = grant;
  }
  return found;
}

std::optional<Grant> AccessList::FindCertificate(const std::vector<std::string>& names) const {
  const std::shared_ptr<const std::vector<Grant>> all = grants();
  for (const Grant& grant : *all) {
    if (grant.certificate.empty()) continue;
    for (const std::string& name : names) {
      if (name == grant.certificate) return grant;
    }
  }
  return std::nullopt;
}

std::string NewToken() {
  unsigned char bytes[kTokenBytes];
  // Cannot fail once seeded; a token that might be guessed must never be given out.
  if (RAND_bytes(bytes, sizeof bytes) != 1) std::abort();
  std::string text = absl::WebSafeBase64Escape(absl::string_view(reinterpret_cast<const char*>(bytes), sizeof bytes));
  while (!text.empty() && text.back() == '=') text.pop_back();
  OPENSSL_cleanse(bytes, sizeof bytes);
  return "pd_" + text;
}

std::string Sha256(absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

absl::StatusOr<std::string> TokenLine(const std::string& name, absl::string_view token, const Scopes& scopes) {
  if (!IsName(name)) return absl::InvalidArgumentError("a name is 1 to 64 of A-Z a-z 0-9 . _ @ -");
  return absl::StrCat(name, " sha256:", absl::BytesToHexString(Sha256(token)), " ", scopes.Words());
}

}  // namespace puckdrop::runtime
