#ifndef PUCKDROP_TESTS_FAKES_FAKE_PLAYER_H_
#define PUCKDROP_TESTS_FAKES_FAKE_PLAYER_H_

#include <memory>
#include <string>

#include "checks/media/player.h"
#include "services/runtime/clock.h"

namespace puckdrop::fakes {

// A healthy live stream of two variants and two sound tracks, until a test changes what is told of it.
class FakePlayer : public media::Player {
 public:
  explicit FakePlayer(runtime::FakeClock* clock);

  // How long a first picture takes.
  absl::Duration first_picture_takes = absl::Seconds(1);
  std::optional<media::Trouble> first_picture_trouble;
  media::ManifestReport manifest;
  media::Watched watched;
  int forgotten = 0;

  // The reports by name of a rendition of `watched`; aborts when there is none.
  media::RenditionReport& Rendition(const std::string& name);

  boost::asio::awaitable<media::FirstPicture> ShowFirstPicture(const media::Stream& stream,
                                                               absl::Time deadline) override;
  boost::asio::awaitable<media::ManifestReport> ReadManifest(const media::Stream& stream, absl::Time deadline) override;
  boost::asio::awaitable<std::shared_ptr<const media::Watched>> Watch(const media::Stream& stream,
                                                                      absl::Duration observe,
                                                                      absl::Time deadline) override;
  void Forget(const media::Stream& stream) override { ++forgotten; }

 private:
  runtime::FakeClock* clock_;
};

}  // namespace puckdrop::fakes

#endif  // PUCKDROP_TESTS_FAKES_FAKE_PLAYER_H_
