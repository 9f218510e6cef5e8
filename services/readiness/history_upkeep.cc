// Keeping the history small: what goes, in which order, a little at a time.
//
// Results lie in the order they came. Behind `pass_cursor_` there are no passes any more, only failures, which stay
// longer; so both kinds are removed from the front without looking at what stays.
#include <algorithm>
#include <filesystem>

#include "services/readiness/database.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"

namespace puckdrop::readiness {
namespace {

constexpr int kMostResults = 2000;  // removed in one pass
constexpr int kMostLooked = 10'000;
constexpr int kMostRecords = 500;
constexpr int kVacuumPages = 1024;
// A file that is mostly in use is not made smaller: what is free is written to next.
constexpr int64_t kFreePages = 4096;

absl::StatusOr<int64_t> BytesInUse(Connection& db) {
  absl::StatusOr<int64_t> size = db.Number("PRAGMA page_size");
  absl::StatusOr<int64_t> pages = db.Number("PRAGMA page_count");
  absl::StatusOr<int64_t> free = db.Number("PRAGMA freelist_count");
  for (const absl::StatusOr<int64_t>* number : {&size, &pages, &free}) {
    if (!number->ok()) return number->status();
  }
  return *size * (*pages - *free);
}

absl::Status DeleteResults(Connection& db, const std::vector<int64_t>& seqs) {
  for (int64_t seq : seqs) {
    absl::Status status = Statement(db, "DELETE FROM results WHERE seq=?").Bind(seq).Run();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

struct Front {
  int64_t cursor = 0;
  bool at_end = false;  // no pass is left
};

absl::Status RemovePasses(Connection& db, absl::Time oldest, bool too_big, Front* front, Upkeep* upkeep) {
  std::vector<int64_t> gone;
  int looked = 0;
  bool stopped = false;
  {
    Statement select(db, "SELECT seq, outcome, added FROM results WHERE seq>? ORDER BY seq LIMIT ?");
    select.Bind(front->cursor).Bind(kMostLooked);
    while (!stopped && select.Step()) {
      ++looked;
      if (select.Integer(1) != v1::OUTCOME_FAILED) {
        if (gone.size() == kMostResults || !(too_big || select.TimeAt(2) < oldest)) {
          stopped = true;
          break;
        }
        gone.push_back(select.Integer(0));
      }
      front->cursor = select.Integer(0);
    }
    if (!select.status().ok()) return select.status();
  }
  front->at_end = !stopped && looked < kMostLooked;
  upkeep->results += static_cast<int64_t>(gone.size());
  upkeep->more = upkeep->more || gone.size() == kMostResults || looked == kMostLooked;
  return DeleteResults(db, gone);
}

absl::Status RemoveFailures(Connection& db, absl::Time oldest, bool too_big, const Front& front, Upkeep* upkeep) {
  std::vector<int64_t> gone;
  {
    Statement select(db, "SELECT seq, added FROM results WHERE seq<=? ORDER BY seq LIMIT ?");
    select.Bind(front.cursor).Bind(kMostResults);
    while (select.Step() && (too_big || select.TimeAt(1) < oldest)) gone.push_back(select.Integer(0));
    if (!select.status().ok()) return select.status();
  }
  upkeep->failures += static_cast<int64_t>(gone.size());
  upkeep->more = upkeep->more || gone.size() == kMostResults;
  return DeleteResults(db, gone);
}

// Rows of `table` from its front that are older, or any while there are more than `spare` and it is too big. Only its
// front is looked at, so a row that was added by a clock ahead of time makes others wait and nothing worse.
absl::Status RemoveOldest(Connection& db, const std::string& table, const std::string& key, absl::Time oldest,
                          bool too_big, int64_t spare, Upkeep* upkeep) {
  std::vector<int64_t> gone;
  if (too_big) {
    absl::StatusOr<int64_t> first = db.Number(("SELECT MIN(" + key + ") FROM " + table).c_str());
    absl::StatusOr<int64_t> last = db.Number(("SELECT MAX(" + key + ") FROM " + table).c_str());
    if (!first.ok() || !last.ok()) return first.ok() ? last.status() : first.status();
    too_big = *last - *first > spare;
  }
  {
    Statement select(db, ("SELECT " + key + ", added FROM " + table + " ORDER BY " + key + " LIMIT ?").c_str());
    select.Bind(kMostRecords);
    while (select.Step() && (too_big || select.TimeAt(1) < oldest)) gone.push_back(select.Integer(0));
    if (!select.status().ok()) return select.status();
  }
  for (int64_t number : gone) {
    absl::Status status = Statement(db, ("DELETE FROM " + table + " WHERE " + key + "=?").c_str()).Bind(number).Run();
    if (!status.ok()) return status;
  }
  upkeep->records += static_cast<int64_t>(gone.size());
  upkeep->more = upkeep->more || gone.size() == kMostRecords;
  return absl::OkStatus();
}

// Instances that no plan has asked for in a long time, and waivers revoked as long ago.
absl::Status RemoveForgotten(Connection& db, absl::Time oldest, Upkeep* upkeep) {
  for (const char* sql : {"DELETE FROM latest WHERE instance IN (SELECT instance FROM latest WHERE ended<? LIMIT 500)",
                          "DELETE FROM waivers WHERE revoked<?"}) {
    Statement remove(db, sql);
    absl::Status status = remove.Bind(oldest).Run();
    if (!status.ok()) return status;
    upkeep->records += remove.Changed();
  }
  return absl::OkStatus();
}

absl::Status RemoveEvidence(Connection& db, absl::Time oldest, bool of_failure, std::vector<std::string>* digests) {
  const size_t before = digests->size();
  {
    Statement select(db, "SELECT digest FROM evidence WHERE failure=? AND time<? ORDER BY time LIMIT ?");
    select.Bind(of_failure ? 1 : 0).Bind(oldest).Bind(kMostRecords);
    while (select.Step()) digests->push_back(select.Bytes(0));
    if (!select.status().ok()) return select.status();
  }
  for (size_t i = before; i < digests->size(); ++i) {
    absl::Status status = Statement(db, "DELETE FROM evidence WHERE digest=?").BindBlob((*digests)[i]).Run();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GiveBack(Connection& db, Upkeep* upkeep) {
  absl::StatusOr<int64_t> free = db.Number("PRAGMA freelist_count");
  absl::StatusOr<int64_t> pages = db.Number("PRAGMA page_count");
  if (!free.ok() || !pages.ok()) return free.ok() ? pages.status() : free.status();
  if (*free < kFreePages || *free < *pages / 4) return absl::OkStatus();
  absl::Status status = db.Execute(("PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")").c_str());
  if (!status.ok()) return status;
  absl::StatusOr<int64_t> now = db.Number("PRAGMA page_count");
  if (!now.ok()) return now.status();
  upkeep->pages_returned = *pages - *now;
  upkeep->more = upkeep->more || upkeep->pages_returned > 0;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Upkeep> History::KeepHouse() {
  std::lock_guard<std::mutex> one_at_a_time(upkeep_mutex_);
  const absl::Time now = clock_.Now();
  const absl::Time results = now - options_.keep_results;
  const absl::Time failures = now - options_.keep_failures;
  const absl::Time records = now - options_.keep_records;
  int64_t most = options_.database_bytes;
  if (options_.database_bytes_limit > 0) most = std::min(most, options_.database_bytes_limit / 10 * 9);

  Upkeep upkeep;
  Front front;
  std::vector<std::string> digests;
  absl::Status status = writer_->Write([&](Connection& db) {
    upkeep = Upkeep();
    digests.clear();
    front.cursor = pass_cursor_;
    absl::StatusOr<int64_t> used = BytesInUse(db);
    if (!used.ok()) return used.status();
    const bool too_big = *used > most;
    absl::Status done = RemovePasses(db, results, too_big, &front, &upkeep);
    const bool only_failures = too_big && front.at_end && upkeep.results == 0;
    if (done.ok()) done = RemoveFailures(db, failures, only_failures, front, &upkeep);
    if (done.ok()) done = RemoveOldest(db, "runs", "seq", failures, too_big, 200, &upkeep);
    if (done.ok()) done = RemoveOldest(db, "standing_changes", "seq", failures, too_big, 20'000, &upkeep);
    if (done.ok()) done = RemoveOldest(db, "verdict_changes", "seq", records, too_big, 2'000, &upkeep);
    if (done.ok()) done = RemoveOldest(db, "audit", "number", records, /*too_big=*/false, 0, &upkeep);
    if (done.ok()) done = RemoveForgotten(db, records, &upkeep);
    if (done.ok()) done = RemoveEvidence(db, results, /*of_failure=*/false, &digests);
    if (done.ok()) done = RemoveEvidence(db, failures, /*of_failure=*/true, &digests);
    return done;
  });
  if (!status.ok()) return status;
  pass_cursor_ = front.cursor;
  upkeep.evidence = static_cast<int64_t>(digests.size());
  upkeep.more = upkeep.more || digests.size() >= kMostRecords;
  RemoveFiles(digests);
  status = MakeRoom(0);
  if (status.ok()) status = writer_->Alone([&](Connection& db) { return GiveBack(db, &upkeep); });
  if (!status.ok()) return status;
  SweepFolder(sweep_next_++);
  return upkeep;
}

absl::StatusOr<HistorySize> History::Size() const {
  HistorySize size;
  absl::Status status = readers_->Read([&](Connection& db) {
    absl::StatusOr<int64_t> page = db.Number("PRAGMA page_size");
    absl::StatusOr<int64_t> pages = db.Number("PRAGMA page_count");
    absl::StatusOr<int64_t> used = BytesInUse(db);
    for (const absl::StatusOr<int64_t>* number : {&page, &pages, &used}) {
      if (!number->ok()) return number->status();
    }
    size.database_bytes = *page * *pages;
    size.unused_bytes = size.database_bytes - *used;
    Statement evidence(db, "SELECT count, bytes FROM evidence_total");
    if (evidence.Step()) {
      size.evidence_count = evidence.Integer(0);
      size.evidence_bytes = evidence.Integer(1);
    }
    if (!evidence.status().ok()) return evidence.status();
    absl::StatusOr<int64_t> last = db.Number("SELECT MAX(seq) FROM results");
    if (last.ok()) size.last_result = *last;
    return last.status();
  });
  if (!status.ok()) return status;
  std::error_code none;
  const auto log = std::filesystem::file_size(options_.directory + "/history.db-wal", none);
  if (!none) size.log_bytes = static_cast<int64_t>(log);
  return size;
}

}  // namespace puckdrop::readiness
