// Whether a call may be made: by whom it is made, what its method needs (puckdrop/v1/access.proto), and how many there
// are already. The bridge (reactor_bridge.h) asks for every call, before the handler; no handler asks itself.
#ifndef PUCKDROP_SERVICES_RUNTIME_CALL_GUARD_H_
#define PUCKDROP_SERVICES_RUNTIME_CALL_GUARD_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "puckdrop/v1/access.pb.h"
#include "services/runtime/access_list.h"
#include "services/runtime/audit_log.h"
#include "services/runtime/clock.h"

namespace puckdrop::runtime {

struct CallLimits {
  // Streams that only look (WatchVerdict, WatchRun, GetEvidence), in all and of one client: a name of the tokens file,
  // else an address. One client may be a whole control room behind one board.
  int watchers = 2000;
  int watchers_of_one = 1500;
  // Calls of all kinds under way.
  int calls = 4000;
};

struct CallGuardOptions {
  const Clock* clock = nullptr;  // Required. Outlives the guard.
  // nullptr: whoever reaches us may do everything (server.h lets nobody but this machine reach us then).
  std::shared_ptr<AccessList> access;
  // nullptr: none. Calls whose scope is not `read`, those that were refused included.
  std::shared_ptr<AuditLog> audit;
  // As `audit`, for a store. Any thread; must not block.
  std::function<void(const AuditRecord&)> on_audit;
  CallLimits limits;
};

// What is known of a call when it comes.
struct CallFacts {
  const google::protobuf::Message* request = nullptr;  // its type tells the method
  std::string peer;                                    // as gRPC writes it
  std::string authorization;                           // the header; a secret
  std::vector<std::string> certificate_names;          // of a client certificate that was verified, common name first
};

// The one method whose request is of this type: in our API each method has a request of its own. nullptr if there is
// none or more than one.
const google::protobuf::MethodDescriptor* MethodOfRequest(const google::protobuf::Descriptor* request);
// SCOPE_UNSPECIFIED when it has none.
v1::Scope ScopeOf(const google::protobuf::MethodDescriptor& method);

// One call, from Admit to End.
struct Admission {
  // OK, or how the call must end: UNAUTHENTICATED (TOKEN_MISSING, TOKEN_UNKNOWN), PERMISSION_DENIED (SCOPE_MISSING,
  // METHOD_WITHOUT_SCOPE), RESOURCE_EXHAUSTED (TOO_MANY_WATCHERS, TOO_MANY_CALLS).
  absl::Status status;

  // The guard's own.
  AuditRecord record;
  v1::Scope scope = v1::SCOPE_UNSPECIFIED;
  bool counted = false;
  std::string watcher;  // the client it counts for; empty: it is no watcher
  std::string token_sha256;
  std::vector<std::string> certificate_names;
  std::function<void()> cancel;  // guarded by the guard's mutex
  bool revoked = false;          // guarded by the guard's mutex
};

// Thread-safe.
class CallGuard {
 public:
  explicit CallGuard(CallGuardOptions options);

  // nullptr: a call of this process to itself (the gate's way), which nobody guards.
  std::shared_ptr<Admission> Admit(const CallFacts& facts);
  // `cancel` is called, on any thread, when the right was taken away while the call ran. At once if it already was.
  void OnRevoked(const std::shared_ptr<Admission>& admission, std::function<void()> cancel);
  // Once for each admission. `response` may be nullptr. Gives the status to end with: `ended`, or UNAUTHENTICATED
  // (ACCESS_REVOKED) when it was cut short for that.
  absl::Status End(const std::shared_ptr<Admission>& admission, absl::Status ended,
                   const google::protobuf::Message* response);

  // The tokens file was read again: who lost the right to what is under way loses the call.
  void Recheck();

  int watchers() const;

 private:
  absl::Status Authorize(const CallFacts& facts, Admission& admission) const;
  absl::Status Count(Admission& admission, bool watches);
  bool StillAllowed(const Admission& admission) const;
  void Audit(const AuditRecord& record);

  const CallGuardOptions options_;
  mutable std::mutex mutex_;
  std::set<std::shared_ptr<Admission>> running_;  // guarded by mutex_
  std::map<std::string, int> watchers_;           // guarded by mutex_; by client, none is 0
  int watching_ = 0;                              // guarded by mutex_
  int refused_this_second_ = 0;                   // guarded by mutex_
  int refused_untold_ = 0;                        // guarded by mutex_
  int64_t second_ = 0;                            // guarded by mutex_
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_CALL_GUARD_H_
