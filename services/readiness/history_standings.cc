// Where each instance stands, since when, and how it stood before.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/database.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

constexpr size_t kMostWhy = 1000;
using Key = std::pair<std::string, std::string>;  // check, customer

StandingSince RowAt(const Statement& select) {
  StandingSince row;
  row.check = select.Bytes(0);
  row.customer = select.Bytes(1);
  row.standing = static_cast<v1::Standing>(select.Integer(2));
  row.before = static_cast<v1::Standing>(select.Integer(3));
  row.since = select.TimeAt(4);
  return row;
}

absl::Status WriteChange(Connection& db, const v1::InstanceStanding& instance, v1::Standing before, absl::Time time,
                         absl::Time now) {
  absl::Status status = Statement(db,
                                  "INSERT OR REPLACE INTO standings (check_id, customer, standing, before, since) "
                                  "VALUES (?, ?, ?, ?, ?)")
                            .Bind(instance.check())
                            .Bind(instance.customer())
                            .Bind(instance.standing())
                            .Bind(before)
                            .Bind(time)
                            .Run();
  if (!status.ok()) return status;
  return Statement(db,
                   "INSERT INTO standing_changes (added, check_id, customer, before, after, time, why, result) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(now)
      .Bind(instance.check())
      .Bind(instance.customer())
      .Bind(before)
      .Bind(instance.standing())
      .Bind(time)
      .Bind(internal::Cut(instance.why(), kMostWhy))
      .Bind(instance.result().name())
      .Run();
}

// A query by index for each of what may be asked for: one that takes "or any" would look through all rows.
const char* ChangesSql(bool check, bool customer) {
#define PUCKDROP_CHANGES(where)                                                                         \
  "SELECT check_id, customer, before, after, time, why, result, seq FROM standing_changes WHERE " where \
  " AND seq<?3 ORDER BY seq DESC LIMIT ?4"
  if (check && customer) return PUCKDROP_CHANGES("check_id=?1 AND customer=?2");
  if (check) return PUCKDROP_CHANGES("check_id=?1 AND ?2=''");
  if (customer) return PUCKDROP_CHANGES("?1='' AND customer=?2");
  return PUCKDROP_CHANGES("?1='' AND ?2=''");
#undef PUCKDROP_CHANGES
}

}  // namespace

absl::StatusOr<int> History::RecordStandings(const v1::Verdict& verdict) {
  if (verdict.selected() != 0) {
    return absl::InvalidArgumentError("the verdict of a selection does not say how the launch stands");
  }
  const absl::Time now = clock_.Now();
  const absl::Time time = verdict.has_time() ? runtime::FromTimestamp(verdict.time()) : now;
  int changed = 0;
  absl::Status status = writer_->Write([&](Connection& db) {
    std::map<Key, v1::Standing> known;
    {
      Statement select(db, "SELECT check_id, customer, standing FROM standings");
      while (select.Step()) {
        known[{select.Bytes(0), select.Bytes(1)}] = static_cast<v1::Standing>(select.Integer(2));
      }
      if (!select.status().ok()) return select.status();
    }
    for (const v1::InstanceStanding& instance : verdict.instances()) {
      const auto before = known.find({instance.check(), instance.customer()});
      const bool is_new = before == known.end();
      if (is_new || before->second != instance.standing()) {
        absl::Status written = WriteChange(db, instance, is_new ? v1::STANDING_UNSPECIFIED : before->second, time, now);
        if (!written.ok()) return written;
        ++changed;
      }
      if (!is_new) known.erase(before);
    }
    for (const auto& [key, standing] : known) {
      absl::Status removed =
          Statement(db, "DELETE FROM standings WHERE check_id=? AND customer=?").Bind(key.first).Bind(key.second).Run();
      if (!removed.ok()) return removed;
      ++changed;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return changed;
}

absl::StatusOr<std::vector<StandingSince>> History::Standings() const {
  std::vector<StandingSince> rows;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, "SELECT check_id, customer, standing, before, since FROM standings");
    while (select.Step()) rows.push_back(RowAt(select));
    return select.status();
  });
  if (!status.ok()) return status;
  return rows;
}

absl::StatusOr<std::optional<StandingSince>> History::StandingOf(const std::string& check,
                                                                 const std::string& customer) const {
  std::optional<StandingSince> row;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db,
                     "SELECT check_id, customer, standing, before, since FROM standings "
                     "WHERE check_id=? AND customer=?");
    select.Bind(check).Bind(customer);
    if (select.Step()) row = RowAt(select);
    return select.status();
  });
  if (!status.ok()) return status;
  return row;
}

absl::StatusOr<Page<StandingChange>> History::ListStandingChanges(const std::string& check, const std::string& customer,
                                                                  const PageRequest& page) const {
  absl::StatusOr<int> size = internal::PageSizeOf(page.size, 50, 1000);
  if (!size.ok()) return size.status();
  absl::StatusOr<int64_t> before = internal::BeforeOf(page.token);
  if (!before.ok()) return before.status();
  Page<StandingChange> changes;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, ChangesSql(!check.empty(), !customer.empty()));
    select.Bind(check).Bind(customer).Bind(*before).Bind(*size + 1);
    int64_t last = *before;
    while (select.Step()) {
      if (changes.items.size() == static_cast<size_t>(*size)) {
        changes.next_page_token = absl::StrCat(last);
        break;
      }
      StandingChange& change = changes.items.emplace_back();
      change.check = select.Bytes(0);
      change.customer = select.Bytes(1);
      change.from = static_cast<v1::Standing>(select.Integer(2));
      change.to = static_cast<v1::Standing>(select.Integer(3));
      change.time = select.TimeAt(4);
      change.why = select.Bytes(5);
      change.result = select.Bytes(6);
      last = select.Integer(7);
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return changes;
}

}  // namespace puckdrop::readiness
