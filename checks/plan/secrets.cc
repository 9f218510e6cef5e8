#include "checks/plan/secrets.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::plan {
namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr std::size_t kShortestRedacted = 4;

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return absl::NotFoundError("there is no such file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError("the file cannot be opened");
  std::string text(kLongest + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLongest) return absl::NotFoundError(absl::StrCat("the file is longer than ", kLongest, " bytes"));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

}  // namespace

SecretValue::~SecretValue() {
  if (!value_.empty()) OPENSSL_cleanse(value_.data(), value_.size());
}

std::string Describe(const v1::Secret& secret) {
  return secret.has_file() ? absl::StrCat("{ file: ", secret.file(), " }")
                           : absl::StrCat("{ env: ", secret.env(), " }");
}

absl::StatusOr<SecretValue> SecretStore::Resolve(const v1::Secret& secret) {
  const std::string name = Describe(secret);
  if (secret.source_case() == v1::Secret::SOURCE_NOT_SET) return absl::NotFoundError("the plan names no secret here");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = values_.find(name); found != values_.end()) return found->second;
  }
  std::string value;
  if (secret.has_file()) {
    absl::StatusOr<std::string> content = ReadSecretFile(secret.file());
    if (!content.ok()) {
      return absl::NotFoundError(
          absl::StrCat("the secret ", name, " is missing: ", std::string(content.status().message())));
    }
    value = *std::move(content);
  } else {
    std::optional<std::string> content = environment_(secret.env());
    if (!content.has_value()) {
      return absl::NotFoundError(absl::StrCat("the secret ", name, " is missing: the environment variable is not set"));
    }
    value = *std::move(content);
  }
  if (value.empty()) return absl::NotFoundError(absl::StrCat("the secret ", name, " is missing: it is empty"));
  SecretValue out(std::move(value));
  const std::lock_guard<std::mutex> lock(mutex_);
  values_.insert_or_assign(name, out);
  return out;
}

std::vector<SecretValue> SecretStore::Known() const {
  std::vector<SecretValue> out;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [name, value] : values_) {
      if (value.Reveal().size() >= kShortestRedacted) out.push_back(value);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const SecretValue& a, const SecretValue& b) { return a.Reveal().size() > b.Reveal().size(); });
  return out;
}

}  // namespace puckdrop::plan
