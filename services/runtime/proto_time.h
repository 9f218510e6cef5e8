// absl's times and protobuf's.
#ifndef PUCKDROP_SERVICES_RUNTIME_PROTO_TIME_H_
#define PUCKDROP_SERVICES_RUNTIME_PROTO_TIME_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace puckdrop::runtime {

// Infinite and out-of-range times become the nearest that a Timestamp can hold (years 1 to 9999).
inline google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  constexpr int64_t kFirst = -62135596800;
  constexpr int64_t kLast = 253402300799;
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(std::clamp(seconds, kFirst, kLast));
  if (seconds == timestamp.seconds()) {
    timestamp.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  }
  return timestamp;
}

inline absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

inline google::protobuf::Duration ToProtoDuration(absl::Duration duration) {
  constexpr int64_t kMost = 315576000000;
  google::protobuf::Duration proto;
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  proto.set_seconds(std::clamp(seconds, -kMost, kMost));
  if (seconds == proto.seconds()) proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

inline absl::Duration FromProtoDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_PROTO_TIME_H_
