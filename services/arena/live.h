#ifndef PUCKDROP_SERVICES_ARENA_LIVE_H_
#define PUCKDROP_SERVICES_ARENA_LIVE_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/arena/child_process.h"
#include "services/arena/faults.h"
#include "services/arena/media.h"

namespace puckdrop::arena {

struct LiveOptions {
  std::string media_folder;
  std::string work_folder;  // ours alone; playlists and segments live here
  MediaRecipe recipe = StandardRecipe();
};

// The live streams: ffmpeg packages the encoded match by stream copy into HLS, every variant and sound track as MPEG-TS
// and as fragmented MP4, in one process; this class writes the multivariant playlists and serves the files. A fault
// that shows other pictures or sound has a packager of its own, started when it is first switched on. Thread-safe.
class LiveStreams {
 public:
  // Encodes what is missing in the cache (see EnsureMedia) and starts the packager.
  static absl::StatusOr<std::unique_ptr<LiveStreams>> Start(LiveOptions options, const FaultSet* faults);

  // Whether every playlist holds three segments and the faults that are on hold.
  bool Ready();
  absl::Status WaitReady(absl::Duration timeout);
  // Starts and stops what the faults need; returns when they hold. UNAVAILABLE when that took too long.
  absl::Status ApplyFaults();

  struct Answer {
    int status = 404;
    std::string content_type;
    std::string cache_control;
    std::string body;
  };
  // `container` is "ts" or "fmp4"; `path` one or two segments: master.m3u8, or a rendition and its file. `viewer` tells
  // viewers apart.
  Answer Serve(const std::string& container, const std::vector<std::string>& path, const std::string& viewer);

  // Process ids of the running packagers.
  std::vector<pid_t> Pids();

 private:
  struct Channel {
    std::string folder;
    std::unique_ptr<Supervisor> packager;
  };

  LiveStreams(LiveOptions options, const FaultSet* faults, std::vector<Bandwidth> bandwidths);
  std::shared_ptr<Channel> StartChannel(const std::string& name, const std::string& pictures,
                                        const std::string& sounds);
  bool ChannelReady(const Channel& channel) const;
  bool IsVariant(const std::string& rendition) const;
  // The folder that serves `rendition`, with faults applied.
  std::string Folder(const std::string& container, const std::string& rendition);
  std::string Multivariant(const std::string& container) const;
  absl::Status Freeze();

  const LiveOptions options_;
  const FaultSet* const faults_;
  const std::vector<Bandwidth> bandwidths_;
  std::string match_;
  std::mutex apply_mutex_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Channel>> channels_;
  std::string frozen_folder_;  // of the stale fault, empty when it is off
  bool applied_ = false;       // the faults that are on hold
  int freezes_ = 0;
  std::map<std::string, int64_t> newest_seen_;  // by viewer: the newest segment of the top variant they were told of
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_LIVE_H_
