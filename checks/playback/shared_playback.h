#ifndef PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_
#define PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_

#include <string>

#include "checks/check_context.h"
#include "checks/media/player.h"

// Pressing play, for every check that does.
namespace puckdrop::checks::playback {

// The event to watch: the plan's first claimed event, else the listed event that is on now, else the first listed.
// Throws Judged (FAILED `no_event`) when the target lists none.
Task<std::string> EventToWatch(Journey& journey);
// playback.start_playback at the live edge, every end given back.
Task<Ended<target::v1::StartPlaybackResponse>> TryStart(Journey& journey, PerformOptions options = {});
// playback.stop_playback, if the plan maps it; how it ends is not judged here.
Task<void> Stop(Journey& journey, const std::string& session_id);
// The HLS stream among the manifests (else the first).
media::Stream StreamOf(const Journey& journey, const target::v1::StartPlaybackResponse& started);

}  // namespace puckdrop::checks::playback

#endif  // PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_
