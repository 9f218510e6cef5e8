#include "services/readiness/database.h"

#include <sqlite3.h>

#include <future>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

constexpr int kBusyMilliseconds = 10'000;
constexpr size_t kMostInBatch = 256;
constexpr size_t kMostWaiting = 4096;

absl::Status ErrorOf(sqlite3* database, int code) {
  const std::string words = absl::StrCat("the state's database: ", sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(words);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(words);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(words);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(words);
    default:
      return absl::InternalError(words);
  }
}

absl::Status Execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(database, code);
}

absl::Status Migrate(sqlite3* database, const std::vector<const char*>& migrations) {
  // Two processes may open a new file at once; the second waits here and finds the work done.
  absl::Status begun = Execute(database, "BEGIN IMMEDIATE");
  if (!begun.ok()) return begun;
  absl::Status status = Execute(database, "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY)");
  int64_t have = 0;
  if (status.ok()) {
    Statement count(database, "SELECT COUNT(*) FROM migrations");
    if (count.Step()) have = count.Integer(0);
    status = count.status();
  }
  if (status.ok() && have > static_cast<int64_t>(migrations.size())) {
    status = absl::FailedPreconditionError("the state was written by a newer puckdrop; use that one");
  }
  for (size_t i = static_cast<size_t>(have); status.ok() && i < migrations.size(); ++i) {
    status = Execute(database, migrations[i]);
    if (status.ok()) {
      status = Statement(database, "INSERT INTO migrations VALUES (?)").Bind(static_cast<int64_t>(i + 1)).Run();
    }
  }
  if (!status.ok()) {
    Execute(database, "ROLLBACK").IgnoreError();
    return status;
  }
  return Execute(database, "COMMIT");
}

}  // namespace

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  if (code != SQLITE_OK) status_ = ErrorOf(database, code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int64_t value) {
  if (status_.ok() && sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) status_ = ErrorOf(database_, 0);
  return *this;
}

Statement& Statement::Bind(const std::string& text) {
  if (status_.ok() && sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                                        SQLITE_TRANSIENT) != SQLITE_OK) {
    status_ = ErrorOf(database_, 0);
  }
  return *this;
}

Statement& Statement::BindBlob(const std::string& bytes) {
  if (status_.ok() && sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()),
                                        SQLITE_TRANSIENT) != SQLITE_OK) {
    status_ = ErrorOf(database_, 0);
  }
  return *this;
}

bool Statement::Step() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = ErrorOf(database_, code);
  return false;
}

absl::Status Statement::Run() {
  while (Step()) {
  }
  return status_;
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? "" : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

struct Database::Job {
  std::function<absl::Status(sqlite3*)> work;
  std::promise<absl::Status> done;
};

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const std::vector<const char*>& migrations) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = absl::FailedPreconditionError(absl::StrCat(
        "cannot open the state ", path, ": ", database == nullptr ? "no memory" : sqlite3_errmsg(database)));
    sqlite3_close(database);
    return status;
  }
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  absl::Status status = Execute(database, "PRAGMA journal_mode=WAL");
  if (status.ok()) status = Execute(database, "PRAGMA synchronous=FULL");
  if (status.ok()) status = Migrate(database, migrations);
  if (!status.ok()) {
    sqlite3_close(database);
    return status;
  }
  return std::unique_ptr<Database>(new Database(database));
}

Database::Database(sqlite3* database) : database_(database), thread_([this] { Loop(); }) {}

Database::~Database() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  sqlite3_close(database_);
}

absl::Status Database::Write(std::function<absl::Status(sqlite3*)> work) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  std::future<absl::Status> done = job->done.get_future();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stop_) return absl::UnavailableError("the state's database is closed");
    if (jobs_.size() >= kMostWaiting) return absl::ResourceExhaustedError("the state's database cannot keep up");
    jobs_.push_back(job);
  }
  wake_.notify_one();
  return done.get();
}

void Database::Loop() {
  while (true) {
    std::deque<std::shared_ptr<Job>> batch;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      while (!jobs_.empty() && batch.size() < kMostInBatch) {
        batch.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
      }
    }
    RunBatch(std::move(batch));
  }
}

void Database::RunBatch(std::deque<std::shared_ptr<Job>> batch) {
  std::vector<absl::Status> results(batch.size());
  absl::Status whole = Execute(database_, "BEGIN IMMEDIATE");
  if (whole.ok()) {
    for (size_t i = 0; i < batch.size(); ++i) {
      results[i] = Execute(database_, "SAVEPOINT job");
      if (results[i].ok()) results[i] = batch[i]->work(database_);
      if (!results[i].ok()) Execute(database_, "ROLLBACK TO job").IgnoreError();
      Execute(database_, "RELEASE job").IgnoreError();
    }
    whole = Execute(database_, "COMMIT");
    if (!whole.ok()) Execute(database_, "ROLLBACK").IgnoreError();
  }
  for (size_t i = 0; i < batch.size(); ++i) batch[i]->done.set_value(whole.ok() ? results[i] : whole);
}

}  // namespace puckdrop::readiness
