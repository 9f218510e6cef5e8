// Evidence, what is removed when, and copies.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <utime.h>

#include <fstream>
#include <thread>

#include "services/readiness/connection.h"
#include "services/readiness/store.h"
#include "tests/services/readiness/history_samples.h"

namespace puckdrop::readiness {
namespace {

using ::testing::UnorderedElementsAre;

class HistoryUpkeepTest : public HistoryFixture {
 protected:
  std::string PathOf(const v1::Evidence& evidence) const {
    const std::string hex = evidence.name().substr(9);
    return absl::StrCat(options_.directory, "/evidence/", hex.substr(0, 2), "/", hex);
  }

  // Passes until nothing is left to do.
  Upkeep KeepHouse(History& history) {
    Upkeep total;
    for (int i = 0; i < 1000; ++i) {
      const auto upkeep = history.KeepHouse();
      EXPECT_TRUE(upkeep.ok()) << upkeep.status();
      if (!upkeep.ok()) break;
      total.results += upkeep->results;
      total.failures += upkeep->failures;
      total.records += upkeep->records;
      total.evidence += upkeep->evidence;
      total.pages_returned += upkeep->pages_returned;
      if (!upkeep->more) return total;
    }
    ADD_FAILURE() << "upkeep does not end";
    return total;
  }

  void AppendMany(History& history, int count, size_t bytes, v1::Outcome outcome = v1::OUTCOME_PASSED) {
    std::vector<v1::Result> results;
    for (int i = 0; i < count; ++i) {
      results.push_back(Result(outcome));
      results.back().set_summary(std::string(bytes, 'x'));
    }
    ASSERT_TRUE(history.Append(results).ok());
  }
};

TEST_F(HistoryUpkeepTest, KeepsEvidenceOnceUnderTheHashOfItsContent) {
  auto history = Open();
  const v1::Evidence evidence = EvidenceOf("{\"charges\":2}");
  ASSERT_TRUE(history->PutEvidence(evidence).ok());
  ASSERT_TRUE(history->PutEvidence(evidence).ok());
  EXPECT_EQ(history->Size()->evidence_count, 1);
  EXPECT_EQ(history->Size()->evidence_bytes, static_cast<int64_t>(evidence.content().size()));
  struct stat found{};
  ASSERT_EQ(stat(PathOf(evidence).c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  history.reset();
  history = Open();
  EXPECT_EQ(history->GetEvidence(evidence.name())->SerializeAsString(), evidence.SerializeAsString());
  const std::string none = EvidenceOf("none").name();
  const auto rows = history->DescribeEvidence({none, evidence.name()});
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().title, "numbers");
  EXPECT_FALSE(rows->front().of_failure);
  EXPECT_TRUE(absl::IsNotFound(history->GetEvidence(none).status()));
}

TEST_F(HistoryUpkeepTest, RefusesEvidenceThatIsNotWhatItsNameSays) {
  auto history = Open();
  v1::Evidence evidence = EvidenceOf("{\"charges\":2}");
  evidence.set_content("{\"charges\":1}");
  EXPECT_TRUE(absl::IsInvalidArgument(history->PutEvidence(evidence)));
  evidence.set_name("evidence/../../etc/passwd");
  EXPECT_TRUE(absl::IsInvalidArgument(history->PutEvidence(evidence)));
  EXPECT_TRUE(absl::IsInvalidArgument(history->GetEvidence(evidence.name()).status()));
}

TEST_F(HistoryUpkeepTest, MakesRoomByWhatNoFailureNames) {
  options_.evidence_bytes = 1000;
  auto history = Open();
  // One is named before it comes, one after.
  const v1::Evidence early = EvidenceOf(std::string(200, 'a')), late = EvidenceOf(std::string(200, 'b'));
  v1::Result red = Failed();
  red.add_evidence(early.name());
  red.add_evidence(late.name());
  ASSERT_TRUE(history->PutEvidence(early).ok());
  ASSERT_TRUE(history->Append({red}).ok());
  EXPECT_TRUE(absl::IsNotFound(history->GetEvidence(late.name()).status()));
  ASSERT_TRUE(history->PutEvidence(late).ok());
  for (char c = 'c'; c < 'k'; ++c) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(history->PutEvidence(EvidenceOf(std::string(200, c))).ok());
    EXPECT_LE(history->Size()->evidence_bytes, 1000);
  }
  EXPECT_TRUE(history->GetEvidence(early.name()).ok());
  EXPECT_TRUE(history->GetEvidence(late.name()).ok());
  EXPECT_TRUE(history->GetEvidence(EvidenceOf(std::string(200, 'j')).name()).ok());
  const v1::Evidence gone = EvidenceOf(std::string(200, 'c'));
  EXPECT_TRUE(absl::IsNotFound(history->GetEvidence(gone.name()).status()));
  EXPECT_FALSE(std::filesystem::exists(PathOf(gone)));
  EXPECT_TRUE(absl::IsResourceExhausted(history->PutEvidence(EvidenceOf(std::string(1001, 'x')))));
  // It may come again.
  EXPECT_TRUE(history->PutEvidence(gone).ok());
  EXPECT_TRUE(history->GetEvidence(gone.name()).ok());
}

TEST_F(HistoryUpkeepTest, TwoWhoPutTheSameEvidenceWhileRoomIsMadeBothFindIt) {
  options_.evidence_bytes = 2000;
  auto history = Open();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        if (!history->PutEvidence(EvidenceOf(std::string(300, static_cast<char>('a' + i % 20)))).ok()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  // Whatever is in the index is in the folder.
  for (char c = 'a'; c < 'a' + 20; ++c) {
    const v1::Evidence evidence = EvidenceOf(std::string(300, c));
    EXPECT_EQ(history->DescribeEvidence({evidence.name()})->size(),
              std::filesystem::exists(PathOf(evidence)) ? 1u : 0u);
  }
}

TEST_F(HistoryUpkeepTest, SweepsUpFilesThatAKilledProcessLeft) {
  auto history = Open();
  const v1::Evidence kept = EvidenceOf("kept");
  ASSERT_TRUE(history->PutEvidence(kept).ok());
  const std::string folder = options_.directory + "/evidence/00";
  std::filesystem::create_directories(folder);
  const std::string orphan = folder + "/00" + std::string(62, 'a'), part = orphan + ".77.1.part";
  const std::string fresh = folder + "/00" + std::string(62, 'b');
  for (const std::string& path : {orphan, part, fresh}) std::ofstream(path) << "x";
  const utimbuf long_ago{1'000'000'000, 1'000'000'000};
  for (const std::string& path : {orphan, part, PathOf(kept)}) ASSERT_EQ(utime(path.c_str(), &long_ago), 0);
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(history->KeepHouse().ok());
  EXPECT_FALSE(std::filesystem::exists(orphan));
  EXPECT_FALSE(std::filesystem::exists(part));
  EXPECT_TRUE(std::filesystem::exists(fresh));  // somebody may be about to note it down
  EXPECT_TRUE(history->GetEvidence(kept.name()).ok());
}

TEST_F(HistoryUpkeepTest, RemovesOldPassesBeforeOldFailures) {
  options_.keep_results = absl::Hours(1);
  options_.keep_failures = absl::Hours(10);
  auto history = Open();
  const v1::Evidence of_pass = EvidenceOf("pass"), of_failure = EvidenceOf("failure");
  const v1::Result green = Passed();
  v1::Result red = Failed();
  red.add_evidence(of_failure.name());
  ASSERT_TRUE(history->PutEvidence(of_pass).ok());
  ASSERT_TRUE(history->PutEvidence(of_failure).ok());
  ASSERT_TRUE(history->Append({green, red, Result(v1::OUTCOME_SKIPPED, "a.b")}).ok());
  EXPECT_EQ(KeepHouse(*history).results, 0);

  clock_.Advance(absl::Hours(2));
  const v1::Result fresh = Result(v1::OUTCOME_PASSED, "playback.starts");
  ASSERT_TRUE(history->Append({fresh}).ok());
  Upkeep upkeep = KeepHouse(*history);
  EXPECT_EQ(upkeep.results, 2);
  EXPECT_EQ(upkeep.failures, 0);
  EXPECT_EQ(upkeep.evidence, 1);
  EXPECT_THAT(Names(*history->ListResults({})), UnorderedElementsAre(red.name(), fresh.name()));
  EXPECT_TRUE(history->GetEvidence(of_failure.name()).ok());
  EXPECT_TRUE(absl::IsNotFound(history->GetEvidence(of_pass.name()).status()));
  // How things stand does not depend on what was removed.
  EXPECT_EQ(history->Latest()->size(), 3u);
  EXPECT_EQ((*history->LastGreen("billing.charged_once", "sofa"))->name(), green.name());
  EXPECT_EQ(history->Similar("billing.charged_once", "sofa", "other", 5)->size(), 0u);

  clock_.Advance(absl::Hours(11));
  upkeep = KeepHouse(*history);
  EXPECT_EQ(upkeep.results, 1);
  EXPECT_EQ(upkeep.failures, 1);
  EXPECT_EQ(upkeep.evidence, 1);
  EXPECT_EQ(history->ListResults({})->results_size(), 0);
}

TEST_F(HistoryUpkeepTest, WorksInBoundedPassesUntilAllThatIsOldIsGone) {
  options_.keep_results = absl::Hours(1);
  auto history = Open();
  AppendMany(*history, 5000, 10);
  clock_.Advance(absl::Hours(2));
  const auto first = history->KeepHouse();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->results, 2000);
  EXPECT_TRUE(first->more);
  EXPECT_EQ(KeepHouse(*history).results, 3000);
}

TEST_F(HistoryUpkeepTest, KeepsToItsSizeAndLetsFailuresGoLast) {
  options_.database_bytes = 8 << 20;
  auto history = Open();
  AppendMany(*history, 1000, 1000, v1::OUTCOME_FAILED);
  for (int i = 0; i < 8; ++i) AppendMany(*history, 3000, 1000);
  const Upkeep upkeep = KeepHouse(*history);
  EXPECT_GT(upkeep.results, 10'000);
  EXPECT_EQ(upkeep.failures, 0);
  HistorySize size = *history->Size();
  EXPECT_LE(size.database_bytes - size.unused_bytes, 8 << 20);
  // What was freed went back to the disk.
  EXPECT_GT(upkeep.pages_returned, 0);
  EXPECT_LT(size.unused_bytes, size.database_bytes / 4 + (16 << 20));

  for (int i = 0; i < 8; ++i) AppendMany(*history, 3000, 1000, v1::OUTCOME_FAILED);
  EXPECT_GT(KeepHouse(*history).failures, 10'000);
  size = *history->Size();
  EXPECT_LE(size.database_bytes - size.unused_bytes, 8 << 20);
}

TEST_F(HistoryUpkeepTest, RemovesRecordsByAgeAndRevokedWaiversWithThem) {
  options_.keep_records = absl::Hours(24 * 100);
  auto history = Open();
  ASSERT_TRUE(history->Audit({0, {}, "anna", "StartRun", "all", "OK"}).ok());
  v1::Waiver waiver;
  waiver.set_check("a.a");
  ASSERT_TRUE(history->CreateWaiver(waiver, "anna").ok());
  ASSERT_TRUE(history->CreateWaiver(waiver, "anna").ok());
  ASSERT_TRUE(history->RevokeWaiver(1, "anna").ok());
  ASSERT_TRUE(history->AppendVerdictChange(Verdict(v1::VERDICT_STATE_GO, {})).ok());
  clock_.Advance(absl::Hours(24 * 101));
  EXPECT_EQ(KeepHouse(*history).records, 3);
  EXPECT_TRUE(history->ListAudit({})->items.empty());
  ASSERT_EQ(history->ListWaivers(true)->size(), 1u);
  EXPECT_EQ(history->ListWaivers(true)->front().number, 2);
  EXPECT_TRUE(history->GetLastGo()->has_value());
}

TEST_F(HistoryUpkeepTest, CopiesTheStateWhileItIsWritten) {
  auto history = Open();
  auto store = Store::Open(options_.directory, clock_);
  ASSERT_TRUE(store.ok()) << store.status();
  v1::Obligation obligation;
  obligation.set_launch("liiga");
  obligation.set_operation("ordering.place_order");
  obligation.set_customer("sofa");
  obligation.set_account("pd-x@pilot.invalid");
  obligation.set_idempotency_key("key");
  obligation.set_path("ordering");
  obligation.set_owner("run-a");
  ASSERT_TRUE((*store)->OpenObligation(obligation).ok());
  const v1::Evidence evidence = EvidenceOf("{\"charges\":2}");
  ASSERT_TRUE(history->PutEvidence(evidence).ok());
  AppendMany(*history, 5000, 1000);
  std::vector<v1::Result> more;
  for (int i = 0; i < 200; ++i) more.push_back(Passed());

  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::thread writer([&] {
    for (const v1::Result& result : more) {
      if (stop) break;
      if (!history->Append({result}).ok()) ++failed;
    }
  });
  const std::string copy = base_ + "/backups/one";
  const absl::Status status = history->BackupTo(copy);
  stop = true;
  writer.join();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(absl::IsAlreadyExists(history->BackupTo(copy)));

  HistoryOptions options = options_;
  options.directory = copy;
  auto copied = History::Open(options, clock_);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_GE((*copied)->Size()->last_result, 5000);
  EXPECT_EQ((*copied)->GetEvidence(evidence.name())->content(), evidence.content());
  EXPECT_EQ(*(*Connection::Open(copy + "/history.db", {}))
                 ->Number("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check='ok'"),
            1);
  auto owed = Store::Open(copy, clock_);
  ASSERT_TRUE(owed.ok()) << owed.status();
  EXPECT_EQ((*owed)->Owed("")->size(), 1u);
}

TEST_F(HistoryUpkeepTest, LeavesNothingOfACopyThatFailed) {
  auto history = Open();
  const std::string copy = base_ + "/backups/one";
  ASSERT_TRUE(history->Append({Passed()}).ok());
  // A file where the obligations should be cannot be copied.
  std::ofstream(options_.directory + "/puckdrop.db") << std::string(9000, '?');
  EXPECT_FALSE(history->BackupTo(copy).ok());
  EXPECT_FALSE(std::filesystem::exists(base_ + "/backups"));
}

}  // namespace
}  // namespace puckdrop::readiness
