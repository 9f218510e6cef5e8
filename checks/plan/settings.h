#ifndef PUCKDROP_CHECKS_PLAN_SETTINGS_H_
#define PUCKDROP_CHECKS_PLAN_SETTINGS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "puckdrop/v1/plan.pb.h"

// Questions about a loaded plan that several parts ask. Pure; the plan outlives what is returned.
namespace puckdrop::plan {

// Settings in force for one check: of the patterns that match it, the one with more letters besides `*` wins, field by
// field (parameters: name by name); of two with as many, the later.
v1::Plan::CheckSettings SettingsFor(const v1::Plan& plan, absl::string_view check_id);

// A threshold as a number: a duration in seconds.
double ThresholdValue(const v1::Plan::Threshold& threshold);

// The entry of `not_judged` that covers this check for this customer, or null.
const v1::Plan::NotJudged* FindNotJudged(const v1::Plan& plan, absl::string_view check_id, absl::string_view customer);

// Null if the plan has none of that name.
const v1::Plan::Operation* FindOperation(const v1::Plan& plan, absl::string_view id);
const v1::Plan::Host* FindHost(const v1::Plan& plan, absl::string_view name);
const v1::Plan::Session* FindSession(const v1::Plan& plan, absl::string_view name);
const v1::Plan::Fragment* FindFragment(const v1::Plan& plan, absl::string_view name);
const v1::Plan::Customer* FindCustomer(const v1::Plan& plan, absl::string_view id);
const v1::Plan::Payment* FindPayment(const v1::Plan& plan, absl::string_view name);

// The customer's standing account that walks journeys: the first that has no running subscription; -1 when accounts are
// signed up.
inline int JourneyAccount(const v1::Plan::Customer& customer) {
  for (int i = 0; i < customer.accounts_size(); ++i) {
    if (!customer.accounts(i).subscribed()) return i;
  }
  return -1;
}
// The one that is watched: the first with a running subscription; -1 for none.
inline int WatchAccount(const v1::Plan::Customer& customer) {
  for (int i = 0; i < customer.accounts_size(); ++i) {
    if (customer.accounts(i).subscribed()) return i;
  }
  return -1;
}

// The offer a customer orders: theirs by name, else the first claimed for their market; null if none is claimed.
const v1::Plan::OfferClaim* OfferFor(const v1::Plan& plan, const v1::Plan::Customer& customer);

// What the plan claims as VAT for an offer in a market, in basis points.
std::optional<int> VatFor(const v1::Plan& plan, const v1::Plan::OfferClaim& offer, absl::string_view market);

// Whether `returns` of the operation gives this field: `invoices.lines.vat_basis_points`. A message or list given as
// one expression is taken to give all its fields.
bool Returns(const v1::Plan::Operation& operation, absl::string_view field_path);

// How often to look `since_puck_drop` after (negative: before) puck drop: the shortest pace of all phases that apply;
// nothing if none says.
struct Pace {
  std::optional<absl::Duration> watch_every;
  std::optional<absl::Duration> journeys_every;
};
Pace PaceAt(const v1::Plan& plan, absl::Duration since_puck_drop);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_SETTINGS_H_
