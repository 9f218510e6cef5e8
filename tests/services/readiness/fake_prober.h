// A prober whose answers are scripted; it writes down what it was asked and what ran beside what.
#ifndef PUCKDROP_TESTS_SERVICES_READINESS_FAKE_PROBER_H_
#define PUCKDROP_TESTS_SERVICES_READINESS_FAKE_PROBER_H_

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "services/readiness/prober_client.h"
#include "services/readiness/verdict.h"

namespace puckdrop::readiness {

// What all fake probers of a test saw, in order.
struct FakeLog {
  std::vector<std::string> calls;    // `sofa visitor ordering: a, b (supporting: c)`
  std::vector<std::string> settled;  // names
  std::set<v1::Path> running;
  size_t most_at_once = 0;
};

// Loop thread only.
class FakeProber final : public ProberClient {
 public:
  FakeProber(v1::Path path, runtime::EventLoop& loop, FakeLog& log) : path_(path), loop_(loop), log_(log) {}

  // What a check's result is; PASSED where nothing is said. Gets the request, so that it may look at facts and earlier.
  std::function<v1::Result(const std::string& check, const v1::RunChecksRequest& request)> judge;
  std::function<std::vector<v1::Fact>(const v1::RunChecksRequest& request)> facts;
  // Runs before the first result; may open obligations, wait, or end the call with an error.
  std::function<awaitable<absl::Status>(const v1::RunChecksRequest& request)> before;
  // What is sent at the end; empty status and `done` false: the stream just ends.
  absl::Status ends_with;
  bool done = true;
  size_t results_before_end = 1000;
  std::string configuration;
  // Whether undoing works, by attempt (1, 2, …).
  std::function<bool(const v1::Obligation& obligation, int attempt)> undo = [](const v1::Obligation&, int) {
    return true;
  };
  std::vector<v1::RunChecksRequest> requests;

  awaitable<absl::Status> RunChecks(v1::RunChecksRequest request, absl::Time, OnEvent on_event) override {
    requests.push_back(request);
    static const char* const kStages[] = {"?", "visitor", "subscriber", "leaver"};
    std::string call = request.customer() + " " + kStages[request.stage()] + " " + PathName(path_) + ":";
    for (const std::string& check : request.checks()) call += " " + check.substr(check.find('.') + 1);
    for (const std::string& check : request.supporting_checks()) call += " (" + check.substr(check.find('.') + 1) + ")";
    log_.calls.push_back(call);
    log_.running.insert(path_);
    log_.most_at_once = std::max(log_.most_at_once, log_.running.size());
    ++under_way_;
    absl::Status status = absl::OkStatus();
    if (before) status = co_await before(request);
    // Let those beside us begin.
    for (int i = 0; i < 20; ++i) co_await loop_.Yield();
    if (--under_way_ == 0) log_.running.erase(path_);
    if (!status.ok()) co_return status;

    if (facts) {
      for (v1::Fact& fact : facts(request)) {
        v1::RunChecksEvent event;
        *event.mutable_fact() = std::move(fact);
        on_event(std::move(event));
      }
    }
    size_t sent = 0;
    std::vector<std::string> all(request.supporting_checks().begin(), request.supporting_checks().end());
    all.insert(all.end(), request.checks().begin(), request.checks().end());
    for (const std::string& check : all) {
      if (sent++ >= results_before_end) break;
      v1::RunChecksEvent event;
      v1::Result* result = event.mutable_result();
      if (judge) *result = judge(check, request);
      result->set_check(check);
      result->set_customer(request.customer());
      if (result->outcome() == v1::OUTCOME_UNSPECIFIED) result->set_outcome(v1::OUTCOME_PASSED);
      on_event(std::move(event));
    }
    if (!ends_with.ok()) co_return ends_with;
    if (done) {
      v1::RunChecksEvent event;
      event.mutable_done()->set_results(static_cast<int>(sent));
      event.mutable_done()->set_configuration(configuration);
      on_event(std::move(event));
    }
    co_return absl::OkStatus();
  }

  awaitable<absl::StatusOr<v1::SettleObligationResponse>> SettleObligation(v1::SettleObligationRequest request,
                                                                           absl::Time) override {
    co_await loop_.Yield();
    v1::SettleObligationResponse response;
    response.set_settled(undo(request.obligation(), ++attempts_[request.obligation().name()]));
    response.set_words(response.settled() ? "undone" : "the office answered 503");
    if (response.settled()) log_.settled.push_back(request.obligation().name());
    co_return response;
  }

 private:
  const v1::Path path_;
  runtime::EventLoop& loop_;
  FakeLog& log_;
  int under_way_ = 0;
  std::map<std::string, int> attempts_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_TESTS_SERVICES_READINESS_FAKE_PROBER_H_
