// One run: every customer's journey through the stages, by way of the probers.
#ifndef PUCKDROP_SERVICES_READINESS_WALK_H_
#define PUCKDROP_SERVICES_READINESS_WALK_H_

#include <functional>
#include <map>
#include <memory>
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
};

// What a run tells while it goes. Called on the loop's thread.
struct WalkEvents {
  std::function<void(const v1::Result&)> result;
  std::function<void(const v1::Evidence&)> evidence;
  std::function<void(const v1::OperationRecord&)> operation;
  std::function<void(const std::string& words)> progress;
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
};

// Loop thread only. Everything passed in outlives the walk.
class Walk {
 public:
  Walk(runtime::EventLoop& loop, const runtime::Clock& clock, Store& store, const Subject& subject, Probers probers,
       WalkRequest request, WalkEvents events);
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
  absl::Time SettleDeadline() const;

  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  Store& store_;
  const Subject& subject_;
  const Probers probers_;
  const WalkRequest request_;
  const WalkEvents events_;
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
  absl::Time cancel_settle_deadline_ = absl::InfiniteFuture();
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_WALK_H_
