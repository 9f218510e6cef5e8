#include "services/prober/observing_port.h"

#include <utility>

namespace puckdrop::prober {

boost::asio::awaitable<checks::OperationEnd> ObservingPort::Perform(const std::string& operation,
                                                                    const google::protobuf::Message& request,
                                                                    const checks::Actor& actor,
                                                                    const checks::PerformOptions& options,
                                                                    std::string& kept_json) {
  // A storm of retries is told by its last ones.
  constexpr size_t kMost = 64;
  std::string id = operation;
  checks::OperationEnd end = co_await inner_.Perform(operation, request, actor, options, kept_json);
  // Of the evidence, which is long, one copy is enough.
  std::vector<v1::Evidence> evidence = std::exchange(end.evidence, {});
  checks::OperationEnd seen = end;
  seen.operation = id;
  seen.response = nullptr;
  if (look_.size() == kMost) look_.erase(look_.begin());
  look_.push_back(seen);
  seen.evidence = evidence;
  last_[id] = std::move(seen);
  end.evidence = std::move(evidence);
  co_return end;
}

const checks::OperationEnd* ObservingPort::Last(const std::string& operation) const {
  auto it = last_.find(operation);
  return it == last_.end() ? nullptr : &it->second;
}

}  // namespace puckdrop::prober
