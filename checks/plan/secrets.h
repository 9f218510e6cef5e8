#ifndef PUCKDROP_CHECKS_PLAN_SECRETS_H_
#define PUCKDROP_CHECKS_PLAN_SECRETS_H_

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checks/plan/load.h"
#include "puckdrop/v1/plan.pb.h"

namespace puckdrop::plan {

// A secret's value. It converts to nothing, prints as nothing, and is wiped when it goes.
class SecretValue {
 public:
  SecretValue() = default;
  explicit SecretValue(std::string value) : value_(std::move(value)) {}
  SecretValue(const SecretValue&) = default;
  SecretValue(SecretValue&&) = default;
  SecretValue& operator=(const SecretValue&) = default;
  SecretValue& operator=(SecretValue&&) = default;
  ~SecretValue();

  // The secret itself: for the wire, an HMAC's key and the redactor only.
  const std::string& Reveal() const { return value_; }

 private:
  std::string value_;
};

// Resolves the references of a plan when they are used, and remembers the values so that a redactor can know them.
// Thread-safe. Blocks on files.
class SecretStore {
 public:
  explicit SecretStore(EnvironmentLookup environment = ProcessEnvironment) : environment_(std::move(environment)) {}

  // A missing or empty secret is NOT_FOUND with the reference and its use, never the value: the operation ends OURS. A
  // value is read once; a failure is tried anew. A file may hold at most 64 KiB.
  absl::StatusOr<SecretValue> Resolve(const v1::Secret& secret);

  // Every value resolved so far and longer than three bytes, longest first: what a redactor must take out.
  std::vector<SecretValue> Known() const;

 private:
  EnvironmentLookup environment_;
  mutable std::mutex mutex_;
  std::map<std::string, SecretValue> values_;
};

// `{ env: NAME }` or `{ file: PATH }`, for messages.
std::string Describe(const v1::Secret& secret);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SECRETS_H_
