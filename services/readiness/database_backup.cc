#include "services/readiness/database_backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/readiness/connection.h"

namespace puckdrop::readiness {
namespace {

constexpr int kPagesAStep = 1024;

absl::Status CopyPages(Connection& from, Connection& to) {
  // A snapshot held throughout: without it every write between two steps would start the copy anew.
  absl::Status status = from.Execute("BEGIN");
  if (status.ok()) status = from.Number("SELECT COUNT(*) FROM sqlite_schema").status();
  if (!status.ok()) return status;
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) return to.ErrorOf(sqlite3_errcode(to.handle()));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, kPagesAStep);
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return to.ErrorOf(code);
  return finished == SQLITE_OK ? absl::OkStatus() : to.ErrorOf(finished);
}

absl::Status Sync(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  const int synced = fd < 0 ? -1 : fsync(fd);
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot sync ", path, ": ", std::strerror(error)));
}

absl::Status CopyTo(const std::string& from, const std::string& part) {
  Connection::Options read;
  read.create = false;
  absl::StatusOr<std::unique_ptr<Connection>> source = Connection::Open(from, read);
  if (!source.ok()) return source.status();
  absl::StatusOr<std::unique_ptr<Connection>> target = Connection::Open(part, Connection::Options());
  if (!target.ok()) return target.status();
  // Half a copy is worth nothing, so nothing protects it; it is synced once it is whole.
  absl::Status status = (*target)->Execute("PRAGMA journal_mode=OFF");
  if (status.ok()) status = (*target)->Execute("PRAGMA synchronous=OFF");
  if (status.ok()) status = CopyPages(**source, **target);
  return status;
}

}  // namespace

absl::Status CopyDatabase(const std::string& from, const std::string& to) {
  std::error_code ignored;
  if (std::filesystem::exists(to, ignored)) return absl::AlreadyExistsError(absl::StrCat(to, " exists already"));
  const std::string part = absl::StrCat(to, ".", getpid(), ".part");
  absl::Status status = CopyTo(from, part);
  for (const char* end : {"-wal", "-shm", "-journal"}) unlink((part + end).c_str());
  if (status.ok() && chmod(part.c_str(), 0600) != 0) status = absl::UnavailableError(std::strerror(errno));
  if (status.ok()) status = Sync(part, O_RDWR);
  // Not over a file that came meanwhile.
  if (status.ok() && link(part.c_str(), to.c_str()) != 0) {
    status = errno == EEXIST ? absl::AlreadyExistsError(absl::StrCat(to, " exists already"))
                             : absl::UnavailableError(absl::StrCat("cannot make ", to, ": ", std::strerror(errno)));
  }
  unlink(part.c_str());
  if (status.ok()) status = Sync(std::filesystem::path(to).parent_path(), O_RDONLY | O_DIRECTORY);
  return status;
}

}  // namespace puckdrop::readiness
