#include "services/runtime/security.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/server.h"

namespace puckdrop::runtime {
namespace {

constexpr size_t kMostToken = 4096;

void Took(const char* what, const absl::Status& status) {
  if (status.ok()) {
    spdlog::info("{} changed: the new ones are in force", what);
  } else {
    spdlog::error("{} changed, but cannot be used, so the old ones stay in force: {}", what,
                  std::string(status.message()));
  }
}

absl::StatusOr<std::string> ReadToken(const std::string& file) {
  absl::StatusOr<std::string> text = ReadSmallFile(file, kMostToken);
  if (!text.ok()) return text.status();
  const std::string token(absl::StripAsciiWhitespace(text->substr(0, text->find('\n'))));
  // It becomes a header.
  for (const char c : token) {
    if (c <= ' ' || c >= 0x7F) return absl::InvalidArgumentError(absl::StrCat(file, ": its first line is no token"));
  }
  if (token.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": there is no token in its first line"));
  if ((FileMode(file) & 0004) != 0) {
    spdlog::warn("{}: everybody on this machine can read this token: chmod o-r {}", file, file);
  }
  return token;
}

// In the channel, so that no caller has to think of it, and so that a renewed one is used from the next call on. gRPC's
// own way (call credentials) refuses loopback without TLS.
class TokenInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit TokenInterceptor(std::string header) : header_(std::move(header)) {}
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->insert({"authorization", header_});
    }
    methods->Proceed();
  }

 private:
  const std::string header_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<ServerSecurity>> ServerSecurity::Make(const ServerSecurityOptions& options) {
  std::shared_ptr<ServerSecurity> security(new ServerSecurity);
  if (!options.tls_certificate.empty() || !options.tls_key.empty() || !options.tls_client_ca.empty()) {
    if (options.tls_certificate.empty()) {
      return absl::InvalidArgumentError("a server needs its own certificate for TLS: give --tls-cert and --tls-key");
    }
    absl::StatusOr<std::shared_ptr<TlsFiles>> tls =
        TlsFiles::Load({options.tls_certificate, options.tls_key, options.tls_client_ca});
    if (!tls.ok()) return tls.status();
    security->tls_ = *std::move(tls);
  }
  CallGuardOptions guard;
  guard.clock = options.clock;
  guard.limits = options.limits;
  if (!options.tokens.empty()) {
    absl::StatusOr<std::shared_ptr<AccessList>> access = AccessList::Load(options.tokens);
    if (!access.ok()) return access.status();
    security->access_ = *std::move(access);
    guard.access = security->access_;
  }
  if (!options.audit_log.empty()) {
    AuditLogOptions audit;
    audit.file = options.audit_log;
    absl::StatusOr<std::shared_ptr<AuditLog>> log = AuditLog::Open(std::move(audit));
    if (!log.ok()) return log.status();
    guard.audit = *std::move(log);
  }
  security->guard_ = std::make_shared<CallGuard>(std::move(guard));
  if (security->tls_ != nullptr) {
    security->watch_.Add(security->tls_->files(), [tls = security->tls_] { Took("the files of TLS", tls->Reload()); });
  }
  if (security->access_ != nullptr) {
    security->watch_.Add({security->access_->file()}, [access = security->access_, guarded = security->guard_] {
      const absl::Status reloaded = access->Reload();
      Took("the tokens", reloaded);
      if (reloaded.ok()) guarded->Recheck();
    });
  }
  return security;
}

std::shared_ptr<grpc::ServerCredentials> ServerSecurity::Credentials() const {
  return tls_ == nullptr ? nullptr : tls_->ServerCredentials();
}

struct ClientSecurity::Token {
  std::mutex mutex;
  std::string header;  // guarded by mutex

  void Set(const std::string& token) {
    std::lock_guard<std::mutex> lock(mutex);
    header = absl::StrCat("Bearer ", token);
  }
  std::string Header() {
    std::lock_guard<std::mutex> lock(mutex);
    return header;
  }

  class Factory final : public grpc::experimental::ClientInterceptorFactoryInterface {
   public:
    explicit Factory(std::shared_ptr<Token> token) : token_(std::move(token)) {}
    grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
      return new TokenInterceptor(token_->Header());
    }

   private:
    const std::shared_ptr<Token> token_;
  };
};

absl::StatusOr<std::shared_ptr<ClientSecurity>> ClientSecurity::Make(const ClientSecurityOptions& options) {
  std::shared_ptr<ClientSecurity> security(new ClientSecurity);
  security->server_name_ = options.tls_server_name;
  if (!options.tls_ca.empty()) {
    absl::StatusOr<std::shared_ptr<TlsFiles>> tls =
        TlsFiles::Load({options.tls_certificate, options.tls_key, options.tls_ca});
    if (!tls.ok()) return tls.status();
    security->tls_ = *std::move(tls);
    security->watch_.Add(security->tls_->files(),
                         [files = security->tls_] { Took("the files of TLS", files->Reload()); });
  } else if (!options.tls_server_name.empty()) {
    return absl::InvalidArgumentError("--tls-server-name is for TLS: give --tls-ca too");
  }
  std::string token = options.token;
  if (!options.token_file.empty()) {
    absl::StatusOr<std::string> read = ReadToken(options.token_file);
    if (!read.ok()) return read.status();
    token = *std::move(read);
  }
  for (const char c : token) {
    if (c <= ' ' || c >= 0x7F) return absl::InvalidArgumentError("PUCKDROP_TOKEN holds no token");
  }
  if (!token.empty()) {
    security->token_ = std::make_shared<Token>();
    security->token_->Set(token);
  }
  if (!options.token_file.empty()) {
    security->watch_.Add({options.token_file}, [kept = security->token_, file = options.token_file] {
      absl::StatusOr<std::string> read = ReadToken(file);
      if (read.ok()) kept->Set(*read);
      Took("the token", read.status());
    });
  }
  return security;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ClientSecurity::Connect(const std::string& address) const {
  if (tls_ == nullptr && token_ != nullptr && !CheckListenAddress(address).ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the token would travel to ", address,
        " in the clear, for everybody on the way to take: give --tls-ca FILE, the authority of its certificate"));
  }
  grpc::ChannelArguments arguments = ChannelArgumentsOfClients();
  if (!server_name_.empty()) arguments.SetSslTargetNameOverride(server_name_);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (token_ != nullptr) interceptors.push_back(std::make_unique<Token::Factory>(token_));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      address, tls_ == nullptr ? grpc::InsecureChannelCredentials() : tls_->ChannelCredentials(), arguments,
      std::move(interceptors));
}

std::string TokenFromEnvironment() {
  const char* token = std::getenv("PUCKDROP_TOKEN");
  return token == nullptr ? "" : token;
}

}  // namespace puckdrop::runtime
