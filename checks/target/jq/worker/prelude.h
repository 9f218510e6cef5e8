#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_PRELUDE_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_PRELUDE_H_

#include <string_view>

namespace puckdrop::jq::worker {

// The definitions that stand before every program. Names that begin with `__` are refused in programs.
//
// jq 1.6 has no way to add a function written in C. `debug` hands its input to a callback and `input` asks another
// callback for a value; together they are a synchronous call to us: `["sha256", .] | debug | input`. The prelude binds
// both before it hides them behind definitions that only fail, so no program can reach them, whatever it defines
// itself.
std::string_view Prelude();

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_PRELUDE_H_
