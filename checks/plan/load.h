#ifndef PUCKDROP_CHECKS_PLAN_LOAD_H_
#define PUCKDROP_CHECKS_PLAN_LOAD_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checks/plan/mistake.h"
#include "checks/plan/operation_catalogue.h"
#include "puckdrop/v1/plan.pb.h"

// Reads a plan. A plan with a mistake is refused whole, and all its mistakes are told at once, each at its place.
namespace puckdrop::plan {

// A jq program of the plan, to be compiled.
struct ExpressionSource {
  std::string program;
  // What `.name` and `$name` may be, standard names included.
  std::vector<std::string> names;
  // `.` is one item of an `each`, not the object of all names.
  bool of_item = false;
};

// Why a program does not compile.
struct ExpressionError {
  // Index into the list that was compiled.
  std::size_t expression = 0;
  // Byte in the program where the mistake is.
  std::size_t offset = 0;
  // One sentence without position.
  std::string message;
};

// Compiles all programs of a plan at once (a hundred together cost what two cost apart).
using CompileExpressions = std::function<std::vector<ExpressionError>(const std::vector<ExpressionSource>&)>;

// Value of an environment variable, or nothing if it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Of this process.
std::optional<std::string> ProcessEnvironment(const std::string& name);

// What a plan is checked against.
struct LoadOptions {
  // Must be set; outlives the call.
  const OperationCatalogue* operations = nullptr;
  // Ids of all checks; empty: names of checks are not judged.
  std::vector<std::string> check_ids;
  // Ids of all device profiles; empty: not judged.
  std::vector<std::string> device_profiles;
  // Not set: expressions are not compiled.
  CompileExpressions compile;
  EnvironmentLookup environment = ProcessEnvironment;
  // Not set: from disk.
  std::function<absl::StatusOr<std::string>(const std::string& path)> read_file;
};

// A plan, or everything that is wrong with it.
struct LoadResult {
  // Whole and right only if ok().
  v1::Plan plan;
  // SHA-256, 64 hexadecimal digits, of what the plan says: without places, secrets and the names of its files, so that
  // two machines that read the same plan agree.
  std::string digest;
  // Where each value stands, by its path in the plan: `target.hosts.shop.url`, `customers[0].payment`,
  // `operations.ordering.place_order.steps[1].http`.
  std::map<std::string, Location> positions;
  // Names of the files, by Location::file.
  std::vector<std::string> files;
  // In the order of the files; empty if the plan is right.
  std::vector<Mistake> mistakes;
  // Creating operations that are mapped but that `target.read_only` forbids.
  std::vector<std::string> forbidden_operations;

  bool ok() const { return mistakes.empty(); }
};

// `files` are joined as if each included the others; `overlays` are laid over them in order. Needs no network. Blocks
// on files and on `options.compile`. Never throws.
LoadResult Load(const std::vector<std::string>& files, const std::vector<std::string>& overlays,
                const LoadOptions& options);

// As LoadResult::digest.
std::string Digest(const v1::Plan& plan);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_LOAD_H_
