#include "services/prober/runs.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/prober/outbox.h"
#include "tests/services/prober/scripted.h"

namespace puckdrop::prober {
namespace {

class EmptyRun final : public TargetRun {
 public:
  ScriptedPort port;
  checks::OperationPort& operations() override { return port; }
  media::Player* player() override { return nullptr; }
  void SetLimits(const v1::LimitShare*) override {}
};

class EmptyTarget final : public TargetPort {
 public:
  int opened = 0;
  absl::StatusOr<std::unique_ptr<TargetRun>> OpenRun(const std::string&) override {
    ++opened;
    return std::make_unique<EmptyRun>();
  }
  absl::StatusOr<std::string> PilotKey() override { return std::string(); }
  absl::StatusOr<std::vector<std::string>> StandingPasswords(const std::string&) override {
    return std::vector<std::string>();
  }
};

TEST(RunsTest, RequestsOfOneRunShareItsState) {
  runtime::FakeClock clock;
  EmptyTarget target;
  Runs runs(target, clock);
  std::shared_ptr<RunState> first = *runs.Get("a");
  EXPECT_EQ(*runs.Get("a"), first);
  EXPECT_NE(*runs.Get("b"), first);
  EXPECT_EQ(target.opened, 2);
}

TEST(RunsTest, AnIdleRunIsForgottenAndOneInUseIsNot) {
  runtime::FakeClock clock;
  EmptyTarget target;
  Runs runs(target, clock);
  std::shared_ptr<RunState> held = *runs.Get("held");
  (void)*runs.Get("idle");
  clock.Advance(absl::Minutes(11));
  (void)*runs.Get("new");
  EXPECT_EQ(runs.size(), 2u);
  EXPECT_EQ(*runs.Get("held"), held);
}

TEST(RunsTest, RoomIsMadeForNewRunsUntilAllAreInUse) {
  runtime::FakeClock clock;
  EmptyTarget target;
  Runs runs(target, clock);
  for (size_t i = 0; i < Runs::kMost + 5; ++i) ASSERT_TRUE(runs.Get(absl::StrCat(i)).ok());
  EXPECT_EQ(runs.size(), Runs::kMost);
  std::vector<std::shared_ptr<RunState>> held;
  for (size_t i = 0; i < Runs::kMost; ++i) held.push_back(*runs.Get(absl::StrCat("held-", i)));
  EXPECT_EQ(runs.Get("one-more").status().code(), absl::StatusCode::kResourceExhausted);
}

v1::RunChecksEvent Progress() {
  v1::RunChecksEvent event;
  event.mutable_progress()->set_text("x");
  return event;
}
v1::RunChecksEvent ResultEvent() {
  v1::RunChecksEvent event;
  event.mutable_result()->set_check("x");
  return event;
}

TEST(OutboxTest, ASlowReaderLosesProgressButNoResult) {
  runtime::EventLoop loop;
  Outbox outbox;
  loop.Invoke([&] {
    for (int i = 0; i < 500; ++i) outbox.Push(Progress());
    for (int i = 0; i < 500; ++i) outbox.Push(ResultEvent());
    outbox.Close();
    outbox.Push(ResultEvent());
  });
  int progress = 0;
  int results = 0;
  loop.Spawn([](Outbox& box, int& p, int& r) -> awaitable<void> {
        while (true) {
          std::optional<v1::RunChecksEvent> event = co_await box.Next();
          if (!event) co_return;
          ++(event->has_progress() ? p : r);
        }
      }(outbox, progress, results))
      .Get();
  EXPECT_EQ(progress, static_cast<int>(Outbox::kCrowded));
  EXPECT_EQ(results, 500);
}

TEST(OutboxTest, RoomWaitsForTheReader) {
  runtime::EventLoop loop;
  Outbox outbox;
  loop.Invoke([&] {
    for (size_t i = 0; i < Outbox::kCrowded; ++i) outbox.Push(ResultEvent());
  });
  runtime::Task<absl::Status> room = loop.Spawn(outbox.Room());
  EXPECT_FALSE(room.WaitFor(absl::Milliseconds(20)));
  EXPECT_TRUE(loop.Spawn(outbox.Next()).Get().has_value());
  EXPECT_TRUE(room.Get().ok());
}

TEST(OutboxTest, AReaderThatIsGoneEndsTheWriter) {
  runtime::EventLoop loop;
  Outbox outbox;
  loop.Invoke([&] {
    for (size_t i = 0; i < Outbox::kCrowded; ++i) outbox.Push(ResultEvent());
  });
  runtime::Task<absl::Status> room = loop.Spawn(outbox.Room());
  loop.Invoke([&] { outbox.Abandon(absl::CancelledError("gone")); });
  EXPECT_EQ(room.Get().code(), absl::StatusCode::kCancelled);
  EXPECT_FALSE(loop.Spawn(outbox.Next()).Get().has_value());
}

}  // namespace
}  // namespace puckdrop::prober
