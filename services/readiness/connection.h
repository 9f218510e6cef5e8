// One connection to an SQLite file and the statements run on it.
#ifndef PUCKDROP_SERVICES_READINESS_CONNECTION_H_
#define PUCKDROP_SERVICES_READINESS_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace puckdrop::readiness {

// Used by one thread at a time. Keeps the statements that were prepared, for the next time.
class Connection {
 public:
  struct Options {
    bool create = true;
    // How long to wait for another process before UNAVAILABLE.
    absl::Duration lock_timeout = absl::Seconds(10);
    int cache_kilobytes = 2000;
  };

  // FAILED_PRECONDITION when the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

  // Statements without values and whose rows do not matter.
  absl::Status Execute(const char* sql);
  // The first number of the first row; 0 if there is none.
  absl::StatusOr<int64_t> Number(const char* sql);
  // Whether BEGIN is in force; SQLite ends it by itself after some errors.
  bool InTransaction() const;

  // What an error code of SQLite means to the caller, with the way out: UNAVAILABLE, RESOURCE_EXHAUSTED,
  // FAILED_PRECONDITION, DATA_LOSS, ALREADY_EXISTS (a constraint), else INTERNAL.
  absl::Status ErrorOf(int code) const;

 private:
  friend class Statement;
  Connection(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  const std::string path_;
  sqlite3* const handle_;
  std::unordered_map<std::string, sqlite3_stmt*> idle_;  // by their SQL
};

// A statement with its values. The first error sticks.
class Statement {
 public:
  Statement(Connection& connection, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int64_t value);
  Statement& Bind(const std::string& text);
  Statement& BindBlob(const std::string& bytes);
  Statement& BindNull();
  // In microseconds of Unix time, as TimeAt reads it.
  Statement& Bind(absl::Time time) { return Bind(absl::ToUnixMicros(time)); }

  // True while there is a row; false at the end or on an error.
  bool Step();
  // For statements without rows.
  absl::Status Run();
  // Rows that the last Run of this connection inserted, changed or deleted.
  int64_t Changed() const;
  int64_t Integer(int column) const;
  std::string Bytes(int column) const;
  bool IsNull(int column) const;
  absl::Time TimeAt(int column) const { return absl::FromUnixMicros(Integer(column)); }
  // DATA_LOSS, naming `what`, when the column is no such message.
  template <typename Message>
  absl::Status Parse(int column, const char* what, Message* into) const {
    const void* data = nullptr;
    const int size = Blob(column, &data);
    return into->ParseFromArray(data, size) ? absl::OkStatus() : Unreadable(what);
  }
  absl::Status status() const { return status_; }

 private:
  int Blob(int column, const void** data) const;
  absl::Status Unreadable(const char* what) const;

  Connection& connection_;
  const std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  absl::Status status_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_CONNECTION_H_
