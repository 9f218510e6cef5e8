// What a process is given to be safe beyond loopback: who it is, whom it believes, who may do what.
#ifndef PUCKDROP_SERVICES_RUNTIME_SECURITY_H_
#define PUCKDROP_SERVICES_RUNTIME_SECURITY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/runtime/call_guard.h"
#include "services/runtime/file_watch.h"
#include "services/runtime/tls_files.h"

namespace grpc {
class Channel;
}

namespace puckdrop::runtime {

struct ServerSecurityOptions {
  const Clock* clock = nullptr;  // Required. Outlives it.
  std::string tls_certificate;   // --tls-cert
  std::string tls_key;           // --tls-key
  std::string tls_client_ca;     // --tls-client-ca: every client must show a certificate of theirs
  std::string tokens;            // --tokens
  std::string audit_log;         // --audit-log
  CallLimits limits;
};

// A server's side. Thread-safe.
class ServerSecurity {
 public:
  // With no files at all: loopback may do everything, and the limits hold. Errors as TlsFiles::Load, AccessList::Load
  // and AuditLog::Open. Files that change are taken up within two seconds; a broken one is logged and the old one
  // stays.
  static absl::StatusOr<std::shared_ptr<ServerSecurity>> Make(const ServerSecurityOptions& options);

  bool has_tls() const { return tls_ != nullptr; }
  bool has_tokens() const { return access_ != nullptr; }
  // For the bridge of every service.
  const std::shared_ptr<CallGuard>& guard() const { return guard_; }
  // nullptr without TLS.
  std::shared_ptr<grpc::ServerCredentials> Credentials() const;

 private:
  ServerSecurity() = default;
  std::shared_ptr<TlsFiles> tls_;
  std::shared_ptr<AccessList> access_;
  std::shared_ptr<CallGuard> guard_;
  FileWatch watch_;  // last: what it calls is above
};

struct ClientSecurityOptions {
  std::string tls_ca;           // --tls-ca: whom we believe; empty: no TLS
  std::string tls_certificate;  // --tls-cert, --tls-key: who we are, where the server wants to know
  std::string tls_key;
  std::string tls_server_name;  // --tls-server-name: what its certificate is for, when not the name it is called by
  std::string token_file;       // --token-file; first line
  std::string token;            // in place of it (PUCKDROP_TOKEN). A secret.
};

// A client's side. Thread-safe; its channels may outlive it, but then see no renewals.
class ClientSecurity {
 public:
  // With nothing at all: no TLS, no token. INVALID_ARGUMENT for a file that holds no token; else as TlsFiles::Load.
  static absl::StatusOr<std::shared_ptr<ClientSecurity>> Make(const ClientSecurityOptions& options);

  // To `host:port` or `unix:PATH`; kept, and reconnecting by itself. Every call on it carries the token.
  // FAILED_PRECONDITION rather than send a token in the clear beyond this machine.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const std::string& address) const;

 private:
  struct Token;
  ClientSecurity() = default;
  std::shared_ptr<TlsFiles> tls_;
  std::shared_ptr<Token> token_;  // nullptr: none
  std::string server_name_;
  FileWatch watch_;  // last
};

// PUCKDROP_TOKEN; empty when it is not set.
std::string TokenFromEnvironment();

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_SECURITY_H_
