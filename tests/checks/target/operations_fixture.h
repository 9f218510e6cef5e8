#ifndef PUCKDROP_TESTS_CHECKS_TARGET_OPERATIONS_FIXTURE_H_
#define PUCKDROP_TESTS_CHECKS_TARGET_OPERATIONS_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "checks/target/jq/pool.h"
#include "checks/target/operations.h"
#include "checks/target/run_memory.h"
#include "checks/target/target_plan.h"
#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"
#include "services/runtime/clock.h"
#include "services/runtime/event_loop.h"
#include "tests/checks/target/scripted_http_client.h"

namespace puckdrop::target {

// Operations over a plan in YAML, a scripted target, a clock that moves when somebody sleeps on it, and the real jq
// worker.
class OperationsTest : public ::testing::Test {
 protected:
  OperationsTest();
  ~OperationsTest() override;

  // Loads a plan: a common head (host `shop` at http://shop.test/api, host `office`, customer `fan`), then `rest`,
  // whose top-level keys are those that the head lacks: sessions, fragments, operations. `host_lines` go below `shop`.
  void Load(const std::string& rest, const std::string& host_lines = "", const std::string& target_lines = "");

  Ended Perform(const std::string& operation, const google::protobuf::Message& request, CallOptions options = {});
  Ended ListOffers(CallOptions options = {}) {
    return Perform("ordering.list_offers", v1::ListOffersRequest(), options);
  }
  Ended PlaceOrder(CallOptions options = {});
  Undone Undo(UndoRequest request);

  // Waits for a task and moves the clock to whoever sleeps, so nothing waits for real time.
  template <typename T>
  T Wait(runtime::Task<T> task) {
    const absl::Time give_up = absl::Now() + absl::Seconds(30);
    while (!task.WaitFor(absl::Milliseconds(2))) {
      if (absl::Now() > give_up) {
        ADD_FAILURE() << "nothing ended in 30 s";
        task.Cancel();
        break;
      }
      if (moves_clock_ && ++idle_ > 3) {
        if (const auto next = clock_.next_wake()) clock_.AdvanceTo(*next);
      }
    }
    idle_ = 0;
    return task.Get();
  }

  Actor Fan();

  std::map<std::string, std::string> environment_{{"PILOT_KEY", "pilot-key-of-the-test"},
                                                  {"OFFICE", "office-secret-1"}};
  runtime::FakeClock clock_;
  runtime::EventLoop loop_;
  ScriptedHttpClient http_;
  http::Redactor redactor_;
  std::unique_ptr<http::Limiter> limiter_;
  RunMemory memory_;
  std::shared_ptr<const TargetPlan> plan_;
  std::unique_ptr<jq::ExpressionPool> pool_;
  std::unique_ptr<Operations> operations_;
  JourneyScope journey_;
  bool moves_clock_ = true;
  int idle_ = 0;
  http::LimitSettings limits_;
};

// An order's mapping that most tests of place_order share.
extern const char kPlaceOrder[];

}  // namespace puckdrop::target

#endif  // PUCKDROP_TESTS_CHECKS_TARGET_OPERATIONS_FIXTURE_H_
