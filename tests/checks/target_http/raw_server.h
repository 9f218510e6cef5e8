// A small server for tests that says exactly the bytes it is told to, over TCP or TLS, on loopback.
#ifndef PUCKDROP_TESTS_CHECKS_TARGET_HTTP_RAW_SERVER_H_
#define PUCKDROP_TESTS_CHECKS_TARGET_HTTP_RAW_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace puckdrop::http {

// One accepted connection, used by a handler on a thread of its own.
class RawConnection {
 public:
  RawConnection(int socket, ssl_st* ssl) : socket_(socket), ssl_(ssl) {}

  // The next request with its body (by Content-Length); empty at the end of the connection.
  std::string ReadRequest();
  bool Write(const std::string& bytes);
  // Ends the connection by a TCP reset.
  void Reset();
  // Waits until the peer closes; bounded by ten seconds.
  void AwaitClose();

 private:
  std::string buffer_;
  int socket_;
  ssl_st* ssl_;
};

class RawServer {
 public:
  using Handler = std::function<void(RawConnection&)>;

  // A non-empty certificate file makes it a TLS server.
  explicit RawServer(Handler handler, std::string certificate_file = "", std::string key_file = "");
  ~RawServer();

  int port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_; }

 private:
  void Accept();
  void Serve(int socket);

  Handler handler_;
  ssl_ctx_st* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
};

// A handler that gives each request on each connection the same answer.
RawServer::Handler Always(std::string response);
// "HTTP/1.1 200 OK" with Content-Length and the body.
std::string Ok(const std::string& body, const std::string& more_headers = "");

// A port on loopback at which nobody listens.
int ClosedPort();

// A folder with ca.pem and, per name, <name>.pem and <name>.key made with openssl; removed at the end.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  std::string path(const std::string& file) const { return folder_ + "/" + file; }

 private:
  std::string folder_;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_TESTS_CHECKS_TARGET_HTTP_RAW_SERVER_H_
