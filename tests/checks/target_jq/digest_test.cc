#include "checks/target/jq/worker/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <set>

namespace puckdrop::jq::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(DigestTest, KnowsThePublishedVectors) {
  std::string text;
  EXPECT_EQ(Encode(Sha256("abc"), "hex", &text), "");
  EXPECT_EQ(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2.
  EXPECT_EQ(Encode(HmacSha256("Jefe", "what do ya want for nothing?"), "hex", &text), "");
  EXPECT_EQ(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 7636, appendix B.
  EXPECT_EQ(Encode(Sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "base64url", &text), "");
  EXPECT_EQ(text, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  EXPECT_THAT(Encode("", "base32", &text), HasSubstr("\"hex\""));
}

std::string Pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

TEST(DigestTest, SignsTokens) {
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  EVP_PKEY* ec = EVP_EC_gen("P-256");
  std::string signature;
  ASSERT_EQ(SignJwt("RS256", Pem(rsa), "header.payload", &signature), "");
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, rsa);
  EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                             reinterpret_cast<const unsigned char*>("header.payload"), 14),
            1);
  EVP_MD_CTX_free(context);
  EXPECT_EQ(SignJwt("ES256", Pem(ec), "header.payload", &signature), "");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_THAT(SignJwt("ES256", Pem(rsa), "x", &signature), HasSubstr("P-256"));
  EXPECT_THAT(SignJwt("RS256", "secret", "x", &signature), HasSubstr("RSA"));
  EXPECT_THAT(SignJwt("none", "", "x", &signature), HasSubstr("alg"));
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(ec);
}

TEST(DigestTest, MakesIdsThatDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = Uuid();
    EXPECT_THAT(uuid, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_TRUE(seen.insert(uuid).second);
    EXPECT_THAT(RandomText(20), MatchesRegex("[a-z0-9]{20}"));
  }
}

}  // namespace
}  // namespace puckdrop::jq::worker
