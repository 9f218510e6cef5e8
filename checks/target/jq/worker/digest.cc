#include "checks/target/jq/worker/digest.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <array>
#include <cstdint>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace puckdrop::jq::worker {
namespace {

struct Free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
};

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

void RandomBytes(void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got > 0) {
      at += got;
      size -= static_cast<std::size_t>(got);
    }
  }
}

// JWS wants r and s side by side where OpenSSL gives DER.
std::string RawEcdsa(std::string_view der) {
  const unsigned char* at = Bytes(der);
  const std::unique_ptr<ECDSA_SIG, Free> sig(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(64, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), out, 32) != 32 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), out + 32, 32) != 32) {
    return "";
  }
  return raw;
}

}  // namespace

std::string Base64(std::string_view bytes) { return absl::Base64Escape(Absl(bytes)); }

std::string Base64Url(std::string_view bytes) { return absl::WebSafeBase64Escape(Absl(bytes)); }

bool Base64UrlDecode(std::string_view text, std::string* bytes) {
  return absl::WebSafeBase64Unescape(Absl(text), bytes);
}

std::string Encode(std::string_view bytes, std::string_view encoding, std::string* text) {
  if (encoding == "hex") {
    *text = absl::BytesToHexString(Absl(bytes));
  } else if (encoding == "base64") {
    *text = Base64(bytes);
  } else if (encoding == "base64url") {
    *text = Base64Url(bytes);
  } else {
    return absl::StrCat("the encoding should be \"hex\", \"base64\" or \"base64url\", not \"",
                        std::string(encoding.substr(0, 40)), "\"");
  }
  return "";
}

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(Bytes(bytes), bytes.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(bytes), bytes.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string SignJwt(std::string_view algorithm, std::string_view key, std::string_view signing_input,
                    std::string* signature) {
  if (algorithm == "HS256") {
    *signature = HmacSha256(key, signing_input);
    return "";
  }
  if (algorithm != "RS256" && algorithm != "ES256") {
    return absl::StrCat("the header's alg should be HS256, RS256 or ES256, not \"",
                        std::string(algorithm.substr(0, 40)), "\"");
  }
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  // The callback answers "no passphrase" instead of asking a terminal.
  const std::unique_ptr<EVP_PKEY, Free> pkey(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  ERR_clear_error();
  const int wanted = algorithm == "RS256" ? EVP_PKEY_RSA : EVP_PKEY_EC;
  if (!pkey || EVP_PKEY_base_id(pkey.get()) != wanted || (wanted == EVP_PKEY_EC && EVP_PKEY_bits(pkey.get()) != 256)) {
    return absl::StrCat("the key should be ", wanted == EVP_PKEY_RSA ? "an RSA" : "a P-256",
                        " private key in PEM, without passphrase, for ", std::string(algorithm));
  }
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, Bytes(signing_input), signing_input.size()) != 1) {
    return "the key cannot sign";
  }
  signature->resize(size);
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature->data()), &size, Bytes(signing_input),
                     signing_input.size()) != 1) {
    return "the key cannot sign";
  }
  signature->resize(size);
  if (wanted == EVP_PKEY_EC) *signature = RawEcdsa(*signature);
  return signature->empty() ? "the key cannot sign" : "";
}

std::string Uuid() {
  std::array<unsigned char, 16> bytes{};
  RandomBytes(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  for (std::size_t at : {8, 13, 18, 23}) hex.insert(at, "-");
  return hex;
}

std::string RandomText(int length) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < static_cast<std::size_t>(length)) {
    std::array<unsigned char, 64> bytes{};
    RandomBytes(bytes.data(), bytes.size());
    for (unsigned char byte : bytes) {
      // 252 = 7 * 36: the rest would favour the first letters.
      if (byte < 252 && text.size() < static_cast<std::size_t>(length))
        text.push_back(kLetters[byte % kLetters.size()]);
    }
  }
  return text;
}

}  // namespace puckdrop::jq::worker
