// Evidence in memory, the newest of it.
#ifndef PUCKDROP_SERVICES_READINESS_EVIDENCE_BOX_H_
#define PUCKDROP_SERVICES_READINESS_EVIDENCE_BOX_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "puckdrop/v1/result.pb.h"

namespace puckdrop::readiness {

// Loop thread only.
class EvidenceBox {
 public:
  explicit EvidenceBox(size_t bytes) : limit_(bytes) {}

  // What is beyond the limit goes, the oldest first.
  void Keep(const v1::Evidence& evidence) {
    if (kept_.count(evidence.name()) > 0) return;
    bytes_ += evidence.content().size();
    kept_[evidence.name()] = std::make_shared<const v1::Evidence>(evidence);
    order_.push_back(evidence.name());
    while (bytes_ > limit_ && !order_.empty()) {
      const auto oldest = kept_.find(order_.front());
      bytes_ -= oldest->second->content().size();
      kept_.erase(oldest);
      order_.pop_front();
    }
  }
  // nullptr if it is not there (any more).
  std::shared_ptr<const v1::Evidence> Find(const std::string& name) const {
    const auto found = kept_.find(name);
    return found == kept_.end() ? nullptr : found->second;
  }

 private:
  const size_t limit_;
  size_t bytes_ = 0;
  std::map<std::string, std::shared_ptr<const v1::Evidence>> kept_;
  std::deque<std::string> order_;
};

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_EVIDENCE_BOX_H_
