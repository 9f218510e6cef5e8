#include "services/arena/catalogue.h"

#include <array>
#include <cstring>

#include "absl/strings/str_format.h"

namespace puckdrop::arena {
namespace {

constexpr char kLiveEvent[] = "liiga-tappara-ilves";
constexpr char kNextEvent[] = "liiga-hifk-jokerit";

struct Translation {
  Text text;
  const char* fi;
  const char* sv;
  const char* et;
  const char* en;
};

constexpr Translation kTranslations[] = {
    {Text::kSeasonTitle, "Kausikortti", "Säsongskort", "Hooajapilet", "Season pass"},
    {Text::kEarlyBirdTitle, "Ennakkokausikortti", "Säsongskort i förköp", "Eelmüügi hooajapilet",
     "Early bird season pass"},
    {Text::kTicketTitle, "Ottelulippu", "Matchbiljett", "Matšipilet", "Match ticket"},
    {Text::kCancellation,
     "Jatkuu kuukauden kerrallaan, kunnes irtisanot sen omalla tilillä. Katselu jatkuu maksetun kauden loppuun.",
     "Förnyas månadsvis tills du säger upp den på ditt konto. Du kan titta till slutet av den betalda perioden.",
     "Pikeneb kuu kaupa, kuni lõpetad selle oma kontol. Vaadata saab makstud perioodi lõpuni.",
     "Renews month by month until you cancel in your account. You can watch to the end of the period you paid for."},
    {Text::kTicketCancellation, "Kertamaksu, ei jatku. 14 päivän peruuttamisoikeus sivulla /withdraw.",
     "Engångsbetalning, förnyas inte. 14 dagars ångerrätt på sidan /withdraw.",
     "Ühekordne makse, ei pikene. 14-päevane taganemisõigus lehel /withdraw.",
     "One payment, does not renew. 14 days to withdraw at /withdraw."},
    {Text::kOrderButton, "Tilaa ja maksa", "Beställ med betalningsskyldighet", "Telli koos maksekohustusega",
     "Order with obligation to pay"},
    {Text::kFirstMonth, "Ensimmäinen kuukausi", "Första månaden", "Esimene kuu", "First month"},
    {Text::kTicketCharge, "Ottelu", "Match", "Matš", "Match"},
};

}  // namespace

int64_t Offer::Gross(const Market& market) const {
  for (const auto& [code, gross] : gross_by_market) {
    if (code == market.code) return gross;
  }
  return 0;
}

const Market* FindMarket(const std::string& code) {
  static constexpr Market kMarkets[] = {{"FI", "EUR", 2550, "Europe/Helsinki", "fi"},
                                        {"SE", "SEK", 2500, "Europe/Stockholm", "sv"},
                                        {"EE", "EUR", 2400, "Europe/Tallinn", "et"}};
  for (const Market& market : kMarkets) {
    if (code == market.code) return &market;
  }
  return nullptr;
}

const std::vector<Offer>& AllOffers() {
  static const auto& offers = *new std::vector<Offer>{
      {"season", true, false, {kLiveEvent, kNextEvent}, {{"FI", 1490}, {"SE", 14900}, {"EE", 1390}}},
      {"early_bird", true, true, {kLiveEvent, kNextEvent}, {{"FI", 1290}, {"SE", 12900}, {"EE", 1190}}},
      {"match_ticket", false, false, {kLiveEvent}, {{"FI", 990}, {"SE", 9900}, {"EE", 890}}},
  };
  return offers;
}

const Offer* FindOffer(const std::string& id) {
  for (const Offer& offer : AllOffers()) {
    if (id == offer.id) return &offer;
  }
  return nullptr;
}

const std::vector<DeviceClaim>& AllDeviceClaims() {
  static const auto& claims = *new std::vector<DeviceClaim>{
      {"samsung_2018_tizen4.0", true, "720p50", "4.0", "Samsungin televisiot 2018 alkaen",
       "Samsung televisions from 2018"},
      {"samsung_2020_tizen5.5", true, "720p50", "5.5", "Samsungin televisiot 2020 alkaen",
       "Samsung televisions from 2020"},
      {"lg_webos4.x_2018_19", true, "720p50", "4.0", "LG:n televisiot 2018 alkaen", "LG televisions from 2018"},
      {"lg_webos5_6_2020_21", true, "720p50", "5.0", "LG:n televisiot 2020 alkaen", "LG televisions from 2020"},
      {"chrome_desktop", true, "720p50", nullptr, "Chrome tietokoneella", "Chrome on a computer"},
      {"safari_mac", true, "720p50", nullptr, "Safari tietokoneella", "Safari on a computer"},
      {"iphone_ios11", true, "720p50", "11.0", "iPhone, iOS 11 alkaen", "iPhone, iOS 11 and later"},
      {"apple_tv_4k_g3_2022", true, "720p50", nullptr, "Apple TV 4K", "Apple TV 4K"},
      {"android_tv_cdd", true, "720p50", "9", "Android TV", "Android TV"},
      {"chromecast_gen3", true, "720p50", nullptr, "Chromecast", "Chromecast"},
      {"samsung_2016_tizen2.4_uhd", false, nullptr, nullptr, "Samsungin televisiot 2016 ja vanhemmat: ei tuettu",
       "Samsung televisions of 2016 and older: not supported"},
  };
  return claims;
}

std::vector<MatchEvent> MakeEvents(Millis started) {
  constexpr Millis kHour = 3'600'000;
  MatchEvent live{kLiveEvent, "Tappara – Ilves", {"Tappara", "Ilves"}};
  live.start = started - kHour / 2;
  // A rehearsal arena may run for days: its live match never ends under a running check.
  live.end = started + 72 * kHour;
  live.window_end = live.end + 24 * kHour;
  live.live = true;
  MatchEvent next{kNextEvent, "HIFK – Jokerit", {"HIFK", "Jokerit"}};
  next.start = started + 96 * kHour;
  next.end = next.start + 3 * kHour;
  next.window_end = next.end + 24 * kHour;
  return {live, next};
}

bool KnownLanguage(const std::string& language) {
  return language == "fi" || language == "sv" || language == "et" || language == "en";
}

std::string Say(Text text, const std::string& language) {
  for (const Translation& translation : kTranslations) {
    if (translation.text != text) continue;
    if (language == "fi") return translation.fi;
    if (language == "sv") return translation.sv;
    if (language == "et") return translation.et;
    return translation.en;
  }
  return "";
}

std::string OfferTitle(const Offer& offer, const std::string& language) {
  if (!offer.renews) return Say(Text::kTicketTitle, language);
  return Say(offer.charged_later ? Text::kEarlyBirdTitle : Text::kSeasonTitle, language);
}

int64_t NetOf(int64_t gross, int vat_basis_points) {
  const int64_t divisor = 10'000 + vat_basis_points;
  return (gross * 10'000 * 2 + divisor) / (divisor * 2);
}

std::string MoneyText(int64_t minor_units, const std::string& currency) {
  return absl::StrFormat("%d.%02d %s", minor_units / 100, minor_units % 100, currency);
}

bool IsTelevision(const std::string& profile) {
  for (const char* maker : {"samsung", "lg", "philips", "sony", "panasonic", "hisense", "tcl"}) {
    if (profile.rfind(maker, 0) == 0) return true;
  }
  return profile.find("tizen") != std::string::npos || profile.find("webos") != std::string::npos;
}

}  // namespace puckdrop::arena
