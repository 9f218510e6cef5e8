#include "services/arena/routes.h"

namespace puckdrop::arena {

void Routes::AddShop() {
  const auto language = [](const Call& call) { return call.Query("language", "fi"); };
  Add("GET", "/v1/offers", [this, language](Call& call) {
    call.AnswerList(shop_->Offers(call.caller, call.Query("market", "FI"), language(call)), "id", 2);
  });
  Add("GET", "/v1/offers/*", [this, language](Call& call) {
    call.Answer(200, shop_->OneOffer(call.caller, call.arguments[0], call.Query("market", "FI"), language(call)));
  });

  const auto set_cookie = [](Call& call, const std::string& token) {
    call.response.set_header("Set-Cookie", "arena_session=" + token + "; Path=/; HttpOnly; SameSite=Lax; Max-Age=1800");
  };
  Add("POST", "/v1/accounts", [this, set_cookie](Call& call) {
    const Json account = shop_->SignUp(call.caller, call.Body());
    set_cookie(call, account["session"]["token"].get<std::string>());
    call.response.set_header("Location", "/v1/me");
    call.Answer(201, account);
  });
  Add("POST", "/v1/sessions", [this, set_cookie](Call& call) {
    const Json session = shop_->SignIn(call.caller, call.Body());
    set_cookie(call, session["token"].get<std::string>());
    call.Answer(201, session);
  });
  Add("DELETE", "/v1/sessions/current", [this](Call& call) {
    shop_->SignOut(call.caller);
    call.response.set_header("Set-Cookie", "arena_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    call.response.status = 204;
  });
  Add("GET", "/v1/me", [this](Call& call) { call.Answer(200, shop_->Me(call.caller)); });

  Add("POST", "/v1/carts", [this](Call& call) {
    const Json cart = shop_->MakeCart(call.caller, call.Body());
    call.response.set_header("Location", "/v1/carts/" + cart["id"].get<std::string>());
    call.Answer(201, cart);
  });
  Add("GET", "/v1/carts/*", [this](Call& call) { call.Answer(200, shop_->GetCart(call.caller, call.arguments[0])); });
  Add("POST", "/v1/carts/*/checkout",
      [this](Call& call) { call.Answer(200, shop_->Checkout(call.caller, call.arguments[0])); });
  Add("POST", "/v1/carts/*/pay", [this](Call& call) {
    const Shop::Paid paid =
        shop_->Pay(call.caller, call.arguments[0], call.request.get_header_value("Idempotency-Key"), call.Body());
    if (paid.replayed) call.response.set_header("Idempotent-Replayed", "true");
    call.response.set_header("Location", "/v1/orders/" + paid.order["id"].get<std::string>());
    call.Answer(paid.replayed ? 200 : 201, paid.order);
  });
  Add("GET", "/v1/orders",
      [this](Call& call) { call.AnswerList(shop_->Orders(call.caller, call.Query("idempotency_key"), call.Since())); });
  Add("GET", "/v1/orders/*", [this](Call& call) { call.Answer(200, shop_->GetOrder(call.caller, call.arguments[0])); });
  Add("GET", "/v1/entitlements", [this](Call& call) { call.AnswerList(shop_->Entitlements(call.caller)); });

  Add("GET", "/v1/subscriptions", [this](Call& call) { call.AnswerList(shop_->Subscriptions(call.caller)); });
  Add("GET", "/v1/subscriptions/*",
      [this](Call& call) { call.Answer(200, shop_->GetSubscription(call.caller, call.arguments[0])); });
  Add("POST", "/v1/subscriptions/*/resume",
      [this](Call& call) { call.Answer(200, shop_->Resume(call.caller, call.arguments[0])); });

  Add("GET", "/v1/invoices", [this](Call& call) { call.AnswerList(shop_->Invoices(call.caller, call.Since())); });
  Add("GET", "/v1/charges", [this](Call& call) { call.AnswerList(shop_->Charges(call.caller, call.Since())); });
  Add("GET", "/v1/refunds", [this](Call& call) { call.AnswerList(shop_->Refunds(call.caller, call.Since())); });

  Add("GET", "/v1/device-claims",
      [this, language](Call& call) { call.AnswerList(shop_->DeviceClaims(language(call)), "profile"); });
  Add("GET", "/v1/compatibility", [this](Call& call) { call.Answer(200, shop_->Compatibility(call.caller)); });
  Add("POST", "/v1/devices", [this](Call& call) {
    const Shop::Registered registered = shop_->RegisterDevice(call.caller, call.Body());
    call.Answer(registered.created ? 201 : 200, registered.device);
  });
  Add("GET", "/v1/devices", [this](Call& call) {
    call.AnswerList(shop_->Devices(call.caller), "id", 50, {{"limit", shop_->DeviceLimit()}});
  });
  Add("DELETE", "/v1/devices/*", [this](Call& call) {
    shop_->RemoveDevice(call.caller, call.arguments[0]);
    call.response.status = 204;
  });

  Add("GET", "/v1/events",
      [this, language](Call& call) { call.AnswerList(shop_->Events(call.caller, language(call))); });
  Add("GET", "/v1/events/*", [this, language](Call& call) {
    call.Answer(200, shop_->OneEvent(call.caller, call.arguments[0], language(call)));
  });
  Add("POST", "/v1/playback/sessions", [this](Call& call) {
    const Json session = shop_->StartPlayback(call.caller, call.Body());
    call.response.set_header("Location", "/v1/playback/sessions/" + session["id"].get<std::string>());
    call.Answer(201, session);
  });
  Add("PUT", "/v1/playback/sessions/*/heartbeat",
      [this](Call& call) { call.Answer(200, shop_->KeepPlayback(call.caller, call.arguments[0])); });
  Add("DELETE", "/v1/playback/sessions/*", [this](Call& call) {
    shop_->StopPlayback(call.caller, call.arguments[0]);
    call.response.status = 204;
  });
  Add("GET", "/v1/notices", [this](Call& call) { call.AnswerList(shop_->Notices(call.caller)); });
}

}  // namespace puckdrop::arena
