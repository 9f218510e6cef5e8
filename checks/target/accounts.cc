// Who we act as: pilot accounts, and the names customer, device, payment, launch and secrets of expressions.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "checks/target/catalogue.h"
#include "checks/target/interpreter.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

constexpr size_t kShortestHiddenData = 5;  // "12/30" is; "123" would blot out every number

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// Only what every mail system takes without quoting.
std::string Label(absl::string_view text) {
  std::string out;
  for (char c : absl::AsciiStrToLower(text)) {
    out.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c)) ? c : '-');
  }
  return out;
}

}  // namespace

std::optional<std::string> Operations::Impl::Secret(const puckdrop::v1::Secret& secret, absl::string_view name,
                                                    std::optional<Problem>& problem) {
  const std::string key = secret.SerializeAsString();
  const auto found = secrets.find(key);
  if (found != secrets.end()) return found->second;
  absl::StatusOr<std::string> value = plan->secrets()(secret);
  if (!value.ok()) {
    problem.emplace();
    problem->end = End::kOurs;
    problem->kind = FailureKind::kMissingSecret;
    problem->words = absl::StrCat("a secret is missing: ", value.status().message());
    problem->position = secret.position();
    return std::nullopt;
  }
  if (hidden.insert(*value).second) {
    ports.redactor.AddSecret(*value, name.empty() ? absl::string_view(secret.env()) : name);
  }
  return secrets.emplace(key, *std::move(value)).first->second;
}

void Operations::Impl::HideData(const puckdrop::v1::Value& value) {
  using V = puckdrop::v1::Value;
  if (value.kind_case() == V::kList) {
    for (const V& one : value.list().values()) HideData(one);
  } else if (value.kind_case() == V::kMap) {
    for (const auto& one : value.map().members()) HideData(one.value());
  } else if (value.kind_case() == V::kText || value.kind_case() == V::kNumber) {
    std::string text = value.number();
    for (const auto& part : value.text().parts()) text.append(part.literal());
    if (text.size() >= kShortestHiddenData && hidden.insert(text).second) ports.redactor.AddSecret(text, "payment");
  }
}

absl::StatusOr<std::string> Operations::Impl::PilotPassword(absl::string_view name) {
  if (!plan->plan().target().has_pilot_key()) {
    return absl::FailedPreconditionError(
        "the plan has no target.pilot_key, from which passwords of accounts are derived");
  }
  std::optional<Problem> problem;
  const auto key = Secret(plan->plan().target().pilot_key(), "", problem);
  if (!key) return absl::FailedPreconditionError(absl::StrCat(problem->words, " (", Where(problem->position), ")"));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()), reinterpret_cast<const unsigned char*>(name.data()),
       name.size(), digest, &length);
  // Capital, small letter, digit and sign, because many services ask for each of them.
  std::string password = absl::StrCat(
      "Pd1-", absl::WebSafeBase64Escape(absl::string_view(reinterpret_cast<char*>(digest), length)).substr(0, 28));
  if (hidden.insert(password).second) ports.redactor.AddSecret(password, "password");
  return password;
}

const Plan::PaymentData* Operations::Impl::PaymentDataOf(absl::string_view customer, absl::string_view method,
                                                         absl::string_view payment_case) const {
  std::string name(method);
  if (name.empty()) {
    const auto found = compiled.customers.find(std::string(customer));
    if (found != compiled.customers.end()) name = found->second->payment();
  }
  const auto payment = compiled.payments.find(name);
  if (payment == compiled.payments.end()) return nullptr;
  for (const Plan::PaymentData& one : payment->second->cases()) {
    if (absl::EqualsIgnoreCase(one.payment_case(), payment_case)) return &one;
  }
  return nullptr;
}

std::optional<std::string> Operations::Impl::PaymentJson(Run& run, Problem& problem) {
  const json request = json::parse(run.request_json, nullptr, /*allow_exceptions=*/false);
  const auto text = [&request](const char* name) {
    const auto found = request.is_object() ? request.find(name) : request.end();
    return request.is_object() && found != request.end() && found->is_string() ? found->get<std::string>() : "";
  };
  std::string payment_case = text("payment_case");
  if (payment_case.empty()) payment_case = "ACCEPTED";
  const Plan::PaymentData* data = PaymentDataOf(run.actor.customer, text("payment_method"), payment_case);
  if (data == nullptr) {
    // Undoing may happen with another plan than the act; what it does not need it does not miss.
    if (run.is_undo) return "null";
    problem.end = End::kOurs;
    problem.kind = FailureKind::kNotMapped;
    problem.words = absl::StrCat("the plan's payments have no data for ", absl::AsciiStrToLower(payment_case),
                                 " of customer ", run.actor.customer);
    return std::nullopt;
  }
  const SecretValueOf secret = [&](const puckdrop::v1::Secret& one, std::optional<Problem>& trouble) {
    return Secret(one, "", trouble);
  };
  std::string out = "{";
  for (const auto& one : data->data()) {
    HideData(one.value());
    std::optional<Problem> trouble;
    const auto value = RenderValue(compiled, one.value(), run.prepared, secret, trouble);
    if (trouble) {
      problem = *std::move(trouble);
      return std::nullopt;
    }
    if (value) absl::StrAppend(&out, out.size() > 1 ? "," : "", JsonText(one.name()), ":", *value);
  }
  return out + "}";
}

std::optional<std::string> Operations::Impl::CustomerJson(Run& run, Problem& problem) {
  const auto text = [](const std::string& value) { return value.empty() ? json(nullptr) : json(value); };
  const Actor& actor = run.actor;
  json out = {
      {"id", text(actor.customer)},           {"email", text(actor.email)}, {"username", text(actor.email)},
      {"password", text(actor.password)},     {"name", text(actor.name)},   {"account_id", text(actor.account_id)},
      {"standing", actor.standing_index >= 0}};
  std::string details = "{";
  if (const auto found = compiled.customers.find(actor.customer); found != compiled.customers.end()) {
    const Plan::Customer& customer = *found->second;
    out["market"] = text(customer.market());
    out["language"] = text(customer.language());
    out["payment"] = text(customer.payment());
    out["device"] = text(customer.device());
    out["offer_id"] = text(customer.offer_id());
    out["app_version"] = text(customer.app_version());
    out["os_version"] = text(customer.os_version());
    const SecretValueOf secret = [&](const puckdrop::v1::Secret& one, std::optional<Problem>& trouble) {
      return Secret(one, "", trouble);
    };
    for (const auto& one : customer.details()) {
      std::optional<Problem> trouble;
      const auto value = RenderValue(compiled, one.value(), run.prepared, secret, trouble);
      if (trouble) {
        problem = *std::move(trouble);
        return std::nullopt;
      }
      if (value) absl::StrAppend(&details, details.size() > 1 ? "," : "", JsonText(one.name()), ":", *value);
    }
  }
  std::string made = Dump(out);
  made.pop_back();
  return absl::StrCat(made, ",\"details\":", details, "}}");
}

std::string Operations::Impl::DeviceJson(const Run& run) const {
  const auto text = [](const std::string& value) { return value.empty() ? json(nullptr) : json(value); };
  v1::Device device = run.actor.device;
  if (const auto found = compiled.customers.find(run.actor.customer); found != compiled.customers.end()) {
    if (device.profile().empty()) device.set_profile(found->second->device());
    if (device.app_version().empty()) device.set_app_version(found->second->app_version());
    if (device.os_version().empty()) device.set_os_version(found->second->os_version());
  }
  json out = {{"profile", text(device.profile())},       {"instance_id", text(device.instance_id())},
              {"user_agent", text(device.user_agent())}, {"app_version", text(device.app_version())},
              {"os_version", text(device.os_version())}, {"drm_level", text(device.drm_level())}};
  // A request may be about another device than the one that asks: it says what it says of it.
  const json request = json::parse(run.request_json, nullptr, /*allow_exceptions=*/false);
  if (request.is_object() && request.contains("device") && request["device"].is_object()) {
    for (const auto& [name, value] : request["device"].items()) {
      if (!value.is_null()) out[name] = value;
    }
  }
  return Dump(out);
}

std::string Operations::Impl::LaunchJson() const {
  const Plan::Launch& launch = plan->plan().launch();
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(launch.time_zone(), &zone);
  const absl::Time puck_drop =
      absl::FromUnixSeconds(launch.puck_drop().seconds()) + absl::Nanoseconds(launch.puck_drop().nanos());
  json markets = json::array();
  for (const std::string& market : launch.markets()) markets.push_back(market);
  return Dump({{"id", launch.id()},
               {"title", launch.title()},
               {"puck_drop", absl::FormatTime(absl::RFC3339_sec, puck_drop, zone)},
               {"time_zone", launch.time_zone()},
               {"markets", markets}});
}

absl::StatusOr<Actor> Operations::NewAccount(absl::string_view customer, int n) const {
  const std::string name = absl::StrCat("pd-", Label(impl_->options.run_id), "-", Label(customer), "-", n);
  const std::string& domain = impl_->plan->plan().target().pilot_mail_domain();
  absl::StatusOr<Actor> actor =
      AccountOf(customer, absl::StrCat(name, "@", domain.empty() ? "pilot.invalid" : domain), -1);
  if (actor.ok()) actor->device.set_instance_id(absl::StrCat(name, "-1"));
  return actor;
}

absl::StatusOr<Actor> Operations::AccountOf(absl::string_view customer, absl::string_view email,
                                            int standing_index) const {
  if (standing_index >= 0) return StandingAccount(customer, standing_index);
  const auto found = impl_->compiled.customers.find(std::string(customer));
  if (found == impl_->compiled.customers.end()) {
    return absl::NotFoundError(absl::StrCat("the plan has no customer ", customer));
  }
  absl::StatusOr<std::string> password = impl_->PilotPassword(email.substr(0, email.find('@')));
  if (!password.ok()) return password.status();
  Actor actor;
  actor.customer = std::string(customer);
  actor.email = std::string(email);
  actor.password = *std::move(password);
  actor.device.set_profile(found->second->device());
  actor.device.set_app_version(found->second->app_version());
  actor.device.set_os_version(found->second->os_version());
  actor.device.set_instance_id(absl::StrCat(email.substr(0, email.find('@')), "-0"));
  return actor;
}

absl::StatusOr<Actor> Operations::StandingAccount(absl::string_view customer, int index) const {
  const auto found = impl_->compiled.customers.find(std::string(customer));
  if (found == impl_->compiled.customers.end()) {
    return absl::NotFoundError(absl::StrCat("the plan has no customer ", customer));
  }
  if (index < 0 || index >= found->second->accounts_size()) {
    return absl::NotFoundError(absl::StrCat("customer ", customer, " has ", found->second->accounts_size(),
                                            " standing accounts, none with index ", index));
  }
  const Plan::Account& account = found->second->accounts(index);
  std::optional<Problem> problem;
  auto password = impl_->Secret(account.password(), "", problem);
  if (!password) {
    return absl::FailedPreconditionError(absl::StrCat(problem->words, " (", impl_->Where(problem->position), ")"));
  }
  Actor actor;
  actor.customer = std::string(customer);
  actor.email = account.username();
  actor.password = *std::move(password);
  actor.standing_index = index;
  actor.device.set_profile(found->second->device());
  actor.device.set_app_version(found->second->app_version());
  actor.device.set_os_version(found->second->os_version());
  actor.device.set_instance_id(absl::StrCat("pd-", Label(impl_->options.run_id), "-", Label(customer), "-s", index));
  return actor;
}

}  // namespace puckdrop::target
