#include <openssl/crypto.h>

#include "absl/strings/str_cat.h"
#include "services/arena/routes.h"

namespace puckdrop::arena {

Json Routes::FaultsJson() const {
  Json items = Json::array();
  for (const FaultInfo& info : AllFaults()) {
    items.push_back({{"name", info.name}, {"check", info.check}, {"text", info.text}, {"on", faults_->On(info.fault)}});
  }
  return {{"items", std::move(items)}};
}

absl::Status Routes::SwitchFaults(const Json& body) {
  const std::lock_guard lock(fault_switch_mutex_);
  std::vector<std::pair<Fault, bool>> changes;
  for (const auto& [member, on] :
       std::vector<std::pair<std::string, bool>>{{"set", true}, {"off", false}, {"on", true}}) {
    if (!body.is_object() || !body.contains(member)) continue;
    if (!body[member].is_array()) return absl::InvalidArgumentError(member + " must be a list of names");
    if (member == "set") {
      for (const FaultInfo& info : AllFaults()) changes.emplace_back(info.fault, false);
    }
    for (const Json& name : body[member]) {
      Fault fault;
      if (!name.is_string()) return absl::InvalidArgumentError(member + " must be a list of names");
      if (absl::Status found = FindFault(name.get<std::string>(), &fault); !found.ok()) return found;
      changes.emplace_back(fault, on);
    }
  }
  for (const auto& [fault, on] : changes) faults_->Set(fault, on);
  // A stream fault holds only once its own packager has filled its playlists.
  return live_ == nullptr ? absl::OkStatus() : live_->ApplyFaults();
}

void Routes::AddOffice() {
  const auto office = [this](const std::string& method, const std::string& pattern, Handler handler) {
    Add(method, pattern, [this, handler](Call& call) {
      const std::string& token = call.caller.token;
      if (token.size() != office_token_.size() ||
          CRYPTO_memcmp(token.data(), office_token_.data(), token.size()) != 0) {
        throw Problem{401, "office_unauthorised", "This is the office",
                      "Send Authorization: Bearer with the office's token."};
      }
      handler(call);
    });
  };
  office("GET", "/admin/orders", [this](Call& call) {
    call.AnswerList(shop_->OfficeOrders(call.caller, call.Query("account"), call.Query("key")));
  });
  office("GET", "/admin/orders/*",
         [this](Call& call) { call.Answer(200, shop_->OfficeOrder(call.caller, call.arguments[0])); });
  office("POST", "/admin/orders/*/refund", [this](Call& call) {
    const Json body = call.Body();
    std::optional<int64_t> amount;
    if (body.is_object() && body.contains("amount")) {
      if (!body["amount"].is_number_integer()) {
        throw Problem{422, "invalid_input", "The input is not valid", "amount must be whole minor units"};
      }
      amount = body["amount"].get<int64_t>();
    }
    call.Answer(200, shop_->OfficeRefund(call.caller, call.arguments[0], amount));
  });
  office("POST", "/admin/orders/*/void",
         [this](Call& call) { call.Answer(200, shop_->OfficeVoid(call.caller, call.arguments[0])); });
  for (const char* what : {"charges", "invoices", "refunds", "subscriptions", "entitlements"}) {
    office("GET", absl::StrCat("/admin/", what), [this, what](Call& call) {
      call.AnswerList(shop_->OfficeList(call.caller, what, call.Query("account"), call.Since()));
    });
  }
  office("GET", "/admin/accounts",
         [this](Call& call) { call.AnswerList(shop_->OfficeAccounts(call.caller, call.Query("email"))); });
  office("DELETE", "/admin/accounts/*", [this](Call& call) {
    shop_->ForgetAccount(call.arguments[0]);
    call.response.status = 204;
  });
  office("GET", "/admin/accounts/*/clock",
         [this](Call& call) { call.Answer(200, shop_->AccountClock(call.arguments[0])); });
  office("POST", "/admin/accounts/*/clock", [this](Call& call) {
    call.Answer(200, shop_->AdvanceClock(call.arguments[0], TextMember(call.Body(), "to")));
  });
  office("POST", "/admin/accounts/*/settings",
         [this](Call& call) { call.Answer(200, shop_->AccountSettings(call.arguments[0], call.Body())); });
  office("GET", "/admin/mailbox",
         [this](Call& call) { call.AnswerList(shop_->Mailbox(call.Query("to"), call.Since())); });
  office("GET", "/admin/counts", [this](Call& call) { call.Answer(200, shop_->Counts()); });
  office("GET", "/admin/configuration", [this](Call& call) { call.Answer(200, shop_->Configuration()); });
  office("PATCH", "/admin/configuration",
         [this](Call& call) { call.Answer(200, shop_->ChangeConfiguration(call.Body())); });
  office("POST", "/admin/notices",
         [this](Call& call) { call.Answer(201, shop_->PublishNotice(call.caller, call.Body())); });
  office("DELETE", "/admin/notices/*", [this](Call& call) {
    shop_->CloseNotice(call.arguments[0]);
    call.response.status = 204;
  });
  office("GET", "/admin/faults", [this](Call& call) { call.Answer(200, FaultsJson()); });
  office("POST", "/admin/faults", [this](Call& call) {
    const absl::Status status = SwitchFaults(call.Body());
    if (absl::IsNotFound(status) || absl::IsInvalidArgument(status)) {
      throw Problem{422, "unknown_fault", "There is no such fault", std::string(status.message())};
    }
    if (!status.ok())
      throw Problem{503, "fault_not_ready", "The fault does not hold yet", std::string(status.message())};
    call.Answer(200, FaultsJson());
  });
}

}  // namespace puckdrop::arena
