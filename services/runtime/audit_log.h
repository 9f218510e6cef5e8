// Who did what, when, and what came of it: one JSON object a line, in a file that only grows.
//
//   {"time":"2026-10-07T23:01:44.120Z","who":"alice","by":"token","peer":"ipv4:10.0.0.7:51234",
//    "method":"puckdrop.v1.ReadinessService/StartRun","scope":"run","resource":"runs/abc","outcome":"OK",
//    "seconds":0.004,"request":{"selection":{"paths":["billing"]}}}
#ifndef PUCKDROP_SERVICES_RUNTIME_AUDIT_LOG_H_
#define PUCKDROP_SERVICES_RUNTIME_AUDIT_LOG_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace puckdrop::runtime {

struct AuditRecord {
  absl::Time time = absl::InfinitePast();  // when the call came
  std::string who;                         // a token's or certificate's name, `loopback`, or empty: nobody we know
  std::string by;                          // `token`, `certificate`, `loopback`, `nobody`
  std::string peer;                        // as gRPC writes it
  std::string method;                      // `puckdrop.v1.ReadinessService/StartRun`
  std::string scope;                       // `run`
  std::string resource;                    // `runs/abc`; what the call was about, empty where it names nothing
  std::string outcome;                     // a canonical code: `OK`, `PERMISSION_DENIED`
  std::string reason;                      // ErrorInfo's; empty when OK
  absl::Duration took;
  std::string request;  // redacted JSON; empty for calls between our own services
};

// One line, without its end. Whatever is in the record, it is valid JSON in UTF-8, of at most 8 KiB.
std::string AuditLine(const AuditRecord& record);

struct AuditLogOptions {
  std::string file;
  // Past this it becomes FILE.1 and what was FILE.1 becomes FILE.2, …
  int64_t most_bytes = 10 << 20;
  // …and of those this many are kept.
  int kept = 9;
};

// Written by a thread of its own, so that a slow disk holds up no call. Thread-safe.
class AuditLog {
 public:
  // Makes the file (0600) or goes on with it. Errors say what to do.
  static absl::StatusOr<std::shared_ptr<AuditLog>> Open(AuditLogOptions options);
  // Writes what is waiting.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // At most 10,000 lines wait; what comes then is counted, logged as an error and lost, as is what the disk refuses.
  void Write(std::string line);
  // Until all that was given before is written, or lost.
  void Flush();
  int64_t lost() const;

 private:
  explicit AuditLog(AuditLogOptions options) : options_(std::move(options)) {}
  absl::Status OpenFile();
  void Rotate();
  void Run();
  bool Put(const std::string& text);

  const AuditLogOptions options_;
  int file_ = -1;         // the thread's
  int64_t size_ = 0;      // the thread's
  bool failing_ = false;  // the thread's: said so already
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<std::string> waiting_;  // guarded by mutex_
  bool busy_ = false;                // guarded by mutex_
  bool ending_ = false;              // guarded by mutex_
  int64_t lost_ = 0;                 // guarded by mutex_
  std::thread thread_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_AUDIT_LOG_H_
