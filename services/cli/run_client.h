// A gate's side of a run at readiness, in process or elsewhere.
#ifndef PUCKDROP_SERVICES_CLI_RUN_CLIENT_H_
#define PUCKDROP_SERVICES_CLI_RUN_CLIENT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "puckdrop/v1/obligation_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "services/runtime/grpc_client.h"

namespace puckdrop::cli {

// All that a run told.
struct RunRecord {
  v1::Run run;                                                        // as it ended, with its verdict
  std::map<std::pair<std::string, std::string>, v1::Result> results;  // by check and customer, the newest
  std::map<std::string, v1::Evidence> evidence;
  std::vector<v1::OperationRecord> operations;
  std::vector<v1::Obligation> obligations_open;
};

// Loop thread only; outlives its calls.
class RunClient {
 public:
  struct Listener {
    std::function<void(const v1::Run&)> run;
    std::function<void(const v1::Result&)> result;
  };

  RunClient(runtime::Caller caller, std::shared_ptr<grpc::Channel> channel);
  ~RunClient();

  // Starts a run and follows it to its end, then asks what is still owed. UNAVAILABLE when readiness is not there or
  // went away; else as StartRun.
  awaitable<absl::StatusOr<RunRecord>> Follow(v1::StartRunRequest request, Listener listener);
  // Ends the run that Follow is following, also one that is only being started.
  awaitable<void> Cancel(absl::Duration settle_within);

  awaitable<absl::StatusOr<std::vector<v1::Obligation>>> ListObligations(bool show_settled);
  awaitable<absl::StatusOr<v1::SettleObligationsResponse>> SettleObligations(absl::Duration timeout);

 private:
  struct Stubs;
  const runtime::Caller caller_;
  const std::unique_ptr<Stubs> stubs_;
  std::string run_;
  bool cancel_asked_ = false;
  absl::Duration settle_within_;
};

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_RUN_CLIENT_H_
