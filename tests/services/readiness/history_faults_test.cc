// What goes wrong around a history: kills, full disks, locks, damage.
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "services/readiness/connection.h"
#include "tests/services/readiness/history_samples.h"

extern char** environ;

namespace puckdrop::readiness {
namespace {

using ::testing::HasSubstr;

class HistoryFaultsTest : public HistoryFixture {
 protected:
  std::string Database() const { return options_.directory + "/history.db"; }

  // Lines of the helper until there are `enough`, then kills it without a word and reads what it had still said.
  std::vector<std::string> AppendUntilKilled(const std::string& prefix, size_t enough) {
    int ends[2];
    if (pipe(ends) != 0) return {};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    std::string helper = std::filesystem::path(self).parent_path() / "readiness_history_crash_helper";
    std::string directory = options_.directory, name = prefix;
    char* arguments[] = {helper.data(), directory.data(), name.data(), nullptr};
    pid_t child = 0;
    const int spawned = posix_spawn(&child, helper.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    EXPECT_EQ(spawned, 0);
    std::string text;
    size_t lines = 0;
    bool killed = false;
    char buffer[4096];
    for (ssize_t got; spawned == 0 && (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
      lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
      if (lines >= enough && !killed) {
        kill(child, SIGKILL);
        killed = true;
      }
    }
    close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    std::vector<std::string> names;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      names.push_back(text.substr(at, end - at));
    }
    return names;
  }
};

TEST_F(HistoryFaultsTest, LosesNothingAcknowledgedWhenKilledAtAnyMoment) {
  std::vector<std::string> acknowledged;
  for (size_t round = 1; round <= 4; ++round) {
    const std::vector<std::string> more = AppendUntilKilled(absl::StrCat("round-", round), 17 * round * round);
    ASSERT_FALSE(more.empty());
    acknowledged.insert(acknowledged.end(), more.begin(), more.end());
    auto history = Open();
    ASSERT_NE(history, nullptr);
    for (const std::string& name : acknowledged) {
      if (name.rfind("evidence/", 0) == 0) {
        EXPECT_TRUE(history->GetEvidence(name).ok()) << name;
      } else {
        EXPECT_TRUE(history->GetResult(name).ok()) << name;
      }
    }
    EXPECT_EQ(history->Latest()->size(), 3u);
  }
}

TEST_F(HistoryFaultsTest, AcknowledgesNothingOnAFullDiskAndGoesOnWhenThereIsRoom) {
  auto history = Open();
  ASSERT_TRUE(history->Append({Passed()}).ok());
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 400'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::vector<std::string> kept = {absl::StrCat("runs/r", count_, "/results/billing.charged_once:sofa")}, refused;
  absl::Status last;
  for (int i = 0; i < 400 && refused.size() < 3; ++i) {
    v1::Result result = Passed();
    result.set_summary(std::string(3000, 'x'));
    last = history->Append({result});
    (last.ok() ? kept : refused).push_back(result.name());
  }
  const std::string content(500'000, 'x');
  const absl::Status evidence = history->PutEvidence(EvidenceOf(content));
  const bool still_reads = history->Latest().ok();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, ignored);

  EXPECT_EQ(refused.size(), 3u);
  EXPECT_TRUE(absl::IsResourceExhausted(last)) << last;
  EXPECT_THAT(std::string(last.message()), HasSubstr("make room"));
  EXPECT_TRUE(absl::IsResourceExhausted(evidence)) << evidence;
  EXPECT_TRUE(still_reads);
  EXPECT_TRUE(absl::IsNotFound(history->GetEvidence(EvidenceOf(content).name()).status()));
  EXPECT_TRUE(history->PutEvidence(EvidenceOf(content)).ok());
  const v1::Result after = Passed();
  EXPECT_TRUE(history->Append({after}).ok());
  kept.push_back(after.name());
  history = nullptr;
  history = Open();
  for (const std::string& name : kept) EXPECT_TRUE(history->GetResult(name).ok()) << name;
  for (const std::string& name : refused) EXPECT_TRUE(absl::IsNotFound(history->GetResult(name).status())) << name;
}

TEST_F(HistoryFaultsTest, AFileAtItsLimitTakesResultsAgainOnceOldOnesWent) {
  options_.database_bytes_limit = 1 << 20;
  options_.keep_results = absl::Hours(1);
  auto history = Open();
  absl::Status status;
  for (int i = 0; i < 2000 && status.ok(); ++i) {
    v1::Result result = Passed();
    result.set_summary(std::string(3000, 'x'));
    status = history->Append({result});
  }
  ASSERT_TRUE(absl::IsResourceExhausted(status)) << status;
  clock_.Advance(absl::Hours(2));
  const auto upkeep = history->KeepHouse();
  ASSERT_TRUE(upkeep.ok()) << upkeep.status();
  EXPECT_GT(upkeep->results, 10);
  EXPECT_TRUE(history->Append({Passed()}).ok());
}

TEST_F(HistoryFaultsTest, WaitsABoundedTimeForAnotherProcessAndThenGoesOn) {
  auto history = Open();
  ASSERT_TRUE(history->Append({Passed()}).ok());
  auto other = Connection::Open(Database(), {});
  ASSERT_TRUE((*other)->Execute("BEGIN IMMEDIATE").ok());
  const v1::Result result = Passed();
  const absl::Status status = history->Append({result});
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process holds the lock"));
  EXPECT_EQ(history->ListResults({})->results_size(), 1);  // who reads does not wait
  ASSERT_TRUE((*other)->Execute("ROLLBACK").ok());
  EXPECT_TRUE(history->Append({result}).ok());
  EXPECT_EQ(history->ListResults({})->results_size(), 2);
}

TEST_F(HistoryFaultsTest, OneProcessAtATimeKeepsADirectory) {
  auto history = Open();
  const auto second = History::Open(options_, clock_);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(absl::StrCat("pid ", getpid())));
  history.reset();
  EXPECT_TRUE(History::Open(options_, clock_).ok());
}

TEST_F(HistoryFaultsTest, ADirectoryBelongsToOneLaunch) {
  Open().reset();
  options_.launch = "cup";
  const absl::Status status = History::Open(options_, clock_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("is the history of the launch 'liiga', not of 'cup'"));
}

TEST_F(HistoryFaultsTest, RefusesWhatANewerPuckdropWrote) {
  Open().reset();
  ASSERT_TRUE((*Connection::Open(Database(), {}))->Execute("PRAGMA user_version=99").ok());
  const absl::Status status = History::Open(options_, clock_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("written by a newer puckdrop (its schema is 99"));
}

TEST_F(HistoryFaultsTest, SaysThatAFileIsDamaged) {
  Open().reset();
  std::ofstream(Database(), std::ios::trunc) << std::string(9000, '?');
  const absl::Status status = History::Open(options_, clock_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("put a backup in its place"));
}

TEST_F(HistoryFaultsTest, SaysThatTheDirectoryCannotBeOne) {
  std::ofstream(base_ + "/file") << "x";
  options_.directory = base_ + "/file/state";
  const absl::Status status = History::Open(options_, clock_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("choose another with --state"));
}

TEST_F(HistoryFaultsTest, EvidenceThatWasChangedOnTheDiskIsNotGiven) {
  auto history = Open();
  const v1::Evidence evidence = EvidenceOf("{\"charges\":2}");
  ASSERT_TRUE(history->PutEvidence(evidence).ok());
  const std::string hex = evidence.name().substr(9);
  std::ofstream(options_.directory + "/evidence/" + hex.substr(0, 2) + "/" + hex) << "{\"charges\":1}";
  EXPECT_TRUE(absl::IsDataLoss(history->GetEvidence(evidence.name()).status()));
}

}  // namespace
}  // namespace puckdrop::readiness
