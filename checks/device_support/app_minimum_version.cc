#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "puckdrop/target/v1/device_support.pb.h"

namespace puckdrop::checks::device_support {
namespace {

// "2.0.0" -> "1.0.0": older beyond doubt, and still a version.
std::string Older(const std::string& minimum) {
  int major = 0;
  if (!absl::SimpleAtoi(minimum.substr(0, minimum.find('.')), &major) || major <= 0) return "0.0.1";
  return absl::StrCat(major - 1, ".0.0");
}

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  std::string minimum;
  for (const v1::Plan::NamedText& claim : context.plan().claims().minimum_app_version()) {
    if (claim.name() == "*" && minimum.empty()) minimum = claim.value();
    if (claim.name() == context.customer().device()) minimum = claim.value();
  }
  if (minimum.empty()) {
    co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY,
                      absl::StrCat("the plan claims no minimum app version for ", context.customer().device()));
  }
  target::v1::CheckDeviceRequest request;
  *request.mutable_device() = journey.Device();
  request.set_language(context.customer().language());

  // The positive control: an app that is new enough is let in, so a refusal of the old one means something.
  request.mutable_device()->set_app_version(
      context.customer().app_version().empty() ? minimum : context.customer().app_version());
  const target::v1::CheckDeviceResponse current =
      co_await journey.Perform<target::v1::CheckDeviceResponse>("device_support.check_device", request);
  if (!current.supported()) {
    co_return Failed("device_not_supported",
                     absl::StrCat("the launch claims ", context.customer().device(), ", and the target does not support it"),
                     "supported", "not supported");
  }

  const std::string old = Older(minimum);
  request.mutable_device()->set_app_version(old);
  Ended<target::v1::CheckDeviceResponse> ended =
      co_await journey.Try<target::v1::CheckDeviceResponse>("device_support.check_device", request);
  if (ended.ok()) {
    co_return Failed("old_app_let_in", absl::StrCat("app ", old, " is older than ", minimum, " and nobody tells the customer"),
                     "refused UPDATE_REQUIRED", "let in");
  }
  if (ended.end.kind == OperationEnd::Kind::kFault || ended.end.kind == OperationEnd::Kind::kUnreadable) {
    co_return Failed("old_app_crashes", absl::StrCat("app ", old, " gets an error instead of a way out: ", ended.end.words),
                     "refused UPDATE_REQUIRED", ended.end.words, "", v1::FAILURE_REASON_TARGET_FAULT);
  }
  if (ended.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(ended.end));
  if (!ended.refused(target::v1::REASON_UPDATE_REQUIRED)) {
    co_return Failed("refused_for_another_reason",
                     absl::StrCat("app ", old, " is refused, and not told to update: ", ended.end.words),
                     "refused UPDATE_REQUIRED", ended.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }
  const double seconds = absl::ToDoubleSeconds(ended.end.finish - ended.end.start);
  Judgement judgement = AgainstThresholds(seconds, context.thresholds(),
                                          absl::StrCat("app ", old, " was told to update after"));
  if (judgement.outcome == v1::OUTCOME_PASSED && ended.end.refusal.link().empty()) {
    judgement.warning = true;
    absl::StrAppend(&judgement.summary, ", without a link to the store");
  }
  co_return judgement;
}

}  // namespace

CheckDefinition app_minimum_version() {
  return {{.id = "device_support.app_minimum_version",
           .path = v1::PATH_DEVICE_SUPPORT,
           .sentence = "My app just shows an error",
           .question = "Is an app that is too old told to update, and one that is new enough let in?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 30,
           .operations = {"device_support.check_device"},
           .stands_on = {},
           .warn = 1,
           .unit = "s",
           .source = "HTTP 426 (RFC 9110 15.5.22); 1 s is a default",
           .runbook = "Send the request of the evidence with an old version; the answer must be structured and name the store.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::device_support
