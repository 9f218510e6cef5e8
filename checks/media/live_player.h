#ifndef PUCKDROP_CHECKS_MEDIA_LIVE_PLAYER_H_
#define PUCKDROP_CHECKS_MEDIA_LIVE_PLAYER_H_

#include <map>
#include <memory>
#include <string>

#include "checks/media/player.h"
#include "checks/media/stream_fetcher.h"

namespace puckdrop::media {

// The player that fetches over HTTP and decodes what it fetched, on the loop's pool of threads.
class LivePlayer : public Player {
 public:
  explicit LivePlayer(PlayerPorts ports) : ports_(std::move(ports)) {}

  boost::asio::awaitable<FirstPicture> ShowFirstPicture(const Stream& stream, absl::Time deadline) override;
  boost::asio::awaitable<ManifestReport> ReadManifest(const Stream& stream, absl::Time deadline) override;
  boost::asio::awaitable<std::shared_ptr<const Watched>> Watch(const Stream& stream, absl::Duration observe,
                                                               absl::Time deadline) override;
  void Forget(const Stream& stream) override;

 private:
  PlayerPorts ports_;
  // By URL without query; bounded.
  std::map<std::string, std::shared_ptr<const Watched>> watched_;
};

}  // namespace puckdrop::media

#endif  // PUCKDROP_CHECKS_MEDIA_LIVE_PLAYER_H_
