// Why is this check red, since when, for whom, and what changed? The answer of CheckService.ExplainCheck.
#ifndef PUCKDROP_SERVICES_READINESS_EXPLAIN_H_
#define PUCKDROP_SERVICES_READINESS_EXPLAIN_H_

#include "absl/status/statusor.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/verdict.pb.h"
#include "services/readiness/archive.h"

namespace puckdrop::readiness {

// How many earlier rows of failures are told.
inline constexpr int kMostSimilar = 5;

// Explains every instance of `description` in the verdict, worst first; those of one customer if the request names one.
// Blocks on the archive, which may be nullptr: then only what the verdict says is told. NOT_FOUND when the plan expects
// the check of nobody, or not of this customer; the archive's errors.
absl::StatusOr<v1::ExplainCheckResponse> Explain(const v1::ExplainCheckRequest& request, const v1::Verdict& verdict,
                                                 const v1::CheckDescription& description, Archive* archive);

}  // namespace puckdrop::readiness

#endif  // PUCKDROP_SERVICES_READINESS_EXPLAIN_H_
