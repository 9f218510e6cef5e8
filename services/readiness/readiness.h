// The domain of the readiness service: runs, their results and evidence, the verdict. Knows nothing of gRPC.
//
// A gate starts one run and asks for its verdict. A service that stays (`scheduled`) also starts runs by the plan's
// schedule, keeps what it learns in an archive and lets the verdict grow old: Restore, then Stay.
#ifndef PUCKDROP_SERVICES_READINESS_READINESS_H_
#define PUCKDROP_SERVICES_READINESS_READINESS_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/obligation_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/waiver_service.pb.h"
#include "services/readiness/archive.h"
#include "services/readiness/configuration.h"
#include "services/readiness/evidence_box.h"
#include "services/readiness/expectations.h"
#include "services/readiness/known_results.h"
#include "services/readiness/notice_reader.h"
#include "services/readiness/notifier.h"
#include "services/readiness/run_record.h"
#include "services/readiness/schedule.h"
#include "services/readiness/since_go.h"
#include "services/readiness/since_when.h"
#include "services/readiness/store.h"
#include "services/readiness/waivers.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

struct ReadinessOptions {
  std::shared_ptr<const Subject> subject;
  Probers probers;
  // The probers of each vantage that the plan names; empty: all are one place.
  std::map<std::string, Probers> vantages;
  std::string vantage = "local";
  // How many ended runs of each kind are remembered, and how many bytes of evidence.
  size_t runs_kept = 20;
  size_t evidence_bytes_kept = 256u << 20;

  // -- of a service that stays
  bool scheduled = false;
  // Outlives it; nullptr: what is known dies with the process.
  Archive* archive = nullptr;
  // Reads the plan's files again; blocks. INVALID_ARGUMENT with every mistake. Empty: the plan cannot be reloaded.
  std::function<absl::StatusOr<std::shared_ptr<const Subject>>()> load_plan;
  uint64_t seed = 0;  // of the schedule's jitter
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

  const Subject& subject() const { return *subject_; }

  // -- runs (readiness.cc)
  // INVALID_ARGUMENT when the selection is empty or names nothing; FAILED_PRECONDITION while paused, while shutting
  // down, when the caller has another plan. Beside a schedule it waits for the journeys under way to end.
  awaitable<absl::StatusOr<v1::Run>> StartRun(v1::StartRunRequest request);
  absl::StatusOr<v1::Run> CancelRun(const v1::CancelRunRequest& request);
  // Hands over every event of the run from its beginning, and ends when the run has ended and all were taken. Of a run
  // of the schedule only the run itself.
  using OnRunEvent = RunBook::OnRunEvent;
  awaitable<absl::Status> WatchRun(std::string name, OnRunEvent on_event);
  // FAILED_PRECONDITION when the owner is a run of ours that is ending: nothing new is begun then.
  absl::Status MayAct(const std::string& owner) const;
  // Ends all runs and undoes what they did within `grace`; no new ones.
  awaitable<void> Shutdown(absl::Duration grace);

  // -- the verdict on the newest results of all runs (readiness_verdict.cc)
  absl::StatusOr<v1::Verdict> GetVerdict(const std::string& launch);
  // Hands over the verdict now and after each change; what came in between is left out. Ends with the error of
  // `on_verdict` or CANCELLED.
  awaitable<absl::Status> WatchVerdict(std::string launch,
                                       std::function<awaitable<absl::Status>(v1::Verdict)> on_verdict);
  // Called with each verdict that is computed: after each change, and every second of a service that stays.
  using OnVerdictComputed = std::function<void(const std::shared_ptr<const Subject>&, const v1::Verdict&)>;
  void OnVerdict(OnVerdictComputed listener) { listener_ = std::move(listener); }

  // -- a service that stays (staying.cc)
  // Takes up what an earlier life left: results with their ages, pause, waivers, the last GO; ends its runs. Before
  // anything else is called. Without an archive it does nothing.
  awaitable<absl::Status> Restore();
  // Until it is cancelled: starts what is due, lets the verdict grow old, undoes what nobody alive owns, looks at
  // notices, keeps the archive in bounds.
  awaitable<void> Stay();
  // Stops everything except undoing, also over a restart. What was known grows old meanwhile.
  awaitable<absl::Status> Pause(std::string reason, std::string who);
  awaitable<absl::Status> Resume(std::string who);
  // The digest of the plan in force then. INVALID_ARGUMENT with every mistake: the old plan stays.
  awaitable<absl::StatusOr<std::string>> ReloadPlan(std::string who);

  // -- questions (questions.cc)
  awaitable<absl::StatusOr<v1::Run>> GetRun(std::string name);
  awaitable<absl::StatusOr<v1::ListRunsResponse>> ListRuns(v1::ListRunsRequest request);
  absl::StatusOr<v1::ListPlanChecksResponse> ListChecks(const v1::ListPlanChecksRequest& request);
  absl::StatusOr<v1::PlanCheck> GetCheck(const std::string& check);
  awaitable<absl::StatusOr<v1::ListResultsResponse>> ListResults(v1::ListResultsRequest request);
  awaitable<absl::StatusOr<v1::Evidence>> GetEvidence(std::string name);
  awaitable<absl::StatusOr<v1::ExplainCheckResponse>> ExplainCheck(v1::ExplainCheckRequest request);
  awaitable<absl::StatusOr<v1::ListVerdictChangesResponse>> ListVerdictChanges(v1::ListVerdictChangesRequest request);

  // -- waivers made at run time (questions.cc)
  awaitable<absl::StatusOr<v1::WaiverState>> CreateWaiver(v1::Waiver waiver, std::string who);
  v1::ListWaiversResponse ListWaivers() const { return waivers_.List(); }
  awaitable<absl::StatusOr<v1::WaiverState>> RevokeWaiver(int number, std::string who);

  // -- obligations
  awaitable<absl::StatusOr<v1::SettleObligationsResponse>> SettleObligations(v1::SettleObligationsRequest request);
  Store& store() { return store_; }

 private:
  // One lane of the schedule from one vantage ("": all).
  struct LaneState {
    LaneState(Schedule of, std::string from, int which)
        : schedule(std::move(of)), vantage(std::move(from)), number(which) {}
    Schedule schedule;
    std::string vantage;
    int number;
  };
  // What a run is to do.
  struct RunOrder {
    v1::Run::Kind kind = v1::Run::ON_DEMAND;
    v1::Selection selection;
    std::vector<Instance> instances;
    bool filtered = false;
    std::string vantage;
    absl::Duration timeout;
    absl::Duration observe;
    absl::Duration interval;  // of the schedule; zero: it is asked once
    std::shared_ptr<LaneState> lane;
  };

  Moment Now() const { return {clock_.Now(), clock_.Monotonic()}; }
  static bool OnSchedule(const RunPtr& run) { return run->run.kind() != v1::Run::ON_DEMAND; }

  // readiness.cc
  awaitable<absl::StatusOr<RunPtr>> Begin(RunOrder order);
  WalkRequest WalkOf(const RunPtr& run, const RunOrder& order) const;
  WalkEvents EventsOf(const RunPtr& run);
  awaitable<void> RunToItsEnd(RunPtr run, RunOrder order);
  awaitable<absl::Status> WaitForTurn(RunPtr run);
  void TakeResult(const RunPtr& run, const v1::Result& result);
  void Learn(const RunPtr& run, const v1::Result& result);
  void TakeConfiguration(const std::string& fingerprint);
  awaitable<void> Flush();
  void StartFlushing();

  // readiness_verdict.cc
  void Changed();
  void Publish();
  v1::Verdict JudgeRun(const RunPtr& run, const WalkOutcome& outcome) const;
  v1::Verdict JudgeLaunch();
  absl::Status CheckLaunch(const std::string& launch) const;

  // staying.cc
  void TakeSubject(std::shared_ptr<const Subject> subject);
  void StartDue();
  bool MayStart(const LaneState& lane) const;
  awaitable<void> KeepSchedule();
  awaitable<void> KeepHouse();
  awaitable<void> Audit(std::string who, std::string method, std::string what, absl::Status outcome);
  awaitable<absl::Status> LoadWaivers();

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  Store& store_;
  const ReadinessOptions options_;

  // Of the plan in force.
  std::shared_ptr<const Subject> subject_;
  std::vector<Instance> expected_;
  std::vector<std::shared_ptr<LaneState>> lanes_;
  bool watches_ = false;  // some instance can be watched

  RunBook runs_;
  std::deque<RunPtr> waiting_;  // runs on demand, in their turn; the first may be under way
  Notifier turn_;

  KnownResults known_;
  Configuration configuration_;
  Waivers waivers_;
  EvidenceBox evidence_;
  SinceGo since_go_;
  SinceWhen since_when_;
  int obligations_open_ = 0;

  // On the way to the archive.
  struct Unsaved {
    RunPtr run;
    v1::Result result;
  };
  std::vector<Unsaved> unsaved_;
  std::vector<v1::Evidence> unsaved_evidence_;
  std::vector<v1::Result> refused_;  // that the archive would not take; tried again
  std::optional<v1::Verdict> unrecorded_;
  bool flushing_ = false;
  Notifier flushed_;

  // The last verdict computed, and what watchers saw of it.
  std::optional<v1::Verdict> verdict_;
  absl::Duration computed_ = -absl::InfiniteDuration();
  absl::Duration recorded_ = -absl::InfiniteDuration();
  bool dirty_ = true;
  std::string seen_;
  int64_t revision_ = 0;
  uint64_t publish_call_ = 0;  // 0: none is under way
  Notifier changed_;
  OnVerdictComputed listener_;

  std::string paused_;  // why; empty: it is not
  bool reloading_ = false;
  bool stopping_ = false;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_READINESS_H_
