#include "checks/target/http/curl_http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include "checks/target/http/cookie_jar.h"
#include "tests/checks/target_http/raw_server.h"

namespace puckdrop::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out.size();
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class CurlHttpClientTest : public ::testing::Test {
 protected:
  HttpRequest Get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.deadline = clock_.Now() + absl::Seconds(20);
    return request;
  }
  HttpAnswer Fetch(HttpRequest request) { return loop_.Spawn(client_->Fetch(std::move(request))).Get(); }
  void TearDown() override {
    client_.reset();
    loop_.Stop();
  }

  runtime::RealClock clock_;
  runtime::EventLoop loop_;
  std::unique_ptr<CurlHttpClient> client_ = std::make_unique<CurlHttpClient>(loop_, clock_);
};

TEST_F(CurlHttpClientTest, GivesStatusHeadersBodyAndPhases) {
  RawServer server(
      Always("HTTP/1.1 201 Created\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\nContent-Type: "
             "application/json\r\nContent-Length: 2\r\n\r\n{}"));
  HttpAnswer answer = Fetch(Get(server.url("/a?b=c")));
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "{}");
  EXPECT_EQ(answer.headers.Get("X-ONE"), "1");
  EXPECT_EQ(answer.headers.All("x-one").size(), 2u);
  EXPECT_EQ(answer.headers.Get("empty"), "");
  EXPECT_EQ(answer.headers.fields()[0].name, "X-One");
  EXPECT_EQ(answer.version, HttpVersion::k1_1);
  EXPECT_EQ(answer.effective_url, server.url("/a?b=c"));
  EXPECT_EQ(answer.remote_address, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_FALSE(answer.connection_reused);
  EXPECT_GT(answer.phases.total, absl::ZeroDuration());
  EXPECT_GT(answer.phases.connect, absl::ZeroDuration());
  EXPECT_EQ(answer.phases.tls, absl::ZeroDuration());
  EXPECT_GT(answer.bytes_in, 60);
  EXPECT_GT(answer.bytes_out, 30);
}

TEST_F(CurlHttpClientTest, KeepsConnectionsUnlessAFreshOneIsWanted) {
  RawServer server(Always(Ok("x")));
  EXPECT_FALSE(Fetch(Get(server.url())).connection_reused);
  HttpAnswer second = Fetch(Get(server.url()));
  EXPECT_TRUE(second.connection_reused);
  EXPECT_EQ(second.phases.connect, absl::ZeroDuration());
  HttpRequest cold = Get(server.url());
  cold.connection = Connection::kFresh;
  EXPECT_FALSE(Fetch(cold).connection_reused);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_TRUE(Fetch(Get(server.url())).connection_reused);
}

TEST_F(CurlHttpClientTest, SendsMethodHeadersAndBodyAsGivenAndForgetsThemAfterwards) {
  std::mutex mutex;
  std::vector<std::string> requests;
  RawServer server([&](RawConnection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty(); request = connection.ReadRequest()) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        requests.push_back(request);
      }
      connection.Write(request.substr(0, 4) == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : Ok("ok"));
    }
  });
  HttpRequest post = Get(server.url("/orders"));
  post.method = "POST";
  post.headers = {{"X-B", "2"}, {"X-A", "1"}, {"X-Empty", ""}, {"Content-Type", "application/json"}};
  post.body = std::string("{\"a\":\0}", 7);
  EXPECT_TRUE(Fetch(post).ok());
  EXPECT_TRUE(Fetch(Get(server.url("/plain"))).ok());
  HttpRequest empty_post = Get(server.url("/empty"));
  empty_post.method = "POST";
  EXPECT_TRUE(Fetch(empty_post).ok());
  HttpRequest del = Get(server.url("/gone"));
  del.method = "DELETE";
  EXPECT_TRUE(Fetch(del).ok());
  HttpRequest head = Get(server.url("/head"));
  head.method = "HEAD";
  EXPECT_TRUE(Fetch(head).ok());
  HttpRequest patch = Get(server.url("/patch"));
  patch.method = "PATCH";
  patch.body = "p";
  EXPECT_TRUE(Fetch(patch).ok());

  std::lock_guard<std::mutex> lock(mutex);
  ASSERT_EQ(requests.size(), 6u);
  EXPECT_THAT(requests[0], HasSubstr("POST /orders HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("X-B: 2\r\nX-A: 1\r\nX-Empty:\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(requests[0], HasSubstr(post.body));
  EXPECT_THAT(requests[0], Not(HasSubstr("Expect")));
  EXPECT_THAT(requests[0], HasSubstr("User-Agent: puckdrop/"));
  EXPECT_THAT(requests[1], HasSubstr("GET /plain HTTP/1.1\r\n"));
  EXPECT_THAT(requests[1], Not(HasSubstr("X-A")));
  EXPECT_THAT(requests[1], Not(HasSubstr("Content-Length")));
  EXPECT_THAT(requests[2], HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(requests[2], Not(HasSubstr("Content-Type")));
  EXPECT_THAT(requests[3], HasSubstr("DELETE /gone HTTP/1.1\r\n"));
  EXPECT_THAT(requests[4], HasSubstr("HEAD /head HTTP/1.1\r\n"));
  EXPECT_THAT(requests[5], HasSubstr("PATCH /patch HTTP/1.1\r\n"));
}

TEST_F(CurlHttpClientTest, RefusesToSendWhatCouldSmuggle) {
  RawServer server(Always(Ok("x")));
  std::vector<HttpRequest> bad(5, Get(server.url()));
  bad[0].headers.Add("X-A", "1\r\nX-B: 2");
  bad[1].headers.Add("X A", "1");
  bad[2].url += "a\r\nb";
  bad[3].method = "GET / HTTP/1.1\r\n";
  bad[4].url = "file:///etc/passwd";
  for (HttpRequest& request : bad) {
    HttpAnswer answer = Fetch(request);
    EXPECT_EQ(answer.error, TransportError::kLocal);
    EXPECT_THAT(answer.message, HasSubstr("not sent"));
  }
  HttpRequest nul = Get(server.url());
  nul.headers.Add("X-A", absl::string_view("1\0002", 3));
  EXPECT_EQ(Fetch(nul).error, TransportError::kLocal);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, ReadsChunksWithTrailersAndSkips1xx) {
  RawServer server(
      Always("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: "
             "X-Sum\r\n\r\n"
             "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"));
  HttpAnswer answer = Fetch(Get(server.url()));
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.body, "abcde");
  EXPECT_FALSE(answer.headers.Has("x-early"));
  EXPECT_EQ(answer.trailers.Get("x-sum"), "7");
  EXPECT_FALSE(answer.headers.Has("x-sum"));
}

TEST_F(CurlHttpClientTest, RedirectsAreAnswersAndNotFollowed) {
  RawServer server(Always("HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"));
  HttpAnswer answer = Fetch(Get(server.url()));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.headers.Get("location"), "/next");
}

TEST_F(CurlHttpClientTest, DecompressesAndBoundsABomb) {
  std::string good = Gzip("hello hello hello"), bomb = Gzip(std::string(50 << 20, '0'));
  RawServer server([&](RawConnection& connection) {
    std::string request = connection.ReadRequest();
    const std::string& body = request.find("/bomb") != std::string::npos ? bomb : good;
    connection.Write(Ok(body, "Content-Encoding: gzip\r\n"));
  });
  HttpAnswer answer = Fetch(Get(server.url()));
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.body, "hello hello hello");
  HttpRequest request = Get(server.url("/bomb"));
  request.limits.decoded_bytes = 1 << 20;
  answer = Fetch(request);
  EXPECT_EQ(answer.error, TransportError::kTooLarge);
  EXPECT_LE(answer.body.size(), 1u << 20);
  EXPECT_THAT(answer.message, HasSubstr("after decompression"));
}

TEST_F(CurlHttpClientTest, ABodyThatDoesNotDecodeIsBadEncoding) {
  RawServer server(Always(Ok("this is no gzip at all", "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(Fetch(Get(server.url())).error, TransportError::kBadEncoding);
}

TEST_F(CurlHttpClientTest, BoundsBodyAndHeaders) {
  RawServer server([](RawConnection& connection) {
    std::string request = connection.ReadRequest();
    if (request.find("/body") != std::string::npos) connection.Write(Ok(std::string(100'000, 'x')));
    if (request.find("/many") != std::string::npos) {
      std::string headers;
      for (int i = 0; i < 3000; ++i) headers += "X-H: " + std::string(50, 'h') + "\r\n";
      connection.Write(Ok("x", headers));
    }
    if (request.find("/long") != std::string::npos)
      connection.Write(Ok("x", "X-H: " + std::string(3 << 20, 'h') + "\r\n"));
  });
  HttpRequest request = Get(server.url("/body"));
  request.limits.body_bytes = 10'000;
  EXPECT_EQ(Fetch(request).error, TransportError::kTooLarge);
  EXPECT_EQ(Fetch(Get(server.url("/many"))).error, TransportError::kTooManyHeaders);
  EXPECT_EQ(Fetch(Get(server.url("/long"))).error, TransportError::kTooManyHeaders);
}

TEST_F(CurlHttpClientTest, ASlowDripEndsAtTheDeadlineAndKeepsWhatCame) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    connection.AwaitClose();
  });
  HttpRequest request = Get(server.url());
  request.deadline = clock_.Now() + absl::Milliseconds(300);
  HttpAnswer answer = Fetch(request);
  EXPECT_EQ(answer.error, TransportError::kTimeout);
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.message, HasSubstr("did not finish its answer in time"));
}

TEST_F(CurlHttpClientTest, SilenceEndsAtTheDeadline) {
  RawServer server([](RawConnection& connection) { connection.AwaitClose(); });
  HttpRequest request = Get(server.url());
  request.deadline = clock_.Now() + absl::Milliseconds(200);
  HttpAnswer answer = Fetch(request);
  EXPECT_EQ(answer.error, TransportError::kTimeout);
  EXPECT_THAT(answer.message, HasSubstr("did not answer in time"));
  request.deadline = clock_.Now() - absl::Seconds(1);
  answer = Fetch(request);
  EXPECT_EQ(answer.error, TransportError::kTimeout);
  EXPECT_THAT(answer.message, HasSubstr("not sent"));
}

TEST_F(CurlHttpClientTest, TellsResetCutAndEmptyAnswersApart) {
  RawServer server([](RawConnection& connection) {
    std::string request = connection.ReadRequest();
    std::string partial = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
    if (request.find("/short") != std::string::npos) connection.Write(partial);
    if (request.find("/chunk") != std::string::npos) {
      connection.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    }
    if (request.find("/reset") != std::string::npos) {
      connection.Write(partial);
      connection.Reset();
    }
    if (request.find("/early") != std::string::npos) connection.Reset();
    if (request.find("/badchunk") != std::string::npos) {
      connection.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab");
    }
    if (request.find("/nohttp") != std::string::npos) connection.Write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  });
  EXPECT_EQ(Fetch(Get(server.url("/short"))).error, TransportError::kCutShort);
  EXPECT_EQ(Fetch(Get(server.url("/chunk"))).error, TransportError::kCutShort);
  EXPECT_EQ(Fetch(Get(server.url("/reset"))).error, TransportError::kReset);
  EXPECT_EQ(Fetch(Get(server.url("/early"))).error, TransportError::kReset);
  EXPECT_EQ(Fetch(Get(server.url("/empty"))).error, TransportError::kReset);
  EXPECT_EQ(Fetch(Get(server.url("/badchunk"))).error, TransportError::kProtocol);
  EXPECT_EQ(Fetch(Get(server.url("/nohttp"))).error, TransportError::kProtocol);
}

TEST_F(CurlHttpClientTest, AClosedPortIsRefusedAndAnUnknownNameDoesNotResolve) {
  HttpAnswer answer = Fetch(Get("http://127.0.0.1:" + std::to_string(ClosedPort()) + "/"));
  EXPECT_EQ(answer.error, TransportError::kConnectRefused);
  EXPECT_THAT(answer.message, HasSubstr("refused"));
  answer = Fetch(Get("http://nowhere.invalid/"));
  EXPECT_EQ(answer.error, TransportError::kResolve);
  EXPECT_THAT(answer.message, HasSubstr("nowhere.invalid"));
}

TEST_F(CurlHttpClientTest, APostIsNeverSentTwice) {
  std::atomic<int> posts = 0;
  // Answers the first request of a connection, drops the second.
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(Ok("x"));
    std::string second = connection.ReadRequest();
    if (second.substr(0, 4) == "POST") ++posts;
  });
  ASSERT_TRUE(Fetch(Get(server.url())).ok());
  HttpRequest post = Get(server.url());
  post.method = "POST";
  HttpAnswer answer = Fetch(post);
  EXPECT_EQ(answer.error, TransportError::kReset);
  EXPECT_THAT(answer.message, HasSubstr("not sent a second time"));
  EXPECT_EQ(posts, 1);
  // A GET may be, as browsers do.
  ASSERT_TRUE(Fetch(Get(server.url())).ok());
  EXPECT_TRUE(Fetch(Get(server.url())).ok());
}

TEST_F(CurlHttpClientTest, CancellationEndsTheTransferAndClosesItsConnection) {
  std::atomic<bool> asked = false, closed = false;
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    asked = true;
    connection.AwaitClose();
    closed = true;
  });
  auto task = loop_.Spawn(client_->Fetch(Get(server.url())));
  while (!asked) std::this_thread::yield();
  task.Cancel();
  HttpAnswer answer = task.Get();
  EXPECT_EQ(answer.error, TransportError::kCancelled);
  absl::Time end = clock_.Now() + absl::Seconds(10);
  while (!closed && clock_.Now() < end) std::this_thread::yield();
  EXPECT_TRUE(closed);
}

TEST_F(CurlHttpClientTest, TwoHundredAtOnce) {
  RawServer server(Always(Ok("body")));
  std::vector<runtime::Task<HttpAnswer>> tasks;
  for (int i = 0; i < 200; ++i) {
    HttpRequest request = Get(server.url("/" + std::to_string(i)));
    if (i % 2 == 0) request.connection = Connection::kFreshAndClose;
    tasks.push_back(loop_.Spawn(client_->Fetch(std::move(request))));
  }
  for (auto& task : tasks) {
    HttpAnswer answer = task.Get();
    EXPECT_TRUE(answer.ok()) << answer.message;
    EXPECT_EQ(answer.body, "body");
  }
  // The kept ones still work.
  EXPECT_TRUE(Fetch(Get(server.url())).connection_reused);
}

TEST_F(CurlHttpClientTest, AConnectionThatThePeerClosedWhileIdleIsReplaced) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(Ok("x"));
  });
  for (int i = 0; i < 20; ++i) {
    HttpAnswer answer = Fetch(Get(server.url()));
    EXPECT_TRUE(answer.ok()) << answer.message;
  }
}

TEST_F(CurlHttpClientTest, CookiesGoThroughTheJarOfTheRequestOnly) {
  std::mutex mutex;
  std::vector<std::string> requests;
  RawServer server([&](RawConnection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty(); request = connection.ReadRequest()) {
      std::lock_guard<std::mutex> lock(mutex);
      requests.push_back(request);
      connection.Write(Ok("x", "Set-Cookie: sid=abc; Path=/\r\nSet-Cookie: b=2\r\n"));
    }
  });
  HttpRequest request = Get(server.url());
  request.cookies = std::make_shared<CookieJar>();
  Fetch(request);
  Fetch(request);
  Fetch(Get(server.url()));
  std::lock_guard<std::mutex> lock(mutex);
  EXPECT_THAT(requests[0], Not(HasSubstr("Cookie")));
  EXPECT_THAT(requests[1], HasSubstr("Cookie: sid=abc; b=2\r\n"));
  EXPECT_THAT(requests[2], Not(HasSubstr("Cookie")));
}

TEST_F(CurlHttpClientTest, TheEnvironmentsProxyIsNotUsed) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  RawServer server(Always(Ok("direct")));
  EXPECT_EQ(Fetch(Get(server.url())).body, "direct");
  unsetenv("http_proxy");
  // The plan's is.
  RawServer proxy(Always(Ok("through the proxy")));
  auto host = std::make_shared<HostSettings>();
  host->proxy = proxy.url("");
  HttpRequest request = Get("http://shop.test/");
  request.host = host;
  EXPECT_EQ(Fetch(request).body, "through the proxy");
}

class CurlHttpClientTlsTest : public CurlHttpClientTest {
 protected:
  static void SetUpTestSuite() { certificates_ = std::make_unique<TestCertificates>(); }
  static void TearDownTestSuite() { certificates_.reset(); }

  std::unique_ptr<RawServer> Server(const std::string& name) {
    return std::make_unique<RawServer>(Always(Ok("secure")), certificates_->path(name + ".pem"),
                                       certificates_->path(name + ".key"));
  }
  std::shared_ptr<HostSettings> OwnCa() {
    auto host = std::make_shared<HostSettings>();
    host->ca_file = certificates_->path("ca.pem");
    return host;
  }
  HttpAnswer FetchFrom(const RawServer& server, std::shared_ptr<HostSettings> host) {
    HttpRequest request = Get(server.url());
    request.host = std::move(host);
    return Fetch(request);
  }

  static std::unique_ptr<TestCertificates> certificates_;
};
std::unique_ptr<TestCertificates> CurlHttpClientTlsTest::certificates_;

TEST_F(CurlHttpClientTlsTest, TheHostsOwnCaIsTrustedAndThePhaseMeasured) {
  auto server = Server("good");
  auto host = OwnCa();
  HttpAnswer answer = FetchFrom(*server, host);
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.body, "secure");
  EXPECT_GT(answer.phases.tls, absl::ZeroDuration());
  EXPECT_GT(answer.phases.connect, absl::ZeroDuration());
  EXPECT_LT(answer.phases.connect, answer.phases.tls);
  EXPECT_TRUE(FetchFrom(*server, host).connection_reused);
}

TEST_F(CurlHttpClientTlsTest, WhatADeviceWouldRefuseIsThePeersFault) {
  auto good = Server("good"), other = Server("other"), expired = Server("expired");
  HttpAnswer unknown = FetchFrom(*good, std::make_shared<HostSettings>());
  EXPECT_EQ(unknown.error, TransportError::kTlsPeer) << unknown.message;
  HttpAnswer name = FetchFrom(*other, OwnCa());
  EXPECT_EQ(name.error, TransportError::kTlsPeer) << name.message;
  EXPECT_THAT(name.message, HasSubstr("127.0.0.1"));
  HttpAnswer old = FetchFrom(*expired, OwnCa());
  EXPECT_EQ(old.error, TransportError::kTlsPeer) << old.message;
  EXPECT_THAT(old.message, HasSubstr("expired"));
}

TEST_F(CurlHttpClientTlsTest, PlainTextAtTheTlsPortIsThePeersFaultAndAMissingCaFileOurs) {
  RawServer plain([](RawConnection& connection) { connection.Write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  HttpAnswer answer = Fetch(Get("https://127.0.0.1:" + std::to_string(plain.port()) + "/"));
  EXPECT_EQ(answer.error, TransportError::kTlsPeer) << answer.message;
  auto server = Server("good");
  auto host = std::make_shared<HostSettings>();
  host->ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(FetchFrom(*server, host).error, TransportError::kLocal);
}

TEST_F(CurlHttpClientTlsTest, AHandshakeThatHangsEndsInTheConnectTimeout) {
  RawServer silent([](RawConnection& connection) { connection.AwaitClose(); });
  auto host = OwnCa();
  host->connect_timeout = absl::Milliseconds(200);
  HttpRequest request = Get("https://127.0.0.1:" + std::to_string(silent.port()) + "/");
  request.host = host;
  HttpAnswer answer = Fetch(request);
  EXPECT_EQ(answer.error, TransportError::kTimeout) << answer.message;
  EXPECT_THAT(answer.message, HasSubstr("TLS handshake"));
}

TEST_F(CurlHttpClientTlsTest, NamesCanBePinnedToAnAddress) {
  auto server = Server("good");
  auto host = OwnCa();
  host->resolve_pins = {"shop.test:" + std::to_string(server->port()) + ":127.0.0.1"};
  HttpRequest request = Get("https://shop.test:" + std::to_string(server->port()) + "/");
  request.host = host;
  HttpAnswer answer = Fetch(request);
  EXPECT_TRUE(answer.ok()) << answer.message;
}

TEST_F(CurlHttpClientTlsTest, AClientCertificateMayComeFromAFileOrFromMemory) {
  auto server = Server("good");
  auto host = OwnCa();
  host->certificate.file = certificates_->path("other.pem");
  std::ifstream key(certificates_->path("other.key"));
  host->key.memory.assign(std::istreambuf_iterator<char>(key), {});
  EXPECT_TRUE(FetchFrom(*server, host).ok());
  auto broken = OwnCa();
  broken->certificate.file = "/nonexistent/client.pem";
  EXPECT_EQ(FetchFrom(*server, broken).error, TransportError::kLocal);
}

}  // namespace
}  // namespace puckdrop::http
