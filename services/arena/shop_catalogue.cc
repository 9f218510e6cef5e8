#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/arena/html.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {

const Market& Shop::NeedMarket(const std::string& code) const {
  const Market* market = FindMarket(code);
  if (market == nullptr) {
    throw Problem{400, "unknown_market", "We do not sell there", "market must be one of FI, SE, EE."};
  }
  return *market;
}

const MatchEvent& Shop::NeedEvent(const std::string& id) const {
  for (const MatchEvent& event : events_) {
    if (event.id == id) return event;
  }
  throw NotFound("event_not_found", "event");
}

Date Shop::FirstChargeDate(const Offer& offer, const Date& today) const {
  return offer.charged_later ? AddDays(today, options_.first_charge_in_days) : today;
}

Json Shop::TermsJson(const std::string& base_url, const Offer& offer, const Market& market, const std::string& language,
                     int64_t gross, const Date& first_charge_date) {
  Json terms = {{"price", PriceJson(gross, market.currency, market.vat_basis_points)},
                {"billing_period", offer.renews ? Json("P1M") : Json(nullptr)},
                {"minimum_term", offer.renews ? Json("P1M") : Json(nullptr)}};
  if (!On(Fault::kRenewalUndisclosed)) {
    terms["auto_renews"] = offer.renews;
    terms["cancellation_text"] = Say(offer.renews ? Text::kCancellation : Text::kTicketCancellation, language);
  }
  terms["first_charge_date"] = first_charge_date;
  terms["trial_end_date"] = nullptr;
  terms["charges"] = Json::array({{{"date", first_charge_date},
                                   {"amount", MoneyJson(gross, market.currency)},
                                   {"text", Say(offer.renews ? Text::kFirstMonth : Text::kTicketCharge, language)}}});
  terms["terms_url"] = absl::StrCat(base_url, "/terms?market=", market.code, "&language=", language);
  return terms;
}

Json Shop::OfferJson(const Caller& caller, const Offer& offer, const Market& market, const std::string& language,
                     const Date& today) {
  Json json = {{"id", offer.id},
               {"title", OfferTitle(offer, language)},
               {"market", market.code},
               {"language", language},
               {"trial_period", nullptr},
               {"purchasable", !On(Fault::kOfferUnpurchasable)},
               {"event_ids", offer.event_ids},
               {"features", {"720p50", "commentary_fi", "no_commentary"}}};
  Json terms = TermsJson(caller.base_url, offer, market, language, offer.Gross(market), FirstChargeDate(offer, today));
  terms.erase("trial_end_date");
  json.update(terms);
  return json;
}

Json Shop::Offers(const Caller& caller, const std::string& market_code, const std::string& language) {
  const std::lock_guard lock(mutex_);
  const Market& market = NeedMarket(market_code);
  if (!KnownLanguage(language)) {
    throw Problem{400, "unknown_language", "We do not speak this language", "language must be one of fi, sv, et, en."};
  }
  const auto account = TryAuthenticate(caller);
  const Date today = DateAt(account ? account->now : RealNow(), market.zone);
  Json offers = Json::array();
  if (On(Fault::kOffersEmpty)) return offers;
  for (const Offer& offer : AllOffers()) offers.push_back(OfferJson(caller, offer, market, language, today));
  return offers;
}

Json Shop::OneOffer(const Caller& caller, const std::string& id, const std::string& market,
                    const std::string& language) {
  for (Json& offer : Offers(caller, market, language)) {
    if (offer["id"] == id) return offer;
  }
  throw NotFound("offer_not_found", "offer");
}

std::string Shop::TermsHtml(const std::string& market_code, const std::string& language) {
  const Market& market = NeedMarket(market_code);
  std::string body = "<h1>Terms</h1><dl>";
  for (const Offer& offer : AllOffers()) {
    body += absl::StrCat("<dt>", EscapeHtml(OfferTitle(offer, language)), "</dt><dd>",
                         MoneyText(offer.Gross(market), market.currency), offer.renews ? " / month. " : ". ",
                         EscapeHtml(Say(offer.renews ? Text::kCancellation : Text::kTicketCancellation, language)),
                         "</dd>");
  }
  return HtmlPage("Terms", body + "</dl>");
}

Json Shop::EventJson(const MatchEvent& event, const std::optional<Account>& account) {
  const char* zone = account ? account->market->zone : "Europe/Helsinki";
  const char* action = account && Entitled(*account, event.id) ? (event.live ? "watch" : "none") : "buy";
  return {{"id", event.id},
          {"title", event.title},
          {"status", event.live ? "live" : "upcoming"},
          {"starts_at", FormatInstant(event.start, zone)},
          {"ends_at", FormatInstant(event.end, zone)},
          {"window_ends_at", FormatInstant(event.window_end, zone)},
          {"call_to_action", action},
          {"competitors", event.competitors},
          {"asset_ids", {"ast_main"}},
          {"promised_qualities", {"720p50"}},
          {"promised_audio", {"fi", "none"}}};
}

Json Shop::Events(const Caller& caller, const std::string& language) {
  const std::lock_guard lock(mutex_);
  if (!KnownLanguage(language)) {
    throw Problem{400, "unknown_language", "We do not speak this language", "language must be one of fi, sv, et, en."};
  }
  const auto account = TryAuthenticate(caller);
  Json events = Json::array();
  for (const MatchEvent& event : events_) events.push_back(EventJson(event, account));
  return events;
}

Json Shop::OneEvent(const Caller& caller, const std::string& id, const std::string&) {
  const std::lock_guard lock(mutex_);
  return EventJson(NeedEvent(id), TryAuthenticate(caller));
}

Json Shop::DeviceClaims(const std::string& language) {
  Json claims = Json::array();
  const std::string minimum = [this] {
    const std::lock_guard lock(mutex_);
    return MinimumAppVersion();
  }();
  for (const DeviceClaim& claim : AllDeviceClaims()) {
    claims.push_back(
        {{"profile", claim.profile},
         {"text", language == "fi" ? claim.text_fi : claim.text_en},
         {"supported", claim.supported},
         {"best_quality", claim.best_quality ? Json(claim.best_quality) : Json(nullptr)},
         {"minimum_app_version", minimum},
         {"minimum_os_version", claim.minimum_os_version ? Json(claim.minimum_os_version) : Json(nullptr)}});
  }
  return claims;
}

Json Shop::Compatibility(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  RequireApp(caller.app_version);
  bool supported = false;
  for (const DeviceClaim& claim : AllDeviceClaims())
    supported = supported || (claim.supported && caller.profile == claim.profile);
  return {{"supported", supported},
          {"profile", caller.profile},
          {"app_version", caller.app_version.empty() ? Json(nullptr) : Json(caller.app_version)},
          {"minimum_app_version", MinimumAppVersion()}};
}

Json Shop::Notices(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  Json notices = Json::array();
  for (const Row& row : db_->Query("SELECT id, title, text, state, about, published_at, closed_at FROM notices "
                                   "ORDER BY seq DESC LIMIT 1000")) {
    const char* zone = "Europe/Helsinki";
    const std::vector<std::string> about = absl::StrSplit(row.Text(4), ',', absl::SkipEmpty());
    notices.push_back({{"id", row.Text(0)},
                       {"title", row.Text(1)},
                       {"text", row.Text(2)},
                       {"language", "en"},
                       {"state", row.Text(3)},
                       {"published_at", FormatInstant(row.Int(5), zone)},
                       {"updated_at", FormatInstant(row.MaybeInt(6).value_or(row.Int(5)), zone)},
                       {"closed_at", row.IsNull(6) ? Json(nullptr) : Json(FormatInstant(row.Int(6), zone))},
                       {"about", about},
                       {"url", caller.base_url + "/status#" + row.Text(0)},
                       {"links", Json::array()}});
  }
  return notices;
}

Json Shop::PublishNotice(const Caller& caller, const Json& body) {
  const std::string title = TextMember(body, "title"), text = TextMember(body, "text", 4000);
  const std::string state = TextMember(body, "state").empty() ? "open" : TextMember(body, "state");
  if (title.empty() || text.empty() || (state != "open" && state != "planned")) {
    throw Problem{422, "invalid_input", "The input is not valid",
                  "A notice needs title, text and state open or planned."};
  }
  std::string about;
  if (body.contains("about") && body["about"].is_array()) {
    for (const Json& word : body["about"]) {
      if (word.is_string()) about += (about.empty() ? "" : ",") + word.get<std::string>().substr(0, 100);
    }
  }
  const std::string id = NewId("ntc_");
  {
    const std::lock_guard lock(mutex_);
    db_->Run("INSERT INTO notices(id, title, text, state, about, published_at) VALUES(?, ?, ?, ?, ?, ?)",
             {id, title, text, state, about, RealNow()});
  }
  for (Json& notice : Notices(caller)) {
    if (notice["id"] == id) return notice;
  }
  throw NotFound("notice_not_found", "notice");
}

void Shop::CloseNotice(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (db_->Run("UPDATE notices SET state = 'closed', closed_at = ? WHERE id = ?", {RealNow(), id}) == 0) {
    throw NotFound("notice_not_found", "notice");
  }
}

}  // namespace puckdrop::arena
