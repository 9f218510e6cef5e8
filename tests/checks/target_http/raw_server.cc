#include "tests/checks/target_http/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace puckdrop::http {

namespace {

int Listen(int& port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 512) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port = ntohs(address.sin_port);
  return listener;
}

void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

std::string RawConnection::ReadRequest() {
  while (true) {
    size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      size_t length = 0;
      for (const char* name : {"Content-Length: ", "content-length: "}) {
        size_t at = buffer_.find(name);
        if (at != std::string::npos && at < end) length = std::strtoul(buffer_.c_str() + at + 16, nullptr, 10);
      }
      if (buffer_.size() >= end + 4 + length) {
        std::string request = buffer_.substr(0, end + 4 + length);
        buffer_.erase(0, request.size());
        return request;
      }
    }
    char bytes[16384];
    ssize_t got = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return "";
    buffer_.append(bytes, got);
  }
}

bool RawConnection::Write(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t now = ssl_ != nullptr ? SSL_write(ssl_, bytes.data() + sent, static_cast<int>(bytes.size() - sent))
                                  : send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

void RawConnection::Reset() {
  linger hard{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void RawConnection::AwaitClose() {
  for (int i = 0; i < 100; ++i) {
    pollfd wait{socket_, POLLIN, 0};
    if (poll(&wait, 1, 100) > 0) {
      char bytes[4096];
      if (recv(socket_, bytes, sizeof bytes, 0) <= 0) return;
    }
  }
}

RawServer::RawServer(Handler handler, std::string certificate_file, std::string key_file)
    : handler_(std::move(handler)) {
  if (!certificate_file.empty()) {
    tls_ = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls_, certificate_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("cannot read " + certificate_file);
    }
  }
  listener_ = Listen(port_);
  acceptor_ = std::thread([this] { Accept(); });
}

RawServer::~RawServer() {
  ends_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (int socket : sockets_) shutdown(socket, SHUT_RDWR);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  SSL_CTX_free(tls_);
}

std::string RawServer::url(const std::string& path) const {
  return std::string(tls_ != nullptr ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_) + path;
}

void RawServer::Accept() {
  while (!ends_) {
    int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++connections_;
    std::lock_guard<std::mutex> lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void RawServer::Serve(int socket) {
  BlockSigpipe();
  SSL* ssl = nullptr;
  bool ready = true;
  if (tls_ != nullptr) {
    ssl = SSL_new(tls_);
    SSL_set_fd(ssl, socket);
    ready = SSL_accept(ssl) == 1;
  }
  if (ready) {
    RawConnection connection(socket, ssl);
    handler_(connection);
    if (ssl != nullptr) SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  std::lock_guard<std::mutex> lock(mutex_);
  std::erase(sockets_, socket);
  close(socket);
}

RawServer::Handler Always(std::string response) {
  return [response = std::move(response)](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) {
      if (!connection.Write(response)) return;
    }
  };
}

std::string Ok(const std::string& body, const std::string& more_headers) {
  return "HTTP/1.1 200 OK\r\n" + more_headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

int ClosedPort() {
  int port = 0;
  close(Listen(port));
  return port;
}

TestCertificates::TestCertificates() {
  char folder[] = "/tmp/puckdrop-certificates-XXXXXX";
  if (mkdtemp(folder) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = folder;
  const std::string quiet = " >/dev/null 2>&1";
  const std::string curve = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  Run("cd " + folder_ + " && openssl req -x509 -days 30 -subj '/CN=Test CA'" + curve + "-keyout ca.key -out ca.pem" +
      quiet);
  auto issue = [&](const std::string& name, const std::string& san, const std::string& validity) {
    std::ofstream(folder_ + "/" + name + ".ext") << "subjectAltName=" << san << "\n";
    Run("cd " + folder_ + " && openssl req -new -subj '/CN=" + name + "'" + curve + "-keyout " + name + ".key -out " +
        name + ".csr" + quiet);
    Run("cd " + folder_ + " && openssl x509 -req -in " + name +
        ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile " + name + ".ext " + validity + " -out " + name +
        ".pem" + quiet);
  };
  issue("good", "IP:127.0.0.1,DNS:shop.test", "-days 2");
  issue("other", "DNS:elsewhere.test", "-days 2");
  // `openssl x509` cannot backdate, `openssl ca` can.
  std::ofstream(folder_ + "/ca.conf")
      << "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial.txt\nnew_certs_dir=.\n"
         "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n";
  std::ofstream(folder_ + "/index.txt").flush();
  std::ofstream(folder_ + "/serial.txt") << "1000\n";
  std::ofstream(folder_ + "/expired.ext") << "subjectAltName=IP:127.0.0.1\n";
  Run("cd " + folder_ + " && openssl req -new -subj '/CN=expired'" + curve + "-keyout expired.key -out expired.csr" +
      quiet);
  Run("cd " + folder_ +
      " && openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in expired.csr -extfile expired.ext"
      " -startdate 20200101000000Z -enddate 20200201000000Z -notext -out expired.pem" +
      quiet);
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace puckdrop::http
