// Who is alive on this machine: a lock the kernel drops when its holder dies, also by SIGKILL.
#ifndef PUCKDROP_SERVICES_READINESS_RUN_LOCK_H_
#define PUCKDROP_SERVICES_READINESS_RUN_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace puckdrop::readiness {

// A held flock(2). Not inherited by programs that are spawned. Dropped by the destructor.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  // Makes the file if need be. UNAVAILABLE when another holds it and `wait` is false. The file is guaranteed to be the
  // one at `path` when the lock was taken, also when another process removes it while holding its lock.
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(const std::string& path, Mode mode, bool wait);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // From shared to exclusive, without waiting; false when another holds it.
  bool TryUpgrade();
  // Replaces the file's content.
  absl::Status Write(const std::string& text);
  // At most 16 KiB of it; empty if it cannot be read.
  std::string Read() const;
  // Removes the file while the lock is held.
  void Remove();

 private:
  FileLock(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
};

// What is known of the owner of a run by its lock in `directory`.
enum class OwnerState {
  kAlive,     // holds its lock on this machine
  kDead,      // held it on this machine since it was started, and holds it no more
  kElsewhere  // no lock, or one of another machine or of before this machine's start: only its lease tells
};
OwnerState StateOfOwner(const std::string& directory, const std::string& run);

// Takes the lock of a run of ours.
absl::StatusOr<std::unique_ptr<FileLock>> LockRun(const std::string& directory, const std::string& run);

// Removes the lock file of a run that is kDead.
void RemoveDeadLock(const std::string& directory, const std::string& run);

// Run ids are file names here: [a-z0-9-], at most 40.
bool IsRunId(const std::string& run);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_RUN_LOCK_H_
