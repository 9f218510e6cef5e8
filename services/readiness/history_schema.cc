// The tables of history.db. A migration is never changed once it was released: add one.
#include "services/readiness/history_internal.h"

namespace puckdrop::readiness::internal {

const std::vector<const char*>& HistoryMigrations() {
  static const std::vector<const char*>* const migrations = new std::vector<const char*>{
      R"sql(
      CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

      -- A check for a customer from a vantage.
      CREATE TABLE instances (
        id INTEGER PRIMARY KEY,
        check_id TEXT NOT NULL,
        customer TEXT NOT NULL,
        vantage TEXT NOT NULL,
        UNIQUE (check_id, customer, vantage));
      CREATE INDEX instances_customer ON instances (customer);

      -- `seq` is the order they were appended in, which no clock can change.
      CREATE TABLE results (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        instance INTEGER NOT NULL,
        key INTEGER NOT NULL,      -- hash of name and vantage
        outcome INTEGER NOT NULL,
        added INTEGER NOT NULL,    -- microseconds, by our clock
        finding TEXT,              -- of the first failure in a row of failures: its first finding; else NULL
        message BLOB NOT NULL);
      CREATE INDEX results_instance ON results (instance);
      CREATE INDEX results_key ON results (key);
      CREATE INDEX results_rows_of_failures ON results (instance, finding) WHERE finding IS NOT NULL;

      -- One row an instance, so that nobody who asks how things stand looks through the results.
      CREATE TABLE latest (
        instance INTEGER PRIMARY KEY,
        outcome INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        failing_seq INTEGER,       -- the first of the row of failures that lasts
        failing_finding TEXT,
        green_ended INTEGER,       -- the newest PASSED, where the newest result is none
        green BLOB,
        message BLOB NOT NULL);

      CREATE TABLE standings (
        check_id TEXT NOT NULL,
        customer TEXT NOT NULL,
        standing INTEGER NOT NULL,
        before INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (check_id, customer)) WITHOUT ROWID;
      CREATE TABLE standing_changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        added INTEGER NOT NULL,
        check_id TEXT NOT NULL,
        customer TEXT NOT NULL,
        before INTEGER NOT NULL,
        after INTEGER NOT NULL,
        time INTEGER NOT NULL,
        why TEXT NOT NULL,
        result TEXT NOT NULL);
      CREATE INDEX standing_changes_check ON standing_changes (check_id, customer);
      CREATE INDEX standing_changes_customer ON standing_changes (customer);

      CREATE TABLE runs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        added INTEGER NOT NULL,
        state INTEGER NOT NULL,
        name TEXT NOT NULL UNIQUE,
        message BLOB NOT NULL);
      CREATE INDEX runs_state ON runs (state);

      CREATE TABLE verdict_changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        added INTEGER NOT NULL,
        state INTEGER NOT NULL,
        paths TEXT NOT NULL,       -- what a change is told by: the paths and their states,
        failing TEXT NOT NULL,     -- and who is failed or waived, a line each
        began TEXT NOT NULL,
        ended TEXT NOT NULL,
        message BLOB NOT NULL);
      CREATE TABLE last_go (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        state INTEGER NOT NULL,
        since INTEGER NOT NULL,
        time INTEGER NOT NULL,
        configuration TEXT NOT NULL,
        plan_digest TEXT NOT NULL);

      CREATE TABLE waivers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        created INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        revoked INTEGER,
        revoked_by TEXT NOT NULL DEFAULT '',
        message BLOB NOT NULL);

      CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        added INTEGER NOT NULL,
        who TEXT NOT NULL,
        method TEXT NOT NULL,
        what TEXT NOT NULL,
        outcome TEXT NOT NULL);

      CREATE TABLE pause (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        who TEXT NOT NULL,
        reason TEXT NOT NULL,
        since INTEGER NOT NULL);

      -- Files are in evidence/. `present` is 0 for what a failure names and has not come.
      CREATE TABLE evidence (
        digest BLOB PRIMARY KEY,
        failure INTEGER NOT NULL,  -- a FAILED result names it
        time INTEGER NOT NULL,
        present INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        truncated INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        title TEXT NOT NULL) WITHOUT ROWID;
      CREATE INDEX evidence_order ON evidence (failure, time);
      CREATE TABLE evidence_total (
        id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, bytes INTEGER NOT NULL);
      INSERT INTO evidence_total VALUES (1, 0, 0);
      CREATE TRIGGER evidence_inserted AFTER INSERT ON evidence BEGIN
        UPDATE evidence_total SET count = count + new.present, bytes = bytes + new.bytes; END;
      CREATE TRIGGER evidence_updated AFTER UPDATE OF present, bytes ON evidence BEGIN
        UPDATE evidence_total SET count = count + new.present - old.present, bytes = bytes + new.bytes - old.bytes; END;
      CREATE TRIGGER evidence_deleted AFTER DELETE ON evidence BEGIN
        UPDATE evidence_total SET count = count - old.present, bytes = bytes - old.bytes; END;
      )sql",
  };
  return *migrations;
}

}  // namespace puckdrop::readiness::internal
