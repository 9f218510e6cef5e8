#ifndef PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_
#define PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_

#include <memory>
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

// The live stream, watched once for all checks of this journey for the context's `observe`: starts, keeps and stops a
// playback session. Throws OperationEnded when it cannot start, Judged (FAILED or INCONCLUSIVE) when nothing can be watched.
Task<std::shared_ptr<const media::Watched>> WatchLive(CheckContext& context);
// A judgement of a trouble by whose it is.
Judgement JudgeTrouble(const media::Trouble& trouble, const std::string& where = "");
// Puts pictures of the watched renditions, and the playlist, among the evidence.
void AddPictures(CheckContext& context, const media::Watched& watched);

}  // namespace puckdrop::checks::playback

#endif  // PUCKDROP_CHECKS_PLAYBACK_SHARED_PLAYBACK_H_
