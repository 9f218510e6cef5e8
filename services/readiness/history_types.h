// What History takes and gives besides the API's own messages. Plain values.
#ifndef PUCKDROP_SERVICES_READINESS_HISTORY_TYPES_H_
#define PUCKDROP_SERVICES_READINESS_HISTORY_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "puckdrop/v1/plan.pb.h"
#include "puckdrop/v1/verdict.pb.h"

namespace puckdrop::readiness {

struct HistoryOptions {
  std::string directory;
  std::string launch;

  // Older results go; failures and what they rest on stay longer.
  absl::Duration keep_results = absl::Hours(24 * 7);
  absl::Duration keep_failures = absl::Hours(24 * 60);
  // Runs, verdicts, standings' changes, audit rows, waivers that are revoked.
  absl::Duration keep_records = absl::Hours(24 * 400);
  // Beyond so many bytes in use KeepHouse removes the oldest passes, then the oldest failures.
  int64_t database_bytes = int64_t{8} << 30;
  // Nothing is written beyond so many bytes (RESOURCE_EXHAUSTED until KeepHouse made room); 0: no limit.
  int64_t database_bytes_limit = 0;
  int64_t evidence_bytes = int64_t{4} << 30;

  // How long another process may hold the file before a call is UNAVAILABLE.
  absl::Duration lock_timeout = absl::Seconds(5);
  // Calls that read at the same time; others wait for one of them.
  int readers = 4;
};

struct PageRequest {
  int size = 0;  // 0 for 50, at most 1000
  std::string token;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next_page_token;  // empty at the end
};

// Where an instance stands, and since when.
struct StandingSince {
  std::string check;
  std::string customer;
  v1::Standing standing = v1::STANDING_UNSPECIFIED;
  v1::Standing before = v1::STANDING_UNSPECIFIED;  // UNSPECIFIED if it is the first
  absl::Time since;                                // the verdict's time at which it entered it
};

struct StandingChange {
  std::string check;
  std::string customer;
  v1::Standing from = v1::STANDING_UNSPECIFIED;
  v1::Standing to = v1::STANDING_UNSPECIFIED;
  absl::Time time;
  std::string why;
  std::string result;  // name of the one it rests on; may be empty
};

struct VerdictChange {
  // With failed and waived instances only, without their results.
  v1::Verdict verdict;
  // `check:customer` that began or ceased to be failed or waived with it.
  std::vector<std::string> began, ended;
};

struct LastGo {
  v1::VerdictState state = v1::VERDICT_STATE_UNSPECIFIED;
  absl::Time since;  // when it became so
  absl::Time time;   // when it was last seen so, to within a minute
  std::string configuration;
  std::string plan_digest;
};

struct RuntimeWaiver {
  int64_t number = 0;  // from 1, never used again
  v1::Waiver waiver;
  std::string created_by;
  absl::Time created;
  std::string revoked_by;  // empty: in force
  absl::Time revoked;
};

struct AuditRow {
  int64_t number = 0;
  absl::Time time;
  std::string who;      // the token's name or the certificate's subject, and the peer
  std::string method;   // `PauseProbing`
  std::string what;     // in words: what was asked
  std::string outcome;  // `OK`, or the error's code and words
};

struct Pause {
  std::string who;
  std::string reason;
  absl::Time since;
};

struct EvidenceRow {
  std::string name;
  v1::Evidence::Kind kind = v1::Evidence::KIND_UNSPECIFIED;
  std::string media_type;
  std::string title;
  bool truncated = false;
  int64_t bytes = 0;
  absl::Time time;
  bool of_failure = false;  // a FAILED result names it, so it is kept longest
};

// What one pass of KeepHouse did.
struct Upkeep {
  int64_t results = 0;
  int64_t failures = 0;
  int64_t records = 0;
  int64_t evidence = 0;
  int64_t pages_returned = 0;
  bool more = false;
};

struct HistorySize {
  int64_t database_bytes = 0;  // of the file, without its log
  int64_t unused_bytes = 0;    // of it
  int64_t log_bytes = 0;       // of the write-ahead log
  int64_t evidence_bytes = 0;
  int64_t evidence_count = 0;
  int64_t last_result = 0;  // how many results were ever kept
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_HISTORY_TYPES_H_
