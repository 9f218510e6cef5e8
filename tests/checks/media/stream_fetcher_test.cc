#include "checks/media/stream_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "checks/target/http/curl_http_client.h"
#include "tests/checks/target_http/raw_server.h"

namespace puckdrop::media {
namespace {

using ::testing::HasSubstr;

// Everything that must live and end on the loop's thread.
struct World {
  World(runtime::EventLoop& loop, const runtime::Clock& clock)
      : http(std::make_unique<http::CurlHttpClient>(loop, clock)),
        limiter(std::make_unique<http::Limiter>(loop, clock, http::LimitSettings())) {}
  std::unique_ptr<http::CurlHttpClient> http;
  std::unique_ptr<http::Limiter> limiter;
};

class StreamFetcherTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { certificates_ = std::make_unique<http::TestCertificates>(); }
  static void TearDownTestSuite() { certificates_.reset(); }
  ~StreamFetcherTest() override { loop_.Stop(); }

  // A segment from a server with a certificate of an authority that only the plan knows.
  Fetched FetchWith(
      std::function<absl::StatusOr<std::shared_ptr<const http::HostSettings>>(const std::string&)> settings) {
    http::RawServer server(http::Always(http::Ok("segment")), certificates_->path("good.pem"),
                           certificates_->path("good.key"));
    EXPECT_TRUE(hosts_.Add("cdn", server.url("")).ok());
    return loop_.Spawn(Fetch(server.url("/1.ts"), std::move(settings))).Get();
  }

  static std::unique_ptr<http::TestCertificates> certificates_;

 private:
  awaitable<Fetched> Fetch(
      std::string url,
      std::function<absl::StatusOr<std::shared_ptr<const http::HostSettings>>(const std::string&)> settings) {
    World world(loop_, clock_);
    PlayerPorts ports;
    ports.loop = &loop_;
    ports.clock = &clock_;
    ports.http = world.http.get();
    ports.limiter = world.limiter.get();
    ports.redactor = &redactor_;
    ports.hosts = &hosts_;
    ports.memory = &memory_;
    ports.host_settings = std::move(settings);
    StreamFetcher fetcher(ports, Stream());
    Fetched fetched = co_await fetcher.Fetch(url, "segment", clock_.Now() + absl::Seconds(20));
    co_return fetched;
  }

  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  http::Redactor redactor_;
  http::HostRules hosts_;
  target::RunMemory memory_;
};
std::unique_ptr<http::TestCertificates> StreamFetcherTest::certificates_;

TEST_F(StreamFetcherTest, ReachesAHostOfThePlanByThePlansOwnAuthority) {
  const Fetched fetched =
      FetchWith([&](const std::string& host) -> absl::StatusOr<std::shared_ptr<const http::HostSettings>> {
        EXPECT_EQ(host, "cdn");
        auto settings = std::make_shared<http::HostSettings>();
        settings->ca_file = certificates_->path("ca.pem");
        return settings;
      });
  ASSERT_FALSE(fetched.trouble.has_value()) << fetched.trouble->words;
  EXPECT_EQ(fetched.body, "segment");
}

TEST_F(StreamFetcherTest, WithoutItTheCertificateIsOneThatADeviceWouldRefuse) {
  const Fetched fetched = FetchWith(nullptr);
  ASSERT_TRUE(fetched.trouble.has_value());
  EXPECT_EQ(fetched.trouble->id, "certificate");
}

TEST_F(StreamFetcherTest, AMissingKeyIsOursAndNothingIsAsked) {
  const Fetched fetched =
      FetchWith([](const std::string&) -> absl::StatusOr<std::shared_ptr<const http::HostSettings>> {
        return absl::FailedPreconditionError("a secret is missing: KEY is not set");
      });
  ASSERT_TRUE(fetched.trouble.has_value());
  EXPECT_EQ(fetched.trouble->kind, Trouble::Kind::kOurs);
  EXPECT_THAT(fetched.trouble->words, HasSubstr("KEY is not set"));
}

}  // namespace
}  // namespace puckdrop::media
