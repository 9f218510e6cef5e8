#ifndef PUCKDROP_SERVICES_ARENA_HTTP_SERVER_H_
#define PUCKDROP_SERVICES_ARENA_HTTP_SERVER_H_

#include <httplib.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace puckdrop::arena {

// cpp-httplib's server with our own connection loop, because the library's (0.11) wakes a hundred times a second for
// every idle kept connection, has a listen backlog of 5, and neither lets a handler reset its connection nor ends idle
// ones at stop.
class HttpServer : private httplib::Server {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  // `handler` answers every request of every method; it is called from many threads and must not throw.
  explicit HttpServer(Handler handler);
  ~HttpServer() override;

  // Listens on host:port (port 0: a free one) and serves from a thread of its own. Returns the port.
  absl::StatusOr<int> Start(const std::string& host, int port);
  // Ends idle connections, waits for running requests, returns when all threads are gone. Idempotent.
  void Stop();

  // Resets the TCP connection of the request that this thread handles: the client sees ECONNRESET.
  static void ResetConnection();

 private:
  bool process_and_close_socket(socket_t socket) override;

  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::set<int> sockets_;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_HTTP_SERVER_H_
