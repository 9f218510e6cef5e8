#ifndef PUCKDROP_SERVICES_ARENA_CHILD_PROCESS_H_
#define PUCKDROP_SERVICES_ARENA_CHILD_PROCESS_H_

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace puckdrop::arena {

// Runs `argv` (no shell) to its end and gives each line of its standard output to `line`. Standard error goes to the
// end of the file `log`. The child is killed when this process, or the calling thread, dies. Exit code other than 0 is
// INTERNAL with the log's last lines, a program that is not installed NOT_FOUND, `deadline` passed DEADLINE_EXCEEDED.
absl::Status RunToEnd(const std::vector<std::string>& argv, const std::string& log, absl::Duration deadline,
                      const std::function<void(const std::string&)>& line = nullptr);

// Keeps one child process running: started by a thread of its own (so that the child dies with us), started again a
// second after it ended. `command` is called before each start with the number of starts before it.
class Supervisor {
 public:
  Supervisor(std::string name, std::function<std::vector<std::string>(int)> command, std::string log);
  // Kills the child and waits for it.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // The child's process id, -1 while none runs.
  pid_t pid() const;
  int starts() const;

 private:
  void Run();

  const std::string name_;
  const std::function<std::vector<std::string>(int)> command_;
  const std::string log_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  pid_t pid_ = -1;
  int starts_ = 0;
  std::thread thread_;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_CHILD_PROCESS_H_
