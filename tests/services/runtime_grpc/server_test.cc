#include "services/runtime/server.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "tests/services/runtime_grpc/test_service.h"

namespace puckdrop::runtime {
namespace {

using ::testing::HasSubstr;

// The health protocol has no packaged stub: HealthCheckResponse is one enum field, 1 for SERVING and 2 for NOT_SERVING.
int Health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  std::string request;
  if (!service.empty()) request = absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
  grpc::Slice slice(request);
  grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &sent, &received,
                 [&done](grpc::Status status) { done.set_value(status); });
  grpc::Status status = done.get_future().get();
  if (!status.ok()) return -static_cast<int>(status.error_code());
  std::vector<grpc::Slice> slices;
  (void)received.Dump(&slices);
  std::string text;
  for (const grpc::Slice& part : slices) text.append(reinterpret_cast<const char*>(part.begin()), part.size());
  return text.size() == 2 ? text[1] : 0;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : service_(Bridge(loop_, clock_)) {
    service_.on_list = [](CallContext&, const v1::ListChecksRequest&,
                          v1::ListChecksResponse&) -> awaitable<absl::Status> { co_return absl::OkStatus(); };
  }
  std::unique_ptr<ServiceServer> Start(const std::string& listen) {
    ServerOptions options;
    options.listen = listen;
    options.service_names = {v1::ProberService::service_full_name()};
    absl::StatusOr<std::unique_ptr<ServiceServer>> server = ServiceServer::Start(options, {&service_});
    EXPECT_TRUE(server.ok()) << server.status();
    return std::move(*server);
  }
  absl::Status List(const std::shared_ptr<grpc::Channel>& channel) {
    auto stub = v1::ProberService::NewStub(channel);
    Caller us{.loop = &loop_, .clock = &clock_};
    return loop_
        .Spawn(Call(us, *stub->async(), &Async::ListChecks, v1::ListChecksRequest(), clock_.Now() + absl::Seconds(10)))
        .Get()
        .status();
  }
  RealClock clock_;
  EventLoop loop_;
  TestService service_;
};

TEST_F(ServerTest, AnswersInProcessWithoutAPort) {
  std::unique_ptr<ServiceServer> server = Start("");
  EXPECT_EQ(server->port(), 0);
  std::shared_ptr<grpc::Channel> channel = server->InProcessChannel();
  EXPECT_TRUE(List(channel).ok());
  server->Shutdown(absl::Seconds(1));
  EXPECT_EQ(List(channel).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(List(server->InProcessChannel()).code(), absl::StatusCode::kUnavailable) << "made when it was down";
}

TEST_F(ServerTest, TellsItsHealthAsAWholeAndByService) {
  std::unique_ptr<ServiceServer> server = Start("127.0.0.1:0");
  ASSERT_GT(server->port(), 0);
  std::shared_ptr<grpc::Channel> channel = ConnectInsecurely(server->address());
  EXPECT_TRUE(List(channel).ok());
  EXPECT_EQ(Health(channel, ""), 1);
  EXPECT_EQ(Health(channel, v1::ProberService::service_full_name()), 1);
  server->SetServing(false);
  EXPECT_EQ(Health(channel, ""), 2);
  EXPECT_EQ(Health(channel, v1::ProberService::service_full_name()), 2);
  EXPECT_EQ(Health(channel, "no.such.Service"), -static_cast<int>(grpc::StatusCode::NOT_FOUND));
  server->Shutdown(absl::Seconds(1));
  EXPECT_EQ(List(channel).code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServerTest, OffersReflectionOnItsPort) {
  std::unique_ptr<ServiceServer> server = Start("127.0.0.1:0");
  grpc::GenericStub stub(ConnectInsecurely(server->address()));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  // ServerReflectionRequest{list_services: "*"}.
  class Reactor final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    grpc::ByteBuffer sent, received;
    std::promise<bool> read;
    std::promise<grpc::Status> done;
    void OnReadDone(bool ok) override { read.set_value(ok); }
    void OnDone(const grpc::Status& status) override { done.set_value(status); }
  } reactor;
  grpc::Slice slice(std::string("\x3a\x01*"));
  reactor.sent = grpc::ByteBuffer(&slice, 1);
  stub.PrepareBidiStreamingCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                grpc::StubOptions(), &reactor);
  reactor.StartWriteLast(&reactor.sent, grpc::WriteOptions());
  reactor.StartRead(&reactor.received);
  reactor.StartCall();
  EXPECT_TRUE(reactor.read.get_future().get());
  EXPECT_TRUE(reactor.done.get_future().get().ok());
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(reactor.received.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& part : slices) text.append(reinterpret_cast<const char*>(part.begin()), part.size());
  EXPECT_THAT(text, HasSubstr("puckdrop.v1.ProberService"));
  EXPECT_THAT(text, HasSubstr("grpc.health.v1.Health"));
}

TEST_F(ServerTest, ATakenPortIsSaidSo) {
  std::unique_ptr<ServiceServer> server = Start("127.0.0.1:0");
  ServerOptions again;
  again.listen = server->address();
  absl::StatusOr<std::unique_ptr<ServiceServer>> second = ServiceServer::Start(again, {&service_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(server->address()));
}

TEST_F(ServerTest, RefusesAddressesThatOthersCanReach) {
  for (const char* address : {"0.0.0.0:7070", "[::]:7070", "192.168.1.2:7070", "127.example.org:7070", "shop:7070"}) {
    ServerOptions options;
    options.listen = address;
    absl::Status refused = ServiceServer::Start(options, {&service_}).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << address;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(address));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("127.0.0.1"));
  }
  for (const char* address : {"", "7070", ":7070", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70700", "::1:7070"}) {
    EXPECT_EQ(CheckListenAddress(address).code(), absl::StatusCode::kInvalidArgument) << address;
  }
  for (const char* address : {"127.0.0.1:0", "[::1]:7070", "localhost:7070", "unix:/tmp/x"}) {
    EXPECT_TRUE(CheckListenAddress(address).ok()) << address;
  }
}

TEST_F(ServerTest, ADeadPeerIsUnavailableAndNotAHang) {
  std::string address;
  {
    std::unique_ptr<ServiceServer> server = Start("127.0.0.1:0");
    address = server->address();
  }
  EXPECT_EQ(List(ConnectInsecurely(address)).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace puckdrop::runtime
