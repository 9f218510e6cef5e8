// Certificates and keys from files, checked before they are used and renewed while we run.
#ifndef PUCKDROP_SERVICES_RUNTIME_TLS_FILES_H_
#define PUCKDROP_SERVICES_RUNTIME_TLS_FILES_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace puckdrop::runtime {

// PEM files. Certificate and key come together or not at all.
struct TlsFileNames {
  std::string certificate;  // ours, with its intermediates after it
  std::string key;          // ours, not encrypted
  std::string authorities;  // whom we believe: the peers' certificates must be signed by one of these
};

// Thread-safe. gRPC reads what was checked, from memory, and looks for a renewal every second; connections that exist
// stay as they are.
class TlsFiles {
 public:
  // Errors name the file and what to do: it is missing, unreadable, no PEM, the key belongs to another certificate, the
  // key is encrypted, the certificate has expired or is not valid yet. INVALID_ARGUMENT when only one of certificate
  // and key is given, or nothing at all. Warns in the log of a key that others may read, and of less than 14 days left.
  static absl::StatusOr<std::shared_ptr<TlsFiles>> Load(TlsFileNames names);
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  // Checks the files again and takes them as they are now. On an error (half of a renewal, say) nothing changes.
  absl::Status Reload();

  std::vector<std::string> files() const;

  // Needs certificate and key; with authorities every client must show a certificate of theirs.
  std::shared_ptr<grpc::ServerCredentials> ServerCredentials() const;
  // Needs authorities; shows our certificate when there is one. The server's must be for the name it is called by.
  std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials() const;

 private:
  class Held;
  explicit TlsFiles(TlsFileNames names);

  const TlsFileNames names_;
  std::mutex mutex_;
  std::unique_ptr<Held> identity_;     // certificate and key; nullptr without
  std::unique_ptr<Held> authorities_;  // nullptr without
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_TLS_FILES_H_
