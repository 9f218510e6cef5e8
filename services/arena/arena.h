#ifndef PUCKDROP_SERVICES_ARENA_ARENA_H_
#define PUCKDROP_SERVICES_ARENA_ARENA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/arena/faults.h"
#include "services/arena/http_server.h"
#include "services/arena/live.h"
#include "services/arena/routes.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {

struct ArenaOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0: a free one
  std::string
      state_folder;  // empty: a fresh temporary folder, removed at the end; ":memory:": the store lives in memory
  std::string media_folder = DefaultMediaFolder();
  bool live = true;  // false: no streams, for tests of the shop
  MediaRecipe recipe = StandardRecipe();
  ShopOptions shop;
  std::string office_token = "office-demo-token";
  std::vector<std::string> faults;  // on from the start
};

// The whole service: shop, streams and HTTP server. Start returns once everything answers, the live stream and the
// faults included. Destruction stops the server, kills the packagers and removes temporary folders.
class Arena {
 public:
  static absl::StatusOr<std::unique_ptr<Arena>> Start(ArenaOptions options);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  const std::string& base_url() const { return base_url_; }
  Shop& shop() { return *shop_; }
  FaultSet& faults() { return faults_; }
  LiveStreams* live() { return live_.get(); }  // null without streams

 private:
  Arena() = default;

  FaultSet faults_;
  std::string temporary_folder_;
  std::string base_url_;
  std::unique_ptr<Shop> shop_;
  std::unique_ptr<LiveStreams> live_;
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_ARENA_H_
