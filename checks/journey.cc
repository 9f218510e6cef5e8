#include "checks/journey.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace puckdrop::checks {
namespace {

// Enough for any walk; what a storm leaves beyond it adds nothing to a report.
constexpr size_t kMaxEvidence = 24;
constexpr size_t kMaxRecords = 4096;

std::string PathWord(v1::Path path) {
  std::string name = v1::Path_Name(path).substr(5);
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name;
}

// A UUID in form, so that targets that insist on one take it, and the same for the same walk, so that an obligation
// written before a crash names exactly what was sent.
std::string KeyFrom(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x80);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  const std::string hex = absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), 16));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20, 12));
}

const char* EndName(OperationEnd::Kind kind) {
  switch (kind) {
    case OperationEnd::Kind::kOk:
      return "OK";
    case OperationEnd::Kind::kRefused:
      return "REFUSED";
    case OperationEnd::Kind::kFault:
      return "FAULT";
    case OperationEnd::Kind::kUnreadable:
      return "UNREADABLE";
    case OperationEnd::Kind::kOurs:
      return "OURS";
  }
  return "OURS";
}

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t nanos = absl::ToUnixNanos(time);
  out->set_seconds(nanos / 1'000'000'000);
  out->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

const v1::Plan::Operation* FindOperation(const v1::Plan& plan, const std::string& id) {
  for (const v1::Plan::Operation& operation : plan.operations()) {
    if (operation.id() == id) return &operation;
  }
  return nullptr;
}

}  // namespace

std::string DerivePassword(const std::string& pilot_key, const std::string& email) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), pilot_key.data(), static_cast<int>(pilot_key.size()),
       reinterpret_cast<const unsigned char*>(email.data()), email.size(), digest, &size);
  // The tail satisfies the usual rules (a small and a capital letter, a digit, a sign) whatever the hash begins with.
  return absl::StrCat(
      absl::WebSafeBase64Escape(absl::string_view(reinterpret_cast<const char*>(digest), size)).substr(0, 28), "aA1!");
}

Journey::Journey(const JourneyEnvironment& environment, std::string label)
    : environment_(environment), label_(std::move(label)) {
  actor_.customer = environment_.customer->id();
  actor_.device_instance = NewDevice();
}

std::unique_ptr<Journey> Journey::Side(std::string_view label) const {
  const OperationMapping sign_up = environment_.operations->Mapping("ordering.sign_up");
  if (sign_up.state != OperationMapping::State::kMapped) {
    throw Judged(Skipped(
        sign_up.state == OperationMapping::State::kReadOnly ? v1::SKIP_CAUSE_READ_ONLY : v1::SKIP_CAUSE_NOT_MAPPED,
        absl::StrCat("needs an account of its own, and the plan does not map ordering.sign_up",
                     sign_up.words.empty() ? "" : ": ", sign_up.words)));
  }
  return std::make_unique<Journey>(environment_, std::string(label));
}

std::unique_ptr<Journey> Journey::Renewed() const {
  auto fresh = std::make_unique<Journey>(environment_, label_);
  fresh->check_ = check_;
  return fresh;
}

std::string Journey::NewDevice() {
  return absl::StrCat("pd-", environment_.run, "-", environment_.customer->id(), "-", PathWord(environment_.path),
                      label_.empty() ? "" : "-", label_, "-", ++devices_, "-", *environment_.account_counter);
}

std::string Journey::UseDevice(std::string device_instance) {
  return std::exchange(actor_.device_instance, std::move(device_instance));
}

Actor Journey::VisitorActor() const {
  Actor visitor;
  visitor.customer = actor_.customer;
  visitor.device_instance = absl::StrCat(actor_.device_instance, "-visitor");
  return visitor;
}

target::v1::Device Journey::Device() const {
  target::v1::Device device;
  device.set_profile(actor_.device_profile.empty() ? environment_.customer->device() : actor_.device_profile);
  device.set_instance_id(actor_.device_instance);
  device.set_app_version(actor_.app_version.empty() ? environment_.customer->app_version() : actor_.app_version);
  device.set_os_version(environment_.customer->os_version());
  return device;
}

std::string Journey::NewKey() {
  return KeyFrom(absl::StrCat(environment_.run, "/", environment_.customer->id(), "/", PathWord(environment_.path), "/",
                              label_, "/", actor_.email, "/", ++keys_));
}

Task<OperationEnd> Journey::PerformErased(std::string operation, const google::protobuf::Message& request,
                                          PerformOptions options) {
  const OperationMapping mapping = environment_.operations->Mapping(operation);
  switch (mapping.state) {
    case OperationMapping::State::kMapped:
      break;
    case OperationMapping::State::kNotOffered:
      throw Judged(Skipped(v1::SKIP_CAUSE_NOT_OFFERED, absl::StrCat(operation, " is not offered: ", mapping.words)));
    case OperationMapping::State::kReadOnly:
      throw Judged(
          Skipped(v1::SKIP_CAUSE_READ_ONLY, absl::StrCat(operation, " creates something, and the plan is read only")));
    case OperationMapping::State::kNotMapped:
      throw Judged(Skipped(v1::SKIP_CAUSE_NOT_MAPPED, absl::StrCat("the plan does not map ", operation)));
  }
  options.deadline = std::min(options.deadline, environment_.deadline);
  if (options.check.empty()) options.check = check_;
  OperationEnd end = co_await environment_.operations->Perform(operation, request, actor_, options, kept_json_);
  end.operation = operation;
  if (records_.size() < kMaxRecords) {
    v1::OperationRecord record;
    record.set_operation(operation);
    record.set_customer(actor_.customer);
    record.set_check(options.check);
    record.set_end(EndName(end.kind));
    SetTimestamp(end.start, record.mutable_start_time());
    const int64_t nanos = absl::ToInt64Nanoseconds(end.finish - end.start);
    record.mutable_duration()->set_seconds(nanos / 1'000'000'000);
    record.mutable_duration()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
    record.set_exchanges(static_cast<int32_t>(end.evidence.size()));
    records_.push_back(std::move(record));
  }
  // It is this journey's from here on; nobody looks for it in the end of the operation.
  for (v1::Evidence& evidence : end.evidence) {
    if (evidence_.size() == kMaxEvidence) evidence_.erase(evidence_.begin());
    evidence_.push_back(std::move(evidence));
  }
  end.evidence.clear();
  last_end_ = end;
  co_return end;
}

Task<OperationEnd> Journey::OnceErased(std::string operation, const google::protobuf::Message& request,
                                       PerformOptions options) {
  const std::string key = absl::StrCat(operation, "\n", actor_.email, "\n", request.SerializeAsString());
  if (auto found = memo_.find(key); found != memo_.end()) co_return found->second;
  OperationEnd end = co_await PerformErased(operation, request, std::move(options));
  memo_[key] = end;
  co_return end;
}

std::shared_ptr<const void> Journey::Shared(const std::string& name) const {
  const auto found = shared_.find(name);
  return found == shared_.end() ? nullptr : found->second;
}

void Journey::ForgetReads() {
  shared_.clear();
  for (auto entry = memo_.begin(); entry != memo_.end();) {
    const OperationEnd& end = entry->second;
    const bool keep = end.kind == OperationEnd::Kind::kOk && environment_.operations->Acts(end.operation);
    entry = keep ? std::next(entry) : memo_.erase(entry);
  }
}

Task<void> Journey::Owe(const std::string& operation, const std::string& key,
                        const google::protobuf::Message& request) {
  if (!environment_.operations->Creates(operation) || owed_.contains(key)) co_return;
  const v1::Plan::Operation* mapped = FindOperation(*environment_.plan, operation);
  if (mapped != nullptr && mapped->undo().how_case() == v1::Plan::Undo::kNothing) co_return;

  if (absl::Status undoable = environment_.operations->CanUndo(operation); !undoable.ok()) {
    OperationEnd end;
    end.kind = OperationEnd::Kind::kOurs;
    end.operation = operation;
    end.words = std::string(undoable.message());
    throw OperationEnded(std::move(end));
  }
  v1::Obligation obligation;
  obligation.set_launch(environment_.plan->launch().id());
  obligation.set_operation(operation);
  obligation.set_customer(environment_.customer->id());
  obligation.set_account(actor_.email);
  obligation.set_account_id(actor_.account_id);
  obligation.set_standing_index(actor_.standing_index);
  obligation.set_idempotency_key(key);
  obligation.set_owner(environment_.run);
  obligation.set_path(PathWord(environment_.path));
  // Only what undo may ask for, and never a secret: the offer of an order.
  if (const auto* field = request.GetDescriptor()->FindFieldByName("offer_id")) {
    obligation.set_request_json(
        absl::StrCat("{\"offer_id\":\"", absl::CEscape(request.GetReflection()->GetString(request, field)), "\"}"));
  }
  absl::StatusOr<std::string> opened = co_await environment_.obligations->Open(obligation);
  if (!opened.ok()) {
    OperationEnd end;
    end.kind = OperationEnd::Kind::kOurs;
    end.operation = operation;
    end.words = absl::StrCat(operation, " was not performed, because readiness did not write down what it would owe: ",
                             std::string(opened.status().message()));
    throw OperationEnded(std::move(end));
  }
  obligation.set_name(*opened);
  owed_[key] = std::move(obligation);
}

Task<Ended<target::v1::PlaceOrderResponse>> Journey::PlaceOrder(OrderOptions options) {
  co_await Account();
  target::v1::PlaceOrderRequest request;
  request.set_offer_id(options.offer_id.empty() ? Claim().offer_id() : options.offer_id);
  request.set_payment_method(environment_.customer->payment());
  request.set_payment_case(options.payment_case);
  request.set_idempotency_key(options.idempotency_key.empty() ? NewKey() : options.idempotency_key);
  request.set_key(request.idempotency_key());
  request.set_starts_now_consent(options.starts_now_consent);
  request.set_on_test_clock(environment_.plan->target().clock() == v1::CLOCK_CONTROL_CUSTOMER);
  *request.mutable_device() = Device();
  if (!environment_.operations->HasPaymentCase(environment_.customer->id(), options.payment_case)) {
    throw Judged(Skipped(v1::SKIP_CAUSE_NOT_TOLD,
                         absl::StrCat("the plan's payment '", environment_.customer->payment(), "' has no case ",
                                      target::v1::PaymentCase_Name(options.payment_case).substr(13))));
  }
  co_await Owe("ordering.place_order", request.idempotency_key(), request);
  PerformOptions how;
  if (const auto point = commit_points_.find(request.idempotency_key());
      options.from_commit && point != commit_points_.end()) {
    how.from_commit = point->second;
  }
  Ended<target::v1::PlaceOrderResponse> ended =
      co_await Try<target::v1::PlaceOrderResponse>("ordering.place_order", request, std::move(how));
  if (ended.end.commit_point != nullptr) {
    commit_points_.try_emplace(request.idempotency_key(), ended.end.commit_point);
  }
  if (auto owed = owed_.find(request.idempotency_key()); ended.ok() && owed != owed_.end()) {
    (*owed->second.mutable_target_ids())["order_id"] = ended.response.order_id();
    if (!ended.response.subscription_id().empty()) {
      (*owed->second.mutable_target_ids())["subscription_id"] = ended.response.subscription_id();
    }
    // Losing the ids costs nothing: undo works from account and key.
    (void)co_await environment_.obligations->Update(owed->second);
  }
  co_return ended;
}

Task<v1::AccountFact> Journey::Account() {
  if (account_) co_return *account_;
  // Only the ordering path makes the customer's own account: another prober that lost the fact must not order again.
  if (label_.empty() && environment_.path != v1::PATH_ORDERING) {
    Judgement blocked;
    blocked.outcome = v1::OUTCOME_BLOCKED;
    blocked.blocked_by = "ordering.sign_up";
    blocked.summary = "this customer has no account: ordering.sign_up left none";
    throw Judged(std::move(blocked));
  }
  v1::AccountFact fact;
  if (label_.empty() && !environment_.customer->accounts().empty()) {
    fact.set_standing(true);
    fact.set_standing_index(0);
    fact.set_email(environment_.customer->accounts(0).username());
    actor_.email = fact.email();
    actor_.standing_index = 0;
    if (!environment_.standing_passwords.empty()) actor_.password = environment_.standing_passwords[0];
  } else {
    const std::string domain = environment_.plan->target().pilot_mail_domain().empty()
                                   ? "example.test"
                                   : environment_.plan->target().pilot_mail_domain();
    fact.set_email(absl::StrCat("pd-", environment_.run, "-", environment_.customer->id(), "-",
                                PathWord(environment_.path).substr(0, 1), ++*environment_.account_counter, "@",
                                domain));
    fact.set_on_test_clock(environment_.plan->target().clock() == v1::CLOCK_CONTROL_CUSTOMER);
    target::v1::SignUpRequest request;
    request.set_email(fact.email());
    request.set_password(DerivePassword(environment_.pilot_key, fact.email()));
    request.set_name("Pilot Customer");
    request.set_market(environment_.customer->market());
    request.set_language(environment_.customer->language());
    request.set_on_test_clock(fact.on_test_clock());
    actor_.email = fact.email();
    actor_.password = request.password();
    request.set_key(NewKey());
    co_await Owe("ordering.sign_up", request.key(), request);
    const target::v1::SignUpResponse response = co_await Once<target::v1::SignUpResponse>("ordering.sign_up", request);
    fact.set_account_id(response.account_id());
    actor_.account_id = response.account_id();
  }
  account_ = fact;
  AddFact("ordering.account", fact);
  co_return fact;
}

void Journey::AddFact(const std::string& name, const google::protobuf::Message& value) {
  if (!label_.empty()) return;
  v1::Fact fact;
  fact.set_name(name);
  fact.set_customer(environment_.customer->id());
  fact.mutable_value()->PackFrom(value);
  new_facts_[name] = std::move(fact);
}

std::vector<v1::Fact> Journey::TakeNewFacts() {
  if (kept_json_ != "{}") {
    v1::KeptFact kept;
    kept.set_json(kept_json_);
    AddFact(PathWord(environment_.path) + ".kept", kept);
  }
  std::vector<v1::Fact> facts;
  for (auto& [name, fact] : new_facts_) facts.push_back(std::move(fact));
  new_facts_.clear();
  return facts;
}

void Journey::Load(const std::vector<v1::Fact>& facts) {
  for (const v1::Fact& fact : facts) {
    v1::AccountFact account;
    v1::OrderFact order;
    v1::CancelledFact cancelled;
    v1::ChargesFact charges;
    v1::KeptFact kept;
    if (fact.name() == "ordering.account" && fact.value().UnpackTo(&account)) {
      account_ = account;
      actor_.email = account.email();
      actor_.account_id = account.account_id();
      if (account.standing()) {
        const size_t index = static_cast<size_t>(account.standing_index());
        actor_.standing_index = account.standing_index();
        if (index < environment_.standing_passwords.size()) actor_.password = environment_.standing_passwords[index];
      } else {
        actor_.password = DerivePassword(environment_.pilot_key, account.email());
      }
    } else if (fact.name() == "ordering.order" && fact.value().UnpackTo(&order)) {
      order_ = order;
    } else if (fact.name() == "cancellation.cancelled" && fact.value().UnpackTo(&cancelled)) {
      cancelled_ = cancelled;
    } else if (fact.name() == "billing.charges" && fact.value().UnpackTo(&charges)) {
      charges_seen_ = charges;
    } else if (fact.name().ends_with(".kept") && fact.value().UnpackTo(&kept) && kept.json().size() > 2) {
      // Each path writes names of its own, so joining two objects is joining their texts.
      kept_json_ = kept_json_ == "{}"
                       ? kept.json()
                       : absl::StrCat(kept_json_.substr(0, kept_json_.size() - 1), ",", kept.json().substr(1));
    }
  }
}

std::vector<v1::Evidence> Journey::TakeEvidence() { return std::exchange(evidence_, {}); }

std::vector<v1::OperationRecord> Journey::TakeRecords() { return std::exchange(records_, {}); }

absl::TimeZone Journey::time_zone() const {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(environment_.plan->launch().time_zone(), &zone)) return absl::UTCTimeZone();
  return zone;
}

std::optional<absl::Time> Journey::StartOfDay(const std::string& date) const {
  absl::CivilDay day;
  if (date.size() != 10 || !absl::ParseCivilTime(date, &day)) return std::nullopt;
  return absl::FromCivil(day, time_zone());
}

std::string Journey::Date(absl::Time time) const { return absl::FormatCivilTime(absl::ToCivilDay(time, time_zone())); }

Task<void> Journey::Sleep(absl::Duration duration) {
  if (environment_.clock->Now() + duration > environment_.deadline) {
    OperationEnd end;
    end.kind = OperationEnd::Kind::kOurs;
    end.deadline = true;
    end.words = "the run's time ended while waiting for the target";
    throw OperationEnded(std::move(end));
  }
  co_await environment_.sleep(duration);
}

}  // namespace puckdrop::checks
