#ifndef PUCKDROP_CHECKS_TARGET_JQ_PROGRAM_H_
#define PUCKDROP_CHECKS_TARGET_JQ_PROGRAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace puckdrop::jq {

// Where the first character of an expression stands in a plan. Lines and columns count from 1; 0 is "not known".
struct PlanPosition {
  std::string file;
  int line = 0;
  int column = 0;

  // "plan.yaml:12:9", without the parts that are not known.
  std::string ToString() const;
};

// What `.` is when a program starts.
enum class Scope : std::uint8_t {
  kContext,  // the object of all names: `.status`, `.body`, …
  kEach,     // one item of an `each`: `.id` is the item's id; the names are there as `$status`, `$body`, …
};

// One jq expression of a plan.
struct Program {
  std::string text;
  // The names this expression may use, beyond StandardNames(): what `save` named before it. In the context scope every
  // name is `.name` and `$name`; a name that the input does not hold is null.
  std::vector<std::string> names;
  Scope scope = Scope::kContext;
  PlanPosition position;
};

// The names every expression sees: status headers cookies body … each session.
const std::vector<std::string>& StandardNames();

using ProgramId = std::uint32_t;

// One mistake of one expression.
struct ProgramError {
  ProgramId program = 0;
  // Inside the expression, from 1; columns count bytes. `length` is the width to underline, at least 1.
  int line = 1;
  int column = 1;
  int length = 1;
  std::string message;  // one sentence without position: "unknown function 'mapp/1': did you mean 'map/1'?"
};

// The expressions of one plan. Ids are 0, 1, 2, … in the order of Add. Fill it on one thread, then share it const.
class ProgramSet {
 public:
  // At most kMaxPrograms; beyond them every evaluation and every check of the set is refused.
  static constexpr std::size_t kMaxPrograms = 5000;

  // Gives the id of the same text, names, scope and position if it was added before.
  ProgramId Add(Program program);

  const Program& program(ProgramId id) const { return programs_[id]; }
  const std::vector<Program>& programs() const { return programs_; }
  std::size_t size() const { return programs_.size(); }

 private:
  std::vector<Program> programs_;
  std::unordered_map<std::string, ProgramId> ids_;
};

struct CheckOptions {
  std::string worker_path;                     // empty: `puckdrop-jq-worker` beside this executable
  // CPU time of the worker for the whole set, because a program may hang the compiler; hundreds of them take 200 ms. A
  // busy machine condemns nobody.
  std::chrono::milliseconds cpu_limit{10'000};
  // Wall time, for a machine that has no time at all.
  std::chrono::milliseconds deadline{300'000};
};

// Compiles every program of `set` in a worker process and returns all mistakes found, ordered by program and position;
// an empty list means that a pool will load the set. All are compiled at once; only where one crashes or hangs the
// compiler are halves, and halves of those, compiled by themselves to find it. Hostile texts are safe. Blocks the calling
// thread for 20 to 100 ms on an idle machine (and at most `deadline`). Errors: UNAVAILABLE when the worker cannot be
// started, RESOURCE_EXHAUSTED when the set is too large, DEADLINE_EXCEEDED.
absl::StatusOr<std::vector<ProgramError>> CheckPrograms(const ProgramSet& set, const CheckOptions& options = {});

// The same for one expression. Prefer CheckPrograms: a hundred cost hardly more than one.
absl::StatusOr<std::vector<ProgramError>> CompileCheck(const std::string& text, const std::vector<std::string>& names,
                                                       Scope scope = Scope::kContext, const CheckOptions& options = {});

}  // namespace puckdrop::jq

#endif  // PUCKDROP_CHECKS_TARGET_JQ_PROGRAM_H_
