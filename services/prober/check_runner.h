// Runs the checks of one request: one customer, one stage. The domain of a prober: it knows neither gRPC nor HTTP.
#ifndef PUCKDROP_SERVICES_PROBER_CHECK_RUNNER_H_
#define PUCKDROP_SERVICES_PROBER_CHECK_RUNNER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "checks/check.h"
#include "checks/journey.h"
#include "checks/operation_port.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "services/prober/observing_port.h"
#include "services/prober/outcome.h"
#include "services/prober/settings.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::media {
class Player;
}

namespace puckdrop::prober {

// Where events go, in order. Loop thread only.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never waits. Progress may be dropped when much is waiting.
  virtual void Push(v1::RunChecksEvent event) = 0;
  // Waits until little is waiting. An error when nobody takes events any more.
  virtual awaitable<absl::Status> Room() = 0;
};

// What a run of checks is made of; all of it outlives the run.
struct RunnerParts {
  runtime::EventLoop* loop = nullptr;
  const runtime::Clock* clock = nullptr;
  const v1::Plan* plan = nullptr;
  checks::OperationPort* operations = nullptr;
  checks::ObligationPort* obligations = nullptr;
  media::Player* player = nullptr;
  // Checks it may be asked for.
  const std::vector<checks::CheckDefinition>* checks = nullptr;
  // Knows every check of every path, for what stands on them; nullptr for an unknown id.
  std::function<const checks::CheckDefinition*(const std::string&)> find_check;
  v1::Path path = v1::PATH_UNSPECIFIED;
  std::string vantage;
  std::string pilot_key;
  std::vector<std::string> standing_passwords;
  // Of this run and customer in this prober.
  int* account_counter = nullptr;
  // Between two looks at what could not be told.
  absl::Duration retry_pause = absl::Milliseconds(500);
  // Told of each result as it is sent, with the definition; may be empty.
  std::function<void(const v1::Result&, const checks::CheckDefinition&)> on_result;
};

// One use. Loop thread only.
class CheckRunner {
 public:
  // The request must have been checked: its customer and its checks exist. `deadline`: nothing is judged after it.
  CheckRunner(RunnerParts parts, const v1::RunChecksRequest& request, absl::Time deadline);
  ~CheckRunner();
  CheckRunner(const CheckRunner&) = delete;
  CheckRunner& operator=(const CheckRunner&) = delete;

  // Sends a result for every check of the request, then Done. OK unless cancelled or the sink is gone; then what was
  // not sent is missing, and no Done comes.
  awaitable<absl::Status> Run(EventSink& sink);

 private:
  enum class State { kWaiting, kJudging, kDone };
  struct Item {
    const checks::CheckDefinition* definition = nullptr;
    bool supporting = false;
    Settings settings;
    State state = State::kWaiting;
    v1::Result result;
    // The operation whose bad end made it FAILED; empty when it judged an answer.
    std::string failed_operation;
  };
  // One look, whatever its end.
  struct Look {
    bool taken = false;
    checks::Judgement judgement;
    // The end that was thrown, if one was.
    std::optional<checks::OperationEnd> thrown;
    std::vector<v1::Evidence> evidence;
    std::vector<v1::OperationRecord> records;
    bool through_back_office = false;
    bool out_of_time = false;
  };

  const checks::CheckInfo& info(const Item& item) const { return item.definition->info; }
  Item* FindItem(const std::string& check);
  bool Stop() const { return !stopped_.ok(); }

  // Judges an item, and before it what it stands on.
  awaitable<void> Ensure(Item& item);
  awaitable<void> Judge(Item& item);
  awaitable<Look> LookOnce(Item& item, checks::Journey& journey, int look);
  awaitable<void> CallJudge(Item& item, checks::CheckContext& context, Look& look);
  awaitable<std::string> ReadConfiguration();
  // Ends with the work, or asks it to end at `deadline`; true when that was needed.
  awaitable<bool> Within(absl::Time deadline, awaitable<void> work);

  std::optional<checks::Judgement> Precondition(const Item& item) const;
  std::optional<checks::Judgement> BlockedBefore(const Item& item) const;
  // The id of the check that reports the failed operation, if another one does.
  awaitable<std::string> ReporterOf(Item& item, const std::string& operation);
  std::string KnownReporter(const Item& item, const std::string& operation) const;
  bool ShouldRenew(const Item& item, const Look& look) const;

  awaitable<void> Send(Item& item, const Looks::Final& final, Look look, absl::Time start);
  void FillDecidingOperation(const Item& item, const Look& look, v1::Result& result) const;
  void SendEvidence(std::vector<v1::Evidence> evidence, v1::Result& result);
  void SendFacts(bool last);
  awaitable<void> Room();

  RunnerParts parts_;
  const v1::RunChecksRequest request_;
  const absl::Time deadline_;
  ObservingPort operations_;
  checks::JourneyEnvironment environment_;
  std::unique_ptr<checks::Journey> main_;
  std::vector<std::unique_ptr<Item>> items_;  // in the order of judging
  std::map<std::string, v1::EarlierResult> earlier_;
  std::set<std::string> evidence_sent_;
  std::map<std::string, v1::Fact> facts_;  // learned, not sent
  std::set<std::string> facts_sent_;
  std::string configuration_;
  EventSink* sink_ = nullptr;
  absl::Status stopped_;
  int results_ = 0;
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_CHECK_RUNNER_H_
