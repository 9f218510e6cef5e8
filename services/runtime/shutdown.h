// The ordered end of a process: what was registered last ends first, each step within its own time.
#ifndef PUCKDROP_SERVICES_RUNTIME_SHUTDOWN_H_
#define PUCKDROP_SERVICES_RUNTIME_SHUTDOWN_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace puckdrop::runtime {

// Register in the order of starting: loop, store, servers, scheduler. Not thread-safe; used by main.
class ShutdownPlan {
 public:
  ShutdownPlan() = default;
  ~ShutdownPlan() { Run(); }
  ShutdownPlan(const ShutdownPlan&) = delete;
  ShutdownPlan& operator=(const ShutdownPlan&) = delete;

  // `end` gets the time it may take and must keep to it.
  void Add(std::string name, absl::Duration limit, std::function<void(absl::Duration)> end);
  // Once. A step that took longer than its limit is logged by its name.
  void Run();

 private:
  struct Step {
    std::string name;
    absl::Duration limit;
    std::function<void(absl::Duration)> end;
  };
  std::vector<Step> steps_;
};

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_SHUTDOWN_H_
