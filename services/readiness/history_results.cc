// Results: the newest of each instance, all of them by page, and how things were before.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/readiness/database.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

constexpr size_t kMostName = 512;
// How far in the future a newest result may end before it is known to be of a clock that was set back since.
constexpr absl::Duration kFuture = absl::Seconds(2);

// A result as it is written; made on the caller's thread, since the writer's is the scarce one.
struct Row {
  int64_t key = 0;
  std::string name, check, customer, vantage;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  int64_t ended = 0;
  std::string finding;  // of a failure
  std::string message;
  std::vector<std::string> evidence;  // digests, of a failure
};

// FNV-1a. Rows are found by it and then compared, so two names with one hash cost a look and nothing else.
int64_t KeyOf(const std::string& name, const std::string& vantage) {
  uint64_t hash = 14695981039346656037u;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211u; };
  for (char c : name) add(static_cast<unsigned char>(c));
  add(0);
  for (char c : vantage) add(static_cast<unsigned char>(c));
  return static_cast<int64_t>(hash);
}

absl::StatusOr<Row> RowOf(const v1::Result& result) {
  const bool known = result.outcome() != v1::OUTCOME_UNSPECIFIED && v1::Outcome_IsValid(result.outcome());
  if (result.name().empty() || result.check().empty() || result.customer().empty() || !known) {
    return absl::InvalidArgumentError(absl::StrCat("the result '", internal::Cut(result.name(), kMostName),
                                                   "' needs a name, check, customer and outcome"));
  }
  if (std::max({result.name().size(), result.check().size(), result.customer().size(), result.vantage().size()}) >
      kMostName) {
    return absl::InvalidArgumentError(absl::StrCat("the result '", internal::Cut(result.name(), kMostName),
                                                   "' has a name longer than ", kMostName, " bytes"));
  }
  Row row;
  row.key = KeyOf(result.name(), result.vantage());
  row.name = result.name();
  row.check = result.check();
  row.customer = result.customer();
  row.vantage = result.vantage();
  row.outcome = result.outcome();
  row.ended = absl::ToUnixMicros(runtime::FromTimestamp(result.end_time()));
  row.message = result.SerializeAsString();
  if (result.outcome() == v1::OUTCOME_FAILED) {
    if (result.findings_size() > 0) row.finding = result.findings(0).id();
    for (const std::string& name : result.evidence()) {
      std::string digest = internal::DigestOfName(name);
      if (!digest.empty()) row.evidence.push_back(std::move(digest));
    }
  }
  return row;
}

absl::StatusOr<std::vector<Row>> RowsOf(const std::vector<v1::Result>& results) {
  std::vector<Row> rows;
  rows.reserve(results.size());
  for (const v1::Result& result : results) {
    absl::StatusOr<Row> row = RowOf(result);
    if (!row.ok()) return row.status();
    rows.push_back(std::move(*row));
  }
  return rows;
}

absl::StatusOr<bool> IsKnown(Connection& db, const Row& row) {
  Statement select(db, "SELECT message FROM results WHERE key=?");
  select.Bind(row.key);
  while (select.Step()) {
    v1::Result known;
    absl::Status read = select.Parse(0, "a result", &known);
    if (!read.ok()) return read;
    if (known.name() == row.name && known.vantage() == row.vantage) return true;
  }
  if (!select.status().ok()) return select.status();
  return false;
}

absl::StatusOr<int64_t> InstanceOf(Connection& db, const Row& row) {
  Statement select(db, "SELECT id FROM instances WHERE check_id=? AND customer=? AND vantage=?");
  select.Bind(row.check).Bind(row.customer).Bind(row.vantage);
  if (select.Step()) return select.Integer(0);
  if (!select.status().ok()) return select.status();
  Statement insert(db, "INSERT INTO instances (check_id, customer, vantage) VALUES (?, ?, ?) RETURNING id");
  insert.Bind(row.check).Bind(row.customer).Bind(row.vantage);
  const int64_t id = insert.Step() ? insert.Integer(0) : 0;
  absl::Status status = insert.Run();
  if (!status.ok()) return status;
  return id;
}

// The newest result of an instance, as far as the next one has to know.
struct Newest {
  bool any = false;
  int64_t ended = std::numeric_limits<int64_t>::min();
  bool failing = false;
  int64_t failing_seq = 0;
  std::string failing_finding;
};

absl::StatusOr<Newest> NewestOf(Connection& db, int64_t instance) {
  Newest newest;
  Statement select(db, "SELECT ended, failing_seq, failing_finding FROM latest WHERE instance=?");
  select.Bind(instance);
  if (select.Step()) {
    newest.any = true;
    newest.ended = select.Integer(0);
    newest.failing = !select.IsNull(1);
    newest.failing_seq = select.Integer(1);
    newest.failing_finding = select.Bytes(2);
  }
  if (!select.status().ok()) return select.status();
  return newest;
}

absl::Status PutLatest(Connection& db, int64_t instance, const Row& row, const Newest& newest) {
  const bool passed = row.outcome == v1::OUTCOME_PASSED;
  // On the right of SET stands the row as it was: its pass is kept when what comes is none.
  Statement put(db, newest.any ? R"sql(UPDATE latest SET
                                  green=CASE WHEN ?1 THEN NULL WHEN outcome=?2 THEN message ELSE green END,
                                  green_ended=CASE WHEN ?1 THEN NULL WHEN outcome=?2 THEN ended ELSE green_ended END,
                                  outcome=?3, ended=?4, message=?5, failing_seq=?6, failing_finding=?7
                                  WHERE instance=?8)sql"
                               : R"sql(INSERT INTO latest
                                  (instance, outcome, ended, message, failing_seq, failing_finding)
                                  VALUES (?8, ?3, ?4, ?5, ?6, ?7))sql");
  put.Bind(passed ? 1 : 0).Bind(v1::OUTCOME_PASSED).Bind(row.outcome).Bind(row.ended).BindBlob(row.message);
  if (newest.failing) {
    put.Bind(newest.failing_seq).Bind(newest.failing_finding);
  } else {
    put.BindNull().BindNull();
  }
  return put.Bind(instance).Run();
}

// A pass that came late is still the newest pass when nothing has passed since.
absl::Status PutLatePass(Connection& db, int64_t instance, const Row& row) {
  return Statement(db,
                   "UPDATE latest SET green=?, green_ended=? "
                   "WHERE instance=? AND outcome<>? AND (green_ended IS NULL OR green_ended<?)")
      .BindBlob(row.message)
      .Bind(row.ended)
      .Bind(instance)
      .Bind(v1::OUTCOME_PASSED)
      .Bind(row.ended)
      .Run();
}

absl::Status KeepEvidenceOf(Connection& db, const Row& row, absl::Time now) {
  for (const std::string& digest : row.evidence) {
    absl::Status status =
        Statement(db,
                  "INSERT INTO evidence (digest, failure, time, present, bytes, kind, truncated, media_type, title) "
                  "VALUES (?, 1, ?, 0, 0, 0, 0, '', '') "
                  "ON CONFLICT (digest) DO UPDATE SET failure=1, time=excluded.time")
            .BindBlob(digest)
            .Bind(now)
            .Run();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AppendRow(Connection& db, const Row& row, absl::Time now) {
  absl::StatusOr<bool> known = IsKnown(db, row);
  if (!known.ok() || *known) return known.status();
  absl::StatusOr<int64_t> instance = InstanceOf(db, row);
  if (!instance.ok()) return instance.status();
  absl::StatusOr<Newest> newest = NewestOf(db, *instance);
  if (!newest.ok()) return newest.status();
  const bool replaces = !newest->any || row.ended >= newest->ended || newest->ended > absl::ToUnixMicros(now + kFuture);
  const bool failed = row.outcome == v1::OUTCOME_FAILED;
  // Only a pass ends a row of failures; not to be able to tell does not.
  const bool begins = replaces && failed && !(newest->failing && newest->failing_finding == row.finding);

  Statement insert(db,
                   "INSERT INTO results (instance, key, outcome, added, finding, message) VALUES (?, ?, ?, ?, ?, ?) "
                   "RETURNING seq");
  insert.Bind(*instance).Bind(row.key).Bind(row.outcome).Bind(now);
  if (begins) {
    insert.Bind(row.finding);
  } else {
    insert.BindNull();
  }
  insert.BindBlob(row.message);
  const int64_t seq = insert.Step() ? insert.Integer(0) : 0;
  absl::Status status = insert.Run();
  if (!status.ok()) return status;

  if (begins) {
    newest->failing = true;
    newest->failing_seq = seq;
    newest->failing_finding = row.finding;
  } else if (replaces && row.outcome == v1::OUTCOME_PASSED) {
    newest->failing = false;
  }
  if (replaces) {
    status = PutLatest(db, *instance, row, *newest);
  } else if (row.outcome == v1::OUTCOME_PASSED) {
    status = PutLatePass(db, *instance, row);
  }
  if (!status.ok()) return status;
  return KeepEvidenceOf(db, row, now);
}

Database::Work AppendAll(std::vector<Row> rows, absl::Time now) {
  return [rows = std::move(rows), now](Connection& db) {
    for (const Row& row : rows) {
      absl::Status status = AppendRow(db, row, now);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  };
}

absl::Status InstancesOf(Connection& db, const std::string& check, const std::string& customer,
                         std::vector<int64_t>* instances) {
  const auto read = [&](Statement& select) {
    while (select.Step()) instances->push_back(select.Integer(0));
    return select.status();
  };
  if (check.empty()) {
    Statement select(db, "SELECT id FROM instances WHERE customer=?");
    return read(select.Bind(customer));
  }
  if (customer.empty()) {
    Statement select(db, "SELECT id FROM instances WHERE check_id=?");
    return read(select.Bind(check));
  }
  Statement select(db, "SELECT id FROM instances WHERE check_id=? AND customer=?");
  return read(select.Bind(check).Bind(customer));
}

// The newest results of all before `before`, newest first.
absl::Status ListAll(Connection& db, int64_t before, int size, v1::ListResultsResponse* into) {
  Statement select(db, "SELECT message, seq FROM results WHERE seq<? ORDER BY seq DESC LIMIT ?");
  select.Bind(before).Bind(size + 1);
  int64_t last = before;
  while (select.Step()) {
    if (into->results_size() == size) {
      into->set_next_page_token(absl::StrCat(last));
      break;
    }
    absl::Status read = select.Parse(0, "a result", into->add_results());
    if (!read.ok()) return read;
    last = select.Integer(1);
  }
  return select.status();
}

// The same of some instances: their newest are merged, each found by a step down the index, so that it does not matter
// how many results others have.
absl::Status ListMerged(Connection& db, const std::vector<int64_t>& instances, int64_t before, int size,
                        v1::ListResultsResponse* into) {
  using Head = std::pair<int64_t, int64_t>;  // seq, instance
  std::priority_queue<Head> heads;
  const auto push = [&](int64_t instance, int64_t below) {
    Statement select(db, "SELECT seq FROM results WHERE instance=? AND seq<? ORDER BY seq DESC LIMIT 1");
    select.Bind(instance).Bind(below);
    if (select.Step()) heads.emplace(select.Integer(0), instance);
    return select.status();
  };
  for (int64_t instance : instances) {
    absl::Status status = push(instance, before);
    if (!status.ok()) return status;
  }
  int64_t last = before;
  while (!heads.empty()) {
    if (into->results_size() == size) {
      into->set_next_page_token(absl::StrCat(last));
      return absl::OkStatus();
    }
    const auto [seq, instance] = heads.top();
    heads.pop();
    Statement select(db, "SELECT message FROM results WHERE seq=?");
    select.Bind(seq);
    absl::Status status = select.Step() ? select.Parse(0, "a result", into->add_results()) : select.status();
    if (status.ok()) status = push(instance, seq);
    if (!status.ok()) return status;
    last = seq;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status History::Append(const std::vector<v1::Result>& results) {
  absl::StatusOr<std::vector<Row>> rows = RowsOf(results);
  if (!rows.ok()) return rows.status();
  return writer_->Write(AppendAll(std::move(*rows), clock_.Now()));
}

void History::AppendAsync(std::vector<v1::Result> results, std::function<void(absl::Status)> done) {
  absl::StatusOr<std::vector<Row>> rows = RowsOf(results);
  if (!rows.ok()) return done(rows.status());
  writer_->Post(AppendAll(std::move(*rows), clock_.Now()), std::move(done));
}

absl::StatusOr<std::vector<v1::Result>> History::Latest() const {
  std::vector<v1::Result> results;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, "SELECT message FROM latest");
    while (select.Step()) {
      absl::Status read = select.Parse(0, "a newest result", &results.emplace_back());
      if (!read.ok()) return read;
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return results;
}

absl::StatusOr<v1::ListResultsResponse> History::ListResults(const v1::ListResultsRequest& request) const {
  absl::StatusOr<int> size = internal::PageSizeOf(request.page_size(), 50, 1000);
  if (!size.ok()) return size.status();
  absl::StatusOr<int64_t> before = internal::BeforeOf(request.page_token());
  if (!before.ok()) return before.status();
  v1::ListResultsResponse response;
  absl::Status status = readers_->Read([&](Connection& db) {
    if (request.check().empty() && request.customer().empty()) return ListAll(db, *before, *size, &response);
    std::vector<int64_t> instances;
    absl::Status found = InstancesOf(db, request.check(), request.customer(), &instances);
    return found.ok() ? ListMerged(db, instances, *before, *size, &response) : found;
  });
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<v1::Result> History::GetResult(const std::string& name) const {
  // The key holds the vantage too, which the name does not tell, so it is looked for from each that is known.
  v1::Result result;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement vantages(db, "SELECT DISTINCT vantage FROM instances");
    while (vantages.Step()) {
      Statement select(db, "SELECT message FROM results WHERE key=?");
      select.Bind(KeyOf(name, vantages.Bytes(0)));
      while (select.Step()) {
        absl::Status read = select.Parse(0, "a result", &result);
        if (!read.ok() || result.name() == name) return read;
      }
      if (!select.status().ok()) return select.status();
    }
    if (!vantages.status().ok()) return vantages.status();
    return absl::NotFoundError(absl::StrCat("there is no result '", internal::Cut(name, kMostName), "' (any more)"));
  });
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<std::vector<v1::Result>> History::Similar(const std::string& check, const std::string& customer,
                                                         const std::string& finding, int limit) const {
  if (limit < 1 || limit > 100) return absl::InvalidArgumentError("limit must be 1 to 100");
  std::vector<std::pair<int64_t, v1::Result>> found;
  absl::Status status = readers_->Read([&](Connection& db) {
    std::vector<int64_t> instances;
    absl::Status read = InstancesOf(db, check, customer, &instances);
    for (size_t i = 0; read.ok() && i < instances.size(); ++i) {
      absl::StatusOr<Newest> newest = NewestOf(db, instances[i]);
      if (!newest.ok()) return newest.status();
      Statement select(db,
                       "SELECT seq, message FROM results WHERE instance=? AND finding=? AND seq<>? "
                       "ORDER BY seq DESC LIMIT ?");
      select.Bind(instances[i]).Bind(finding).Bind(newest->failing ? newest->failing_seq : 0).Bind(limit);
      while (read.ok() && select.Step()) {
        found.emplace_back(select.Integer(0), v1::Result());
        read = select.Parse(1, "a result", &found.back().second);
      }
      if (read.ok()) read = select.status();
    }
    return read;
  });
  if (!status.ok()) return status;
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<v1::Result> results;
  for (auto& [seq, result] : found) {
    if (results.size() < static_cast<size_t>(limit)) results.push_back(std::move(result));
  }
  return results;
}

absl::StatusOr<std::optional<v1::Result>> History::LastGreen(const std::string& check,
                                                             const std::string& customer) const {
  std::optional<v1::Result> newest;
  absl::Status status = readers_->Read([&](Connection& db) {
    // Of several vantages the newest.
    Statement select(db, R"sql(
      SELECT CASE WHEN outcome=?1 THEN message ELSE green END,
             CASE WHEN outcome=?1 THEN ended ELSE green_ended END AS at
      FROM latest WHERE instance IN (SELECT id FROM instances WHERE check_id=?2 AND customer=?3) AND at IS NOT NULL
      ORDER BY at DESC LIMIT 1)sql");
    select.Bind(v1::OUTCOME_PASSED).Bind(check).Bind(customer);
    if (!select.Step()) return select.status();
    return select.Parse(0, "a result", &newest.emplace());
  });
  if (!status.ok()) return status;
  return newest;
}

}  // namespace puckdrop::readiness
