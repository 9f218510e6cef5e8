#include "services/readiness/evidence_folder.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/readiness/state_directory.h"

namespace puckdrop::readiness {
namespace {

constexpr int kMostSwept = 10'000;
constexpr size_t kMostRead = 64 << 20;

absl::Status Failed(const std::string& what, const std::string& path, int error) {
  const std::string words = absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return absl::ResourceExhaustedError(words + "; make room on its disk, or keep less evidence");
  }
  if (error == EROFS || error == EACCES || error == EPERM) {
    return absl::FailedPreconditionError(words + "; let this user write there, or choose another folder with --state");
  }
  return absl::UnavailableError(words);
}

// A file descriptor that closes itself.
class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  int Close() {
    const int fd = fd_;
    fd_ = -1;
    return fd < 0 ? 0 : close(fd);
  }

 private:
  int fd_;
};

int WriteAll(int fd, const std::string& content) {
  for (size_t done = 0; done < content.size();) {
    const ssize_t wrote = write(fd, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : EIO;
    done += static_cast<size_t>(wrote);
  }
  return 0;
}

absl::Status SyncFolder(const std::string& path) {
  const File folder(path, O_RDONLY | O_DIRECTORY);
  if (folder.fd() < 0 || fsync(folder.fd()) != 0) return Failed("sync", path, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EvidenceFolder>> EvidenceFolder::Open(const std::string& path) {
  std::vector<std::string> made;
  absl::Status status = MakeDirectories(path, &made);
  if (!status.ok()) return status;
  return std::unique_ptr<EvidenceFolder>(new EvidenceFolder(path));
}

std::string EvidenceFolder::DigestOf(const std::string& content) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest);
  return std::string(reinterpret_cast<const char*>(digest), sizeof digest);
}

std::string EvidenceFolder::PathOf(const std::string& digest) const {
  const std::string hex = absl::BytesToHexString(digest);
  return absl::StrCat(path_, "/", hex.substr(0, 2), "/", hex);
}

bool EvidenceFolder::Has(const std::string& digest) const { return access(PathOf(digest).c_str(), F_OK) == 0; }

absl::Status EvidenceFolder::MakeSubfolder(const std::string& digest) const {
  const std::string folder = std::filesystem::path(PathOf(digest)).parent_path();
  if (mkdir(folder.c_str(), 0700) == 0) return SyncFolder(path_);
  return errno == EEXIST ? absl::OkStatus() : Failed("make", folder, errno);
}

absl::Status EvidenceFolder::Write(const std::string& digest, const std::string& content) const {
  if (Has(digest)) return absl::OkStatus();
  absl::Status status = MakeSubfolder(digest);
  if (!status.ok()) return status;
  static std::atomic<uint64_t> count{0};
  const std::string path = PathOf(digest);
  const std::string part = absl::StrCat(path, ".", getpid(), ".", count++, ".part");
  {
    File file(part, O_WRONLY | O_CREAT | O_EXCL);
    if (file.fd() < 0) return Failed("make", part, errno);
    int error = WriteAll(file.fd(), content);
    if (error == 0 && fsync(file.fd()) != 0) error = errno;
    if (file.Close() != 0 && error == 0) error = errno;
    if (error == 0 && rename(part.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) {
      unlink(part.c_str());
      return Failed("write", path, error);
    }
  }
  return SyncFolder(std::filesystem::path(path).parent_path());
}

absl::StatusOr<std::string> EvidenceFolder::Read(const std::string& digest) const {
  const std::string path = PathOf(digest);
  const File file(path, O_RDONLY);
  if (file.fd() < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(path, " is not there (any more)"));
    return Failed("read", path, errno);
  }
  std::string content;
  char buffer[16 << 10];
  while (content.size() <= kMostRead) {
    const ssize_t got = read(file.fd(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", path, errno);
    if (got == 0) break;
    content.append(buffer, static_cast<size_t>(got));
  }
  if (DigestOf(content) != digest)
    return absl::DataLossError(absl::StrCat(path, " is not what its name says: it was damaged"));
  return content;
}

void EvidenceFolder::Remove(const std::string& digest) const { unlink(PathOf(digest).c_str()); }

absl::Status EvidenceFolder::CopyTo(const EvidenceFolder& other, const std::string& digest) const {
  absl::Status status = other.MakeSubfolder(digest);
  if (!status.ok()) return status;
  const std::string to = other.PathOf(digest);
  if (link(PathOf(digest).c_str(), to.c_str()) == 0 || errno == EEXIST) return absl::OkStatus();
  if (errno == ENOENT) return absl::NotFoundError(absl::StrCat(PathOf(digest), " is not there (any more)"));
  absl::StatusOr<std::string> content = Read(digest);
  return content.ok() ? other.Write(digest, *content) : content.status();
}

int EvidenceFolder::Sweep(int subfolder, absl::Duration age,
                          const std::function<bool(const std::string& digest)>& is_known) {
  int looked = 0;
  int removed = 0;
  const absl::Time oldest = absl::Now() - age;
  std::error_code error;
  const std::string folder = absl::StrFormat("%s/%02x", path_, subfolder & 0xff);
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (++looked > kMostSwept) break;
    const std::string path = entry->path();
    const std::string name = entry->path().filename();
    struct stat found{};
    if (stat(path.c_str(), &found) != 0 || absl::TimeFromTimespec(found.st_mtim) > oldest) continue;
    const bool part = name.size() > 64 && entry->path().extension() == ".part";
    if (!part && name.size() != 64) continue;
    const std::string digest = absl::HexStringToBytes(name.substr(0, 64));
    std::lock_guard<std::mutex> lock(LockOf(digest));
    if (!part && is_known(digest)) continue;
    if (unlink(path.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace puckdrop::readiness
