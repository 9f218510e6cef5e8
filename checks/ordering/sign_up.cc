#include "absl/strings/str_cat.h"
#include "checks/check_context.h"

namespace puckdrop::checks::ordering {
namespace {

Task<Judgement> Judge(CheckContext& context) {
  Journey& journey = context.journey();
  const v1::AccountFact account = co_await journey.Account();
  if (account.standing()) {
    co_return Skipped(v1::SKIP_CAUSE_DOES_NOT_APPLY, "this customer uses a standing account of the plan");
  }
  // The account must exist for somebody else than the session that made it.
  PerformOptions cold;
  cold.cold = true;
  const absl::Time start = journey.clock_now();
  const absl::Time limit = start + absl::Seconds(context.thresholds().fail());
  for (;;) {
    Ended<target::v1::GetAccountResponse> read = co_await journey.Try<target::v1::GetAccountResponse>(
        "ordering.get_account", target::v1::GetAccountRequest(), cold);
    if (read.ok()) break;
    if (read.end.kind == OperationEnd::Kind::kOurs) throw OperationEnded(std::move(read.end));
    if (journey.clock_now() + absl::Milliseconds(500) > limit) {
      co_return Failed("not_readable_elsewhere",
                       absl::StrCat("the account was made, but another session cannot use it after ",
                                    absl::ToInt64Seconds(absl::Seconds(context.thresholds().fail())),
                                    " s: ", read.end.words),
                       "the account reads from another session", read.end.words, "",
                       v1::FAILURE_REASON_WRONG_ANSWER);
    }
    co_await journey.Sleep(absl::Milliseconds(500));
  }
  Judgement judgement = AgainstThresholds(absl::ToDoubleSeconds(journey.clock_now() - start), context.thresholds(),
                                          "the new account was usable from another session after");
  co_return judgement;
}

}  // namespace

CheckDefinition sign_up() {
  return {{.id = "ordering.sign_up",
           .path = v1::PATH_ORDERING,
           .sentence = "I cannot create an account",
           .question = "Can a new customer sign up, and does the account read from another session within 5 s?",
           .stage = v1::STAGE_VISITOR,
           .order = 20,
           .operations = {"ordering.sign_up", "ordering.get_account"},
           .fail = 5,
           .unit = "s",
           .source = "5 s is a default; late activation at a league launch (Telia) kept customers out",
           .runbook = "Try to sign up by hand. If the form works, look for replication lag between the identity store and "
                      "what the session service reads.",
           .renews_journey = true},
          &Judge};
}

}  // namespace puckdrop::checks::ordering
