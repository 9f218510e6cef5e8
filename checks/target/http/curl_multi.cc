#include "checks/target/http/curl_multi.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <utility>

namespace puckdrop::http {

namespace {
using Steady = std::chrono::steady_clock;
}

std::shared_ptr<CurlMulti> CurlMulti::Create(boost::asio::io_context& io, long kept_connections, Done done) {
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return nullptr;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    curl_multi_cleanup(multi);
    return nullptr;
  }
  std::shared_ptr<CurlMulti> self(new CurlMulti(io, multi, epoll, std::move(done)));
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, self.get());
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, self.get());
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept_connections);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  self->AwaitSockets();
  return self;
}

CurlMulti::CurlMulti(boost::asio::io_context& io, CURLM* multi, int epoll, Done done)
    : io_(io), multi_(multi), epoll_(io, epoll), timer_(io), done_(std::move(done)) {}

CurlMulti::~CurlMulti() {
  // It closes the kept connections, which calls back.
  curl_multi_cleanup(multi_);
}

void CurlMulti::Prepare(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlMulti::OnOpen);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::OnClose);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

CURLMcode CurlMulti::Add(CURL* easy) { return curl_multi_add_handle(multi_, easy); }

void CurlMulti::Remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

CurlMulti::Watched& CurlMulti::At(curl_socket_t socket) {
  size_t index = static_cast<size_t>(socket);
  if (index >= watched_.size()) watched_.resize(index + 64);
  return watched_[index];
}

curl_socket_t CurlMulti::OnOpen(void* self, curlsocktype, struct curl_sockaddr* address) {
  // Close-on-exec, because the process spawns workers.
  int opened = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  if (opened < 0) return CURL_SOCKET_BAD;
  static_cast<CurlMulti*>(self)->At(opened) = Watched{.ours = true};
  return opened;
}

int CurlMulti::OnClose(void* self, curl_socket_t socket) {
  // Closing takes it out of the epoll set.
  static_cast<CurlMulti*>(self)->At(socket) = Watched{};
  return close(socket);
}

void CurlMulti::Watch(curl_socket_t socket, uint32_t events) {
  Watched& watched = At(socket);
  // Of a socket that is not ours the set may have lost sight without our knowing.
  if (watched.ours && watched.events == events) return;
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  int epoll = epoll_.native_handle();
  if (events == 0) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
  } else if (watched.events == 0) {
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
  } else {
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0) epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }
  watched.events = events;
}

int CurlMulti::OnSocket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  CurlMulti* multi = static_cast<CurlMulti*>(self);
  Watched& watched = multi->At(socket);
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  watched.wanted = events != 0;
  if (events != 0) {
    multi->Watch(socket, events);
  } else if (!watched.ours || (watched.events & EPOLLOUT) != 0) {
    multi->Watch(socket, 0);
  }
  // A socket of ours that goes idle stays in the set for reading: the next request on it needs no system call. Should
  // it become readable meanwhile (the peer closed it), OnSockets takes it out.
  return 0;
}

int CurlMulti::OnTimer(CURLM*, long timeout_ms, void* self) {
  CurlMulti* multi = static_cast<CurlMulti*>(self);
  if (timeout_ms == 0) {
    multi->Kick();
  } else if (timeout_ms > 0) {
    // Only ever pulled forward: waking too early costs libcurl a look, setting the timer anew costs a system call.
    Steady::time_point when = Steady::now() + std::chrono::milliseconds(timeout_ms);
    if (when < multi->armed_) multi->Arm(when);
  }
  return 0;
}

void CurlMulti::Arm(Steady::time_point when) {
  armed_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    auto self = weak.lock();
    if (!self) return;
    self->armed_ = Steady::time_point::max();
    self->Act(CURL_SOCKET_TIMEOUT, 0);
    self->CollectDone();
  });
}

void CurlMulti::Kick() {
  if (kicked_) return;
  kicked_ = true;
  boost::asio::post(io_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->kicked_ = false;
    self->Act(CURL_SOCKET_TIMEOUT, 0);
    self->CollectDone();
  });
}

void CurlMulti::AwaitSockets() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      if (error) return;
                      auto self = weak.lock();
                      if (self) self->OnSockets();
                    });
}

void CurlMulti::OnSockets() {
  std::array<epoll_event, 64> events;
  // One batch a turn: what is left wakes the loop again, and others get their turn in between.
  int ready = epoll_wait(epoll_.native_handle(), events.data(), events.size(), 0);
  for (int i = 0; i < ready; ++i) {
    curl_socket_t socket = events[i].data.fd;
    Watched& watched = At(socket);
    if (!watched.wanted) {
      Watch(socket, 0);
      continue;
    }
    int what = 0;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) what |= CURL_CSELECT_IN;
    if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
    if (events[i].events & EPOLLERR) what |= CURL_CSELECT_ERR;
    Act(socket, what);
  }
  CollectDone();
  AwaitSockets();
}

void CurlMulti::Act(curl_socket_t socket, int what) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, what, &running);
}

void CurlMulti::CollectDone() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    CURLcode result = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    done_(easy, result);
  }
}

}  // namespace puckdrop::http
