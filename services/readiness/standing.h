// Where one instance stands, from the newest results: the first half of the verdict. Used by verdict.cc only.
#ifndef PUCKDROP_SERVICES_READINESS_STANDING_H_
#define PUCKDROP_SERVICES_READINESS_STANDING_H_

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "services/readiness/verdict.h"

namespace puckdrop::readiness::internal {

// Holds references to its input, which must outlive it.
class Standings {
 public:
  Standings(const VerdictInput& input, const std::vector<v1::WaiverState>& waivers);

  // Over all vantages.
  v1::InstanceStanding Of(const Instance& instance) const;

 private:
  struct View {
    v1::Standing standing = v1::STANDING_UNKNOWN;
    std::string why;
    std::string root;
    int waiver = -1;
    const v1::Result* result = nullptr;
  };
  using Visited = std::set<std::pair<std::string, std::string>>;

  absl::Duration AgeOf(const v1::Result& result) const;
  bool IsNewer(const v1::Result& a, const v1::Result& b) const;
  // The newest result of an instance from one vantage; nullptr if there is none.
  const v1::Result* Newest(const std::string& check, const std::string& customer, const std::string& vantage) const;
  // What one vantage says about an instance. Waivers are looked up for `for_customer`, which for a root that is judged
  // once for all differs from `customer`.
  View See(const std::string& check, const std::string& customer, const std::string& for_customer,
           const std::string& vantage, Visited& visited) const;
  View SeeFailure(const v1::Result& result, const std::string& for_customer) const;
  View SeeBlocked(const v1::Result& result, const std::string& for_customer, const std::string& vantage,
                  Visited& visited) const;
  // Whether the waiver covers these findings of a check for a customer.
  static bool Covers(const WaiverInput& waiver, const std::string& check, const std::string& for_customer,
                     const v1::Result* result);

  const VerdictInput& input_;
  const std::vector<v1::WaiverState>& waivers_;
  std::vector<std::string> vantages_;
  std::map<std::tuple<std::string, std::string, std::string>, const v1::Result*> newest_;
  std::map<std::pair<std::string, std::string>, absl::Duration> max_age_;
};

// What was found, in words for people, without a full stop: the summary, else the first finding.
std::string WordsOf(const v1::Result& result);

}  // namespace puckdrop::readiness::internal

#endif  // PUCKDROP_SERVICES_READINESS_STANDING_H_
