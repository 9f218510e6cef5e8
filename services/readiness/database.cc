#include "services/readiness/database.h"

#include <algorithm>
#include <future>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

constexpr size_t kMostInBatch = 256;
constexpr size_t kMostWaiting = 4096;
// Fewer, larger checkpoints: a page that changes with every batch is copied once for many.
constexpr char kLogPages[] = "PRAGMA wal_autocheckpoint=4000";
constexpr char kLogBytes[] = "PRAGMA journal_size_limit=67108864";

// How many migrations the file has had.
absl::StatusOr<int64_t> VersionOf(Connection& connection) {
  absl::StatusOr<int64_t> version = connection.Number("PRAGMA user_version");
  if (!version.ok() || *version > 0) return version;
  // The first files counted them in a table of their own.
  absl::StatusOr<int64_t> table =
      connection.Number("SELECT COUNT(*) FROM sqlite_schema WHERE type='table' AND name='migrations'");
  if (!table.ok() || *table == 0) return table;
  return connection.Number("SELECT COUNT(*) FROM migrations");
}

absl::Status MigrateIn(Connection& connection, const std::vector<const char*>& migrations) {
  absl::StatusOr<int64_t> have = VersionOf(connection);
  if (!have.ok()) return have.status();
  const int64_t known = static_cast<int64_t>(migrations.size());
  if (*have > known) {
    return absl::FailedPreconditionError(
        absl::StrCat(connection.path(), " was written by a newer puckdrop (its schema is ", *have, ", this one knows ",
                     known, "); use that one, or another --state"));
  }
  for (int64_t i = *have; i < known; ++i) {
    absl::Status status = connection.Execute(migrations[static_cast<size_t>(i)]);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("migration ", i + 1, ": ", std::string(status.message())));
    }
  }
  absl::StatusOr<int64_t> written = connection.Number("PRAGMA user_version");
  if (!written.ok() || *written == known) return written.status();
  return connection.Execute(absl::StrCat("PRAGMA user_version=", known).c_str());
}

absl::Status Migrate(Connection& connection, const std::vector<const char*>& migrations) {
  // Two processes may open a new file at once; the second waits here and finds the work done.
  absl::Status status = connection.Execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  status = MigrateIn(connection, migrations);
  if (status.ok()) return connection.Execute("COMMIT");
  if (connection.InTransaction()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::Status SetUp(Connection& connection, const DatabaseOptions& options) {
  // Before anything is written to a new file, else it has no effect.
  absl::Status status =
      options.incremental_vacuum ? connection.Execute("PRAGMA auto_vacuum=INCREMENTAL") : absl::OkStatus();
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", kLogPages, kLogBytes}) {
    if (status.ok()) status = connection.Execute(pragma);
  }
  if (!status.ok() || options.bytes_limit == 0) return status;
  absl::StatusOr<int64_t> page = connection.Number("PRAGMA page_size");
  if (!page.ok()) return page.status();
  const int64_t pages = std::max<int64_t>(1, options.bytes_limit / std::max<int64_t>(1, *page));
  return connection.Execute(absl::StrCat("PRAGMA max_page_count=", pages).c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const std::vector<const char*>& migrations,
                                                         const DatabaseOptions& options) {
  Connection::Options how;
  how.lock_timeout = options.lock_timeout;
  how.cache_kilobytes = options.cache_kilobytes;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path, how);
  if (!connection.ok()) return connection.status();
  absl::Status status = SetUp(**connection, options);
  if (status.ok()) status = Migrate(**connection, migrations);
  if (!status.ok()) return status;
  return std::unique_ptr<Database>(new Database(std::move(*connection)));
}

Database::Database(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), thread_([this] { Loop(); }) {}

Database::~Database() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Database::Take(Job job) {
  absl::Status refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stop_) {
      refused = absl::UnavailableError(absl::StrCat(connection_->path(), " is closed"));
    } else if (jobs_.size() >= kMostWaiting) {
      refused = absl::ResourceExhaustedError(absl::StrCat(connection_->path(), " cannot keep up: ", kMostWaiting,
                                                          " writes wait already; look at its disk, or ask less often"));
    } else {
      jobs_.push_back(std::move(job));
    }
  }
  if (refused.ok()) {
    wake_.notify_one();
  } else {
    job.done(std::move(refused));
  }
}

absl::Status Database::TakeAndWait(Work work, bool alone) {
  std::promise<absl::Status> promise;
  std::future<absl::Status> done = promise.get_future();
  Take({std::move(work), [&promise](absl::Status status) { promise.set_value(std::move(status)); }, alone});
  return done.get();
}

absl::Status Database::Write(Work work) { return TakeAndWait(std::move(work), false); }

absl::Status Database::Alone(Work work) { return TakeAndWait(std::move(work), true); }

void Database::Post(Work work, Done done) { Take({std::move(work), std::move(done), false}); }

void Database::Loop() {
  while (true) {
    std::deque<Job> batch;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      while (!jobs_.empty() && batch.size() < kMostInBatch && !(jobs_.front().alone && !batch.empty())) {
        batch.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
        if (batch.back().alone) break;
      }
    }
    if (batch.front().alone) {
      batch.front().done(batch.front().work(*connection_));
    } else {
      RunBatch(std::move(batch));
    }
  }
}

void Database::RunBatch(std::deque<Job> batch) {
  std::vector<absl::Status> results(batch.size());
  absl::Status whole = connection_->Execute("BEGIN IMMEDIATE");
  if (whole.ok()) {
    for (size_t i = 0; i < batch.size() && whole.ok(); ++i) {
      results[i] = connection_->Execute("SAVEPOINT job");
      if (results[i].ok()) results[i] = batch[i].work(*connection_);
      // A full disk ends the whole transaction; what came before in it is gone too, and what comes next must not
      // commit on its own.
      if (!connection_->InTransaction()) {
        whole = results[i].ok() ? absl::UnavailableError("the transaction was ended") : results[i];
        break;
      }
      if (!results[i].ok()) whole = connection_->Execute("ROLLBACK TO job");
      if (whole.ok()) whole = connection_->Execute("RELEASE job");
    }
    if (whole.ok()) whole = connection_->Execute("COMMIT");
    if (!whole.ok() && connection_->InTransaction()) connection_->Execute("ROLLBACK").IgnoreError();
  }
  for (size_t i = 0; i < batch.size(); ++i) batch[i].done(whole.ok() ? results[i] : whole);
}

}  // namespace puckdrop::readiness
