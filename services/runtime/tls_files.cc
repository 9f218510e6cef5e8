#include "services/runtime/tls_files.h"

#include <fcntl.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/runtime/file_watch.h"

namespace puckdrop::runtime {
namespace {

constexpr size_t kMostBytes = 4 << 20;  // a whole system bundle is 220 kB
constexpr unsigned kRefreshSeconds = 1;
constexpr int kWarnDays = 14;

template <typename T, void (*Free)(T*)>
struct Freeing {
  void operator()(T* p) const { Free(p); }
};
using X509Pointer = std::unique_ptr<X509, Freeing<X509, X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY, EVP_PKEY_free>>;
struct BioFreeing {
  void operator()(BIO* p) const { BIO_free(p); }
};
using BioPointer = std::unique_ptr<BIO, BioFreeing>;

BioPointer Reader(const std::string& text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<X509Pointer> Certificates(const std::string& pem) {
  std::vector<X509Pointer> all;
  const BioPointer bio = Reader(pem);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(next);
  ERR_clear_error();
  return all;
}

std::string Moment(const ASN1_TIME* time) {
  std::tm civil{};
  if (ASN1_TIME_to_tm(time, &civil) != 1) return "an unreadable time";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromTM(civil, absl::UTCTimeZone()), absl::UTCTimeZone());
}

absl::Status CheckTimes(const std::string& file, const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    return absl::FailedPreconditionError(absl::StrCat(file, ": the certificate expired at ",
                                                      Moment(X509_get0_notAfter(certificate)),
                                                      ": renew it (nobody would "
                                                      "believe it any more)"));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    return absl::FailedPreconditionError(absl::StrCat(file, ": the certificate is not valid before ",
                                                      Moment(X509_get0_notBefore(certificate)),
                                                      ": is this machine's clock right?"));
  }
  return absl::OkStatus();
}

// An encrypted key must not ask for its password on the terminal.
int NoPassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// One PEM text with the key and the chain after it.
absl::StatusOr<std::string> ReadIdentity(const TlsFileNames& names) {
  absl::StatusOr<std::string> chain = ReadSmallFile(names.certificate, kMostBytes);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key_text = ReadSmallFile(names.key, kMostBytes);
  if (!key_text.ok()) return key_text.status();
  const std::vector<X509Pointer> certificates = Certificates(*chain);
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(names.certificate, ": there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)"));
  }
  bool encrypted = false;
  const BioPointer bio = Reader(*key_text);
  const KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, &encrypted));
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        encrypted ? absl::StrCat(names.key,
                                 ": the key is encrypted, and nobody is there to type its password: give it "
                                 "decrypted, in a file only this user can read")
                  : absl::StrCat(names.key, ": there is no private key in it (PEM, -----BEGIN PRIVATE KEY-----)"));
  }
  const bool fits = X509_check_private_key(certificates.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(names.key, ": the key does not belong to the first certificate of ",
                                                   names.certificate, ": give both of one pair"));
  }
  for (const X509Pointer& certificate : certificates) {
    if (absl::Status times = CheckTimes(names.certificate, certificate.get()); !times.ok()) return times;
  }
  int days = 0;
  int seconds = 0;
  const ASN1_TIME* end = X509_get0_notAfter(certificates.front().get());
  if (ASN1_TIME_diff(&days, &seconds, nullptr, end) == 1 && days < kWarnDays) {
    spdlog::warn("{}: the certificate expires at {}: renew it", names.certificate, Moment(end));
  }
  if ((FileMode(names.key) & 0004) != 0) {
    spdlog::warn("{}: everybody on this machine can read this private key: chmod o-r {}", names.key, names.key);
  }
  return absl::StrCat(*key_text, "\n", *chain);
}

absl::StatusOr<std::string> ReadAuthorities(const std::string& file) {
  absl::StatusOr<std::string> text = ReadSmallFile(file, kMostBytes);
  if (!text.ok()) return text.status();
  const std::vector<X509Pointer> certificates = Certificates(*text);
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)"));
  }
  absl::Status first;
  for (const X509Pointer& certificate : certificates) {
    absl::Status times = CheckTimes(file, certificate.get());
    if (times.ok()) return *std::move(text);
    if (first.ok()) first = std::move(times);
  }
  return first;
}

}  // namespace

// A file without a place: gRPC's watcher wants a path, and what it reads must be whole and checked. A renewal is
// written to a new one that takes the old one's number, so a reader has either all of the old or all of the new.
class TlsFiles::Held {
 public:
  static absl::StatusOr<std::unique_ptr<Held>> Make(const std::string& text) {
    absl::StatusOr<int> file = Write(text);
    if (!file.ok()) return file.status();
    return std::unique_ptr<Held>(new Held(*file));
  }

  absl::Status Replace(const std::string& text) {
    absl::StatusOr<int> file = Write(text);
    if (!file.ok()) return file.status();
    const bool taken = dup3(*file, file_, O_CLOEXEC) >= 0;
    close(*file);
    return taken ? absl::OkStatus() : absl::InternalError(std::strerror(errno));
  }

  std::string path() const { return absl::StrCat("/proc/self/fd/", file_); }

 private:
  // Never closed: gRPC's watcher may outlive us by a moment, and must not find a stranger's file under the number.
  explicit Held(int file) : file_(file) {}

  static absl::StatusOr<int> Write(const std::string& text) {
    const int file = memfd_create("puckdrop-tls", MFD_CLOEXEC);
    if (file < 0) return absl::InternalError(absl::StrCat("memfd_create: ", std::strerror(errno)));
    size_t done = 0;
    while (done < text.size()) {
      const ssize_t wrote = write(file, text.data() + done, text.size() - done);
      if (wrote <= 0) {
        const absl::Status wrong = absl::InternalError(absl::StrCat("memfd: ", std::strerror(errno)));
        close(file);
        return wrong;
      }
      done += static_cast<size_t>(wrote);
    }
    return file;
  }

  const int file_;
};

TlsFiles::TlsFiles(TlsFileNames names) : names_(std::move(names)) {}
TlsFiles::~TlsFiles() = default;

absl::StatusOr<std::shared_ptr<TlsFiles>> TlsFiles::Load(TlsFileNames names) {
  if (names.certificate.empty() != names.key.empty()) {
    return absl::InvalidArgumentError("a certificate needs its key and a key its certificate: give both or neither");
  }
  if (names.certificate.empty() && names.authorities.empty()) {
    return absl::InvalidArgumentError("TLS needs a certificate and its key, or the authorities to believe");
  }
  std::shared_ptr<TlsFiles> files(new TlsFiles(std::move(names)));
  absl::Status read = files->Reload();
  if (!read.ok()) return read;
  return files;
}

absl::Status TlsFiles::Reload() {
  std::string identity;
  std::string authorities;
  if (!names_.certificate.empty()) {
    absl::StatusOr<std::string> read = ReadIdentity(names_);
    if (!read.ok()) return read.status();
    identity = *std::move(read);
  }
  if (!names_.authorities.empty()) {
    absl::StatusOr<std::string> read = ReadAuthorities(names_.authorities);
    if (!read.ok()) return read.status();
    authorities = *std::move(read);
  }
  std::lock_guard<std::mutex> lock(mutex_);
  const auto take = [](const std::string& text, std::unique_ptr<Held>& held) {
    if (text.empty()) return absl::OkStatus();
    if (held != nullptr) return held->Replace(text);
    absl::StatusOr<std::unique_ptr<Held>> made = Held::Make(text);
    if (made.ok()) held = *std::move(made);
    return made.status();
  };
  absl::Status taken = take(identity, identity_);
  if (taken.ok()) taken = take(authorities, authorities_);
  OPENSSL_cleanse(identity.data(), identity.size());
  return taken;
}

std::vector<std::string> TlsFiles::files() const {
  std::vector<std::string> files;
  for (const std::string* name : {&names_.certificate, &names_.key, &names_.authorities}) {
    if (!name->empty()) files.push_back(*name);
  }
  return files;
}

std::shared_ptr<grpc::ServerCredentials> TlsFiles::ServerCredentials() const {
  if (identity_ == nullptr) return nullptr;
  const std::string own = identity_->path();
  auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      own, own, authorities_ == nullptr ? "" : authorities_->path(), kRefreshSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (authorities_ != nullptr) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> TlsFiles::ChannelCredentials() const {
  if (authorities_ == nullptr) return nullptr;
  const std::string own = identity_ == nullptr ? "" : identity_->path();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      own, own, authorities_->path(), kRefreshSeconds));
  options.watch_root_certs();
  if (identity_ != nullptr) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace puckdrop::runtime
