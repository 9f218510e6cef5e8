#ifndef PUCKDROP_CHECKS_TARGET_JQ_WORKER_ENGINE_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WORKER_ENGINE_H_

extern "C" {
#include <jq.h>
}

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/scan.h"
#include "checks/target/jq/wire.h"
#include "checks/target/jq/worker/jv_json.h"

namespace puckdrop::jq::worker {

// All programs of a set compiled as one jq program, which chooses by number: compiling one costs 15 ms, a hundred 30
// ms. One thread.
class Engine {
 public:
  // `marker` outlives the engine; it is told what is being done.
  explicit Engine(wire::Marker* marker);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static constexpr int kTickMs = 10;

  // Takes the programs. To check, compiles them all and returns their mistakes; else each group is compiled when it is
  // first needed.
  std::vector<ProgramError> Load(wire::Load load);

  // Evaluates a batch; returns the payload's frame.
  std::string Evaluate(const std::vector<wire::Request>& requests);

  // For the timer's signal, every kTickMs of CPU time: stops the evaluation under way when it has had the soft limit.
  // Async-signal-safe.
  static void OnTick();

 private:
  struct Compiled {
    bool good = false;
    std::string why_not;
    Scan scan;
  };
  struct Group {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    jq_state* jq = nullptr;
    bool ready = false;
  };

  void CompileGroup(Group* group, std::vector<ProgramError>* errors);
  bool CompileOnce(Group* group, std::vector<ProgramError>* errors);
  void CondemnUnplaced(Group* group, std::vector<ProgramError>* errors);
  const Wanted* WantedBy(const wire::Request& request);
  void EvaluateRequest(const wire::Request& request, std::uint32_t number, wire::Writer* writer);
  void RunProgram(std::uint32_t program, jv context, wire::Writer* writer);
  void Mark(std::uint32_t request, std::uint32_t outcome);

  wire::Marker* marker_;
  wire::Load load_;
  std::vector<Compiled> compiled_;
  std::vector<Group> groups_;
  // What lists of programs want of their input, so far.
  std::map<std::vector<std::uint32_t>, Wanted> wanted_;
  jv pending_;  // what the next `input` of the prelude gives
  std::optional<double> now_;
  std::vector<std::string> messages_;
};

}  // namespace puckdrop::jq::worker

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WORKER_ENGINE_H_
