// One run: every customer's journey through the stages, by way of the probers.
#ifndef PUCKDROP_SERVICES_READINESS_WALK_H_
#define PUCKDROP_SERVICES_READINESS_WALK_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/fact.pb.h"
#include "puckdrop/v1/result.pb.h"
#include "services/readiness/expectations.h"
#include "services/readiness/prober_client.h"
#include "services/readiness/settle.h"
#include "services/readiness/store.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::readiness {

struct WalkRequest {
  std::string run;  // run id
  std::vector<Journey> journeys;
  LimitShares limits;
  absl::Duration observe = absl::Seconds(20);
  // Nothing is judged after it; settling may take `settle_within` more.
  absl::Time deadline;
  absl::Duration settle_within = absl::Seconds(20);
  int customers_at_once = 8;
  std::string vantage;
  // Nothing may be created.
  bool watch = false;
  // Sessions and devices are shared with other walks of that name; empty: this one is alone.
  std::string session;
  // Of the schedule: how often it is walked and how long it may take, which say how long its results count. Zero: once.
  absl::Duration interval;
  absl::Duration limit;
  // How long a result of that check and customer counts; nothing where the plan alone says. May be empty.
  std::function<std::optional<absl::Duration>(const std::string& check, const std::string& customer)> max_age;
};

// What a run tells while it goes. Called on the loop's thread.
struct WalkEvents {
  std::function<void(const v1::Result&)> result;
  std::function<void(const v1::Evidence&)> evidence;
  std::function<void(const v1::OperationRecord&)> operation;
  std::function<void(const std::string& words)> progress;
  // The target's configuration, each time it is told.
  std::function<void(const std::string& fingerprint)> configuration;
};

struct WalkOutcome {
  // One for each instance that was to be judged, and those of supporting checks: what came from no prober is
  // INCONCLUSIVE and says why.
  std::vector<v1::Result> results;
  std::string configuration;        // the target's, as last read
  std::vector<std::string> causes;  // of no check
  Settled settled;
  bool cancelled = false;
  bool out_of_time = false;
  // Something could not be told for a reason of ours: a prober that is not there, no time.
  bool untold = false;
};

// Loop thread only. Everything passed in outlives the walk.
class Walk {
 public:
  Walk(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, std::shared_ptr<const Subject> subject,
       Probers probers, WalkRequest request, WalkEvents events);
  ~Walk();
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  // Once. Settles what abandoned runs left, walks, settles its own, whatever happens. Renews its leases meanwhile.
  awaitable<WalkOutcome> Run();

  bool cancelled() const { return cancelled_; }
  // Nothing new is begun, what runs is cancelled, what was done is undone within `settle_within` from now.
  void Cancel(absl::Duration settle_within);

 private:
  // What is known of one customer on the way.
  struct Traveller {
    const Journey* journey = nullptr;
    std::map<std::string, v1::Fact> facts;             // by name
    std::map<std::string, v1::EarlierResult> earlier;  // by check
  };
  class Slots;

  awaitable<void> WalkJourney(Traveller& traveller);
  awaitable<void> WalkStage(Traveller& traveller, v1::Stage stage);
  awaitable<void> WalkStep(Traveller& traveller, v1::Stage stage, const Step& step);
  // The RPC, so that Cancel reaches it: its status, and whether Done came.
  awaitable<absl::Status> Stream(v1::Path path, v1::RunChecksRequest request, ProberClient::OnEvent on_event);
  awaitable<void> RenewLeases();
  awaitable<void> Bounded(std::vector<awaitable<void>> work, int at_once);
  void Take(v1::Result result, Traveller& traveller, v1::Stage stage, bool supporting);
  void NoteConfiguration(const std::string& configuration);
  // Why nothing more may begin; empty if it may.
  std::string Ended() const;
  // The end of judging by the wall clock as it goes now: a clock that is set makes no run longer or shorter.
  absl::Time Deadline() const { return clock_.Now() + (end_ - clock_.Monotonic()); }
  bool OutOfTime() const { return clock_.Monotonic() >= end_; }
  absl::Time SettleDeadline() const;

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  Store& store_;
  const std::shared_ptr<const Subject> kept_subject_;
  const Subject& subject_;
  const Probers probers_;
  const WalkRequest request_;
  const WalkEvents events_;
  const absl::Duration end_;  // of judging, steady
  Settler settler_;
  std::unique_ptr<Slots> slots_;
  std::map<std::pair<std::string, std::string>, v1::Result> results_;  // by check and customer
  std::vector<std::string> configurations_;                            // as they were seen, no two alike in a row
  std::set<std::string> causes_;
  std::map<uint64_t, std::function<void()>> streams_;  // how to cancel those under way
  uint64_t next_stream_ = 1;
  Settled settled_;
  bool cancelled_ = false;
  bool out_of_time_ = false;
  absl::Duration cancel_settle_end_ = absl::InfiniteDuration();  // steady
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_WALK_H_
