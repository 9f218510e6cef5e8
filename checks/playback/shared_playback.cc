#include "checks/playback/shared_playback.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "absl/strings/str_cat.h"
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

Judgement JudgeTrouble(const media::Trouble& trouble, const std::string& where) {
  switch (trouble.kind) {
    case media::Trouble::Kind::kTarget:
      return Failed(trouble.id, trouble.words, "a stream that plays", trouble.id, where, v1::FAILURE_REASON_MEDIA);
    case media::Trouble::Kind::kUnreachable:
      return Inconclusive(trouble.words, v1::FAILURE_REASON_UNREACHABLE);
    case media::Trouble::Kind::kOurs:
      break;
  }
  return Inconclusive(trouble.words);
}

namespace {

using WatchedPointer = std::shared_ptr<const media::Watched>;

// A player tells the target that it still plays, or the target takes the stream away.
Task<void> KeepPlaying(Journey& journey, std::string session_id, absl::Duration interval) {
  target::v1::KeepPlaybackRequest request;
  request.set_session_id(session_id);
  for (;;) {
    co_await journey.Sleep(interval);
    (void)co_await journey.Try<target::v1::KeepPlaybackResponse>("playback.keep_playback", request);
  }
}

Task<WatchedPointer> WatchAndKeep(CheckContext& context, const target::v1::StartPlaybackResponse& started) {
  using boost::asio::experimental::awaitable_operators::operator||;
  Journey& journey = context.journey();
  const media::Stream stream = StreamOf(journey, started);
  // What an earlier look saw is not what is there now.
  context.player().Forget(stream);
  context.Progress(absl::StrCat("watching the live stream for ", absl::ToInt64Seconds(context.observe()), " s"));
  absl::Duration interval = absl::Seconds(started.heartbeat_interval().seconds());
  const bool keeps = journey.operations().Mapping("playback.keep_playback").state == OperationMapping::State::kMapped &&
                     !started.session_id().empty() && interval > absl::ZeroDuration() && interval < context.observe();
  if (!keeps) co_return co_await context.player().Watch(stream, context.observe(), journey.deadline());
  auto either = co_await (context.player().Watch(stream, context.observe(), journey.deadline()) ||
                          KeepPlaying(journey, started.session_id(), interval));
  if (either.index() == 1) throw Judged(Inconclusive("the watching ended before its time"));
  co_return std::get<0>(std::move(either));
}

}  // namespace

Task<WatchedPointer> WatchLive(CheckContext& context) {
  Journey& journey = context.journey();
  if (std::shared_ptr<const void> earlier = journey.Shared("playback.watched")) {
    co_return std::static_pointer_cast<const media::Watched>(earlier);
  }
  Ended<target::v1::StartPlaybackResponse> started = co_await TryStart(journey);
  if (!started.ok()) throw OperationEnded(std::move(started.end));
  WatchedPointer watched;
  std::exception_ptr thrown;
  try {
    watched = co_await WatchAndKeep(context, started.response);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await Stop(journey, started.response.session_id());
  if (thrown) std::rethrow_exception(thrown);
  if (watched->trouble) throw Judged(JudgeTrouble(*watched->trouble));
  journey.Share("playback.watched", watched);
  co_return watched;
}

void AddPictures(CheckContext& context, const media::Watched& watched) {
  for (const media::RenditionReport& report : watched.renditions) {
    if (report.picture.kind() == v1::Evidence::KIND_PICTURE) context.AddEvidence(report.picture);
  }
  if (watched.playlist.kind() == v1::Evidence::KIND_PLAYLIST) context.AddEvidence(watched.playlist);
}

}  // namespace puckdrop::checks::playback
