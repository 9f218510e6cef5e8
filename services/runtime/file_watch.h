// Noticing that files changed: certificates and tokens are renewed while a service runs.
#ifndef PUCKDROP_SERVICES_RUNTIME_FILE_WATCH_H_
#define PUCKDROP_SERVICES_RUNTIME_FILE_WATCH_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace puckdrop::runtime {

// Looks at its files once an interval, on a thread of its own, so that a slow disk holds up nobody. By path, following
// links: a renewal that swaps a link or a whole directory (as Kubernetes does) is noticed too.
class FileWatch {
 public:
  explicit FileWatch(absl::Duration interval = absl::Seconds(1));
  // After it nothing is called any more.
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Calls `changed`, on the watch's thread, when one of the files has another size, time or inode than when last looked
  // at, has gone or has come. Thread-safe.
  void Add(std::vector<std::string> files, std::function<void()> changed);

 private:
  struct Watched {
    std::vector<std::string> files;
    std::string seen;
    std::function<void()> changed;
  };
  void Run();

  const absl::Duration interval_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;           // guarded by mutex_
  std::vector<Watched> watched_;  // guarded by mutex_; only grows
  std::thread thread_;
};

// A whole small file. NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT (no file, over `most` bytes), with the path and
// what to do.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most);
// Its permission bits; 0 when it is not there.
unsigned FileMode(const std::string& path);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_FILE_WATCH_H_
