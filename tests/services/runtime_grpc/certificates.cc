#include "tests/services/runtime_grpc/certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace puckdrop::runtime {
namespace {

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

void AddExtension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCertificate MakeCertificate(const TestCertificateOptions& options, const TestCertificate* authority) {
  TestCertificate made;
  made.key.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
  made.certificate.reset(X509_new(), X509_free);
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof serial);
  serial[0] &= 0x7F;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(options.from_now));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(options.until));
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(options.name.c_str()),
                             -1, -1, 0);
  X509* issuer = authority == nullptr ? certificate : authority->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, made.key.get());
  if (authority == nullptr) {
    AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    AddExtension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
    AddExtension(certificate, issuer, NID_subject_alt_name, "DNS:" + options.name + "," + options.alternatives);
  }
  X509_sign(certificate, authority == nullptr ? made.key.get() : authority->key.get(), EVP_sha256());
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  made.certificate_pem = Text(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  made.key_pem = Text(bio);
  return made;
}

std::string EncryptedKey(const TestCertificate& certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  const unsigned char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio, certificate.key.get(), EVP_aes_128_cbc(), reinterpret_cast<const char*>(password),
                                6, nullptr, nullptr);
  return Text(bio);
}

void WriteFile(const std::string& path, const std::string& text, unsigned mode) {
  const std::string beside = path + ".new";
  std::ofstream(beside, std::ios::binary) << text;
  chmod(beside.c_str(), mode);
  ASSERT_EQ(std::rename(beside.c_str(), path.c_str()), 0);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TestDirectory::TestDirectory() {
  char name[] = "/tmp/puckdrop-test-XXXXXX";
  path_ = mkdtemp(name);
}

TestDirectory::~TestDirectory() { std::filesystem::remove_all(path_); }

}  // namespace puckdrop::runtime
