// Runs, and the verdicts of the launch as they changed.
#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/readiness/database.h"
#include "services/readiness/history.h"
#include "services/readiness/history_internal.h"
#include "services/readiness/reader_pool.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::readiness {
namespace {

// The last GO is written again this often while it lasts.
constexpr absl::Duration kGoResolution = absl::Minutes(1);

bool IsGo(v1::VerdictState state) {
  return state == v1::VERDICT_STATE_GO || state == v1::VERDICT_STATE_GO_WITH_WAIVERS;
}

bool IsFailing(const v1::InstanceStanding& instance) {
  return instance.standing() == v1::STANDING_FAILED || instance.standing() == v1::STANDING_WAIVED;
}

// What tells one verdict from another: numbers of instances and words do not.
struct Shape {
  int64_t state = 0;
  std::string paths;
  std::set<std::string> failing;  // `F check:customer`, `W check:customer`
};

Shape ShapeOf(const v1::Verdict& verdict) {
  Shape shape;
  shape.state = verdict.state();
  std::set<std::string> paths;
  for (const v1::PathVerdict& path : verdict.paths()) {
    paths.insert(absl::StrCat(path.path(), " ", path.state(), " ", path.left_out() ? 1 : 0));
  }
  shape.paths = absl::StrJoin(paths, "\n");
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (!IsFailing(instance)) continue;
    shape.failing.insert(absl::StrCat(instance.standing() == v1::STANDING_WAIVED ? "W " : "F ", instance.check(), ":",
                                      instance.customer()));
  }
  return shape;
}

std::set<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n', absl::SkipEmpty()); }

// Those in `a` and not in `b`, whether failed or waived, as `check:customer` lines.
std::string Only(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> others, only;
  for (const std::string& line : b) others.insert(line.substr(2));
  for (const std::string& line : a) {
    if (others.count(line.substr(2)) == 0) only.insert(line.substr(2));
  }
  return absl::StrJoin(only, "\n");
}

absl::StatusOr<std::optional<Shape>> LastShape(Connection& db) {
  std::optional<Shape> shape;
  Statement select(db, "SELECT state, paths, failing FROM verdict_changes ORDER BY seq DESC LIMIT 1");
  if (select.Step()) shape = Shape{select.Integer(0), select.Bytes(1), Lines(select.Bytes(2))};
  if (!select.status().ok()) return select.status();
  return shape;
}

absl::StatusOr<std::optional<LastGo>> ReadLastGo(Connection& db) {
  std::optional<LastGo> go;
  Statement select(db, "SELECT state, since, time, configuration, plan_digest FROM last_go");
  if (select.Step()) {
    go.emplace();
    go->state = static_cast<v1::VerdictState>(select.Integer(0));
    go->since = select.TimeAt(1);
    go->time = select.TimeAt(2);
    go->configuration = select.Bytes(3);
    go->plan_digest = select.Bytes(4);
  }
  if (!select.status().ok()) return select.status();
  return go;
}

// `before`: the verdict that was kept before this one, if any.
absl::Status NoteGo(Connection& db, const v1::Verdict& verdict, const std::optional<Shape>& before, absl::Time time) {
  if (!IsGo(verdict.state())) return absl::OkStatus();
  absl::StatusOr<std::optional<LastGo>> last = ReadLastGo(db);
  if (!last.ok()) return last.status();
  const bool lasts = last->has_value() && before.has_value() && IsGo(static_cast<v1::VerdictState>(before->state));
  if (lasts && (*last)->state == verdict.state() && (*last)->configuration == verdict.configuration() &&
      (*last)->plan_digest == verdict.plan_digest() && time >= (*last)->time && time < (*last)->time + kGoResolution) {
    return absl::OkStatus();
  }
  return Statement(db,
                   "INSERT OR REPLACE INTO last_go (id, state, since, time, configuration, plan_digest) "
                   "VALUES (1, ?, ?, ?, ?, ?)")
      .Bind(verdict.state())
      .Bind(lasts ? (*last)->since : time)
      .Bind(time)
      .Bind(verdict.configuration())
      .Bind(verdict.plan_digest())
      .Run();
}

absl::Status InsertChange(Connection& db, const v1::Verdict& verdict, const Shape& shape,
                          const std::optional<Shape>& before, absl::Time now) {
  v1::Verdict kept = verdict;
  kept.clear_instances();
  for (const v1::InstanceStanding& instance : verdict.instances()) {
    if (!IsFailing(instance)) continue;
    v1::InstanceStanding* copy = kept.add_instances();
    *copy = instance;
    copy->clear_result();
  }
  const std::set<std::string> none;
  const std::set<std::string>& failed_before = before.has_value() ? before->failing : none;
  return Statement(db,
                   "INSERT INTO verdict_changes (added, state, paths, failing, began, ended, message) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .Bind(now)
      .Bind(shape.state)
      .Bind(shape.paths)
      .Bind(absl::StrJoin(shape.failing, "\n"))
      .Bind(Only(shape.failing, failed_before))
      .Bind(Only(failed_before, shape.failing))
      .BindBlob(kept.SerializeAsString())
      .Run();
}

absl::StatusOr<v1::Run> ReadRun(Connection& db, const std::string& name) {
  v1::Run run;
  Statement select(db, "SELECT message FROM runs WHERE name=?");
  select.Bind(name);
  absl::Status status;
  if (select.Step()) {
    status = select.Parse(0, "a run", &run);
  } else if (select.status().ok()) {
    status = absl::NotFoundError(absl::StrCat("there is no run '", internal::Cut(name, 100), "' (any more)"));
  } else {
    status = select.status();
  }
  if (!status.ok()) return status;
  return run;
}

absl::Status WriteRun(Connection& db, const v1::Run& run, absl::Time now) {
  return Statement(db,
                   "INSERT INTO runs (added, state, name, message) VALUES (?, ?, ?, ?) "
                   "ON CONFLICT (name) DO UPDATE SET state=excluded.state, message=excluded.message")
      .Bind(now)
      .Bind(run.state())
      .Bind(run.name())
      .BindBlob(run.SerializeAsString())
      .Run();
}

}  // namespace

absl::Status History::PutRun(const v1::Run& run) {
  if (run.name().empty() || run.name().size() > 200) {
    return absl::InvalidArgumentError("a run needs a name of at most 200 bytes");
  }
  v1::Run kept = run;
  if (kept.has_verdict()) {
    for (v1::InstanceStanding& instance : *kept.mutable_verdict()->mutable_instances()) {
      if (instance.standing() == v1::STANDING_OK) instance.clear_result();
    }
  }
  return writer_->Write([&](Connection& db) { return WriteRun(db, kept, clock_.Now()); });
}

absl::StatusOr<v1::Run> History::GetRun(const std::string& name) const {
  absl::StatusOr<v1::Run> run;
  absl::Status status = readers_->Read([&](Connection& db) {
    run = ReadRun(db, name);
    return run.status();
  });
  if (!status.ok()) return status;
  return run;
}

absl::StatusOr<v1::ListRunsResponse> History::ListRuns(const v1::ListRunsRequest& request) const {
  absl::StatusOr<int> size = internal::PageSizeOf(request.page_size(), 50, 500);
  if (!size.ok()) return size.status();
  absl::StatusOr<int64_t> before = internal::BeforeOf(request.page_token());
  if (!before.ok()) return before.status();
  v1::ListRunsResponse response;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db, "SELECT message, seq FROM runs WHERE seq<? ORDER BY seq DESC LIMIT ?");
    select.Bind(*before).Bind(*size + 1);
    int64_t last = *before;
    while (select.Step()) {
      if (response.runs_size() == *size) {
        response.set_next_page_token(absl::StrCat(last));
        break;
      }
      absl::Status read = select.Parse(0, "a run", response.add_runs());
      if (!read.ok()) return read;
      last = select.Integer(1);
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<int> History::EndAbandonedRuns(const std::string& why) {
  int ended = 0;
  absl::Status status = writer_->Write([&](Connection& db) {
    std::vector<v1::Run> runs;
    {
      Statement select(db, "SELECT message FROM runs WHERE state=?");
      select.Bind(v1::Run::RUNNING);
      while (select.Step()) {
        absl::Status read = select.Parse(0, "a run", &runs.emplace_back());
        if (!read.ok()) return read;
      }
      if (!select.status().ok()) return select.status();
    }
    for (v1::Run& run : runs) {
      run.set_state(v1::Run::CANCELLED);
      run.set_progress(why);
      *run.mutable_end_time() = runtime::ToTimestamp(clock_.Now());
      absl::Status written = WriteRun(db, run, clock_.Now());
      if (!written.ok()) return written;
    }
    ended = static_cast<int>(runs.size());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return ended;
}

absl::StatusOr<bool> History::AppendVerdictChange(const v1::Verdict& verdict) {
  if (verdict.selected() != 0) {
    return absl::InvalidArgumentError("the verdict of a selection is not one of the launch");
  }
  const Shape shape = ShapeOf(verdict);
  const absl::Time now = clock_.Now();
  const absl::Time time = verdict.has_time() ? runtime::FromTimestamp(verdict.time()) : now;
  bool kept = false;
  absl::Status status = writer_->Write([&](Connection& db) {
    absl::StatusOr<std::optional<Shape>> before = LastShape(db);
    if (!before.ok()) return before.status();
    absl::Status noted = NoteGo(db, verdict, *before, time);
    if (!noted.ok()) return noted;
    kept = !before->has_value() || (*before)->state != shape.state || (*before)->paths != shape.paths ||
           (*before)->failing != shape.failing;
    return kept ? InsertChange(db, verdict, shape, *before, now) : absl::OkStatus();
  });
  if (!status.ok()) return status;
  return kept;
}

absl::StatusOr<Page<VerdictChange>> History::ListVerdictChanges(const PageRequest& page) const {
  absl::StatusOr<int> size = internal::PageSizeOf(page.size, 50, 1000);
  if (!size.ok()) return size.status();
  absl::StatusOr<int64_t> before = internal::BeforeOf(page.token);
  if (!before.ok()) return before.status();
  Page<VerdictChange> changes;
  absl::Status status = readers_->Read([&](Connection& db) {
    Statement select(db,
                     "SELECT message, began, ended, seq FROM verdict_changes WHERE seq<? ORDER BY seq DESC LIMIT ?");
    select.Bind(*before).Bind(*size + 1);
    int64_t last = *before;
    while (select.Step()) {
      if (changes.items.size() == static_cast<size_t>(*size)) {
        changes.next_page_token = absl::StrCat(last);
        break;
      }
      VerdictChange& change = changes.items.emplace_back();
      absl::Status read = select.Parse(0, "a verdict", &change.verdict);
      if (!read.ok()) return read;
      change.began = absl::StrSplit(select.Bytes(1), '\n', absl::SkipEmpty());
      change.ended = absl::StrSplit(select.Bytes(2), '\n', absl::SkipEmpty());
      last = select.Integer(3);
    }
    return select.status();
  });
  if (!status.ok()) return status;
  return changes;
}

absl::StatusOr<std::optional<LastGo>> History::GetLastGo() const {
  std::optional<LastGo> go;
  absl::Status status = readers_->Read([&](Connection& db) {
    absl::StatusOr<std::optional<LastGo>> read = ReadLastGo(db);
    if (read.ok()) go = std::move(*read);
    return read.status();
  });
  if (!status.ok()) return status;
  return go;
}

}  // namespace puckdrop::readiness
