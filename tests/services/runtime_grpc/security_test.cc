// TLS, tokens and limits over real connections, on loopback.
#include "services/runtime/security.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>

#include "absl/strings/str_cat.h"
#include "puckdrop/v1/readiness_service.grpc.pb.h"
#include "services/runtime/server.h"
#include "services/runtime/status_convert.h"
#include "tests/services/runtime_grpc/certificates.h"
#include "tests/services/runtime_grpc/test_service.h"

namespace puckdrop::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Watches until its caller goes.
class WatchService final : public v1::ReadinessService::CallbackService {
 public:
  explicit WatchService(Bridge bridge, EventLoop& loop, const Clock& clock)
      : bridge_(std::move(bridge)), loop_(loop), clock_(clock) {}
  std::atomic<int> paused = 0;

  grpc::ServerWriteReactor<v1::Verdict>* WatchVerdict(grpc::CallbackServerContext* context,
                                                      const v1::WatchVerdictRequest* request) override {
    return bridge_.Stream<v1::WatchVerdictRequest, v1::Verdict>(
        context, request,
        [this](CallContext& call, const v1::WatchVerdictRequest&,
               Writer<v1::Verdict>& writer) -> awaitable<absl::Status> {
          v1::Verdict verdict;
          verdict.set_launch(call.caller());
          absl::Status written = co_await writer.Write(std::move(verdict));
          if (!written.ok()) co_return written;
          absl::Status slept = co_await loop_.SleepFor(clock_, absl::Minutes(5));
          co_return slept;
        });
  }
  grpc::ServerUnaryReactor* PauseProbing(grpc::CallbackServerContext* context, const v1::PauseProbingRequest* request,
                                         v1::PauseProbingResponse* response) override {
    return bridge_.Unary<v1::PauseProbingRequest, v1::PauseProbingResponse>(
        context, request, response,
        [this](CallContext&, const v1::PauseProbingRequest&, v1::PauseProbingResponse&) -> awaitable<absl::Status> {
          ++paused;
          co_return absl::OkStatus();
        });
  }

 private:
  Bridge bridge_;
  EventLoop& loop_;
  const Clock& clock_;
};

// The common name of the certificate that a server shows; why not, in brackets, when there is none.
std::string ServedName(int port) {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{.tv_sec = 10};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string name = "(no connection)";
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context.get()), SSL_free);
    const unsigned char h2[] = "\x02h2";
    SSL_set_alpn_protos(tls.get(), h2, 3);
    SSL_set_fd(tls.get(), connection);
    name = "(no handshake)";
    if (SSL_connect(tls.get()) == 1) {
      X509* certificate = SSL_get1_peer_certificate(tls.get());
      char text[256] = "";
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
      name = text;
      X509_free(certificate);
    }
  }
  close(connection);
  return name;
}

class SecurityTest : public ::testing::Test {
 protected:
  SecurityTest() {
    WriteFile(directory_ / "ca.pem", ca_.certificate_pem);
    WriteFile(directory_ / "strange-ca.pem", strange_ca_.certificate_pem);
    Write("server", MakeCertificate({.name = "first.example"}, &ca_));
    Write("prober", MakeCertificate({.name = "prober.example"}, &ca_));
    Write("stranger", MakeCertificate({.name = "prober.example"}, &strange_ca_));
  }
  ~SecurityTest() override {
    if (server_) server_->Shutdown(absl::Seconds(1));
    loop_.Stop();
  }
  void Write(const std::string& name, const TestCertificate& made) {
    WriteFile(directory_ / (name + ".key"), made.key_pem);
    WriteFile(directory_ / (name + ".pem"), made.certificate_pem);
  }
  void WriteTokens(const std::string& more = "") {
    WriteFile(directory_ / "tokens", absl::StrCat(*TokenLine("alice", alice_, *ParseScopes("pause")), "\n",
                                                  *TokenLine("viewer", viewer_, *ParseScopes("read")), "\n", more));
  }
  ServerSecurityOptions Tls(bool mutual = false) {
    ServerSecurityOptions options;
    options.tls_certificate = directory_ / "server.pem";
    options.tls_key = directory_ / "server.key";
    if (mutual) options.tls_client_ca = directory_ / "ca.pem";
    return options;
  }
  ServerSecurityOptions Tokens() {
    ServerSecurityOptions options;
    options.tokens = directory_ / "tokens";
    return options;
  }
  void Start(ServerSecurityOptions security) {
    security.clock = &clock_;
    absl::StatusOr<std::shared_ptr<ServerSecurity>> made = ServerSecurity::Make(security);
    ASSERT_TRUE(made.ok()) << made.status();
    security_ = *made;
    service_ = std::make_unique<WatchService>(Bridge(loop_, clock_, {.guard = security_->guard()}), loop_, clock_);
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.security = security_;
    absl::StatusOr<std::unique_ptr<ServiceServer>> server = ServiceServer::Start(options, {service_.get()});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
  }
  std::shared_ptr<grpc::Channel> Connect(const ClientSecurityOptions& options) {
    absl::StatusOr<std::shared_ptr<ClientSecurity>> made = ClientSecurity::Make(options);
    EXPECT_TRUE(made.ok()) << made.status();
    clients_.push_back(*made);
    absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = clients_.back()->Connect(server_->address());
    EXPECT_TRUE(channel.ok()) << channel.status();
    return *channel;
  }
  ClientSecurityOptions Trusting(const std::string& ca = "ca.pem", const std::string& as = "") {
    ClientSecurityOptions options;
    options.tls_ca = directory_ / ca;
    if (!as.empty()) {
      options.tls_certificate = directory_ / (as + ".pem");
      options.tls_key = directory_ / (as + ".key");
    }
    return options;
  }
  absl::Status Pause(const std::shared_ptr<grpc::Channel>& channel) {
    using Methods = v1::ReadinessService::StubInterface::async_interface;
    auto stub = v1::ReadinessService::NewStub(channel);
    Methods* methods = static_cast<v1::ReadinessService::StubInterface&>(*stub).async();
    return loop_
        .Spawn(
            Call(Us(), *methods, &Methods::PauseProbing, v1::PauseProbingRequest(), clock_.Now() + absl::Seconds(20)))
        .Get()
        .status();
  }
  absl::Status Pause(const ClientSecurityOptions& options) { return Pause(Connect(options)); }
  Caller Us() { return Caller{.loop = &loop_, .clock = &clock_}; }

  TestDirectory directory_;
  const TestCertificate ca_ = MakeCertificate({.name = "Test CA"}, nullptr);
  const TestCertificate strange_ca_ = MakeCertificate({.name = "Strange CA"}, nullptr);
  const std::string alice_ = NewToken();
  const std::string viewer_ = NewToken();
  RealClock clock_;
  EventLoop loop_;
  std::shared_ptr<ServerSecurity> security_;
  std::unique_ptr<WatchService> service_;
  std::unique_ptr<ServiceServer> server_;
  std::vector<std::shared_ptr<ClientSecurity>> clients_;
};

// A stream that is being watched, read by the loop.
struct Watching {
  std::atomic<int> got = 0;
  std::string caller;
  Task<absl::Status> end;
};

void Watch(Watching& watching, const Caller& us, v1::ReadinessService::Stub& stub, EventLoop& loop,
           const Clock& clock) {
  using Methods = v1::ReadinessService::StubInterface::async_interface;
  Methods* methods = static_cast<v1::ReadinessService::StubInterface&>(stub).async();
  watching.end = loop.Spawn(ReadAll<Methods, v1::WatchVerdictRequest, v1::Verdict>(
      us, *methods, &Methods::WatchVerdict, v1::WatchVerdictRequest(), clock.Now() + absl::Minutes(1),
      [&watching](v1::Verdict verdict) {
        watching.caller = verdict.launch();
        ++watching.got;
      }));
}

TEST_F(SecurityTest, TlsIsForThoseWhoBelieveItsAuthorityAndCallItByItsName) {
  Start(Tls());
  EXPECT_TRUE(Pause(Trusting()).ok());
  EXPECT_EQ(Pause(Trusting("strange-ca.pem")).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Pause(ConnectInsecurely(server_->address())).code(), absl::StatusCode::kUnavailable);
  ClientSecurityOptions named = Trusting();
  named.tls_server_name = "first.example";
  EXPECT_TRUE(Pause(named).ok());
  named.tls_server_name = "second.example";
  EXPECT_EQ(Pause(named).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(service_->paused, 2);
}

TEST_F(SecurityTest, WithAnAuthorityForClientsEachMustShowACertificateOfIt) {
  Start(Tls(/*mutual=*/true));
  EXPECT_EQ(Pause(Trusting()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Pause(Trusting("ca.pem", "stranger")).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(service_->paused, 0);
  EXPECT_TRUE(Pause(Trusting("ca.pem", "prober")).ok());
}

TEST_F(SecurityTest, ARenewedCertificateIsShownToNewConnectionsAndOldOnesGoOn) {
  Start(Tls());
  std::shared_ptr<grpc::Channel> old = Connect(Trusting());
  ASSERT_TRUE(Pause(old).ok());
  EXPECT_EQ(ServedName(server_->port()), "first.example");
  Write("server", MakeCertificate({.name = "second.example"}, &ca_));
  EXPECT_TRUE(Eventually([&] { return ServedName(server_->port()) == "second.example"; }))
      << ServedName(server_->port());
  EXPECT_TRUE(Pause(old).ok());
  EXPECT_TRUE(Pause(Trusting()).ok());
}

TEST_F(SecurityTest, HalfARenewalLeavesTheOldPairInForce) {
  Start(Tls());
  std::shared_ptr<TlsFiles> files = *TlsFiles::Load({directory_ / "server.pem", directory_ / "server.key", ""});
  const TestCertificate renewed = MakeCertificate({.name = "second.example"}, &ca_);
  // First the certificate alone, as most tools write them; the watch looks at it, and so do we.
  WriteFile(directory_ / "server.pem", renewed.certificate_pem);
  EXPECT_THAT(std::string(files->Reload().message()), HasSubstr("does not belong"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ServedName(server_->port()), "first.example");
  WriteFile(directory_ / "server.key", renewed.key_pem);
  EXPECT_TRUE(files->Reload().ok());
  // Never a moment without one.
  std::set<std::string> shown;
  EXPECT_TRUE(Eventually([&] { return *shown.insert(ServedName(server_->port())).first == "second.example"; }));
  shown.erase("first.example");
  EXPECT_THAT(shown, ::testing::ElementsAre("second.example"));
}

TEST_F(SecurityTest, ATokenIsAskedForAndItsScopeToo) {
  WriteTokens();
  ServerSecurityOptions options = Tokens();
  options.audit_log = directory_ / "audit";
  Start(options);
  absl::Status missing = Pause(ClientSecurityOptions());
  EXPECT_EQ(missing.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(missing), "TOKEN_MISSING");
  EXPECT_THAT(std::string(missing.message()), HasSubstr("needs a token with the scope pause"));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("puckdrop token new"));
  const std::string unknown = NewToken();
  ClientSecurityOptions client;
  client.token = unknown;
  EXPECT_EQ(ReasonOf(Pause(client)), "TOKEN_UNKNOWN");
  client.token = viewer_;
  absl::Status may_not = Pause(client);
  EXPECT_EQ(may_not.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(may_not), "SCOPE_MISSING");
  EXPECT_EQ(ErrorInfoOf(may_not)->metadata().at("who"), "viewer");
  EXPECT_EQ(service_->paused, 0) << "no handler ran";
  client.token = alice_;
  EXPECT_TRUE(Pause(client).ok());
  EXPECT_EQ(service_->paused, 1);
  EXPECT_TRUE(Pause(server_->InProcessChannel()).ok()) << "in process nobody is asked";

  server_->Shutdown(absl::Seconds(1));
  server_ = nullptr;
  service_ = nullptr;
  clients_.clear();
  security_ = nullptr;
  const std::string audit = ReadFile(directory_ / "audit");
  EXPECT_THAT(audit, HasSubstr("\"who\":\"alice\",\"by\":\"token\""));
  EXPECT_THAT(audit, HasSubstr("\"method\":\"puckdrop.v1.ReadinessService/PauseProbing\",\"scope\":\"pause\""));
  EXPECT_THAT(audit, HasSubstr("\"who\":\"viewer\""));
  EXPECT_THAT(audit, HasSubstr("\"outcome\":\"PERMISSION_DENIED\",\"reason\":\"SCOPE_MISSING\""));
  for (const std::string& secret : {alice_, viewer_, unknown}) {
    EXPECT_THAT(audit, Not(HasSubstr(secret.substr(3, 20)))) << "no token is ever written";
  }
}

TEST_F(SecurityTest, ACertificateOfTheListIsAsGoodAsAToken) {
  WriteTokens("night cert:prober.example pause\n");
  ServerSecurityOptions options = Tls(/*mutual=*/true);
  options.tokens = directory_ / "tokens";
  Start(options);
  EXPECT_TRUE(Pause(Trusting("ca.pem", "prober")).ok());
  absl::Status unknown = Pause(Trusting("ca.pem", "server"));
  EXPECT_EQ(unknown.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("cert:first.example"));
  ClientSecurityOptions both = Trusting("ca.pem", "prober");
  both.token = NewToken();
  EXPECT_EQ(ReasonOf(Pause(both)), "TOKEN_UNKNOWN") << "a wrong token does not pass because of the certificate";
  both.token = alice_;
  EXPECT_TRUE(Pause(both).ok());
}

TEST_F(SecurityTest, WhoIsTakenOutOfTheListLosesWhatIsUnderWay) {
  WriteTokens();
  Start(Tokens());
  ClientSecurityOptions client;
  client.token = viewer_;
  auto stub = v1::ReadinessService::NewStub(Connect(client));
  Watching watching;
  Watch(watching, Us(), *stub, loop_, clock_);
  ASSERT_TRUE(Eventually([&] { return watching.got == 1; }));
  EXPECT_EQ(watching.caller, "viewer");
  WriteFile(directory_ / "tokens", *TokenLine("alice", alice_, *ParseScopes("pause")));
  absl::Status ended = watching.end.Get();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnauthenticated) << ended;
  EXPECT_EQ(ReasonOf(ended), "ACCESS_REVOKED");
  EXPECT_EQ(ReasonOf(Pause(client)), "TOKEN_UNKNOWN");
  client.token = alice_;
  EXPECT_TRUE(Pause(client).ok());
}

TEST_F(SecurityTest, ARenewedTokenIsUsedFromTheNextCallOn) {
  WriteTokens();
  Start(Tokens());
  WriteFile(directory_ / "token", viewer_ + "\n");
  ClientSecurityOptions client;
  client.token_file = directory_ / "token";
  std::shared_ptr<grpc::Channel> channel = Connect(client);
  EXPECT_EQ(ReasonOf(Pause(channel)), "SCOPE_MISSING");
  WriteFile(directory_ / "token", alice_ + "\n");
  EXPECT_TRUE(Eventually([&] { return Pause(channel).ok(); }));
  WriteFile(directory_ / "token", "two words\n");
  EXPECT_EQ(ClientSecurity::Make(client).status().code(), absl::StatusCode::kInvalidArgument);
  client.token_file = directory_ / "nowhere";
  EXPECT_EQ(ClientSecurity::Make(client).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SecurityTest, ATokenNeverTravelsInTheClearBeyondThisMachine) {
  ClientSecurityOptions client;
  client.token = alice_;
  std::shared_ptr<ClientSecurity> made = *ClientSecurity::Make(client);
  absl::Status refused = made->Connect("10.0.0.7:7070").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--tls-ca"));
  EXPECT_TRUE(made->Connect("localhost:7070").ok());
  EXPECT_TRUE((*ClientSecurity::Make(Trusting()))->Connect("10.0.0.7:7070").ok());
}

TEST_F(SecurityTest, ListensBeyondLoopbackOnlyWithTlsAndTokens) {
  EXPECT_TRUE(CheckListenAddress("0.0.0.0:7070", true, true).ok());
  EXPECT_THAT(std::string(CheckListenAddress("0.0.0.0:7070", true, false).message()), HasSubstr("--tokens"));
  EXPECT_THAT(std::string(CheckListenAddress("0.0.0.0:7070", false, true).message()), HasSubstr("--tls-cert"));
  // The server itself refuses, whoever forgot to ask.
  ServerSecurityOptions options = Tls();
  options.clock = &clock_;
  ServerOptions server;
  server.listen = "0.0.0.0:0";
  server.security = *ServerSecurity::Make(options);
  EXPECT_EQ(ServiceServer::Start(server, {}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(CheckMetricsAddress("127.0.0.1:9470", false).ok());
  EXPECT_TRUE(CheckMetricsAddress("10.0.0.7:9470", true).ok());
  EXPECT_THAT(std::string(CheckMetricsAddress("10.0.0.7:9470", false).message()),
              HasSubstr("--metrics-beyond-loopback"));
  EXPECT_EQ(CheckMetricsAddress("9470", true).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SecurityTest, WatchersPastTheLimitAreToldSoAndALeaverMakesRoom) {
  ServerSecurityOptions options;
  options.limits.watchers = 3;
  Start(options);
  auto stub = v1::ReadinessService::NewStub(ConnectInsecurely(server_->address()));
  std::vector<std::unique_ptr<Watching>> watching;
  const auto watch = [&] {
    watching.push_back(std::make_unique<Watching>());
    Watch(*watching.back(), Us(), *stub, loop_, clock_);
    return watching.back().get();
  };
  for (int i = 0; i < 3; ++i) {
    Watching* one = watch();
    ASSERT_TRUE(Eventually([&] { return one->got == 1; }));
    EXPECT_EQ(one->caller, "loopback");
  }
  absl::Status refused = watch()->end.Get();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "TOO_MANY_WATCHERS");
  watching[0]->end.Cancel();
  EXPECT_FALSE(watching[0]->end.Get().ok());
  EXPECT_TRUE(Eventually([&] { return security_->guard()->watchers() == 2; }));
  Watching* next = watch();
  EXPECT_TRUE(Eventually([&] { return next->got == 1; }));
  for (auto& one : watching) one->end.Cancel();
  for (size_t i = 1; i < watching.size(); ++i) {
    if (i != 3) EXPECT_FALSE(watching[i]->end.Get().ok());
  }
  EXPECT_TRUE(Eventually([&] { return security_->guard()->watchers() == 0; }));
}

TEST_F(SecurityTest, AThousandWatchersFitOnOneChannel) {
  Start(ServerSecurityOptions());
  auto stub = v1::ReadinessService::NewStub(ConnectInsecurely(server_->address()));
  std::vector<std::unique_ptr<Watching>> watching;
  for (int i = 0; i < 1000; ++i) {
    watching.push_back(std::make_unique<Watching>());
    Watch(*watching.back(), Us(), *stub, loop_, clock_);
  }
  EXPECT_TRUE(Eventually([&] { return security_->guard()->watchers() == 1000; }));
  for (auto& one : watching) EXPECT_TRUE(Eventually([&] { return one->got == 1; }));
  for (auto& one : watching) one->end.Cancel();
  for (auto& one : watching) EXPECT_FALSE(one->end.Get().ok());
  EXPECT_TRUE(Eventually([&] { return security_->guard()->watchers() == 0; }));
}

TEST_F(SecurityTest, ARequestThatIsTooLargeIsRefusedBeforeAnyHandler) {
  Start(ServerSecurityOptions());
  // Our own clients would not send it.
  auto stub =
      v1::ReadinessService::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  v1::PauseProbingRequest request;
  request.set_reason(std::string(kLargestMessageBytes + 1000, 'x'));
  using Methods = v1::ReadinessService::StubInterface::async_interface;
  Methods* methods = static_cast<v1::ReadinessService::StubInterface&>(*stub).async();
  absl::Status refused =
      loop_.Spawn(Call(Us(), *methods, &Methods::PauseProbing, std::move(request), clock_.Now() + absl::Seconds(20)))
          .Get()
          .status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(service_->paused, 0);
}

}  // namespace
}  // namespace puckdrop::runtime
