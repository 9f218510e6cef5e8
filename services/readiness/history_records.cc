// What people did: waivers, the audit log, the pause; and small values.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/readiness/database.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"

namespace puckdrop::readiness {
namespace {

constexpr size_t kMostText = 2000;
constexpr size_t kMostValue = 64 << 10;
constexpr char kValues[] = "value/";  // apart from settings of our own

constexpr char kWaiver[] =
    "SELECT number, created, created_by, revoked, revoked_by, message FROM waivers WHERE number=?";

absl::Status ReadWaiver(const Statement& select, RuntimeWaiver* into) {
  into->number = select.Integer(0);
  into->created = select.TimeAt(1);
  into->created_by = select.Bytes(2);
  if (!select.IsNull(3)) into->revoked = select.TimeAt(3);
  into->revoked_by = select.Bytes(4);
  return select.Parse(5, "a waiver", &into->waiver);
}

absl::Status CheckKey(const std::string& key) {
  const bool valid = !key.empty() && key.size() <= 100 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  return valid ? absl::OkStatus()
               : absl::InvalidArgumentError(
                     absl::StrCat("'", internal::Cut(key, 100), "' is no key: [a-z0-9_.], to 100"));
}

}  // namespace

absl::StatusOr<RuntimeWaiver> History::CreateWaiver(const v1::Waiver& waiver, const std::string& who) {
  if (waiver.check().empty() || who.empty())
    return absl::InvalidArgumentError("a waiver needs a check, and who made it");
  RuntimeWaiver made;
  made.waiver = waiver;
  made.created_by = internal::Cut(who, kMostText);
  made.created = clock_.Now();
  absl::Status status = writer_->Write([&](Connection& db) {
    Statement insert(db, "INSERT INTO waivers (created, created_by, message) VALUES (?, ?, ?) RETURNING number");
    insert.Bind(made.created).Bind(made.created_by).BindBlob(waiver.SerializeAsString());
    if (insert.Step()) made.number = insert.Integer(0);
    return insert.Run();
  });
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<std::vector<RuntimeWaiver>> History::ListWaivers(bool show_revoked) const {
  std::vector<RuntimeWaiver> waivers;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db,
                     "SELECT number, created, created_by, revoked, revoked_by, message FROM waivers "
                     "WHERE revoked IS NULL OR ? ORDER BY number");
    select.Bind(show_revoked ? 1 : 0);
    while (select.Step()) {
      absl::Status read = ReadWaiver(select, &waivers.emplace_back());
      if (!read.ok()) return read;
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return waivers;
}

absl::StatusOr<RuntimeWaiver> History::RevokeWaiver(int64_t number, const std::string& who) {
  if (who.empty()) return absl::InvalidArgumentError("who revokes the waiver?");
  RuntimeWaiver waiver;
  absl::Status status = writer_->Write([&](Connection& db) {
    {
      Statement select(db, kWaiver);
      select.Bind(number);
      if (!select.Step()) {
        return select.status().ok() ? absl::NotFoundError(absl::StrCat("there is no waiver ", number))
                                    : select.status();
      }
      absl::Status read = ReadWaiver(select, &waiver);
      if (!read.ok()) return read;
    }
    if (!waiver.revoked_by.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("waiver ", number, " was revoked by ", waiver.revoked_by, " already"));
    }
    waiver.revoked = clock_.Now();
    waiver.revoked_by = internal::Cut(who, kMostText);
    return Statement(db, "UPDATE waivers SET revoked=?, revoked_by=? WHERE number=?")
        .Bind(waiver.revoked)
        .Bind(waiver.revoked_by)
        .Bind(number)
        .Run();
  });
  if (!status.ok()) return status;
  return waiver;
}

absl::Status History::Audit(const AuditRow& row) {
  return writer_->Write([&](Connection& db) {
    return Statement(db, "INSERT INTO audit (added, who, method, what, outcome) VALUES (?, ?, ?, ?, ?)")
        .Bind(clock_.Now())
        .Bind(internal::Cut(row.who, kMostText))
        .Bind(internal::Cut(row.method, kMostText))
        .Bind(internal::Cut(row.what, kMostText))
        .Bind(internal::Cut(row.outcome, kMostText))
        .Run();
  });
}

absl::StatusOr<Page<AuditRow>> History::ListAudit(const PageRequest& page) const {
  absl::StatusOr<int> size = internal::PageSizeOf(page.size, 50, 1000);
  if (!size.ok()) return size.status();
  absl::StatusOr<int64_t> before = internal::BeforeOf(page.token);
  if (!before.ok()) return before.status();
  Page<AuditRow> rows;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db,
                     "SELECT number, added, who, method, what, outcome FROM audit WHERE number<? "
                     "ORDER BY number DESC LIMIT ?");
    select.Bind(*before).Bind(*size + 1);
    while (select.Step()) {
      if (rows.items.size() == static_cast<size_t>(*size)) {
        rows.next_page_token = absl::StrCat(rows.items.back().number);
        break;
      }
      AuditRow& row = rows.items.emplace_back();
      row.number = select.Integer(0);
      row.time = select.TimeAt(1);
      row.who = select.Bytes(2);
      row.method = select.Bytes(3);
      row.what = select.Bytes(4);
      row.outcome = select.Bytes(5);
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return rows;
}

absl::Status History::PutPause(const std::optional<Pause>& pause) {
  return writer_->Write([&](Connection& db) {
    if (!pause.has_value()) return Statement(db, "DELETE FROM pause").Run();
    return Statement(db, "INSERT OR REPLACE INTO pause (id, who, reason, since) VALUES (1, ?, ?, ?)")
        .Bind(internal::Cut(pause->who, kMostText))
        .Bind(internal::Cut(pause->reason, kMostText))
        .Bind(pause->since)
        .Run();
  });
}

absl::StatusOr<std::optional<Pause>> History::GetPause() const {
  std::optional<Pause> pause;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, "SELECT who, reason, since FROM pause");
    if (select.Step()) pause = Pause{select.Bytes(0), select.Bytes(1), select.TimeAt(2)};
    return select.status();
  });
  if (!status.ok()) return status;
  return pause;
}

absl::Status History::PutValue(const std::string& key, const std::string& value) {
  absl::Status valid = CheckKey(key);
  if (!valid.ok()) return valid;
  if (value.size() > kMostValue) {
    return absl::InvalidArgumentError(absl::StrCat("the value of ", key, " is longer than ", kMostValue, " bytes"));
  }
  return writer_->Write([&](Connection& db) {
    if (value.empty()) return Statement(db, "DELETE FROM settings WHERE key=?").Bind(kValues + key).Run();
    return Statement(db, "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)")
        .Bind(kValues + key)
        .BindBlob(value)
        .Run();
  });
}

absl::StatusOr<std::string> History::GetValue(const std::string& key) const {
  absl::Status valid = CheckKey(key);
  if (!valid.ok()) return valid;
  std::string value;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, "SELECT value FROM settings WHERE key=?");
    select.Bind(kValues + key);
    if (select.Step()) value = select.Bytes(0);
    return select.status();
  });
  if (!status.ok()) return status;
  return value;
}

}  // namespace puckdrop::readiness
