#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/check_context.h"
#include "checks/words.h"

namespace puckdrop::checks::cancellation {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.SideJourney("withdrawal");
  const v1::OrderFact order = co_await journey.Order();
  target::v1::WithdrawContractRequest request;
  request.set_order_id(order.order().order_id());
  request.set_name("Pilot Customer");
  request.set_electronic_address(journey.actor().email);
  const absl::Time start = journey.clock_now();
  Ended<target::v1::WithdrawContractResponse> ended =
      co_await journey.Try<target::v1::WithdrawContractResponse>("cancellation.withdraw_contract", request);
  if (!ended.ok()) {
    if (ended.end.kind != OperationEnd::Kind::kRefused) throw OperationEnded(std::move(ended.end));
    co_return Failed("refused", absl::StrCat("a customer on day 0 cannot withdraw: ", ended.end.words), "acknowledged",
                     ended.end.words, "", v1::FAILURE_REASON_UNEXPECTED_REFUSAL);
  }

  const bool mail = journey.operations().Mapping("ordering.list_messages").state == OperationMapping::State::kMapped;
  const std::string& receipt = ended.response.receipt_id();
  if (receipt.empty() && !mail) {
    co_return Failed("not_acknowledged", "the withdrawal is answered without an acknowledgement", "an acknowledgement",
                     "none");
  }
  if (mail) {
    const absl::Time limit = start + absl::Seconds(context.thresholds().fail());
    bool arrived = false;
    while (!arrived) {
      journey.ForgetReads();
      const target::v1::ListMessagesResponse messages = co_await journey.Messages();
      for (const target::v1::Message& message : messages.messages()) {
        if (message.has_receive_time() && TimeOf(message.receive_time()) < start - absl::Seconds(5)) continue;
        arrived = arrived || (receipt.empty() ? absl::StrContains(absl::AsciiStrToLower(message.subject()), "withdraw")
                                              : absl::StrContains(message.text(), receipt) ||
                                                    absl::StrContains(message.html(), receipt));
      }
      if (!arrived && journey.clock_now() + absl::Milliseconds(500) > limit) {
        co_return Failed("not_acknowledged", "no acknowledgement of the withdrawal arrived",
                         "a message with content, date and time", "none");
      }
      if (!arrived) co_await journey.Sleep(absl::Milliseconds(500));
    }
  }
  if (ended.response.has_refund() && !Same(ended.response.refund(), journey.Claim().price())) {
    co_return Failed("wrong_refund",
                     absl::StrCat("the customer withdraws on day 0 and is promised ", Words(ended.response.refund())),
                     Words(journey.Claim().price()), Words(ended.response.refund()));
  }
  co_return AgainstThresholds(absl::ToDoubleSeconds(journey.clock_now() - start), context.thresholds(),
                              "withdrawing was acknowledged after");
}

}  // namespace

CheckDefinition withdrawal_function() {
  return {{.id = "cancellation.withdrawal_function",
           .path = v1::PATH_CANCELLATION,
           .sentence = "I cannot withdraw from the contract",
           .question = "Is there a withdrawal function that acknowledges at once?",
           .stage = v1::STAGE_SUBSCRIBER,
           .order = 40,
           .operations = {"cancellation.withdraw_contract", "ordering.place_order"},
           .stands_on = {"ordering.order_completes"},
           .fail = 60,
           .unit = "s",
           .source = "Directive (EU) 2023/2673, Art 11a of 2011/83/EU, applies from 2026-06-19",
           .runbook = "Open the page labelled 'Withdraw from contract here' without signing in and send the form; look at the "
                      "acknowledgement mail.",
           .own_account = true},
          &Judge};
}

}  // namespace puckdrop::checks::cancellation
