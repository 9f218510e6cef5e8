#include "services/readiness/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

extern char** environ;

namespace puckdrop::readiness {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    char name[] = "/tmp/puckdrop-store-XXXXXX";
    base_ = mkdtemp(name);
    directory_ = base_ + "/state/liiga";
  }
  ~StoreTest() override { std::filesystem::remove_all(base_); }

  std::unique_ptr<Store> Open() {
    auto store = Store::Open(directory_, clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return std::move(*store);
  }

  static v1::Obligation Owing(const std::string& owner, const std::string& customer = "sofa") {
    v1::Obligation obligation;
    obligation.set_launch("liiga");
    obligation.set_operation("ordering.place_order");
    obligation.set_customer(customer);
    obligation.set_account("pd-run-sofa-1@pilot.invalid");
    obligation.set_idempotency_key("key-1");
    obligation.set_path("ordering");
    obligation.set_owner(owner);
    return obligation;
  }

  runtime::FakeClock clock_;
  std::string base_;
  std::string directory_;
};

TEST_F(StoreTest, NamesObligationsByRunAndKeepsTheirOrder) {
  auto store = Open();
  ASSERT_TRUE(store->ClaimRun("run-a").ok());
  EXPECT_EQ(store->OpenObligation(Owing("run-a"))->name(), "obligations/run-a-1");
  EXPECT_EQ(store->OpenObligation(Owing("run-a"))->name(), "obligations/run-a-2");
  EXPECT_EQ(store->OpenObligation(Owing("run-a-b"))->name(), "obligations/run-a-b-1");
  v1::Obligation taken = Owing("run-a");
  taken.set_name("obligations/run-a-1");
  EXPECT_TRUE(absl::IsAlreadyExists(store->OpenObligation(taken).status()));
  const auto owed = store->OwedBy("run-a", "");
  ASSERT_TRUE(owed.ok());
  ASSERT_EQ(owed->size(), 2u);
  EXPECT_EQ((*owed)[0].state(), v1::Obligation::OPEN);
  EXPECT_TRUE(store->OwedBy("run-a", "cabin")->empty());
}

TEST_F(StoreTest, RefusesWhatCouldNotBeUndone) {
  auto store = Open();
  v1::Obligation incomplete = Owing("run-a");
  incomplete.clear_idempotency_key();
  EXPECT_TRUE(absl::IsInvalidArgument(store->OpenObligation(incomplete).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store->OpenObligation(Owing("../x")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store->ClaimRun("../x")));
  EXPECT_TRUE(absl::IsNotFound(store->CloseObligation("obligations/none", "run-a").status()));
}

TEST_F(StoreTest, AddsIdsAndClosesOnce) {
  auto store = Open();
  const std::string name = store->OpenObligation(Owing("run-a"))->name();
  v1::UpdateObligationRequest update;
  update.set_name(name);
  (*update.mutable_target_ids())["order_id"] = "o-7";
  update.set_account_id("a-1");
  EXPECT_EQ(store->UpdateObligation(update)->target_ids().at("order_id"), "o-7");
  const auto closed = store->CloseObligation(name, "run-a");
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ(closed->state(), v1::Obligation::SETTLED);
  EXPECT_EQ(closed->account_id(), "a-1");
  EXPECT_TRUE(store->CloseObligation(name, "run-a").ok()) << "closing twice is no mistake";
  EXPECT_TRUE(store->Owed("")->empty());
}

TEST_F(StoreTest, ALeaseKeepsOthersOutUntilItRunsOut) {
  auto store = Open();
  const std::string name = store->OpenObligation(Owing("elsewhere"))->name();
  EXPECT_TRUE(absl::IsPermissionDenied(store->CloseObligation(name, "run-b").status()));
  EXPECT_TRUE(store->TakeOver("run-b", "liiga")->empty());
  clock_.Advance(absl::Seconds(50));
  EXPECT_EQ(*store->RenewObligations("elsewhere"), 1);
  clock_.Advance(absl::Seconds(50));
  EXPECT_TRUE(store->TakeOver("run-b", "liiga")->empty());
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(store->TakeOver("run-b", "another-launch")->empty());
  ASSERT_EQ(store->TakeOver("run-b", "liiga")->size(), 1u);
  EXPECT_TRUE(absl::IsPermissionDenied(store->NoteAttempt(name, "elsewhere", "x", "", false).status()));
  EXPECT_TRUE(store->NoteAttempt(name, "run-b", "office answered 503", "cancel order o-7", true).ok());
  EXPECT_EQ(store->Owed("liiga")->front().state(), v1::Obligation::STUCK);
  EXPECT_EQ(store->Owed("liiga")->front().attempts(), 1);
}

TEST_F(StoreTest, ALiveOwnerKeepsItsObligationsEvenPastItsLease) {
  auto store = Open();
  auto other = Open();
  ASSERT_TRUE(store->ClaimRun("run-a").ok());
  const std::string name = store->OpenObligation(Owing("run-a"))->name();
  clock_.Advance(absl::Minutes(10));
  EXPECT_TRUE(other->TakeOver("run-b", "liiga")->empty());
  EXPECT_TRUE(absl::IsPermissionDenied(other->CloseObligation(name, "run-b").status()));
  store->ReleaseRun("run-a");
  EXPECT_EQ(other->TakeOver("run-b", "liiga")->size(), 1u);
}

TEST_F(StoreTest, OfTwoThatTakeOverOneGetsIt) {
  auto store = Open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->OpenObligation(Owing("elsewhere")).ok());
  clock_.Advance(absl::Minutes(2));
  std::vector<size_t> got(4);
  // Held until all have tried: a store that ends gives up its claim, and what it took is anybody's again.
  std::vector<std::unique_ptr<Store>> stores(got.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < got.size(); ++i) {
    threads.emplace_back([&, i] {
      stores[i] = Open();
      const std::string run = "taker-" + std::to_string(i);
      EXPECT_TRUE(stores[i]->ClaimRun(run).ok());
      got[i] = stores[i]->TakeOver(run, "liiga")->size();
    });
  }
  for (std::thread& thread : threads) thread.join();
  size_t sum = 0;
  for (size_t n : got) sum += n;
  EXPECT_EQ(sum, 20u) << "each once: none lost, none taken from an owner that lives";
}

TEST_F(StoreTest, ListsInPages) {
  auto store = Open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->OpenObligation(Owing("run-a")).ok());
  ASSERT_TRUE(store->CloseObligation("obligations/run-a-3", "run-a").ok());
  v1::ListObligationsRequest request;
  request.set_page_size(3);
  auto first = store->ListObligations(request);
  ASSERT_EQ(first->obligations_size(), 3);
  EXPECT_EQ(first->obligations(2).name(), "obligations/run-a-4");
  request.set_page_token(first->next_page_token());
  auto second = store->ListObligations(request);
  ASSERT_EQ(second->obligations_size(), 1);
  EXPECT_EQ(second->next_page_token(), "");
  request.set_page_token("nonsense");
  EXPECT_TRUE(absl::IsInvalidArgument(store->ListObligations(request).status()));
}

TEST_F(StoreTest, RemovesWhatItMadeWhenNothingIsOwed) {
  auto store = Open();
  ASSERT_TRUE(store->ClaimRun("run-a").ok());
  const std::string name = store->OpenObligation(Owing("run-a"))->name();
  ASSERT_TRUE(store->CloseObligation(name, "run-a").ok());
  EXPECT_TRUE(store->CloseAndRemoveIfNothingOwed());
  EXPECT_FALSE(std::filesystem::exists(base_ + "/state"));
  EXPECT_TRUE(std::filesystem::exists(base_)) << "what was there before stays";
}

TEST_F(StoreTest, KeepsWhatIsOwedAndWhatOthersUse) {
  auto store = Open();
  auto other = Open();
  EXPECT_FALSE(store->CloseAndRemoveIfNothingOwed()) << "another uses it";
  const std::string name = other->OpenObligation(Owing("run-b"))->name();
  EXPECT_FALSE(other->CloseAndRemoveIfNothingOwed()) << "something is owed";
  auto third = Open();
  EXPECT_EQ(third->Owed("liiga")->size(), 1u);
  ASSERT_TRUE(third->CloseObligation(name, "run-b").ok());
  EXPECT_TRUE(third->CloseAndRemoveIfNothingOwed());
  EXPECT_FALSE(std::filesystem::exists(base_ + "/state")) << "the last one removes what the first one made";
}

TEST_F(StoreTest, SaysSoWhenTheDirectoryCannotBeMade) {
  std::ofstream(base_ + "/state") << "a file";
  auto store = Store::Open(directory_, clock_);
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(std::string(store.status().message()), ::testing::HasSubstr("--state"));
}

TEST_F(StoreTest, WhatWasAnsweredSurvivesSigkillAndIsAnybodysAtOnce) {
  const char* binaries = std::getenv("PUCKDROP_BINARY");
  ASSERT_NE(binaries, nullptr);
  const std::string helper = std::string(binaries) + "/readiness_store_crash_helper";
  for (const char* count : {"1", "7"}) {
    int out[2];
    ASSERT_EQ(pipe(out), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    const std::string run = std::string("killed-") + count;
    std::vector<std::string> arguments = {helper, directory_, run, count};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    ASSERT_EQ(posix_spawn(&child, helper.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    FILE* lines = fdopen(out[0], "r");
    char line[256];
    for (int i = 0; i < std::atoi(count); ++i) ASSERT_NE(std::fgets(line, sizeof(line), lines), nullptr);

    auto store = Open();
    ASSERT_TRUE(store->ClaimRun("next-" + run).ok());
    EXPECT_TRUE(store->TakeOver("next-" + run, "liiga")->empty()) << "its owner lives";
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    std::fclose(lines);
    const auto taken = store->TakeOver("next-" + run, "liiga");
    ASSERT_TRUE(taken.ok());
    EXPECT_EQ(taken->size(), static_cast<size_t>(std::atoi(count)));
    for (const v1::Obligation& obligation : *taken) {
      EXPECT_TRUE(store->CloseObligation(obligation.name(), "next-" + run).ok());
    }
  }
}

}  // namespace
}  // namespace puckdrop::readiness
