#include "tests/fakes/fake_target.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace puckdrop::fakes {
namespace {

namespace tv1 = ::puckdrop::target::v1;
using checks::Actor;
using checks::OperationEnd;

absl::TimeZone Helsinki() {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Helsinki", &zone);
  return zone;
}

std::string Date(absl::Time time) { return absl::FormatCivilTime(absl::ToCivilDay(time, Helsinki())); }

absl::Time MonthLater(absl::Time time) {
  const absl::CivilSecond at = absl::ToCivilSecond(time, Helsinki());
  return absl::FromCivil(absl::CivilSecond(at.year(), at.month() + 1, at.day(), at.hour(), at.minute(), at.second()),
                         Helsinki());
}

void Stamp(absl::Time time, google::protobuf::Timestamp* out) { out->set_seconds(absl::ToUnixSeconds(time)); }

tv1::Money Euro(int64_t minor_units) {
  tv1::Money money;
  money.set_currency_code("EUR");
  money.set_minor_units(minor_units);
  return money;
}

template <typename T>
const T& As(const google::protobuf::Message& message) {
  return dynamic_cast<const T&>(message);
}

}  // namespace

FakeTarget::FakeTarget(runtime::FakeClock* clock) : clock_(clock) {
  tv1::Offer season;
  season.set_offer_id("season");
  season.set_title("Season pass");
  *season.mutable_price()->mutable_gross() = Euro(1490);
  season.mutable_price()->set_vat_basis_points(2550);
  season.set_purchasable(true);
  season.set_billing_period("P1M");
  season.set_minimum_term("P0D");
  season.set_auto_renews(true);
  season.set_cancellation_text("Cancel any time in your account");
  season.set_first_charge_date(Date(clock->Now()));
  offers.push_back(season);
  tv1::Offer early = season;
  early.set_offer_id("early_bird");
  early.set_first_charge_date(Date(clock->Now() + absl::Hours(24 * 7)));
  offers.push_back(early);
}

OperationEnd FakeTarget::Ok(const google::protobuf::Message& response) {
  OperationEnd end;
  end.kind = OperationEnd::Kind::kOk;
  std::shared_ptr<google::protobuf::Message> copy(response.New());
  copy->CopyFrom(response);
  end.response = std::move(copy);
  return end;
}

OperationEnd FakeTarget::Refused(tv1::Reason reason, const std::string& text) {
  OperationEnd end;
  end.kind = OperationEnd::Kind::kRefused;
  end.refusal.set_reason(reason);
  end.refusal.set_text(text.empty() ? "no" : text);
  end.words = absl::StrCat("refused: ", tv1::Reason_Name(reason));
  return end;
}

OperationEnd FakeTarget::Fault(const std::string& words) {
  OperationEnd end;
  end.kind = OperationEnd::Kind::kFault;
  end.words = words;
  return end;
}

int FakeTarget::performed(const std::string& operation) const {
  auto found = performed_.find(operation);
  return found == performed_.end() ? 0 : found->second;
}

boost::asio::awaitable<OperationEnd> FakeTarget::Perform(const std::string& operation,
                                                         const google::protobuf::Message& request, const Actor& actor,
                                                         const checks::PerformOptions& options,
                                                         std::string& kept_json) {
  ++performed_[operation];
  began_from[operation].push_back(options.from_commit);
  const absl::Time start = clock_->Now();
  auto handler = handlers_.find(operation);
  OperationEnd end = handler != handlers_.end() ? handler->second(request, actor) : Shop(operation, request, actor);
  end.operation = operation;
  if (end.start == absl::UnixEpoch()) end.start = start;
  if (end.commit == absl::UnixEpoch()) end.commit = start;
  end.finish = clock_->Now();
  co_return end;
}

absl::Time FakeTarget::Now(const AccountRecord& account) const { return clock_->Now() + account.ahead; }

const tv1::Offer* FakeTarget::OfferOf(const std::string& id) const {
  for (const tv1::Offer& offer : offers) {
    if (offer.offer_id() == id) return &offer;
  }
  return nullptr;
}

void FakeTarget::Capture(AccountRecord& account, OrderRecord& order, absl::Time at) {
  const int64_t price = OfferOf(order.offer_id)->price().gross().minor_units();
  const int64_t charged = habits.charge_minor_units ? habits.charge_minor_units : price;
  const int64_t invoiced = habits.invoice_minor_units ? habits.invoice_minor_units : price;
  for (int i = 0; i < habits.captures_per_order; ++i) {
    tv1::Charge charge;
    charge.set_charge_id(absl::StrCat("ch-", ++next_charge_));
    charge.set_state(tv1::CHARGE_STATE_SUCCEEDED);
    *charge.mutable_amount() = Euro(charged);
    Stamp(at, charge.mutable_charge_time());
    charge.set_order_id(order.id);
    charge.set_subscription_id("sub-" + order.id);
    account.charges.push_back(charge);
  }
  order.captured = true;
  ++order.charges;
  tv1::Invoice invoice;
  invoice.set_invoice_id(absl::StrCat("in-", next_charge_));
  invoice.set_number(invoice.invoice_id());
  invoice.set_issue_date(Date(at));
  *invoice.mutable_total() = Euro(invoiced);
  invoice.set_order_id(order.id);
  invoice.set_state(tv1::INVOICE_STATE_PAID);
  tv1::InvoiceLine* line = invoice.add_lines();
  line->set_text("Season pass");
  *line->mutable_gross() = Euro(invoiced);
  const int64_t basis = habits.invoice_vat_basis_points;
  const int64_t vat = (invoiced * basis + (10000 + basis) / 2) / (10000 + basis);
  line->set_vat_basis_points(static_cast<int32_t>(basis));
  line->set_vat_minor_units(vat);
  line->set_net_minor_units(invoiced - vat);
  invoice.set_vat_minor_units(vat);
  account.invoices.push_back(invoice);
}

void FakeTarget::Bill(AccountRecord& account) {
  for (OrderRecord& order : account.orders) {
    if (order.declined || order.withdrawn) continue;
    const tv1::Offer* offer = OfferOf(order.offer_id);
    absl::CivilDay first;
    const bool dated = absl::ParseCivilTime(offer->first_charge_date(), &first);
    const absl::Time due = dated ? absl::FromCivil(first, Helsinki()) : order.placed;
    if (!order.captured && (habits.charge_at_order_always || Now(account) >= due)) {
      Capture(account, order, std::max(order.placed, habits.charge_at_order_always ? order.placed : due));
    }
    for (int period = 0; period < 36 && Now(account) >= order.paid_through; ++period) {
      if (order.cancelled && !habits.cancel_does_nothing && !habits.charges_after_cancel) break;
      Capture(account, order, order.paid_through);
      order.paid_through = MonthLater(order.paid_through);
    }
  }
}

bool FakeTarget::Entitled(const AccountRecord& account, const OrderRecord& order) const {
  if (order.declined) return habits.declined_entitles;
  if (order.withdrawn) return false;
  if (order.cancelled && habits.access_ends_at_cancel) return false;
  if (order.cancelled && habits.access_never_ends) return true;
  return clock_->Now() >= order.placed + habits.activation && Now(account) < order.paid_through;
}

OperationEnd FakeTarget::Shop(const std::string& operation, const google::protobuf::Message& request,
                              const Actor& actor) {
  if (operation == "ordering.list_offers") {
    tv1::ListOffersResponse response;
    for (const tv1::Offer& offer : offers) *response.add_offers() = offer;
    return Ok(response);
  }
  if (operation == "ordering.sign_up") {
    const auto& sign_up = As<tv1::SignUpRequest>(request);
    accounts_[sign_up.email()].password = sign_up.password();
    tv1::SignUpResponse response;
    response.set_account_id("acc-" + sign_up.email());
    return Ok(response);
  }
  if (operation == "ordering.sign_in") {
    const auto& sign_in = As<tv1::SignInRequest>(request);
    auto found = accounts_.find(sign_in.username());
    if (found == accounts_.end() || found->second.password != sign_in.password()) {
      return Refused(tv1::REASON_UNAUTHENTICATED, "wrong name or password");
    }
    tv1::SignInResponse response;
    response.set_account_id("acc-" + sign_in.username());
    return Ok(response);
  }
  if (operation == "device_support.check_device") {
    const auto& device = As<tv1::CheckDeviceRequest>(request).device();
    if (device.app_version() < habits.minimum_app_version && !device.app_version().empty() &&
        !habits.old_app_welcome) {
      OperationEnd end = Refused(tv1::REASON_UPDATE_REQUIRED, "Please update the app");
      end.refusal.set_link("https://store.example/app");
      return end;
    }
    tv1::CheckDeviceResponse response;
    response.set_supported(true);
    return Ok(response);
  }
  if (operation == "target.get_configuration") {
    tv1::GetConfigurationResponse response;
    response.set_fingerprint("v1");
    return Ok(response);
  }
  auto found = accounts_.find(actor.email);
  if (found == accounts_.end()) return Refused(tv1::REASON_UNAUTHENTICATED, "sign in first");
  AccountRecord& account = found->second;
  Bill(account);

  if (operation == "ordering.get_account") {
    tv1::GetAccountResponse response;
    response.set_account_id("acc-" + actor.email);
    response.set_email(actor.email);
    return Ok(response);
  }
  if (operation == "ordering.preview_order") {
    const tv1::Offer* offer = OfferOf(As<tv1::PreviewOrderRequest>(request).offer_id());
    if (offer == nullptr) return Refused(tv1::REASON_NOT_FOUND);
    tv1::PreviewOrderResponse response;
    *response.mutable_terms()->mutable_total() = offer->price();
    response.mutable_terms()->set_billing_period(offer->billing_period());
    response.mutable_terms()->set_minimum_term(offer->minimum_term());
    response.mutable_terms()->set_auto_renews(offer->auto_renews());
    response.mutable_terms()->set_cancellation_text(offer->cancellation_text());
    return Ok(response);
  }
  if (operation == "ordering.place_order") {
    const auto& place = As<tv1::PlaceOrderRequest>(request);
    const tv1::Offer* offer = OfferOf(place.offer_id());
    if (offer == nullptr) return Refused(tv1::REASON_NOT_FOUND);
    OrderRecord* order = nullptr;
    for (OrderRecord& earlier : account.orders) {
      if (earlier.key == place.idempotency_key() && !habits.order_again_on_retry) order = &earlier;
    }
    if (order != nullptr && habits.charge_again_on_retry) Capture(account, *order, Now(account));
    if (order == nullptr) {
      const bool declined = place.payment_case() != tv1::PAYMENT_CASE_ACCEPTED;
      if (declined && !habits.declined_leaves_order && !habits.declined_entitles) {
        return Refused(tv1::REASON_DECLINED, "the card was declined");
      }
      OrderRecord record;
      record.id = absl::StrCat("ord-", ++next_order_);
      record.key = place.idempotency_key();
      record.offer_id = place.offer_id();
      record.placed = Now(account);
      record.paid_through = MonthLater(record.placed);
      record.declined = declined;
      account.orders.push_back(record);
      if (declined) return Refused(tv1::REASON_DECLINED, "the card was declined");
      order = &account.orders.back();
      Bill(account);
    }
    tv1::PlaceOrderResponse response;
    response.set_order_id(order->id);
    response.set_state(tv1::ORDER_STATE_PENDING);
    response.set_subscription_id("sub-" + order->id);
    *response.mutable_terms()->mutable_total() = offer->price();
    response.mutable_terms()->set_billing_period(offer->billing_period());
    response.mutable_terms()->set_minimum_term(offer->minimum_term());
    response.mutable_terms()->set_auto_renews(offer->auto_renews());
    response.mutable_terms()->set_cancellation_text(offer->cancellation_text());
    OperationEnd end = Ok(response);
    end.customer_steps = {"chooses", "pays", "confirms"};
    return end;
  }
  auto state_of = [&](const OrderRecord& order) {
    if (order.withdrawn) return tv1::ORDER_STATE_CANCELLED;
    if (order.declined) return tv1::ORDER_STATE_ACTIVE;
    return clock_->Now() >= order.placed + habits.activation - account.ahead ? tv1::ORDER_STATE_ACTIVE
                                                                             : tv1::ORDER_STATE_PENDING;
  };
  if (operation == "ordering.get_order") {
    for (const OrderRecord& order : account.orders) {
      if (order.id != As<tv1::GetOrderRequest>(request).order_id()) continue;
      tv1::GetOrderResponse response;
      response.mutable_order()->set_order_id(order.id);
      response.mutable_order()->set_state(state_of(order));
      response.mutable_order()->set_offer_id(order.offer_id);
      response.mutable_order()->set_subscription_id("sub-" + order.id);
      return Ok(response);
    }
    return Refused(tv1::REASON_NOT_FOUND);
  }
  if (operation == "ordering.list_orders") {
    tv1::ListOrdersResponse response;
    for (const OrderRecord& order : account.orders) {
      if (order.declined && !habits.declined_leaves_order) continue;
      tv1::Order* listed = response.add_orders();
      listed->set_order_id(order.id);
      listed->set_state(state_of(order));
      listed->set_offer_id(order.offer_id);
      listed->set_idempotency_key(order.key);
    }
    return Ok(response);
  }
  if (operation == "ordering.list_entitlements") {
    tv1::ListEntitlementsResponse response;
    for (const OrderRecord& order : account.orders) {
      if (!Entitled(account, order)) continue;
      tv1::Entitlement* entitlement = response.add_entitlements();
      entitlement->set_active(true);
      entitlement->set_offer_id(order.offer_id);
      Stamp(order.placed, entitlement->mutable_start_time());
      Stamp(order.paid_through, entitlement->mutable_end_time());
    }
    return Ok(response);
  }
  if (operation == "ordering.list_messages") {
    tv1::ListMessagesResponse response;
    for (const tv1::Message& message : account.messages) *response.add_messages() = message;
    return Ok(response);
  }
  if (operation == "billing.list_charges") {
    tv1::ListChargesResponse response;
    for (const tv1::Charge& charge : account.charges) *response.add_charges() = charge;
    return Ok(response);
  }
  if (operation == "billing.list_invoices") {
    tv1::ListInvoicesResponse response;
    for (const tv1::Invoice& invoice : account.invoices) *response.add_invoices() = invoice;
    return Ok(response);
  }
  if (operation == "cancellation.list_subscriptions") {
    tv1::ListSubscriptionsResponse response;
    for (const OrderRecord& order : account.orders) {
      if (order.declined) continue;
      tv1::Subscription* subscription = response.add_subscriptions();
      const bool ending = order.cancelled && !habits.cancel_does_nothing;
      subscription->set_subscription_id("sub-" + order.id);
      subscription->set_state(ending ? tv1::SUBSCRIPTION_STATE_ENDING : tv1::SUBSCRIPTION_STATE_RUNNING);
      subscription->set_offer_id(order.offer_id);
      subscription->set_auto_renews(!ending);
      subscription->set_paid_through_date(Date(order.paid_through));
      if (ending) subscription->set_end_date(Date(order.paid_through));
    }
    return Ok(response);
  }
  if (operation == "cancellation.cancel_subscription") {
    const auto& cancel = As<tv1::CancelSubscriptionRequest>(request);
    for (OrderRecord& order : account.orders) {
      if ("sub-" + order.id != cancel.subscription_id()) continue;
      order.cancelled = true;
      tv1::CancelSubscriptionResponse response;
      response.set_receipt_id(habits.receipt);
      if (habits.receipt_mail) {
        tv1::Message message;
        message.set_subject("Your cancellation");
        message.set_text(absl::StrCat("Cancelled on ", Date(Now(account)), ", receipt ", habits.receipt));
        Stamp(clock_->Now(), message.mutable_receive_time());
        account.messages.push_back(message);
      }
      OperationEnd end = Ok(response);
      end.customer_steps = habits.cancel_steps;
      return end;
    }
    return Refused(tv1::REASON_NOT_FOUND);
  }
  if (operation == "cancellation.withdraw_contract") {
    for (OrderRecord& order : account.orders) {
      if (order.id != As<tv1::WithdrawContractRequest>(request).order_id()) continue;
      order.withdrawn = true;
      tv1::WithdrawContractResponse response;
      if (habits.withdrawal_acknowledged) {
        response.set_receipt_id("W-1");
        *response.mutable_refund() = OfferOf(order.offer_id)->price().gross();
        tv1::Message message;
        message.set_subject("Your withdrawal");
        message.set_text(absl::StrCat("Withdrawn on ", Date(Now(account)), ", receipt W-1"));
        Stamp(clock_->Now(), message.mutable_receive_time());
        account.messages.push_back(message);
      }
      return Ok(response);
    }
    return Refused(tv1::REASON_NOT_FOUND);
  }
  if (operation == "playback.list_events") {
    tv1::ListEventsResponse response;
    response.add_events()->set_event_id("match-1");
    return Ok(response);
  }
  if (operation == "playback.start_playback") {
    bool entitled = habits.unentitled_plays;
    for (const OrderRecord& order : account.orders) entitled = entitled || Entitled(account, order);
    if (!entitled) return Refused(tv1::REASON_NOT_ENTITLED, "Buy the season pass to watch");
    if (static_cast<int>(account.streams.size()) >= habits.stream_limit) {
      return Refused(tv1::REASON_CONCURRENCY_LIMIT, "You are watching on two screens already");
    }
    tv1::StartPlaybackResponse response;
    response.set_session_id(absl::StrCat("play-", ++next_stream_));
    response.add_manifests()->set_url("http://cdn.example/live.m3u8");
    account.streams.insert(response.session_id());
    return Ok(response);
  }
  if (operation == "playback.stop_playback") {
    if (habits.stop_frees_slot) account.streams.erase(As<tv1::StopPlaybackRequest>(request).session_id());
    return Ok(tv1::StopPlaybackResponse());
  }
  if (operation == "target.get_clock") {
    tv1::GetClockResponse response;
    Stamp(Now(account), response.mutable_now());
    return Ok(response);
  }
  if (operation == "target.advance_clock") {
    const absl::Time to = absl::FromUnixSeconds(As<tv1::AdvanceClockRequest>(request).to().seconds());
    if (to > Now(account)) account.ahead = to - clock_->Now();
    Bill(account);
    tv1::AdvanceClockResponse response;
    Stamp(Now(account), response.mutable_now());
    return Ok(response);
  }
  return Fault(absl::StrCat("the fake target does not know ", operation));
}

checks::OperationMapping FakeTarget::Mapping(const std::string& operation) const {
  checks::OperationMapping mapping;
  mapping.state = checks::OperationMapping::State::kMapped;
  if (unmapped_.contains(operation)) mapping.state = checks::OperationMapping::State::kNotMapped;
  if (auto found = not_offered_.find(operation); found != not_offered_.end()) {
    mapping.state = checks::OperationMapping::State::kNotOffered;
    mapping.words = found->second;
  }
  return mapping;
}

bool FakeTarget::Returns(const std::string& operation, const std::string& field) const {
  return !untold.contains(operation + ":" + field);
}

bool FakeTarget::Creates(const std::string& operation) const {
  return operation == "ordering.sign_up" || operation == "ordering.place_order";
}

bool FakeTarget::Acts(const std::string& operation) const {
  return Creates(operation) || operation == "cancellation.cancel_subscription" ||
         operation == "cancellation.withdraw_contract" || operation == "target.advance_clock" ||
         operation == "ordering.sign_in";
}

bool FakeTarget::HasPaymentCase(const std::string& customer, tv1::PaymentCase payment_case) const {
  return !missing_payment_cases.contains(payment_case);
}

boost::asio::awaitable<absl::StatusOr<std::string>> FakeTarget::Undo(const v1::Obligation& obligation,
                                                                     absl::Time deadline) {
  auto found = accounts_.find(obligation.account());
  if (found == accounts_.end()) co_return "nothing was left";
  std::erase_if(found->second.orders,
                [&](const OrderRecord& order) { return order.key == obligation.idempotency_key(); });
  co_return "the order was undone";
}

boost::asio::awaitable<absl::StatusOr<std::string>> FakeObligations::Open(v1::Obligation obligation) {
  if (!answer.ok()) co_return answer;
  obligation.set_name(absl::StrCat("obligations/", obligation.owner(), "-", opened.size()));
  opened.push_back(obligation);
  co_return obligation.name();
}

boost::asio::awaitable<absl::Status> FakeObligations::Update(v1::Obligation obligation) { co_return answer; }

}  // namespace puckdrop::fakes
