// Connections that only read, beside the one that writes: in WAL neither waits for the other.
#ifndef PUCKDROP_SERVICES_READINESS_READER_POOL_H_
#define PUCKDROP_SERVICES_READINESS_READER_POOL_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/readiness/connection.h"

namespace puckdrop::readiness {

// Thread-safe; blocks, so never on the event loop.
class ReaderPool {
 public:
  // `most` connections, each opened when it is first needed. The file must be there when Read is called.
  ReaderPool(std::string path, int most, absl::Duration lock_timeout);
  ~ReaderPool();

  // Runs `work` on the caller's thread within one snapshot of the file. UNAVAILABLE when all connections are in use
  // for as long as the timeout; else what `work` gives, or an error of Connection::ErrorOf.
  absl::Status Read(const std::function<absl::Status(Connection&)>& work);

 private:
  const std::string path_;
  const int most_;
  const absl::Duration lock_timeout_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
  int in_use_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_READER_POOL_H_
