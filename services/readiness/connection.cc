#include "services/readiness/connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace puckdrop::readiness {
namespace {

// More than any of our files uses; statements are constants of the program.
constexpr size_t kMostIdle = 128;

absl::Status DiskFull(const std::string& where, const std::string& words) {
  return absl::ResourceExhaustedError(absl::StrCat("nothing was written to ", where, ": ", words,
                                                   "; make room on its disk or keep less, then it goes on by itself"));
}

absl::Status NotWritable(const std::string& where, const std::string& words) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot use ", where, ": ", words,
                   "; let this user write the file and its folder, or choose another with --state"));
}

// Why writing failed, as the system said it; 0 if it cannot be told. A commit that fails does not hand it on to
// sqlite3_system_errno, so the files themselves are asked.
int WriteErrorOf(sqlite3* handle, int code) {
  const int error = sqlite3_system_errno(handle);
  if (error != 0 || (code != SQLITE_IOERR_WRITE && code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_TRUNCATE)) {
    return error;
  }
  for (int pointer : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    int last = 0;
    if (sqlite3_file_control(handle, nullptr, pointer, &file) == SQLITE_OK && file != nullptr &&
        file->pMethods != nullptr && file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last) == SQLITE_OK &&
        last != 0) {
      return last;
    }
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, const Options& options) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (options.create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (handle == nullptr) return absl::ResourceExhaustedError(absl::StrCat("no memory to open ", path));
  std::unique_ptr<Connection> connection(new Connection(path, handle));
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return NotWritable(path, sqlite3_errmsg(handle));
  sqlite3_busy_timeout(handle, static_cast<int>(absl::ToInt64Milliseconds(options.lock_timeout)));
  absl::Status status = connection->Execute(absl::StrCat("PRAGMA cache_size=-", options.cache_kilobytes).c_str());
  if (!status.ok()) return status;
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

absl::Status Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(code);
}

absl::StatusOr<int64_t> Connection::Number(const char* sql) {
  Statement statement(*this, sql);
  const int64_t number = statement.Step() ? statement.Integer(0) : 0;
  if (!statement.status().ok()) return statement.status();
  return number;
}

bool Connection::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::Status Connection::ErrorOf(int code) const {
  const std::string words = sqlite3_errmsg(handle_);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat("another process holds the lock of ", path_, " (", words,
                                                 "); end it (fuser shows it) or try again"));
    case SQLITE_FULL:
      return DiskFull(path_, words);
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(absl::StrCat(path_, ": ", words));
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return NotWritable(path_, words);
    case SQLITE_IOERR: {
      const int error = WriteErrorOf(handle_, code);
      const std::string all = error == 0 ? words : absl::StrCat(words, " (", std::strerror(error), ")");
      if (error == ENOSPC || error == EDQUOT || error == EFBIG) return DiskFull(path_, all);
      if (error == EROFS || error == EACCES || error == EPERM) return NotWritable(path_, all);
      return absl::UnavailableError(absl::StrCat(path_, ": ", all, "; look at its disk"));
    }
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(absl::StrCat(path_, ": ", words));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat(path_, " is damaged: ", words, "; move it away to start anew, or put a backup in its place"));
    default:
      return absl::InternalError(absl::StrCat(path_, ": ", words));
  }
}

Statement::Statement(Connection& connection, const char* sql) : connection_(connection), sql_(sql) {
  const auto idle = connection_.idle_.find(sql_);
  if (idle != connection_.idle_.end()) {
    statement_ = idle->second;
    connection_.idle_.erase(idle);
    return;
  }
  const int code = sqlite3_prepare_v3(connection_.handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) status_ = connection_.ErrorOf(code);
}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  if (connection_.idle_.size() >= kMostIdle || !connection_.idle_.emplace(sql_, statement_).second) {
    sqlite3_finalize(statement_);
  }
}

Statement& Statement::Bind(int64_t value) {
  if (!status_.ok()) return *this;
  const int code = sqlite3_bind_int64(statement_, ++bound_, value);
  if (code != SQLITE_OK) status_ = connection_.ErrorOf(code);
  return *this;
}

Statement& Statement::Bind(const std::string& text) {
  if (!status_.ok()) return *this;
  const int code =
      sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) status_ = connection_.ErrorOf(code);
  return *this;
}

Statement& Statement::BindBlob(const std::string& bytes) {
  if (!status_.ok()) return *this;
  const int code =
      sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) status_ = connection_.ErrorOf(code);
  return *this;
}

Statement& Statement::BindNull() {
  if (!status_.ok()) return *this;
  const int code = sqlite3_bind_null(statement_, ++bound_);
  if (code != SQLITE_OK) status_ = connection_.ErrorOf(code);
  return *this;
}

bool Statement::Step() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = connection_.ErrorOf(code);
  return false;
}

absl::Status Statement::Run() {
  while (Step()) {
  }
  return status_;
}

int64_t Statement::Changed() const { return sqlite3_changes64(connection_.handle_); }

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

bool Statement::IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

int Statement::Blob(int column, const void** data) const {
  *data = sqlite3_column_blob(statement_, column);
  return sqlite3_column_bytes(statement_, column);
}

std::string Statement::Bytes(int column) const {
  const void* data = nullptr;
  const int size = Blob(column, &data);
  return data == nullptr ? "" : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

absl::Status Statement::Unreadable(const char* what) const {
  return absl::DataLossError(absl::StrCat(what, " in ", connection_.path(), " cannot be read"));
}

}  // namespace puckdrop::readiness
