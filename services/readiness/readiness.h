// The domain of the readiness service: runs, their results and evidence, the verdict. Knows nothing of gRPC.
#ifndef PUCKDROP_SERVICES_READINESS_READINESS_H_
#define PUCKDROP_SERVICES_READINESS_READINESS_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/obligation_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "services/readiness/expectations.h"
#include "services/readiness/notice_reader.h"
#include "services/readiness/notifier.h"
#include "services/readiness/store.h"
#include "services/readiness/walk.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

struct ReadinessOptions {
  std::shared_ptr<const Subject> subject;
  Probers probers;
  std::string vantage = "local";
  // How many ended runs are remembered, and how many bytes of evidence.
  size_t runs_kept = 20;
  size_t evidence_bytes_kept = 256u << 20;
};

// Loop thread only, its constructor and destructor too unless the loop has stopped or nothing runs. Everything passed
// in outlives it. Errors carry a reason (runtime/status_convert.h) and say what to do.
class Readiness {
 public:
  Readiness(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, NoticeReader& notices,
            ReadinessOptions options);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  const Subject& subject() const { return *options_.subject; }

  // -- runs
  // INVALID_ARGUMENT when the selection is empty or names nothing; FAILED_PRECONDITION while paused, while shutting
  // down, when the caller has another plan.
  awaitable<absl::StatusOr<v1::Run>> StartRun(v1::StartRunRequest request);
  absl::StatusOr<v1::Run> GetRun(const std::string& name) const;
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) const;
  absl::StatusOr<v1::Run> CancelRun(const v1::CancelRunRequest& request);
  // Hands over every event of the run from its beginning, and ends when the run has ended and all were taken.
  using OnRunEvent = std::function<awaitable<absl::Status>(const v1::WatchRunEvent&)>;
  awaitable<absl::Status> WatchRun(std::string name, OnRunEvent on_event);
  void Pause() { paused_ = true; }
  void Resume() { paused_ = false; }

  // -- the verdict on the newest results of all runs
  absl::StatusOr<v1::Verdict> GetVerdict(const std::string& launch) const;
  // Hands over the verdict now and after each change; what came in between is left out. Ends with the error of
  // `on_verdict` or CANCELLED.
  awaitable<absl::Status> WatchVerdict(std::string launch,
                                       std::function<awaitable<absl::Status>(v1::Verdict)> on_verdict);
  // Called after each change, with the newest.
  void OnVerdict(std::function<void(const v1::Verdict&)> listener) { listener_ = std::move(listener); }

  // -- checks, results, evidence
  absl::StatusOr<v1::ListPlanChecksResponse> ListChecks(const v1::ListPlanChecksRequest& request) const;
  absl::StatusOr<v1::PlanCheck> GetCheck(const std::string& check) const;
  absl::StatusOr<v1::ListResultsResponse> ListResults(const v1::ListResultsRequest& request) const;
  absl::StatusOr<v1::Evidence> GetEvidence(const std::string& name) const;

  // -- obligations
  // FAILED_PRECONDITION when the owner is a run of ours that is ending: nothing new is begun then.
  absl::Status MayAct(const std::string& owner) const;
  awaitable<absl::StatusOr<v1::SettleObligationsResponse>> SettleObligations(v1::SettleObligationsRequest request);
  Store& store() { return store_; }

  // Until it is cancelled: every minute undoes what nobody alive owns, looks at the waivers' notices and lets the
  // verdict grow old. For a service that stays; a gate does all of it once.
  awaitable<void> KeepHouse();

  // Ends all runs and undoes what they did within `grace`; no new ones.
  awaitable<void> Shutdown(absl::Duration grace);

 private:
  struct RunRecord;
  using RunPtr = std::shared_ptr<RunRecord>;

  awaitable<void> RunToItsEnd(RunPtr run);
  awaitable<void> LookAtNotices();
  void Emit(const RunPtr& run, v1::WatchRunEvent event);
  void Remember(const v1::Result& result);
  void Remember(const v1::Evidence& evidence);
  void Changed();
  v1::Verdict Judge(const std::vector<Instance>& expected, bool filtered, std::vector<v1::Result> results,
                    std::string configuration, std::vector<std::string> causes) const;
  v1::Verdict CurrentVerdict() const;
  absl::StatusOr<RunPtr> Find(const std::string& name) const;
  absl::Status CheckLaunch(const std::string& launch) const;

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  Store& store_;
  NoticeReader& notices_;
  const ReadinessOptions options_;
  const std::vector<Instance> expected_;

  std::deque<RunPtr> runs_;                                                         // oldest first
  std::map<std::tuple<std::string, std::string, std::string>, v1::Result> latest_;  // by check, customer, vantage
  std::string configuration_;
  std::vector<WaiverInput> looked_at_;  // waivers with what was last seen
  std::map<std::string, std::shared_ptr<const v1::Evidence>> evidence_;
  std::deque<std::string> evidence_order_;
  size_t evidence_bytes_ = 0;
  Notifier changed_;
  std::function<void(const v1::Verdict&)> listener_;
  int64_t revision_ = 0;
  int obligations_open_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
};

// `<yyyymmdd>-<hhmmss>-<random>`: sorts by time, fits a run id.
std::string NewRunId(absl::Time now);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_READINESS_H_
