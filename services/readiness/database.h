// SQLite behind one thread: everything that changes the file runs there, in batches that are durable when they are
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
#include "absl/time/time.h"
#include "services/readiness/connection.h"

namespace puckdrop::readiness {

struct DatabaseOptions {
  // How long another process may hold the file before UNAVAILABLE.
  absl::Duration lock_timeout = absl::Seconds(10);
  // Space that is no longer used can be given back in small steps. Of files made with it only.
  bool incremental_vacuum = false;
  // RESOURCE_EXHAUSTED beyond so many bytes; 0: no limit.
  int64_t bytes_limit = 0;
  int cache_kilobytes = 2000;
};

// Thread-safe; Write and Alone block, so never on the event loop. Errors are those of Connection::ErrorOf.
class Database {
 public:
  // WAL, every commit synced. Applies the migrations that the file does not have yet, each once and whole;
  // FAILED_PRECONDITION when the file has more of them than this binary knows. Its user_version counts them.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const std::vector<const char*>& migrations,
                                                        const DatabaseOptions& options = {});
  // Does what waits first.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Work = std::function<absl::Status(Connection&)>;
  using Done = std::function<void(absl::Status)>;

  // Runs on the database's thread inside a transaction, alone or with others that wait; durable when it returns. When
  // `work` fails, nothing of it is kept and the others are not hurt. `work` may be run only once.
  absl::Status Write(Work work);
  // The same without waiting: `done` is called on the database's thread, or here when nothing was taken on.
  void Post(Work work, Done done);
  // Runs on the database's thread outside of any transaction: for what SQLite wants so. Others wait for it.
  absl::Status Alone(Work work);

 private:
  struct Job {
    Work work;
    Done done;
    bool alone = false;
  };
  explicit Database(std::unique_ptr<Connection> connection);
  void Take(Job job);
  absl::Status TakeAndWait(Work work, bool alone);
  void Loop();
  void RunBatch(std::deque<Job> batch);

  const std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_DATABASE_H_
