#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::CancelledFact cancelled = co_await journey.Cancel();
  const std::string& receipt = cancelled.receipt_id();
  if (journey.operations().Mapping("ordering.list_messages").state != OperationMapping::State::kMapped) {
    if (!journey.operations().Returns("cancellation.cancel_subscription", "receipt_id")) {
      co_return Skipped(v1::SKIP_CAUSE_NOT_MAPPED,
                        "no proof can be seen: map ordering.list_messages or return receipt_id");
    }
    if (receipt.empty()) {
      co_return Failed("no_receipt", "the cancellation is answered without any proof of it", "a receipt number", "none");
    }
    Judgement judgement = Passed(absl::StrCat("receipt ", receipt, " (mail cannot be read, so durable proof is not seen)"));
    judgement.warning = true;
    co_return judgement;
  }
  const absl::Time cancelled_at = TimeOf(cancelled.time());
  const absl::Time limit = cancelled_at + absl::Seconds(context.thresholds().fail());
  for (;;) {
    const target::v1::ListMessagesResponse messages = co_await journey.Messages();
    for (const target::v1::Message& message : messages.messages()) {
      // Two machines' clocks: five seconds of leeway.
      if (message.has_receive_time() && TimeOf(message.receive_time()) < cancelled_at - absl::Seconds(5)) continue;
      const bool about = receipt.empty()
                             ? absl::StrContains(absl::AsciiStrToLower(message.subject()), "cancel")
                             : absl::StrContains(message.text(), receipt) || absl::StrContains(message.html(), receipt) ||
                                   absl::StrContains(message.subject(), receipt);
      if (!about) continue;
      co_return AgainstThresholds(std::max(0.0, absl::ToDoubleSeconds(journey.clock_now() - cancelled_at)),
                                  context.thresholds(), "proof of the cancellation arrived after");
    }
    if (journey.clock_now() + absl::Milliseconds(500) > limit) {
      co_return Failed("no_receipt",
                       absl::StrCat("no proof of the cancellation arrived in ",
                                    static_cast<int64_t>(context.thresholds().fail()), " s"),
                       "a message with date and receipt",
                       absl::StrCat(Count(messages.messages_size(), "message"), ", none about it"));
    }
    co_await journey.Sleep(absl::Milliseconds(500));
    journey.ForgetReads();
  }
}

}  // namespace

CheckDefinition receipt() {
  return {{.id = "cancellation.receipt",
           .path = v1::PATH_CANCELLATION,
           .sentence = "I have no proof that I cancelled",
           .question = "Does proof of the cancellation reach the customer on a durable medium?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 30,
           .operations = {"cancellation.cancel_subscription"},
           .stands_on = {"ordering.order_completes", "ordering.sign_in", "cancellation.takes_effect"},
           .fail = 60,
           .unit = "s",
           .source = "Directive 2011/83/EU Art 11a(4): acknowledgement on a durable medium with content, date and time",
           .runbook = "Look at the mail queue and at the template of the cancellation mail."},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
