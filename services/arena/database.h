#ifndef PUCKDROP_SERVICES_ARENA_DATABASE_H_
#define PUCKDROP_SERVICES_ARENA_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

struct sqlite3;

namespace puckdrop::arena {

// One value bound to a statement. `nullptr` binds NULL.
using SqlValue = std::variant<std::nullptr_t, int64_t, std::string>;

inline SqlValue OrNull(const std::string& text) { return text.empty() ? SqlValue(nullptr) : SqlValue(text); }
inline SqlValue OrNull(std::optional<int64_t> value) { return value ? SqlValue(*value) : SqlValue(nullptr); }

// One row of an answer, columns by their order in the query.
class Row {
 public:
  explicit Row(std::vector<SqlValue> values) : values_(std::move(values)) {}
  bool IsNull(int column) const { return std::holds_alternative<std::nullptr_t>(values_[column]); }
  // 0 and "" for NULL.
  int64_t Int(int column) const;
  std::string Text(int column) const;
  std::optional<int64_t> MaybeInt(int column) const;

 private:
  std::vector<SqlValue> values_;
};

// The arena's store: one SQLite connection. Not thread-safe: the shop holds its lock. Query errors other than those of
// Open are defects or a full disk and throw std::runtime_error, which the HTTP dispatcher answers with 500.
class Database {
 public:
  // Opens `path` (WAL) or, for ":memory:", a private database, and creates the tables.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::vector<Row> Query(const std::string& sql, const std::vector<SqlValue>& values = {});
  std::optional<Row> QueryOne(const std::string& sql, const std::vector<SqlValue>& values = {});
  // Runs a statement and returns the number of changed rows.
  int Run(const std::string& sql, const std::vector<SqlValue>& values = {});

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_;
};

// A transaction: rolled back unless committed. Nesting is allowed; only the outermost one commits.
class Transaction {
 public:
  explicit Transaction(Database& db, int& depth);
  ~Transaction();
  void Commit();

 private:
  Database& db_;
  int& depth_;
  bool done_ = false;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_DATABASE_H_
