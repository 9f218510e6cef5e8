#include "services/readiness/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "services/readiness/database_backup.h"
#include "services/readiness/reader_pool.h"
#include "services/readiness/store.h"

namespace puckdrop::readiness {
namespace {

using ::testing::HasSubstr;

constexpr char kFirst[] = "CREATE TABLE words (word TEXT NOT NULL)";
constexpr char kSecond[] = "ALTER TABLE words ADD COLUMN language TEXT NOT NULL DEFAULT 'fi'";
constexpr char kBroken[] = "CREATE TABLE more (word TEXT); ALTER TABLE none ADD COLUMN x";

class DatabaseTest : public ::testing::Test {
 protected:
  DatabaseTest() {
    char name[] = "/tmp/puckdrop-database-XXXXXX";
    base_ = mkdtemp(name);
    path_ = base_ + "/words.db";
  }
  ~DatabaseTest() override { std::filesystem::remove_all(base_); }

  static absl::Status Insert(Connection& db, const std::string& word) {
    return Statement(db, "INSERT INTO words (word) VALUES (?)").Bind(word).Run();
  }
  int64_t Number(const char* sql) {
    auto connection = Connection::Open(path_, {});
    auto number = (*connection)->Number(sql);
    EXPECT_TRUE(number.ok()) << number.status();
    return number.value_or(-1);
  }

  std::string base_;
  std::string path_;
};

TEST_F(DatabaseTest, BringsAFileOfTheFirstVersionForwardAndKeepsItsRows) {
  {
    auto database = Database::Open(path_, {kFirst});
    ASSERT_TRUE((*database)->Write([](Connection& db) { return Insert(db, "kiekko"); }).ok());
  }
  EXPECT_EQ(Number("PRAGMA user_version"), 1);
  ASSERT_TRUE(Database::Open(path_, {kFirst, kSecond}).ok());
  ASSERT_TRUE(Database::Open(path_, {kFirst, kSecond}).ok());  // each once
  EXPECT_EQ(Number("PRAGMA user_version"), 2);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM words WHERE word='kiekko' AND language='fi'"), 1);
}

TEST_F(DatabaseTest, NeverGoesBack) {
  ASSERT_TRUE(Database::Open(path_, {kFirst, kSecond}).ok());
  const absl::Status status = Database::Open(path_, {kFirst}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("written by a newer puckdrop (its schema is 2, this one knows 1)"));
  EXPECT_EQ(Number("PRAGMA user_version"), 2);
}

TEST_F(DatabaseTest, AMigrationThatFailsLeavesTheFileAsItWas) {
  ASSERT_TRUE(Database::Open(path_, {kFirst}).ok());
  const absl::Status status = Database::Open(path_, {kFirst, kSecond, kBroken}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("migration 3:"));
  EXPECT_EQ(Number("PRAGMA user_version"), 1);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM sqlite_schema WHERE name='more'"), 0);
  EXPECT_TRUE(Database::Open(path_, {kFirst, kSecond}).ok());
}

// Files of obligations counted their versions in a table once.
TEST_F(DatabaseTest, KnowsTheVersionOfTheFirstFiles) {
  {
    auto old = Connection::Open(path_, {});
    ASSERT_TRUE((*old)->Execute("CREATE TABLE migrations (version INTEGER PRIMARY KEY)").ok());
    ASSERT_TRUE((*old)->Execute(kFirst).ok());
    ASSERT_TRUE((*old)->Execute("INSERT INTO migrations VALUES (1)").ok());
    ASSERT_TRUE(Insert(**old, "kiekko").ok());
  }
  ASSERT_TRUE(Database::Open(path_, {kFirst, kSecond}).ok());
  EXPECT_EQ(Number("PRAGMA user_version"), 2);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM words WHERE language='fi'"), 1);
}

TEST_F(DatabaseTest, OneWhoFailsDoesNotHurtThoseInTheSameCommit) {
  auto database = Database::Open(path_, {kFirst});
  // Holds the thread until all three wait, so that they share a commit.
  std::promise<void> go;
  std::shared_future<void> started = go.get_future().share();
  std::vector<std::promise<absl::Status>> done(4);
  const auto post = [&](size_t i, Database::Work work) {
    (*database)->Post(std::move(work), [&done, i](absl::Status status) { done[i].set_value(std::move(status)); });
  };
  post(0, [started](Connection&) {
    started.wait();
    return absl::OkStatus();
  });
  post(1, [](Connection& db) { return Insert(db, "yksi"); });
  post(2, [](Connection& db) {
    absl::Status status = Insert(db, "kaksi");
    return status.ok() ? absl::AbortedError("thought better of it") : status;
  });
  post(3, [](Connection& db) { return Insert(db, "kolme"); });
  go.set_value();
  EXPECT_TRUE(done[0].get_future().get().ok());
  EXPECT_TRUE(done[1].get_future().get().ok());
  EXPECT_TRUE(absl::IsAborted(done[2].get_future().get()));
  EXPECT_TRUE(done[3].get_future().get().ok());
  EXPECT_EQ(Number("SELECT COUNT(*) FROM words"), 2);
}

TEST_F(DatabaseTest, DoesWhatWaitsBeforeItCloses) {
  std::atomic<int> done{0};
  {
    auto database = Database::Open(path_, {kFirst});
    for (int i = 0; i < 100; ++i) {
      (*database)->Post([](Connection& db) { return Insert(db, "sana"); },
                        [&done](absl::Status status) { done += status.ok() ? 1 : 0; });
    }
  }
  EXPECT_EQ(done, 100);
  EXPECT_EQ(Number("SELECT COUNT(*) FROM words"), 100);
}

TEST_F(DatabaseTest, RefusesMoreThanCanWait) {
  auto database = Database::Open(path_, {kFirst});
  std::promise<void> go;
  std::shared_future<void> started = go.get_future().share();
  std::atomic<int> refused{0}, kept{0};
  (*database)->Post(
      [started](Connection&) {
        started.wait();
        return absl::OkStatus();
      },
      [](absl::Status) {});
  for (int i = 0; i < 5000; ++i) {
    (*database)->Post([](Connection&) { return absl::OkStatus(); },
                      [&](absl::Status status) { (absl::IsResourceExhausted(status) ? refused : kept) += 1; });
  }
  EXPECT_GT(refused, 0);
  go.set_value();
  database->reset();
  EXPECT_EQ(refused + kept, 5000);
}

TEST_F(DatabaseTest, ReadersSeeOneMomentAndCannotWrite) {
  auto database = Database::Open(path_, {kFirst});
  ReaderPool readers(path_, 2, absl::Milliseconds(50));
  const absl::Status status = readers.Read([&](Connection& db) {
    EXPECT_EQ(*db.Number("SELECT COUNT(*) FROM words"), 0);
    EXPECT_TRUE((*database)->Write([](Connection& writer) { return Insert(writer, "sana"); }).ok());
    EXPECT_EQ(*db.Number("SELECT COUNT(*) FROM words"), 0);
    return Insert(db, "toinen");
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  ASSERT_TRUE(readers
                  .Read([](Connection& db) {
                    EXPECT_EQ(*db.Number("SELECT COUNT(*) FROM words"), 1);
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(DatabaseTest, ReadersBeyondTheirNumberWaitABoundedTime) {
  auto database = Database::Open(path_, {kFirst});
  ReaderPool readers(path_, 1, absl::Milliseconds(20));
  absl::Status inner;
  ASSERT_TRUE(readers
                  .Read([&](Connection&) {
                    inner = readers.Read([](Connection&) { return absl::OkStatus(); });
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_TRUE(absl::IsUnavailable(inner)) << inner;
}

TEST_F(DatabaseTest, ACopyIsWholeOrNotThere) {
  auto database = Database::Open(path_, {kFirst});
  ASSERT_TRUE((*database)->Write([](Connection& db) { return Insert(db, "sana"); }).ok());
  const std::string copy = base_ + "/copy.db";
  ASSERT_TRUE(CopyDatabase(path_, copy).ok());
  EXPECT_EQ(*(*Connection::Open(copy, {}))->Number("SELECT COUNT(*) FROM words"), 1);
  EXPECT_TRUE(absl::IsAlreadyExists(CopyDatabase(path_, copy)));
  EXPECT_FALSE(CopyDatabase(base_ + "/none.db", base_ + "/other.db").ok());
  EXPECT_FALSE(std::filesystem::exists(base_ + "/other.db"));
}

}  // namespace
}  // namespace puckdrop::readiness
