// Where probers are, as they are given on the command line.
#ifndef PUCKDROP_SERVICES_CLI_PROBER_ADDRESSES_H_
#define PUCKDROP_SERVICES_CLI_PROBER_ADDRESSES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "puckdrop/v1/result.pb.h"

namespace puckdrop::cli {

// Where a prober is, and which place that is; `vantage` empty: the launch has one place.
struct ProberAddress {
  std::string vantage;
  std::string address;  // host:port
};
using ProberAddresses = std::map<v1::Path, std::vector<ProberAddress>>;

// `billing=10.0.0.7:7075`, `playback=helsinki@a:7074,helsinki@b:7074,stockholm@c:7074`; adds to what is there.
// INVALID_ARGUMENT with what is wrong.
absl::Status ParseProbers(const std::string& text, ProberAddresses* into);

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_PROBER_ADDRESSES_H_
