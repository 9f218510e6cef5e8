// Certificates for tests, made when they are needed.
#ifndef PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_CERTIFICATES_H_
#define PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace puckdrop::runtime {

// A certificate with its key. Copies share both.
struct TestCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
  std::string certificate_pem;
  std::string key_pem;
};

struct TestCertificateOptions {
  std::string name = "launch.example";  // common name, and an alternative name
  std::string alternatives = "DNS:localhost,IP:127.0.0.1";
  absl::Duration from_now = -absl::Hours(1);
  absl::Duration until = absl::Hours(24 * 90);
};

// Signed by `authority`; an authority itself, signed by itself, with nullptr.
TestCertificate MakeCertificate(const TestCertificateOptions& options, const TestCertificate* authority);
// The key, encrypted with a password.
std::string EncryptedKey(const TestCertificate& certificate);

// Replaces the file in one step, as a renewal does; 0600.
void WriteFile(const std::string& path, const std::string& text, unsigned mode = 0600);
std::string ReadFile(const std::string& path);

// A directory that goes with it.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_TESTS_SERVICES_RUNTIME_GRPC_CERTIFICATES_H_
