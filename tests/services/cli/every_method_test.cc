// Every method of every service of a readiness that has tokens asks for one: none is served past the guard.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/readiness/notice_reader.h"
#include "services/readiness/readiness.h"
#include "services/readiness/service.h"
#include "services/runtime/grpc_client.h"
#include "services/runtime/security.h"
#include "services/runtime/server.h"
#include "tests/services/readiness/fake_prober.h"
#include "tests/services/readiness/subject_samples.h"

namespace puckdrop::cli {
namespace {

class NoNotices final : public readiness::NoticeReader {
 public:
  awaitable<absl::StatusOr<std::string>> Read(std::string, absl::Time) override {
    co_return absl::UnavailableError("no");
  }
};

// Sends an empty request and waits for the end.
class Asked final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Asked(grpc::GenericStub& stub, const std::string& method) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    stub.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    grpc::Slice nothing("");
    request_ = grpc::ByteBuffer(&nothing, 1);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&answer_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) answered_ = true;
    if (ok) StartRead(&answer_);
  }
  void OnDone(const grpc::Status& status) override { done_.set_value(status); }
  grpc::Status Wait() { return done_.get_future().get(); }
  bool answered() const { return answered_; }

 private:
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, answer_;
  std::atomic<bool> answered_ = false;
  std::promise<grpc::Status> done_;
};

TEST(EveryMethodTest, OfReadinessAsksForATokenWhereThereAreTokens) {
  char name[] = "/tmp/puckdrop-methods-XXXXXX";
  const std::string base = mkdtemp(name);
  std::ofstream(base + "/tokens").close();  // empty: nobody may do anything
  {
    runtime::RealClock clock;
    runtime::EventLoop loop;
    std::unique_ptr<readiness::Store> store = std::move(*readiness::Store::Open(base + "/state", clock));
    readiness::FakeLog log;
    NoNotices notices;
    std::map<v1::Path, std::unique_ptr<readiness::FakeProber>> fakes;
    readiness::ReadinessOptions options;
    options.subject = std::make_shared<const readiness::Subject>(readiness::MakeSubject());
    for (int path = v1::PATH_ORDERING; path <= v1::PATH_BILLING; ++path) {
      const auto p = static_cast<v1::Path>(path);
      fakes[p] = std::make_unique<readiness::FakeProber>(p, loop, log);
      options.probers[p] = fakes[p].get();
    }
    readiness::Readiness domain(loop, clock, *store, notices, std::move(options));
    runtime::ServerSecurityOptions guarded;
    guarded.clock = &clock;
    guarded.tokens = base + "/tokens";
    absl::StatusOr<std::shared_ptr<runtime::ServerSecurity>> security = runtime::ServerSecurity::Make(guarded);
    ASSERT_TRUE(security.ok()) << security.status();
    readiness::ReadinessServices services(domain, loop, clock, (*security)->guard());
    runtime::ServerOptions listening;
    listening.listen = "127.0.0.1:0";
    listening.security = *security;
    absl::StatusOr<std::unique_ptr<runtime::ServiceServer>> server =
        runtime::ServiceServer::Start(std::move(listening), services.services());
    ASSERT_TRUE(server.ok()) << server.status();

    grpc::GenericStub stub(runtime::ConnectInsecurely((*server)->address()));
    int methods = 0;
    for (const std::string& service : services.names()) {
      const google::protobuf::ServiceDescriptor* descriptor =
          google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
      ASSERT_NE(descriptor, nullptr) << service;
      for (int m = 0; m < descriptor->method_count(); ++m) {
        Asked asked(stub, absl::StrCat("/", service, "/", descriptor->method(m)->name()));
        const grpc::Status status = asked.Wait();
        EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
            << descriptor->method(m)->full_name() << ": " << status.error_message();
        EXPECT_FALSE(asked.answered()) << descriptor->method(m)->full_name();
        ++methods;
      }
    }
    EXPECT_GE(methods, 24) << "as many as there were when this was written";
    (*server)->Shutdown(absl::Seconds(1));
    loop.Stop();
  }
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace puckdrop::cli
