#include "services/prober/outbox.h"

#include <utility>

namespace puckdrop::prober {

using runtime::OneShot;

Outbox::Outbox() = default;
Outbox::~Outbox() = default;

void Outbox::Push(v1::RunChecksEvent event) {
  if (closed_ || !abandoned_.ok()) return;
  if (event.has_progress() && events_.size() >= kCrowded) return;
  events_.push_back(std::move(event));
  if (filled_) filled_->Set();
}

awaitable<absl::Status> Outbox::Room() {
  while (abandoned_.ok() && events_.size() >= kCrowded) {
    std::shared_ptr<OneShot> emptied = std::make_shared<OneShot>();
    emptied_ = emptied;
    absl::Status waited = co_await emptied->Wait();
    if (!waited.ok()) co_return waited;
  }
  co_return abandoned_;
}

awaitable<std::optional<v1::RunChecksEvent>> Outbox::Next() {
  while (events_.empty() && !closed_ && abandoned_.ok()) {
    std::shared_ptr<OneShot> filled = std::make_shared<OneShot>();
    filled_ = filled;
    absl::Status waited = co_await filled->Wait();
    if (!waited.ok()) co_return std::nullopt;
  }
  if (events_.empty()) co_return std::nullopt;
  v1::RunChecksEvent event = std::move(events_.front());
  events_.pop_front();
  if (emptied_ && events_.size() < kCrowded) emptied_->Set();
  co_return event;
}

void Outbox::Close() {
  closed_ = true;
  if (filled_) filled_->Set();
}

void Outbox::Abandon(absl::Status why) {
  abandoned_ = std::move(why);
  events_.clear();
  if (filled_) filled_->Set();
  if (emptied_) emptied_->Set();
}

}  // namespace puckdrop::prober
