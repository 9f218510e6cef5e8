#include "services/arena/database.h"

#include <sqlite3.h>

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace puckdrop::arena {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts(id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL,
  name TEXT NOT NULL, market TEXT NOT NULL, language TEXT NOT NULL, created_at INTEGER NOT NULL, created_real INTEGER NOT NULL,
  clock_offset INTEGER NOT NULL, device_id TEXT NOT NULL, maker_session TEXT);
CREATE TABLE IF NOT EXISTS account_settings(email TEXT PRIMARY KEY COLLATE NOCASE, start_at INTEGER);
CREATE TABLE IF NOT EXISTS sessions(hash TEXT PRIMARY KEY, account_id TEXT NOT NULL, device_id TEXT NOT NULL,
  created_real INTEGER NOT NULL, expires_real INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_account ON sessions(account_id);
CREATE TABLE IF NOT EXISTS carts(id TEXT PRIMARY KEY, account_id TEXT NOT NULL, offer_id TEXT NOT NULL, market TEXT NOT NULL,
  state TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS carts_account ON carts(account_id);
CREATE TABLE IF NOT EXISTS orders(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  cart_id TEXT NOT NULL, offer_id TEXT NOT NULL, market TEXT NOT NULL, language TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
  gross INTEGER NOT NULL, first_charge_date TEXT NOT NULL, placed_at INTEGER NOT NULL, activate_at INTEGER, activated_at INTEGER,
  cancelled_at INTEGER, subscription_id TEXT, declined INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS orders_account ON orders(account_id, key);
CREATE TABLE IF NOT EXISTS idempotency(account_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
  order_id TEXT, refusal TEXT, PRIMARY KEY(account_id, key));
CREATE TABLE IF NOT EXISTS subscriptions(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  order_id TEXT NOT NULL, offer_id TEXT NOT NULL, market TEXT NOT NULL, gross INTEGER NOT NULL, state TEXT NOT NULL,
  anchor TEXT NOT NULL, periods INTEGER NOT NULL, next_date TEXT NOT NULL, end_date TEXT, started_at INTEGER NOT NULL,
  cancelled_at INTEGER, receipt TEXT);
CREATE INDEX IF NOT EXISTS subscriptions_account ON subscriptions(account_id);
CREATE TABLE IF NOT EXISTS charges(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  order_id TEXT NOT NULL, subscription_id TEXT, invoice_id TEXT, state TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
  refunded INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, charged_at INTEGER, capture_date TEXT, customer_present INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS charges_account ON charges(account_id);
CREATE INDEX IF NOT EXISTS charges_order ON charges(order_id);
CREATE TABLE IF NOT EXISTS invoices(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  order_id TEXT NOT NULL, subscription_id TEXT, charge_id TEXT, state TEXT NOT NULL, market TEXT NOT NULL, offer_id TEXT NOT NULL,
  issue_date TEXT NOT NULL, due_date TEXT NOT NULL, gross INTEGER NOT NULL, currency TEXT NOT NULL, vat_basis_points INTEGER NOT NULL,
  from_date TEXT, until_date TEXT, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS invoices_account ON invoices(account_id);
CREATE TABLE IF NOT EXISTS refunds(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  charge_id TEXT NOT NULL, order_id TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, created_at INTEGER NOT NULL,
  text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_account ON refunds(account_id);
CREATE TABLE IF NOT EXISTS entitlements(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  order_id TEXT, subscription_id TEXT, offer_id TEXT NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER);
CREATE INDEX IF NOT EXISTS entitlements_account ON entitlements(account_id);
CREATE TABLE IF NOT EXISTS devices(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
  device_id TEXT NOT NULL, profile TEXT NOT NULL, registered_at INTEGER NOT NULL, UNIQUE(account_id, device_id));
CREATE TABLE IF NOT EXISTS playback_sessions(id TEXT PRIMARY KEY, account_id TEXT NOT NULL, event_id TEXT NOT NULL,
  device_id TEXT NOT NULL, profile TEXT NOT NULL, heartbeat_real INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0,
  leaked INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS playback_account ON playback_sessions(account_id);
CREATE TABLE IF NOT EXISTS mails(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, recipient TEXT NOT NULL COLLATE NOCASE,
  subject TEXT NOT NULL, text TEXT NOT NULL, link TEXT NOT NULL, sent_real INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS mails_recipient ON mails(recipient);
CREATE TABLE IF NOT EXISTS withdrawals(order_id TEXT PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL, receipt TEXT NOT NULL,
  received_at INTEGER NOT NULL, refund INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notices(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
  text TEXT NOT NULL, state TEXT NOT NULL, about TEXT NOT NULL, published_at INTEGER NOT NULL, closed_at INTEGER);
)sql";

[[noreturn]] void Fail(sqlite3* db, const std::string& what) {
  throw std::runtime_error(absl::StrCat("store: ", what, ": ", sqlite3_errmsg(db)));
}

class Statement {
 public:
  Statement(sqlite3* db, const std::string& sql, const std::vector<SqlValue>& values) : db_(db) {
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK) Fail(db, sql);
    for (size_t i = 0; i < values.size(); ++i) {
      const int index = static_cast<int>(i) + 1;
      int result = SQLITE_OK;
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        result = sqlite3_bind_int64(statement_, index, *number);
      } else if (const auto* text = std::get_if<std::string>(&values[i])) {
        result = sqlite3_bind_text(statement_, index, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
      } else {
        result = sqlite3_bind_null(statement_, index);
      }
      if (result != SQLITE_OK) {
        sqlite3_finalize(statement_);
        Fail(db, sql);
      }
    }
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool Step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) Fail(db_, sqlite3_sql(statement_));
    return false;
  }

  Row Read() const {
    std::vector<SqlValue> values;
    const int columns = sqlite3_column_count(statement_);
    values.reserve(columns);
    for (int i = 0; i < columns; ++i) {
      switch (sqlite3_column_type(statement_, i)) {
        case SQLITE_INTEGER:
          values.emplace_back(static_cast<int64_t>(sqlite3_column_int64(statement_, i)));
          break;
        case SQLITE_NULL:
          values.emplace_back(nullptr);
          break;
        default:
          values.emplace_back(std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement_, i)),
                                          sqlite3_column_bytes(statement_, i)));
      }
    }
    return Row(std::move(values));
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace

int64_t Row::Int(int column) const {
  const auto* value = std::get_if<int64_t>(&values_[column]);
  return value ? *value : 0;
}

std::string Row::Text(int column) const {
  const auto* value = std::get_if<std::string>(&values_[column]);
  return value ? *value : "";
}

std::optional<int64_t> Row::MaybeInt(int column) const {
  const auto* value = std::get_if<int64_t>(&values_[column]);
  return value ? std::optional(*value) : std::nullopt;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> db(new Database(raw));
  if (result != SQLITE_OK) {
    return absl::FailedPreconditionError(absl::StrCat("cannot open the store ", path, ": ", sqlite3_errstr(result)));
  }
  sqlite3_busy_timeout(raw, 5000);
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON", kSchema}) {
    char* message = nullptr;
    if (sqlite3_exec(raw, sql, nullptr, nullptr, &message) != SQLITE_OK) {
      absl::Status status = absl::FailedPreconditionError(
          absl::StrCat("cannot prepare the store ", path, ": ", message ? message : "unknown error"));
      sqlite3_free(message);
      return status;
    }
  }
  return db;
}

Database::~Database() { sqlite3_close_v2(db_); }

std::vector<Row> Database::Query(const std::string& sql, const std::vector<SqlValue>& values) {
  Statement statement(db_, sql, values);
  std::vector<Row> rows;
  while (statement.Step()) rows.push_back(statement.Read());
  return rows;
}

std::optional<Row> Database::QueryOne(const std::string& sql, const std::vector<SqlValue>& values) {
  Statement statement(db_, sql, values);
  if (!statement.Step()) return std::nullopt;
  return statement.Read();
}

int Database::Run(const std::string& sql, const std::vector<SqlValue>& values) {
  Statement statement(db_, sql, values);
  while (statement.Step()) {
  }
  return sqlite3_changes(db_);
}

Transaction::Transaction(Database& db, int& depth) : db_(db), depth_(depth) {
  if (depth_++ == 0) db_.Run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (done_) return;
  if (--depth_ == 0) {
    try {
      db_.Run("ROLLBACK");
    } catch (const std::exception&) {
      // SQLite rolled back by itself when the disk was full.
    }
  }
}

void Transaction::Commit() {
  done_ = true;
  if (--depth_ == 0) db_.Run("COMMIT");
}

}  // namespace puckdrop::arena
