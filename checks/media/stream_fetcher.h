#ifndef PUCKDROP_CHECKS_MEDIA_STREAM_FETCHER_H_
#define PUCKDROP_CHECKS_MEDIA_STREAM_FETCHER_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checks/media/hls_playlist.h"
#include "checks/media/player.h"
#include "checks/target/http/host_rules.h"
#include "checks/target/http/http_client.h"
#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "checks/target/run_memory.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::media {

// What a player needs of the world. All outlive it; loop thread only.
struct PlayerPorts {
  runtime::EventLoop* loop = nullptr;
  const runtime::Clock* clock = nullptr;
  http::HttpClient* http = nullptr;
  http::Limiter* limiter = nullptr;
  http::Redactor* redactor = nullptr;
  const http::HostRules* hosts = nullptr;
  target::RunMemory* memory = nullptr;
  // How a host of the plan is reached (TLS, proxy), by its name; an error when we lack what that takes. Not set: as any
  // other, by the system's authorities and without a proxy.
  std::function<absl::StatusOr<std::shared_ptr<const http::HostSettings>>(const std::string& host)> host_settings;
  // No single playlist or segment may take longer.
  absl::Duration request_timeout = absl::Seconds(10);
  std::size_t segment_bytes = 32u << 20;
};

// A body, or why there is none.
struct Fetched {
  std::optional<Trouble> trouble;
  std::string body;
  // After no redirects: as asked.
  std::string url;
  std::string content_type;
  absl::Duration took;
};

// A playlist, or why there is none.
struct FetchedPlaylist {
  std::optional<Trouble> trouble;
  std::shared_ptr<const HlsPlaylist> playlist;
  std::string text;
};

// Fetches parts of one stream inside the plan's hosts and limits; every failure becomes a Trouble with an id by `what`
// ("manifest", "playlist", "segment", "init").
class StreamFetcher {
 public:
  StreamFetcher(const PlayerPorts& ports, const Stream& stream) : ports_(ports), stream_(stream) {}

  awaitable<Fetched> Fetch(std::string url, std::string what, absl::Time deadline, bool cold = false);
  awaitable<FetchedPlaylist> FetchPlaylist(std::string url, std::string what, absl::Time deadline, bool cold = false);
  // The URL without query and secrets, for words.
  std::string Shown(const std::string& url) const;
  const PlayerPorts& ports() const { return ports_; }

 private:
  const PlayerPorts& ports_;
  Stream stream_;
};

}  // namespace puckdrop::media

#endif  // PUCKDROP_CHECKS_MEDIA_STREAM_FETCHER_H_
