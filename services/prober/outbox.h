// Events on their way to a reader who may be slow: the runner's sink, and the other end that a stream is written from.
#ifndef PUCKDROP_SERVICES_PROBER_OUTBOX_H_
#define PUCKDROP_SERVICES_PROBER_OUTBOX_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

#include "services/prober/check_runner.h"

namespace puckdrop::prober {

// One writer, one reader. Loop thread only.
class Outbox final : public EventSink {
 public:
  // Progress is dropped when this many wait; Room waits until fewer do.
  static constexpr size_t kCrowded = 64;

  Outbox();
  ~Outbox() override;

  void Push(v1::RunChecksEvent event) override;
  awaitable<absl::Status> Room() override;

  // The next event; nullopt when closed and empty, or cancelled.
  awaitable<std::optional<v1::RunChecksEvent>> Next();
  // Nothing more comes.
  void Close();
  // Nobody takes any more: what waits is dropped and Room gives `why`.
  void Abandon(absl::Status why);

 private:
  std::deque<v1::RunChecksEvent> events_;
  bool closed_ = false;
  absl::Status abandoned_;
  std::shared_ptr<runtime::OneShot> filled_;   // somebody waits for an event
  std::shared_ptr<runtime::OneShot> emptied_;  // somebody waits for room
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_OUTBOX_H_
