#include "checks/playback/shared_playback.h"

#include "checks/words.h"

namespace puckdrop::checks::playback {

Task<std::string> EventToWatch(Journey& journey) {
  if (journey.plan().claims().events_size() > 0) co_return journey.plan().claims().events(0).event_id();
  if (journey.operations().Mapping("playback.list_events").state != OperationMapping::State::kMapped) co_return "";
  target::v1::ListEventsRequest request;
  request.set_language(journey.customer().language());
  const target::v1::ListEventsResponse events =
      co_await journey.Once<target::v1::ListEventsResponse>("playback.list_events", request);
  const absl::Time now = journey.clock_now();
  for (const target::v1::Event& event : events.events()) {
    if (!event.has_start_time() || TimeOf(event.start_time()) > now) continue;
    if (event.has_end_time() && TimeOf(event.end_time()) < now) continue;
    co_return event.event_id();
  }
  if (events.events().empty()) {
    throw Judged(Failed("no_event", "there is no event to watch", "at least one event", "an empty list"));
  }
  co_return events.events(0).event_id();
}

Task<Ended<target::v1::StartPlaybackResponse>> TryStart(Journey& journey, PerformOptions options) {
  target::v1::StartPlaybackRequest request;
  request.set_event_id(co_await EventToWatch(journey));
  *request.mutable_device() = journey.Device();
  request.set_position(target::v1::PLAYBACK_POSITION_LIVE);
  request.set_language(journey.customer().language());
  co_return co_await journey.Try<target::v1::StartPlaybackResponse>("playback.start_playback", request,
                                                                    std::move(options));
}

Task<void> Stop(Journey& journey, const std::string& session_id) {
  if (session_id.empty()) co_return;
  if (journey.operations().Mapping("playback.stop_playback").state != OperationMapping::State::kMapped) co_return;
  target::v1::StopPlaybackRequest request;
  request.set_session_id(session_id);
  (void)co_await journey.Try<target::v1::StopPlaybackResponse>("playback.stop_playback", request);
}

media::Stream StreamOf(const Journey& journey, const target::v1::StartPlaybackResponse& started) {
  media::Stream stream;
  stream.customer = journey.customer().id();
  stream.device_profile = journey.customer().device();
  const target::v1::Manifest* chosen = nullptr;
  for (const target::v1::Manifest& manifest : started.manifests()) {
    if (chosen == nullptr || (manifest.protocol() == target::v1::STREAMING_PROTOCOL_HLS &&
                              chosen->protocol() != target::v1::STREAMING_PROTOCOL_HLS)) {
      chosen = &manifest;
    }
  }
  if (chosen == nullptr) {
    throw Judged(Failed("no_manifest", "playback started without a stream to play", "a manifest", "none"));
  }
  stream.url = chosen->url();
  for (const auto& [name, value] : chosen->headers()) stream.headers.emplace_back(name, value);
  return stream;
}

}  // namespace puckdrop::checks::playback
