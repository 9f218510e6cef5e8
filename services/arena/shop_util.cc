#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) != 1) {
    throw std::runtime_error("the system has no random numbers");
  }
  return bytes;
}

constexpr int kPasswordRounds = 10'000;

std::string Derive(const std::string& password, const std::string& salt) {
  std::string key(32, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), kPasswordRounds,
                    EVP_sha256(), static_cast<int>(key.size()), reinterpret_cast<unsigned char*>(key.data()));
  return absl::BytesToHexString(key);
}

}  // namespace

std::string NewId(const std::string& prefix) { return prefix + absl::BytesToHexString(RandomBytes(10)); }

std::string NewReceipt(const std::string& prefix) {
  // Without 0 O 1 I, so that it survives a telephone call.
  static constexpr char kLetters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  std::string receipt = prefix;
  for (const char byte : RandomBytes(8)) receipt += kLetters[static_cast<unsigned char>(byte) % 32];
  return receipt;
}

std::string Sha256Hex(const std::string& data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(data.data(), data.size(), digest, &size, EVP_sha256(), nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), size));
}

std::string HmacHex(const std::string& key, const std::string& data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
       data.size(), digest, &size);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), size));
}

std::string HashPassword(const std::string& password) {
  const std::string salt = absl::BytesToHexString(RandomBytes(8));
  return salt + "$" + Derive(password, salt);
}

bool PasswordMatches(const std::string& password, const std::string& hash) {
  const size_t dollar = hash.find('$');
  if (dollar == std::string::npos) return false;
  const std::string derived = Derive(password, hash.substr(0, dollar));
  return derived.size() == hash.size() - dollar - 1 &&
         CRYPTO_memcmp(derived.data(), hash.data() + dollar + 1, derived.size()) == 0;
}

Json MoneyJson(int64_t minor_units, const std::string& currency) {
  return {{"minor_units", minor_units}, {"currency", currency}};
}

Json PriceJson(int64_t gross, const std::string& currency, int vat_basis_points) {
  const int64_t net = NetOf(gross, vat_basis_points);
  return {{"currency", currency},
          {"gross", gross},
          {"net", net},
          {"vat", gross - net},
          {"vat_rate", vat_basis_points / 100.0},
          {"vat_basis_points", vat_basis_points}};
}

std::string TextMember(const Json& body, const std::string& name, size_t limit) {
  const auto member = body.is_object() ? body.find(name) : body.end();
  if (!body.is_object() || member == body.end() || member->is_null()) return "";
  if (!member->is_string()) {
    throw Problem{422, "invalid_input",         "The input is not valid", name + " must be text", "",
                  0,   {{name, "must be text"}}};
  }
  std::string text = member->get<std::string>();
  if (text.size() > limit) {
    const std::string what = "must have at most " + std::to_string(limit) + " bytes";
    throw Problem{422, "invalid_input", "The input is not valid", name + " " + what, "", 0, {{name, what}}};
  }
  return text;
}

Problem NotFound(const std::string& code, const std::string& what) {
  return {404, code, "Not found", "There is no such " + what + "."};
}

bool OlderVersion(const std::string& a, const std::string& b) {
  const std::vector<std::string> left = absl::StrSplit(a, '.'), right = absl::StrSplit(b, '.');
  for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    int x = 0, y = 0;
    if (i < left.size() && !absl::SimpleAtoi(left[i], &x)) x = -1;
    if (i < right.size() && !absl::SimpleAtoi(right[i], &y)) y = -1;
    if (x != y) return x < y;
  }
  return false;
}

}  // namespace puckdrop::arena
