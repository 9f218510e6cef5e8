#include "services/runtime/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace puckdrop::runtime {
namespace {

// Polls a condition for at most ten seconds of real time.
template <typename F>
bool Eventually(F condition) {
  RealClock clock;
  absl::Time end = clock.Now() + absl::Seconds(10);
  while (!condition()) {
    if (clock.Now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

awaitable<int> Answer(int value) { co_return value; }
awaitable<int> Throw() {
  throw std::runtime_error("no");
  co_return 1;
}
awaitable<bool> OnLoop(EventLoop& loop) { co_return loop.InLoopThread(); }
awaitable<absl::Status> Sleep(EventLoop& loop, const Clock& clock, absl::Duration time) {
  absl::Status slept = co_await loop.SleepFor(clock, time);
  co_return slept;
}

TEST(EventLoopTest, SpawnGivesTheResultOrTheException) {
  EventLoop loop;
  EXPECT_EQ(loop.Spawn(Answer(7)).Get(), 7);
  EXPECT_THROW(loop.Spawn(Throw()).Get(), std::runtime_error);
  EXPECT_TRUE(loop.Spawn(OnLoop(loop)).Get());
  EXPECT_FALSE(loop.InLoopThread());
}

TEST(EventLoopTest, SleepsOnAFakeClockUntilItIsMoved) {
  EventLoop loop;
  FakeClock clock;
  auto task = loop.Spawn(Sleep(loop, clock, absl::Hours(5)));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 1; }));
  clock.Advance(absl::Hours(4));
  EXPECT_EQ(clock.sleepers(), 1u);
  EXPECT_FALSE(task.done());
  clock.Advance(absl::Hours(1));
  EXPECT_TRUE(task.Get().ok());
}

TEST(EventLoopTest, SleepsOnTheRealClock) {
  EventLoop loop;
  RealClock clock;
  absl::Duration before = clock.Monotonic();
  EXPECT_TRUE(loop.Spawn(Sleep(loop, clock, absl::Milliseconds(20))).Get().ok());
  EXPECT_GE(clock.Monotonic() - before, absl::Milliseconds(19));
}

TEST(EventLoopTest, ACancelledSleepEndsAtOnceAndLeavesNoSleeper) {
  EventLoop loop;
  FakeClock clock;
  auto task = loop.Spawn(Sleep(loop, clock, absl::Hours(5)));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 1; }));
  task.Cancel();
  EXPECT_EQ(task.Get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(clock.sleepers(), 0u);
}

awaitable<int> CountSleeps(EventLoop& loop, const Clock& clock) {
  int cancelled = 0;
  for (int i = 0; i < 3; ++i) {
    absl::Status slept = co_await loop.SleepFor(clock, absl::Hours(1));
    if (!slept.ok()) ++cancelled;
  }
  bool asked = co_await EventLoop::IsCancelled();
  co_await EventLoop::IgnoreCancellation();
  bool still = co_await EventLoop::IsCancelled();
  absl::Status cleaned = co_await loop.SleepFor(clock, absl::ZeroDuration());
  co_return cancelled + (asked && !still && cleaned.ok() ? 10 : 0);
}

TEST(EventLoopTest, ACancellationLastsUntilItIsPutAside) {
  EventLoop loop;
  FakeClock clock;
  auto task = loop.Spawn(CountSleeps(loop, clock));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 1; }));
  task.Cancel();
  EXPECT_EQ(task.Get(), 13);
}

awaitable<void> SleepInto(EventLoop& loop, const Clock& clock, absl::Duration time, std::vector<std::string>& out) {
  absl::Status slept = co_await loop.SleepFor(clock, time);
  out.push_back(slept.ok() ? "slept" : "cancelled");
}
awaitable<void> ThreeSleeps(EventLoop& loop, const Clock& clock, std::vector<std::string>& out) {
  std::vector<awaitable<void>> all;
  for (int i = 1; i <= 3; ++i) all.push_back(SleepInto(loop, clock, absl::Hours(i), out));
  co_await loop.All(std::move(all));
  out.push_back("all");
}

TEST(EventLoopTest, AllRunsSideBySideAndWaitsForTheLast) {
  EventLoop loop;
  FakeClock clock;
  std::vector<std::string> out;
  auto task = loop.Spawn(ThreeSleeps(loop, clock, out));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 3; }));
  clock.Advance(absl::Hours(3));
  task.Get();
  EXPECT_EQ(out, (std::vector<std::string>{"slept", "slept", "slept", "all"}));
}

TEST(EventLoopTest, AllPassesACancellationOn) {
  EventLoop loop;
  FakeClock clock;
  std::vector<std::string> out;
  auto task = loop.Spawn(ThreeSleeps(loop, clock, out));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 3; }));
  task.Cancel();
  task.Get();
  EXPECT_EQ(out, (std::vector<std::string>{"cancelled", "cancelled", "cancelled", "all"}));
}

awaitable<absl::StatusOr<int>> Blocking(EventLoop& loop, std::function<int()> fn) {
  absl::StatusOr<int> result = co_await loop.RunBlocking(fn);
  co_return result;
}

// A door that holds blocking functions until it is opened.
class Door {
 public:
  void Pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++inside_;
    changed_.wait(lock, [this] { return open_; });
  }
  void Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int inside() {
    std::lock_guard<std::mutex> lock(mutex_);
    return inside_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int inside_ = 0;
};

TEST(EventLoopTest, RunBlockingRunsOnAnotherThread) {
  EventLoop loop;
  auto result = loop.Spawn(Blocking(loop, [&loop] { return loop.InLoopThread() ? 1 : 2; })).Get();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 2);
}

TEST(EventLoopTest, RunBlockingTurnsAnExceptionIntoInternal) {
  EventLoop loop;
  auto result = loop.Spawn(Blocking(loop, []() -> int { throw std::runtime_error("broken disk"); })).Get();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_NE(result.status().message().find("broken disk"), absl::string_view::npos);
}

TEST(EventLoopTest, AFullQueueIsResourceExhausted) {
  EventLoop loop(EventLoop::Options{.blocking_threads = 1, .blocking_queue = 1});
  Door door;
  auto pass = [&door] {
    door.Pass();
    return 1;
  };
  auto running = loop.Spawn(Blocking(loop, pass));
  ASSERT_TRUE(Eventually([&] { return door.inside() == 1; }));
  auto waiting = loop.Spawn(Blocking(loop, pass));
  auto refused = loop.Spawn(Blocking(loop, pass));
  EXPECT_EQ(refused.Get().status().code(), absl::StatusCode::kResourceExhausted);
  door.Open();
  EXPECT_TRUE(running.Get().ok());
  EXPECT_TRUE(waiting.Get().ok());
}

TEST(EventLoopTest, ACancelledBlockingCallThatHasNotBegunNeverRuns) {
  EventLoop loop(EventLoop::Options{.blocking_threads = 1, .blocking_queue = 8});
  Door door;
  auto running = loop.Spawn(Blocking(loop, [&door] {
    door.Pass();
    return 1;
  }));
  ASSERT_TRUE(Eventually([&] { return door.inside() == 1; }));
  std::atomic<bool> ran = false;
  auto waiting = loop.Spawn(Blocking(loop, [&ran] {
    ran = true;
    return 2;
  }));
  waiting.Cancel();
  EXPECT_EQ(waiting.Get().status().code(), absl::StatusCode::kCancelled);
  running.Cancel();  // it runs, so it is waited for
  door.Open();
  EXPECT_TRUE(running.Get().ok());
  EXPECT_FALSE(ran);
}

TEST(EventLoopTest, StopCancelsWhatRunsAndTakesNothingNew) {
  FakeClock clock;
  EventLoop loop;
  auto task = loop.Spawn(Sleep(loop, clock, absl::Hours(5)));
  ASSERT_TRUE(Eventually([&] { return clock.sleepers() == 1; }));
  EXPECT_EQ(loop.running(), 1u);
  loop.Stop();
  EXPECT_EQ(task.Get().code(), absl::StatusCode::kCancelled);
  auto late = loop.Spawn(Answer(1));
  EXPECT_THROW(late.Get(), std::future_error);
  late.Cancel();
}

TEST(EventLoopTest, InvokeRunsOnTheLoopAndAfterItsEndHere) {
  EventLoop loop;
  bool on_loop = false;
  loop.Invoke([&] { on_loop = loop.InLoopThread(); });
  EXPECT_TRUE(on_loop);
  loop.Stop();
  loop.Invoke([&] { on_loop = loop.InLoopThread(); });
  EXPECT_FALSE(on_loop);
}

TEST(EventLoopTest, SetBeforeWaitIsRemembered) {
  EventLoop loop;
  auto wait = []() -> awaitable<bool> {
    OneShot once;
    once.Set();
    once.Set();
    absl::Status waited = co_await once.Wait();
    co_await once.WaitRegardless();
    co_return waited.ok();
  };
  EXPECT_TRUE(loop.Spawn(wait()).Get());
}

TEST(EventLoopTest, ACancelledCallIsNotMade) {
  EventLoop loop;
  FakeClock clock;
  std::atomic<int> made = 0;
  std::atomic<bool> ready = false;
  loop.Post([&] {
    uint64_t id = loop.CallAt(clock, clock.Now() + absl::Seconds(1), [&] { made += 1; });
    loop.CallAt(clock, clock.Now() + absl::Seconds(1), [&] { made += 10; });
    loop.CancelCall(id);
    ready = true;
  });
  ASSERT_TRUE(Eventually([&] { return ready.load(); }));
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(Eventually([&] { return made == 10; }));
}

}  // namespace
}  // namespace puckdrop::runtime
