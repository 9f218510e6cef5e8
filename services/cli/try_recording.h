// What `puckdrop try` keeps of an operation's last try, and `puckdrop try --again` reads: the exchanges, and as whom.
#ifndef PUCKDROP_SERVICES_CLI_TRY_RECORDING_H_
#define PUCKDROP_SERVICES_CLI_TRY_RECORDING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checks/target/http/redactor.h"
#include "checks/target/recorder.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::cli {

// As whom an operation was tried. No secrets.
struct TriedAs {
  std::string operation;
  std::string run;  // names of accounts and keys are made of it
  std::string customer;
  std::string payment_case;  // empty: accepted
  std::string request_json;  // what the person gave of the request
  absl::Time time;
};

// The folder of an operation's recording.
std::string RecordingFolder(const std::string& state_directory, const std::string& operation);

// Replaces the folder's recording. Only its owner may read it. Blocks.
absl::Status SaveRecording(const std::string& folder, const TriedAs& as, const target::RecordingHttpClient& exchanges,
                           const http::Redactor& redactor);

struct Recording {
  TriedAs as;
  std::unique_ptr<target::ReplayingHttpClient> exchanges;
};
// NOT_FOUND: the operation was not tried yet; DATA_LOSS: what is there cannot be read, with its file. Blocks.
absl::StatusOr<Recording> LoadRecording(const std::string& folder);

// For what is replayed: whoever sleeps on it wakes as soon as the loop has nothing else at hand, the earliest first,
// and the time has come that was slept for. Must outlive the loop's work (EventLoop::Stop).
class HurryingClock final : public runtime::Clock {
 public:
  explicit HurryingClock(runtime::EventLoop& loop) : loop_(loop) {}

  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
  std::optional<uint64_t> WakeAt(absl::Time when, std::function<void()> wake) const override;
  void RemoveWaker(uint64_t id) const override;

 private:
  void Hurry() const;

  runtime::EventLoop& loop_;
  const runtime::RealClock real_;
  mutable std::mutex mutex_;
  mutable absl::Duration ahead_;
  mutable uint64_t next_id_ = 1;
  mutable std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> wakers_;
};

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_TRY_RECORDING_H_
