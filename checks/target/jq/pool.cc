#include "checks/target/jq/pool.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/target/jq/process.h"
#include "checks/target/jq/wire.h"

namespace puckdrop::jq {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchBytes = 8 << 20;
constexpr std::size_t kMaxAnswerBytes = 128 << 20;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr auto kWatchEvery = std::chrono::milliseconds(50);
// A request that saw this many workers end through no fault of its own is given up.
constexpr int kMaxDeaths = 5;
constexpr int kMaxStarts = 3;
constexpr auto kRestPause = std::chrono::seconds(1);

// The end of an asynchronous wait, its type erased.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void Complete() = 0;
};

template <typename Handler>
class HandlerWaiter : public Waiter {
 public:
  HandlerWaiter(asio::any_io_executor executor, Handler handler)
      : executor_(std::move(executor)), handler_(std::move(handler)) {}
  void Complete() override {
    asio::get_associated_cancellation_slot(handler_).clear();
    asio::post(executor_, std::move(handler_));
  }

 private:
  asio::any_io_executor executor_;
  Handler handler_;
};

struct Pending {
  EvaluationRequest request;
  std::uint64_t id = 0;
  std::size_t bytes = 0;
  int deaths = 0;
  // The outcomes that ended a worker.
  std::vector<std::pair<std::uint32_t, Failure>> blamed;
  std::uint32_t suspect = wire::kIdle;
  bool done = false;
  absl::StatusOr<EvaluationResult> result = absl::CancelledError("the expressions were not evaluated");
  std::unique_ptr<Waiter> waiter;

  std::size_t outcome_count() const { return std::max<std::size_t>(1, request.each.size()) * request.programs.size(); }

  void Finish(absl::StatusOr<EvaluationResult> value) {
    if (done) return;
    done = true;
    result = std::move(value);
    if (waiter) std::exchange(waiter, nullptr)->Complete();
  }
};

using PendingPtr = std::shared_ptr<Pending>;

}  // namespace

const char* FailureKindName(FailureKind kind) {
  switch (kind) {
    case FailureKind::kFailed:
      return "FAILED";
    case FailureKind::kRanAway:
      return "RAN_AWAY";
    case FailureKind::kTooLarge:
      return "TOO_LARGE";
    case FailureKind::kBodyNotJson:
      return "BODY_NOT_JSON";
  }
  return "UNKNOWN";
}

class ExpressionPool::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, std::shared_ptr<const ProgramSet> set, PoolOptions options)
      : executor_(std::move(executor)),
        set_(std::move(set)),
        options_(std::move(options)),
        changed_(executor_, Clock::time_point::max()) {
    options_.workers = std::clamp<std::size_t>(options_.workers, 1, 64);
    options_.batch = std::clamp<std::size_t>(options_.batch, 1, 1024);
    for (std::size_t i = 0; i < options_.workers; ++i) workers_.push_back(std::make_unique<Worker>(executor_));
  }

  asio::awaitable<absl::StatusOr<EvaluationResult>> Evaluate(EvaluationRequest request) {
    auto pending = std::make_shared<Pending>();
    pending->request = std::move(request);
    if (absl::Status status = Admit(*pending); !status.ok()) co_return status;
    if (pending->request.programs.empty()) co_return EvaluationResult();
    pending->id = ++last_id_;
    ++statistics_.requests;
    queued_bytes_ += pending->bytes;
    queue_.push_back(pending);
    const std::shared_ptr<Impl> self = shared_from_this();
    auto wait = [&](auto handler) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (slot.is_connected()) {
        slot.assign([executor = executor_, weak = std::weak_ptr<Pending>(pending)](asio::cancellation_type) {
          // Not at once: finishing clears the slot that is just calling.
          asio::post(executor, [weak] {
            if (PendingPtr alive = weak.lock()) alive->Finish(absl::CancelledError("the evaluation was cancelled"));
          });
        });
      }
      pending->waiter = std::make_unique<HandlerWaiter<decltype(handler)>>(executor_, std::move(handler));
      // Only now: a worker that is spawned may run, and fail, at once.
      Wake();
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(wait, asio::use_awaitable);
    co_return std::move(pending->result);
  }

  asio::awaitable<absl::Status> Warm() {
    const std::shared_ptr<Impl> self = shared_from_this();
    warm_ = true;
    Wake();
    while (!closed_) {
      bool all = true;
      for (const auto& worker : workers_) {
        if (worker->start_failed) co_return worker->start_error;
        all = all && worker->loaded;
      }
      if (all) co_return absl::OkStatus();
      boost::system::error_code ignored;
      co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return absl::CancelledError("the expression pool was closed");
  }

  void Close() {
    closed_ = true;
    for (const auto& worker : workers_) {
      if (worker->process) worker->process->Kill();
      boost::system::error_code ignored;
      worker->socket.close(ignored);
      worker->watch.cancel();
      for (const PendingPtr& pending : worker->batch)
        pending->Finish(absl::CancelledError("the expression pool was closed"));
      worker->wake.cancel();
    }
    for (const PendingPtr& pending : queue_) pending->Finish(absl::CancelledError("the expression pool was closed"));
    queue_.clear();
    changed_.cancel();
  }

  const Statistics& statistics() const { return statistics_; }

  std::vector<int> WorkerPids() const {
    std::vector<int> pids;
    for (const auto& worker : workers_) {
      if (worker->process) pids.push_back(worker->process->pid());
    }
    return pids;
  }

 private:
  struct Worker {
    explicit Worker(const asio::any_io_executor& executor)
        : socket(executor), watch(executor), wake(executor, Clock::time_point::max()) {}
    std::unique_ptr<WorkerProcess> process;
    asio::local::stream_protocol::socket socket;
    asio::steady_timer watch;
    asio::steady_timer wake;
    std::vector<PendingPtr> batch;
    std::string in;
    bool serving = false;
    bool loaded = false;
    bool start_failed = false;
    absl::Status start_error;
    Clock::time_point rest_until{};
    // Of the evaluation under way, as the watch last saw it.
    bool busy = false;
    bool hung = false;
    std::uint64_t steps = 0;
    std::chrono::nanoseconds cpu_then{0};
    Clock::time_point wall_then;
    Clock::time_point start_deadline;
  };

  absl::Status Admit(Pending& pending) const {
    if (closed_) return absl::CancelledError("the expression pool was closed");
    const EvaluationRequest& request = pending.request;
    for (ProgramId id : request.programs) {
      if (id >= set_->size()) return absl::InvalidArgumentError(absl::StrCat("there is no expression number ", id));
    }
    if (request.programs.size() > 10'000 || request.each.size() > 100'000 || pending.outcome_count() > 200'000) {
      return absl::ResourceExhaustedError("too many expressions or items in one evaluation");
    }
    pending.bytes = request.context.size() + (request.body ? request.body->size() : 0);
    for (const std::string& each : request.each) pending.bytes += each.size() + 4;
    if (pending.bytes > options_.max_input_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat("the answer is too large for expressions: ", pending.bytes,
                                                       " bytes where ", options_.max_input_bytes, " are possible"));
    }
    if (queue_.size() >= options_.max_queued || queued_bytes_ + pending.bytes > options_.max_queued_bytes) {
      return absl::ResourceExhaustedError("too many expressions wait to be evaluated");
    }
    return absl::OkStatus();
  }

  // Somebody who rests starts to work.
  void Wake() {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      Worker& worker = *workers_[i];
      if (!worker.serving) {
        worker.serving = true;
        asio::co_spawn(executor_, Serve(shared_from_this(), &worker), asio::detached);
        if (!warm_) return;
      } else if (!worker.busy) {
        worker.wake.cancel();
        if (!warm_) return;
      }
    }
  }

  static asio::awaitable<void> Serve(std::shared_ptr<Impl> self, Worker* worker) {
    while (!self->closed_) {
      if (self->queue_.empty() && (worker->loaded || !self->warm_ || worker->start_failed)) {
        boost::system::error_code ignored;
        worker->wake.expires_at(Clock::time_point::max());
        co_await worker->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        continue;
      }
      worker->busy = true;
      if (!worker->loaded) co_await self->Restart(worker);
      if (worker->loaded && !self->closed_) co_await self->RunBatch(worker);
      worker->busy = false;
      self->changed_.cancel();
    }
    worker->process.reset();
  }

  // Starts a process and has it compile the set; a few times, because it may be killed from outside.
  asio::awaitable<void> Restart(Worker* worker) {
    worker->start_failed = Clock::now() < worker->rest_until;
    for (int attempt = 0; attempt < kMaxStarts && !worker->loaded && !worker->start_failed && !closed_; ++attempt) {
      absl::StatusOr<std::unique_ptr<WorkerProcess>> process =
          WorkerProcess::Start(options_.worker_path, options_.worker_memory_bytes);
      if (!process.ok()) {
        worker->start_error = process.status();
        break;
      }
      worker->process = *std::move(process);
      boost::system::error_code error;
      worker->socket.close(error);
      worker->socket.assign(asio::local::stream_protocol(), worker->process->socket(), error);
      if (error) {
        worker->start_error = absl::UnavailableError(absl::StrCat("the expression worker's socket: ", error.message()));
        worker->process.reset();
        break;
      }
      worker->process->ReleaseSocket();
      wire::Load load;
      load.soft_limit_ms = static_cast<std::uint32_t>(options_.soft_limit.count());
      load.max_results = static_cast<std::uint32_t>(options_.max_results);
      load.max_result_bytes = static_cast<std::uint32_t>(options_.max_result_bytes);
      load.programs = set_->programs();
      worker->start_deadline = Clock::now() + options_.start_limit;
      wire::Type type{};
      std::size_t size = 0;
      if (co_await Exchange(worker, wire::EncodeLoad(load), &type, &size) && type == wire::Type::kLoaded) {
        worker->loaded = true;
        co_return;
      }
      if (closed_) co_return;
      const int status = co_await Bury(worker);
      worker->process.reset();
      worker->start_error =
          absl::UnavailableError(absl::StrCat("the expression worker did not compile the plan's expressions: ",
                                              worker->hung ? "it took too long" : DescribeWaitStatus(status)));
      if (worker->hung) break;
    }
    if (worker->loaded || closed_) co_return;
    if (!worker->start_failed) worker->rest_until = Clock::now() + kRestPause;
    worker->start_failed = true;
    // No worker, no answers: those who wait are told why.
    if (std::none_of(workers_.begin(), workers_.end(), [](const auto& other) { return other->loaded; })) {
      std::deque<PendingPtr> waiting;
      waiting.swap(queue_);
      queued_bytes_ = 0;
      for (const PendingPtr& pending : waiting) pending->Finish(worker->start_error);
    } else {
      boost::system::error_code ignored;
      worker->wake.expires_after(kRestPause);
      co_await worker->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  // Sends one frame and reads one into worker->in[0, *size). False when the worker ended or sent nonsense.
  asio::awaitable<bool> Exchange(Worker* worker, std::string out, wire::Type* type, std::size_t* size) {
    worker->hung = false;
    worker->steps = worker->process->steps();
    worker->cpu_then = worker->process->CpuTime().value_or(std::chrono::nanoseconds(0));
    worker->wall_then = Clock::now();
    Watch(worker);
    boost::system::error_code error;
    co_await asio::async_write(worker->socket, asio::buffer(out), asio::redirect_error(asio::use_awaitable, error));
    std::size_t have = 0;
    *size = 0;
    while (!error && (*size == 0 || have < *size)) {
      if (worker->in.size() < std::max(have + kReadBytes, *size)) worker->in.resize(std::max(have + kReadBytes, *size));
      have += co_await worker->socket.async_read_some(asio::buffer(worker->in.data() + have, worker->in.size() - have),
                                                      asio::redirect_error(asio::use_awaitable, error));
      if (error) break;
      if (!wire::PeekHeader(std::string_view(worker->in).substr(0, have), type, size) || *size > kMaxAnswerBytes) {
        error = asio::error::invalid_argument;
      }
    }
    worker->watch.cancel();
    co_return !error;
  }

  // Looks now and then whether the worker still moves on, and kills it when one evaluation takes too long.
  void Watch(Worker* worker) {
    worker->watch.expires_after(kWatchEvery);
    worker->watch.async_wait([self = shared_from_this(), worker](const boost::system::error_code& error) {
      if (error || self->closed_ || !worker->process) return;
      const Clock::time_point now = Clock::now();
      const std::uint64_t steps = worker->process->steps();
      const std::chrono::nanoseconds cpu = worker->process->CpuTime().value_or(std::chrono::nanoseconds(0));
      if (steps != worker->steps) {
        worker->steps = steps;
        worker->cpu_then = cpu;
        worker->wall_then = now;
      }
      const std::uint32_t doing = worker->process->current_outcome();
      const bool idle = doing == wire::kIdle;
      // Compiling takes its time, once for each group of programs.
      const bool late = !worker->loaded             ? now > worker->start_deadline
                        : doing == wire::kCompiling ? now - worker->wall_then >= self->options_.start_limit
                                                    : (!idle && cpu - worker->cpu_then >= self->options_.hard_limit) ||
                                                          now - worker->wall_then >= self->options_.wall_limit;
      if (late) {
        worker->hung = true;
        worker->process->Kill();
        return;
      }
      self->Watch(worker);
    });
  }

  asio::awaitable<void> RunBatch(Worker* worker) {
    worker->batch.clear();
    wire::Writer writer(wire::Type::kEvaluate);
    const std::size_t count_at = writer.Reserve32();
    while (!queue_.empty() && worker->batch.size() < options_.batch && writer.buffer().size() < kBatchBytes) {
      PendingPtr pending = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= pending->bytes;
      if (pending->done) continue;
      Append(*pending, &writer);
      worker->batch.push_back(std::move(pending));
    }
    if (worker->batch.empty()) co_return;
    // The rest is for the others.
    if (!queue_.empty()) Wake();
    writer.Patch32(count_at, static_cast<std::uint32_t>(worker->batch.size()));
    ++statistics_.batches;
    wire::Type type{};
    std::size_t size = 0;
    const bool answered = co_await Exchange(worker, std::move(writer).Finish(), &type, &size);
    if (closed_) co_return;
    std::vector<wire::Result> results;
    if (answered && type == wire::Type::kResults &&
        wire::DecodeResults(std::string_view(worker->in).substr(wire::kHeaderBytes, size - wire::kHeaderBytes),
                            &results) &&
        Fits(*worker, results)) {
      for (std::size_t i = 0; i < results.size(); ++i) Deliver(*worker->batch[i], results[i]);
      worker->batch.clear();
      if (worker->in.size() > 16 * kReadBytes) std::string().swap(worker->in);
      co_return;
    }
    worker->process->Kill();
    co_await Blame(worker);
  }

  static void Append(const Pending& pending, wire::Writer* writer) {
    wire::Request request;
    request.id = pending.id;
    request.body_kind = static_cast<std::uint8_t>(pending.request.body_kind);
    request.now = pending.request.now;
    request.context = pending.request.context;
    if (pending.request.body) request.body = *pending.request.body;
    request.each.assign(pending.request.each.begin(), pending.request.each.end());
    request.programs = pending.request.programs;
    for (const auto& [outcome, failure] : pending.blamed) request.skip.push_back(outcome);
    wire::AppendRequest(writer, request);
  }

  static bool Fits(const Worker& worker, const std::vector<wire::Result>& results) {
    if (results.size() != worker.batch.size()) return false;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Pending& pending = *worker.batch[i];
      if (results[i].id != pending.id) return false;
      if (!results[i].input_error && results[i].outcomes.size() != pending.outcome_count()) return false;
    }
    return true;
  }

  void Deliver(Pending& pending, const wire::Result& from) {
    if (pending.done) return;
    if (from.input_error) {
      pending.Finish(absl::InvalidArgumentError(std::string(*from.input_error)));
      return;
    }
    EvaluationResult result;
    if (from.body_problem) result.body_problem = std::string(*from.body_problem);
    result.outcomes.resize(from.outcomes.size());
    for (std::size_t i = 0; i < from.outcomes.size(); ++i) {
      const wire::Outcome& outcome = from.outcomes[i];
      ProgramOutcome& out = result.outcomes[i];
      if (outcome.kind == 0) {
        out.values.assign(outcome.values.begin(), outcome.values.end());
      } else if (outcome.kind == wire::kSkipped || outcome.kind > 4) {
        const auto blamed =
            std::find_if(pending.blamed.begin(), pending.blamed.end(), [&](const auto& b) { return b.first == i; });
        out.failure =
            blamed != pending.blamed.end() ? blamed->second : Failure{FailureKind::kRanAway, "was not evaluated"};
      } else {
        out.failure = Failure{static_cast<FailureKind>(outcome.kind - 1), std::string(outcome.message)};
        if (out.failure->kind == FailureKind::kRanAway) ++statistics_.ran_away;
      }
    }
    pending.Finish(std::move(result));
  }

  // Waits for the end of a process that was killed or has closed its socket.
  asio::awaitable<int> Bury(Worker* worker) {
    worker->loaded = false;
    worker->process->Kill();
    boost::system::error_code ignored;
    worker->socket.close(ignored);
    auto pause = std::chrono::milliseconds(1);
    std::optional<int> status = worker->process->Reap();
    while (!status && !closed_) {
      worker->watch.expires_after(pause);
      co_await worker->watch.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      pause = std::min(pause * 2, std::chrono::milliseconds(50));
      status = worker->process->Reap();
    }
    co_return status.value_or(0);
  }

  // The worker died or was killed: finds out whose fault it was, and puts everybody back into the queue.
  asio::awaitable<void> Blame(Worker* worker) {
    ++statistics_.restarts;
    // The position is what it was when the end came; killing after nonsense does not change that.
    const std::uint32_t number = worker->process->current_request();
    const std::uint32_t outcome = worker->process->current_outcome();
    // A worker that died by itself must be reaped before our own signal could hide the cause; Bury's kill comes after
    // the end.
    const int status = co_await Bury(worker);
    worker->process.reset();
    std::vector<PendingPtr> batch;
    batch.swap(worker->batch);
    const bool own_fault = worker->hung || (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL);
    if (outcome != wire::kIdle && number < batch.size()) {
      Pending& pending = *batch[number];
      // A kill from outside hits whoever is at work; hit twice at the same place, it was the kernel short of memory.
      if (own_fault || pending.suspect == outcome) {
        Condemn(&pending, outcome, worker->hung, status);
      } else {
        pending.suspect = outcome;
        ++pending.deaths;
      }
    } else {
      for (const PendingPtr& pending : batch) ++pending->deaths;
    }
    for (auto pending = batch.rbegin(); pending != batch.rend(); ++pending) {
      if ((*pending)->done) continue;
      if ((*pending)->deaths > kMaxDeaths) {
        (*pending)->Finish(absl::UnavailableError(
            absl::StrCat("the expression worker ended again and again: ", DescribeWaitStatus(status))));
      } else if ((*pending)->blamed.size() == (*pending)->outcome_count()) {
        EvaluationResult result;
        result.outcomes.resize((*pending)->outcome_count());
        for (const auto& [index, failure] : (*pending)->blamed) result.outcomes[index].failure = failure;
        (*pending)->Finish(std::move(result));
      } else {
        queued_bytes_ += (*pending)->bytes;
        queue_.push_front(*pending);
      }
    }
  }

  void Condemn(Pending* pending, std::uint32_t outcome, bool hung, int status) {
    if (outcome == wire::kReadingInput || outcome == wire::kCompiling) {
      const Failure failure =
          outcome == wire::kCompiling
              ? Failure{FailureKind::kRanAway, "the expressions cannot be compiled"}
              : Failure{FailureKind::kTooLarge,
                        hung ? "reading the answer takes too long" : "the answer needs too much memory"};
      pending->blamed.clear();
      for (std::uint32_t i = 0; i < pending->outcome_count(); ++i) pending->blamed.emplace_back(i, failure);
    } else if (outcome < pending->outcome_count()) {
      ++statistics_.ran_away;
      pending->blamed.emplace_back(
          outcome,
          Failure{FailureKind::kRanAway, hung ? absl::StrCat("ran too long (", options_.hard_limit.count(), " ms)")
                                              : absl::StrCat("took all memory or crashed (its process was ",
                                                             DescribeWaitStatus(status), ")")});
    } else {
      ++pending->deaths;
    }
  }

  asio::any_io_executor executor_;
  std::shared_ptr<const ProgramSet> set_;
  PoolOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<PendingPtr> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
  bool warm_ = false;
  asio::steady_timer changed_;
  Statistics statistics_;
};

ExpressionPool::ExpressionPool(asio::any_io_executor executor, std::shared_ptr<const ProgramSet> set,
                               PoolOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(set), std::move(options))) {}

ExpressionPool::~ExpressionPool() { impl_->Close(); }

asio::awaitable<absl::StatusOr<EvaluationResult>> ExpressionPool::Evaluate(EvaluationRequest request) {
  return impl_->Evaluate(std::move(request));
}

asio::awaitable<absl::Status> ExpressionPool::Warm() { return impl_->Warm(); }

const ExpressionPool::Statistics& ExpressionPool::statistics() const { return impl_->statistics(); }

std::vector<int> ExpressionPool::WorkerPids() const { return impl_->WorkerPids(); }

}  // namespace puckdrop::jq
