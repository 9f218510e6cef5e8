#include "services/arena/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>

#include "absl/strings/str_cat.h"

namespace puckdrop::arena {
namespace {

// Each kept connection holds a thread; probers keep dozens.
constexpr size_t kThreads = 160;
constexpr int kBacklog = 512;
constexpr int kIdleMillis = 30'000;
constexpr int kIoMillis = 10'000;
constexpr int kRequestsPerConnection = 10'000;
constexpr size_t kMaxBody = 256 * 1024;
constexpr size_t kMaxPath = 1024;

thread_local int current_socket = -1;

bool Wait(int socket, short events, int millis) {
  pollfd fd{socket, events, 0};
  int result;
  do {
    result = ::poll(&fd, 1, millis);
  } while (result < 0 && errno == EINTR);
  return result > 0;
}

void Address(bool remote, int socket, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if ((remote ? ::getpeername(socket, generic, &size) : ::getsockname(socket, generic, &size)) != 0) return;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    port = ntohs(v4->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    port = ntohs(v6->sin6_port);
  }
  ip = text;
}

// The library reads heads byte by byte, so reads are buffered; the buffer lives as long as the connection.
class SocketStream : public httplib::Stream {
 public:
  explicit SocketStream(int socket) : socket_(socket) {}

  bool HasBuffered() const { return begin_ < end_; }
  bool is_readable() const override { return HasBuffered() || Wait(socket_, POLLIN, kIoMillis); }
  bool is_writable() const override { return Wait(socket_, POLLOUT, kIoMillis); }

  ssize_t read(char* data, size_t size) override {
    if (!HasBuffered()) {
      if (!Wait(socket_, POLLIN, kIoMillis)) return -1;
      const ssize_t got = ::recv(socket_, buffer_, sizeof(buffer_), 0);
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<size_t>(got);
    }
    const size_t part = std::min(size, end_ - begin_);
    std::memcpy(data, buffer_ + begin_, part);
    begin_ += part;
    return static_cast<ssize_t>(part);
  }

  ssize_t write(const char* data, size_t size) override {
    if (!is_writable()) return -1;
    return ::send(socket_, data, size, MSG_NOSIGNAL);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { Address(true, socket_, ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { Address(false, socket_, ip, port); }
  socket_t socket() const override { return socket_; }

 private:
  int socket_;
  char buffer_[16 * 1024];
  size_t begin_ = 0, end_ = 0;
};

// Starts a thread when none is idle, up to kThreads: a small arena stays small, a busy one never waits for a kept
// connection.
class GrowingPool : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > idle_ && threads_.size() < kThreads) threads_.emplace_back([this] { Work(); });
    wake_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool ending_ = false;
};

}  // namespace

HttpServer::HttpServer(Handler handler) {
  new_task_queue = [] { return new GrowingPool; };
  set_payload_max_length(kMaxBody);
  set_tcp_nodelay(true);
  // Not SO_REUSEPORT, the library's default, with which two arenas would share a port silently.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  const auto route = [handler](const httplib::Request& request, httplib::Response& response) {
    handler(request, response);
  };
  // The library matches with std::regex, which recurses for each character.
  set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (request.path.size() <= kMaxPath) return HandlerResponse::Unhandled;
    response.status = 414;
    response.set_header("Connection", "close");
    response.set_content("The address is too long.\n", "text/plain");
    return HandlerResponse::Handled;
  });
  set_keep_alive_timeout(kIdleMillis / 1000);
  set_keep_alive_max_count(kRequestsPerConnection);
  constexpr char kAll[] = "[\\s\\S]*";
  Get(kAll, route);
  Post(kAll, route);
  Put(kAll, route);
  Patch(kAll, route);
  Delete(kAll, route);
  Options(kAll, route);
}

HttpServer::~HttpServer() { Stop(); }

absl::StatusOr<int> HttpServer::Start(const std::string& host, int port) {
  if (port == 0) {
    port = bind_to_any_port(host);
    if (port < 0) return absl::UnavailableError(absl::StrCat("cannot listen on ", host, ": ", std::strerror(errno)));
  } else if (!bind_to_port(host, port)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", host, ":", port, ": ", std::strerror(errno),
                                               " (is another arena running? --port 0 takes a free port)"));
  }
  ::listen(svr_sock_, kBacklog);
  thread_ = std::thread([this] { listen_after_bind(); });
  // stop() does nothing before the loop runs.
  while (!is_running()) std::this_thread::yield();
  return port;
}

void HttpServer::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  stop();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RD);
  }
  thread_.join();
}

void HttpServer::ResetConnection() {
  // Disconnecting a connected TCP socket sends RST at once; the descriptor stays open for the library to close.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  if (current_socket >= 0) ::connect(current_socket, &nowhere, sizeof(nowhere));
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  {
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
  }
  current_socket = socket;
  auto stream = std::make_unique<SocketStream>(socket);
  bool fine = true;
  for (int left = kRequestsPerConnection; left > 0 && !stopping_; --left) {
    if (!stream->HasBuffered() && !Wait(socket, POLLIN, kIdleMillis)) break;
    if (stopping_) break;
    bool closed = false;
    fine = process_request(*stream, left == 1, closed, [](httplib::Request& request) {
      // Without either header a request has no body (RFC 9112, 6.3); the library would read until the client hangs up.
      if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
        request.set_header("Content-Length", "0");
    });
    if (!fine || closed) break;
  }
  current_socket = -1;
  {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }
  ::shutdown(socket, SHUT_RDWR);
  ::close(socket);
  return fine;
}

}  // namespace puckdrop::arena
