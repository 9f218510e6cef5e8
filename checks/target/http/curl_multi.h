// libcurl's multi handle, its sockets and its timer driven by the event loop.
#ifndef PUCKDROP_CHECKS_TARGET_HTTP_CURL_MULTI_H_
#define PUCKDROP_CHECKS_TARGET_HTTP_CURL_MULTI_H_

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace puckdrop::http {

// Loop thread only. The sockets are watched by an epoll set of its own, of which the loop watches only the one
// descriptor: so a kept connection costs no system call to watch, and a batch of ready sockets costs the loop one
// wake-up.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  // `done` is called, outside of libcurl, for each transfer that ended, with its result; the handle has been removed.
  using Done = std::function<void(CURL*, CURLcode)>;

  // Null when the system refuses (no descriptors, no memory).
  static std::shared_ptr<CurlMulti> Create(boost::asio::io_context& io, long kept_connections, Done done);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // Options that a handle needs to be driven here; once per handle.
  void Prepare(CURL* easy);
  CURLMcode Add(CURL* easy);
  void Remove(CURL* easy);

 private:
  // What the epoll set holds for a descriptor. Only sockets that we opened, and so are told of their closing, may stay
  // in the set while libcurl does not ask for them.
  struct Watched {
    bool ours = false;
    bool wanted = false;
    uint32_t events = 0;  // 0: not in the set
  };

  CurlMulti(boost::asio::io_context& io, CURLM* multi, int epoll, Done done);

  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void* known);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t OnOpen(void* self, curlsocktype purpose, struct curl_sockaddr* address);
  static int OnClose(void* self, curl_socket_t socket);

  Watched& At(curl_socket_t socket);
  void Watch(curl_socket_t socket, uint32_t events);
  void AwaitSockets();
  void OnSockets();
  void Act(curl_socket_t socket, int what);
  void Arm(std::chrono::steady_clock::time_point when);
  void Kick();
  void CollectDone();

  boost::asio::io_context& io_;
  CURLM* multi_;
  boost::asio::posix::stream_descriptor epoll_;
  boost::asio::steady_timer timer_;
  Done done_;
  std::vector<Watched> watched_;  // by descriptor
  std::chrono::steady_clock::time_point armed_ = std::chrono::steady_clock::time_point::max();
  bool kicked_ = false;
};

}  // namespace puckdrop::http

#endif  // PUCKDROP_CHECKS_TARGET_HTTP_CURL_MULTI_H_
