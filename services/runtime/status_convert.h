// absl::Status inside, grpc::Status only at the edge: the one pair of converters between them, and the detail that
// travels beside them.
#ifndef PUCKDROP_SERVICES_RUNTIME_STATUS_CONVERT_H_
#define PUCKDROP_SERVICES_RUNTIME_STATUS_CONVERT_H_

#include <grpcpp/support/status.h>

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "puckdrop/v1/error.pb.h"

namespace puckdrop::runtime {

// Trailing metadata that carries a serialized puckdrop.v1.ErrorInfo.
inline constexpr char kErrorInfoMetadata[] = "puckdrop-error-info-bin";
// The longest message and the longest detail that are sent: trailers past 8 KiB break a call.
inline constexpr size_t kLongestStatusMessage = 3072;
inline constexpr size_t kLongestErrorInfo = 3072;

// The code is kept, whatever it is; a message longer than kLongestStatusMessage is cut on a character's border, and
// bytes that are not UTF-8 are replaced. The detail is not in it: see SerializedErrorInfo.
grpc::Status ToGrpcStatus(const absl::Status& status);
// A code that absl does not know becomes UNKNOWN.
absl::Status FromGrpcStatus(const grpc::Status& status);

// The status with a detail for machines: `reason` is UPPER_SNAKE_CASE, `metadata` repeats the dynamic values of the
// message. OK stays OK.
absl::Status WithReason(absl::Status status, absl::string_view reason,
                        const std::map<std::string, std::string>& metadata = {});
// nullopt when the status carries none.
std::optional<v1::ErrorInfo> ErrorInfoOf(const absl::Status& status);
// The reason of ErrorInfoOf; empty when there is none.
std::string ReasonOf(const absl::Status& status);

// For the trailing metadata; empty when there is none or it would be too long.
std::string SerializedErrorInfo(const absl::Status& status);
// The reverse; what cannot be read is left out.
absl::Status WithSerializedErrorInfo(absl::Status status, absl::string_view serialized);

}  // namespace puckdrop::runtime

#endif  // PUCKDROP_SERVICES_RUNTIME_STATUS_CONVERT_H_
