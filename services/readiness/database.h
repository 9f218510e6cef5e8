// SQLite behind one thread: everything that touches the file runs there, in batches that are durable when they are
// answered.
#ifndef PUCKDROP_SERVICES_READINESS_DATABASE_H_
#define PUCKDROP_SERVICES_READINESS_DATABASE_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace puckdrop::readiness {

// A prepared statement with its values. Used on the database's thread only; the first error sticks.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value);
  Statement& Bind(const std::string& text);
  Statement& BindBlob(const std::string& bytes);

  // True while there is a row; false at the end or on an error.
  bool Step();
  // For statements without rows.
  absl::Status Run();
  int64_t Integer(int column) const;
  std::string Bytes(int column) const;
  absl::Status status() const { return status_; }

 private:
  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  absl::Status status_;
};

// Thread-safe; calls block, so never on the event loop.
class Database {
 public:
  // WAL, every commit synced. Applies the migrations that the file does not have yet, each once and whole;
  // FAILED_PRECONDITION when the file has more of them than this binary knows.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const std::vector<const char*>& migrations);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs on the database's thread inside a transaction, alone or with others that wait; durable when it returns. When
  // `work` fails, nothing of it is kept and the others are not hurt.
  absl::Status Write(std::function<absl::Status(sqlite3*)> work);

 private:
  struct Job;
  explicit Database(sqlite3* database);
  void Loop();
  void RunBatch(std::deque<std::shared_ptr<Job>> batch);

  sqlite3* const database_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_DATABASE_H_
