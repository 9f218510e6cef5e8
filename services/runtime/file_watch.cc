#include "services/runtime/file_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace puckdrop::runtime {
namespace {

std::string Signature(const std::vector<std::string>& files) {
  std::string signature;
  for (const std::string& file : files) {
    struct stat now{};
    if (stat(file.c_str(), &now) != 0) {
      absl::StrAppend(&signature, "-;");
      continue;
    }
    absl::StrAppend(&signature, now.st_dev, ":", now.st_ino, ":", now.st_size, ":", now.st_mtim.tv_sec, ".",
                    now.st_mtim.tv_nsec, ":", now.st_ctim.tv_sec, ".", now.st_ctim.tv_nsec, ";");
  }
  return signature;
}

}  // namespace

FileWatch::FileWatch(absl::Duration interval) : interval_(interval), thread_([this] { Run(); }) {}

FileWatch::~FileWatch() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void FileWatch::Add(std::vector<std::string> files, std::function<void()> changed) {
  std::string seen = Signature(files);
  std::lock_guard<std::mutex> lock(mutex_);
  watched_.push_back({std::move(files), std::move(seen), std::move(changed)});
}

void FileWatch::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ending_) {
    wake_.wait_for(lock, absl::ToChronoNanoseconds(interval_));
    for (size_t i = 0; i < watched_.size() && !ending_; ++i) {
      // What is watched may be added to while a disk is slow or somebody is told.
      const std::vector<std::string> files = watched_[i].files;
      lock.unlock();
      std::string now = Signature(files);
      lock.lock();
      if (now == watched_[i].seen) continue;
      watched_[i].seen = std::move(now);
      const std::function<void()> changed = watched_[i].changed;
      lock.unlock();
      changed();
      lock.lock();
    }
  }
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(absl::StrCat(path, ": there is no such file"));
    if (error == EACCES || error == EPERM) {
      return absl::PermissionDeniedError(
          absl::StrCat(path, ": it may not be read by this user (uid ", geteuid(), "): change its owner or its mode"));
    }
    return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(error)));
  }
  struct stat facts{};
  absl::Status wrong;
  std::string text;
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    wrong = absl::InvalidArgumentError(absl::StrCat(path, ": it is not a file"));
  } else {
    char buffer[16 * 1024];
    ssize_t got = 0;
    while (text.size() <= most && (got = read(file, buffer, sizeof buffer)) > 0) text.append(buffer, got);
    if (got < 0) wrong = absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
    if (text.size() > most) {
      wrong = absl::InvalidArgumentError(absl::StrCat(path, ": it has more than ", most, " bytes"));
    }
  }
  close(file);
  if (!wrong.ok()) return wrong;
  return text;
}

unsigned FileMode(const std::string& path) {
  struct stat facts{};
  return stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

}  // namespace puckdrop::runtime
