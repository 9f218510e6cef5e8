#include "absl/strings/str_cat.h"
#include "checks/check_context.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::AccountFact account = co_await journey.Account();

  // A device that was never seen, new connections, a new session: a warm session elsewhere proves nothing.
  const std::string known_device = journey.UseDevice(journey.NewDevice());
  target::v1::SignInRequest request;
  request.set_username(account.email());
  request.set_password(journey.actor().password);
  *request.mutable_device() = journey.Device();
  PerformOptions cold;
  cold.cold = true;
  const absl::Time start = journey.clock_now();
  Ended<target::v1::SignInResponse> signed_in =
      co_await journey.Try<target::v1::SignInResponse>("ordering.sign_in", request, cold);
  const double seconds = absl::ToDoubleSeconds(journey.clock_now() - start);
  if (!signed_in.ok()) {
    journey.UseDevice(known_device);
    if (signed_in.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(signed_in.end));
    co_return Failed("refused", absl::StrCat("a customer with the right password cannot sign in on a new device: ",
                                             signed_in.end.words),
                     "signed in", signed_in.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }

  // The same door must stay shut for the wrong key, and say so as a refusal.
  request.set_password("not-" + journey.actor().password);
  journey.UseDevice(journey.NewDevice());
  request.mutable_device()->set_instance_id(journey.device_instance());
  Ended<target::v1::SignInResponse> wrong =
      co_await journey.Try<target::v1::SignInResponse>("ordering.sign_in", request, cold);
  journey.UseDevice(known_device);
  if (wrong.ok()) {
    co_return Failed("wrong_password_accepted", "a wrong password opens the account", "refused UNAUTHENTICATED",
                     "signed in");
  }
  if (wrong.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(wrong.end));
  if (!wrong.refused(target::v1::REASON_UNAUTHENTICATED)) {
    co_return Failed("wrong_password_unclear",
                     absl::StrCat("a wrong password is refused for another reason: ", wrong.end.words),
                     "refused UNAUTHENTICATED", wrong.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }
  co_return AgainstThresholds(seconds, context.thresholds(), "signing in on a new device took");
}

}  // namespace

CheckDefinition sign_in() {
  return {{.id = "ordering.sign_in",
           .path = v1::PATH_ORDERING,
           .sentence = "I cannot sign in on the night",
           .question = "Does the right password open a device that was never seen, and a wrong one not?",
           .stage = v1::STAGE_VISITOR,
           .order = 30,
           .operations = {"ordering.sign_in"},
           .stands_on = {"ordering.sign_up"},
           .warn = 3,
           .fail = 10,
           .unit = "s",
           .source = "the door broke in 19 of 48 documented launch failures; 3 s and 10 s are defaults",
           .runbook = "Sign in by hand from a private window. Look at the identity provider's errors, its rate limits and the "
                      "rules for unknown devices.",
           .watch = v1::CheckDescription::WATCH_SUBSCRIBER},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
