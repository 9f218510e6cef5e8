#include "services/prober/outcome.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::prober {

using checks::Judgement;
using checks::OperationEnd;

Judgement JudgementOf(const OperationEnd& end) {
  const std::string words = end.words.empty() ? absl::StrCat(end.operation, " did not end well") : end.words;
  switch (end.kind) {
    case OperationEnd::Kind::kRefused:
      return checks::Failed("unexpected_refusal", words, end.expected, end.actual, end.operation,
                            v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
    case OperationEnd::Kind::kFault:
      if (end.certificate) {
        return checks::Failed("certificate", words, end.expected, end.actual, end.operation,
                              v1::FAILURE_REASON_CERTIFICATE);
      }
      return checks::Failed("target_fault", words, end.expected, end.actual, end.operation,
                            v1::FAILURE_REASON_TARGET_FAULT);
    case OperationEnd::Kind::kUnreadable:
      return checks::Failed("unreadable", words, end.expected, end.actual, end.operation,
                            v1::FAILURE_REASON_UNREADABLE);
    case OperationEnd::Kind::kOurs:
      if (end.unreachable) return checks::Inconclusive(words, v1::FAILURE_REASON_UNREACHABLE);
      return checks::Inconclusive(words, v1::FAILURE_REASON_OURS);
    case OperationEnd::Kind::kOk:
      break;
  }
  return checks::Inconclusive(absl::StrCat("the check gave up although ", end.operation, " ended OK"));
}

Looks::Looks(int attempts) : attempts_(std::clamp(attempts, 1, 3)) {}

Looks::Next Looks::Add(Judgement judgement) {
  ++taken_;
  last_ = std::move(judgement);
  switch (last_.outcome) {
    case v1::OUTCOME_FAILED:
      if (failed_) {
        confirmed_ = true;
        return Next::kDone;
      }
      failed_ = last_;
      return Next::kSecondLook;
    case v1::OUTCOME_INCONCLUSIVE:
      ++inconclusive_;
      if (failed_ || inconclusive_ >= attempts_) return Next::kDone;
      return Next::kRetry;
    default:
      return Next::kDone;
  }
}

Looks::Final Looks::Take() const {
  Final final;
  final.attempts = taken_;
  if (confirmed_) {
    // The second look is the newer one, but what both saw is what is told when they differ in words only.
    final.judgement = last_;
    final.confirmed = true;
  } else if (failed_ && last_.outcome != v1::OUTCOME_PASSED) {
    final.judgement = *failed_;
  } else {
    final.judgement = last_;
    final.flaky = last_.outcome == v1::OUTCOME_PASSED && taken_ > 1;
  }
  return final;
}

}  // namespace puckdrop::prober
