#include "services/readiness/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

// Differs from start to start of a machine, so a lock left by an earlier one proves nothing.
std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

std::string LockPath(const std::string& directory, const std::string& run) {
  return absl::StrCat(directory, "/", run, ".lock");
}

int FlockOnce(int fd, int operation) {
  int result;
  do {
    result = flock(fd, operation);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

bool IsRunId(const std::string& run) {
  return !run.empty() && run.size() <= 40 && std::all_of(run.begin(), run.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Take(const std::string& path, Mode mode, bool wait) {
  // A holder may remove the file before it lets go; then we hold a lock on nothing and start again.
  for (int tries = 0; tries < 100; ++tries) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return absl::FailedPreconditionError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
    const int operation = (mode == Mode::kShared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB);
    if (FlockOnce(fd, operation) != 0) {
      const int error = errno;
      close(fd);
      if (error == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(path, " is held by another process"));
      return absl::FailedPreconditionError(absl::StrCat("cannot lock ", path, ": ", std::strerror(error)));
    }
    struct stat ours{}, there{};
    if (fstat(fd, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
        ours.st_dev == there.st_dev) {
      return std::unique_ptr<FileLock>(new FileLock(path, fd));
    }
    close(fd);
  }
  return absl::UnavailableError(absl::StrCat(path, " is removed again and again"));
}

FileLock::~FileLock() { close(fd_); }

bool FileLock::TryUpgrade() { return FlockOnce(fd_, LOCK_EX | LOCK_NB) == 0; }

absl::Status FileLock::Write(const std::string& text) {
  if (ftruncate(fd_, 0) != 0 || pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return absl::UnavailableError(absl::StrCat("cannot write ", path_, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

std::string FileLock::Read() const {
  std::string text(16 * 1024, '\0');
  const ssize_t size = pread(fd_, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}

void FileLock::Remove() { unlink(path_.c_str()); }

absl::StatusOr<std::unique_ptr<FileLock>> LockRun(const std::string& directory, const std::string& run) {
  if (!IsRunId(run)) return absl::InvalidArgumentError(absl::StrCat("'", run, "' is no run id"));
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      FileLock::Take(LockPath(directory, run), FileLock::Mode::kExclusive, /*wait=*/false);
  if (!lock.ok()) return lock;
  absl::Status written = (*lock)->Write(BootId());
  if (!written.ok()) return written;
  return lock;
}

OwnerState StateOfOwner(const std::string& directory, const std::string& run) {
  if (!IsRunId(run)) return OwnerState::kElsewhere;
  const int fd = open(LockPath(directory, run).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return OwnerState::kElsewhere;
  char text[128] = {};
  const ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
  const bool here = size > 0 && BootId() == std::string(text, static_cast<size_t>(size));
  const bool held = FlockOnce(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  if (held) return OwnerState::kAlive;
  return here ? OwnerState::kDead : OwnerState::kElsewhere;
}

void RemoveDeadLock(const std::string& directory, const std::string& run) {
  if (StateOfOwner(directory, run) == OwnerState::kDead) unlink(LockPath(directory, run).c_str());
}

}  // namespace puckdrop::readiness
