// A run as others see it: its message, its events, and who waits for them.
#ifndef PUCKDROP_SERVICES_READINESS_RUN_RECORD_H_
#define PUCKDROP_SERVICES_READINESS_RUN_RECORD_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "services/readiness/expectations.h"
#include "services/readiness/notifier.h"
#include "services/readiness/walk.h"

namespace puckdrop::readiness {

struct RunRecord {
  v1::Run run;
  std::string id;
  std::shared_ptr<const Subject> subject;
  std::vector<Instance> expected;
  bool filtered = false;
  absl::Duration began;  // steady
  std::unique_ptr<Walk> walk;
  // From the beginning, for those who ask late: of a run that was asked for. One of the schedule keeps none.
  bool keeps_events = true;
  std::deque<std::shared_ptr<const v1::WatchRunEvent>> events;
  Notifier more;
  // Results under way to the disk.
  int unsaved = 0;
  bool cancelled = false;  // before it had a walk
  bool ended = false;
};
using RunPtr = std::shared_ptr<RunRecord>;

// The runs of a process, newest last. Loop thread only.
class RunBook {
 public:
  explicit RunBook(size_t kept) : kept_(kept) {}

  // Forgets the oldest that have ended beyond the number kept of its kind.
  void Add(RunPtr run);
  // NOT_FOUND.
  absl::StatusOr<RunPtr> Find(const std::string& name) const;
  const std::deque<RunPtr>& all() const { return runs_; }
  absl::StatusOr<v1::ListRunsResponse> List(const v1::ListRunsRequest& request) const;

  // Writes an event down and wakes who waits.
  static void Emit(const RunPtr& run, v1::WatchRunEvent event);
  // Hands over every event of the run from its beginning, and ends when the run has ended and all were taken.
  using OnRunEvent = std::function<awaitable<absl::Status>(const v1::WatchRunEvent&)>;
  static awaitable<absl::Status> Watch(RunPtr run, OnRunEvent on_event);

 private:
  const size_t kept_;
  std::deque<RunPtr> runs_;
};

// The page of a list that begins at the token's index: where it begins and ends. INVALID_ARGUMENT.
absl::StatusOr<std::pair<size_t, size_t>> PageOf(int size, int default_size, int most, const std::string& token,
                                                 size_t count);

// `<yyyymmdd>-<hhmmss>-<random>`: sorts by time, fits a run id.
std::string NewRunId(absl::Time now);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_RUN_RECORD_H_
