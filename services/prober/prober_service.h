// ProberService: from proto to the domain and back.
#ifndef PUCKDROP_SERVICES_PROBER_PROBER_SERVICE_H_
#define PUCKDROP_SERVICES_PROBER_PROBER_SERVICE_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/prober_service.grpc.pb.h"
#include "services/prober/check_runner.h"
#include "services/prober/prober_metrics.h"
#include "services/prober/runs.h"
#include "services/prober/target_port.h"
#include "services/runtime/reactor_bridge.h"

namespace puckdrop::prober {

// How long a run is when neither its request nor its call says.
inline constexpr absl::Duration kDefaultRun = absl::Minutes(15);

// One plan, and the target as it describes it.
struct Generation {
  Generation(std::shared_ptr<const v1::Plan> of, std::string its_digest, std::shared_ptr<TargetPort> at,
             const runtime::Clock& clock)
      : plan(std::move(of)), digest(std::move(its_digest)), target(std::move(at)), runs(*target, clock) {}
  const std::shared_ptr<const v1::Plan> plan;
  const std::string digest;
  const std::shared_ptr<TargetPort> target;
  Runs runs;
};

struct ServiceParts {
  v1::Path path = v1::PATH_UNSPECIFIED;
  std::shared_ptr<Generation> generation;
  // Reads the plan's files again and calls Use; may be empty.
  std::function<awaitable<absl::Status>()> reload;
  runtime::EventLoop* loop = nullptr;
  const runtime::Clock* clock = nullptr;
  std::string vantage;
  std::vector<checks::CheckDefinition> checks;
  std::function<const checks::CheckDefinition*(const std::string&)> find_check;
  checks::ObligationPort* obligations = nullptr;
  std::shared_ptr<ProberMetrics> metrics;
  std::shared_ptr<runtime::CallGuard> guard;  // nullptr: reached in process only
};

// Handlers run on the loop. Everything in the parts outlives it; no call may be running when it goes, and it goes on
// the loop's thread.
class ProberService final : public v1::ProberService::CallbackService {
 public:
  explicit ProberService(ServiceParts parts);
  ~ProberService() override;

  // Takes a new plan. Runs of the ones before go on by theirs, and may still ask for more, until three newer came.
  void Use(std::shared_ptr<Generation> generation);
  const std::string& plan_digest() const { return generations_.front()->digest; }

  grpc::ServerUnaryReactor* ListChecks(grpc::CallbackServerContext* context, const v1::ListChecksRequest* request,
                                       v1::ListChecksResponse* response) override;
  grpc::ServerWriteReactor<v1::RunChecksEvent>* RunChecks(grpc::CallbackServerContext* context,
                                                          const v1::RunChecksRequest* request) override;
  grpc::ServerUnaryReactor* SettleObligation(grpc::CallbackServerContext* context,
                                             const v1::SettleObligationRequest* request,
                                             v1::SettleObligationResponse* response) override;

 private:
  awaitable<absl::Status> HandleRunChecks(runtime::CallContext& call, const v1::RunChecksRequest& request,
                                          runtime::Writer<v1::RunChecksEvent>& writer);
  awaitable<absl::Status> HandleSettle(runtime::CallContext& call, const v1::SettleObligationRequest& request,
                                       v1::SettleObligationResponse& response);
  // The plan of that digest. FAILED_PRECONDITION when there is none, also after the files were read again.
  awaitable<absl::StatusOr<std::shared_ptr<Generation>>> GenerationOf(std::string digest);
  absl::Status Validate(const v1::Plan& plan, const v1::RunChecksRequest& request) const;
  absl::Time DeadlineOf(const runtime::CallContext& call, const v1::RunChecksRequest& request) const;
  const checks::CheckDefinition* Find(const std::string& check) const;

  const ServiceParts parts_;
  runtime::Bridge bridge_;
  std::deque<std::shared_ptr<Generation>> generations_;  // newest first
  absl::Duration reloaded_ = -absl::InfiniteDuration();  // steady
};

}  // namespace puckdrop::prober

#endif  // PUCKDROP_SERVICES_PROBER_PROBER_SERVICE_H_
