#ifndef PUCKDROP_SERVICES_ARENA_CATALOGUE_H_
#define PUCKDROP_SERVICES_ARENA_CATALOGUE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "services/arena/calendar.h"

namespace puckdrop::arena {

// A country the arena sells in.
struct Market {
  const char* code;      // ISO 3166-1
  const char* currency;  // ISO 4217
  int vat_basis_points;  // standard rate in force since: FI 2024-09-01, SE 1990-07-01, EE 2025-07-01
  const char* zone;      // IANA
  const char* language;  // the default
};

// A package; prices in minor units of the market's currency, VAT included.
struct Offer {
  const char* id;
  bool renews;         // monthly, until cancelled; else a one-off
  bool charged_later;  // first charge on a later day than the order
  std::vector<std::string> event_ids;
  std::vector<std::pair<std::string, int64_t>> gross_by_market;

  int64_t Gross(const Market& market) const;
};

struct MatchEvent {
  std::string id;
  std::string title;
  std::vector<std::string> competitors;
  Millis start = 0;
  Millis end = 0;
  Millis window_end = 0;  // until when it can be watched
  bool live = false;
};

struct DeviceClaim {
  const char* profile;
  bool supported;
  const char* best_quality;
  const char* minimum_os_version;
  const char* text_fi;
  const char* text_en;
};

// nullptr when unknown.
const Market* FindMarket(const std::string& code);
const Offer* FindOffer(const std::string& id);
const std::vector<Offer>& AllOffers();
const std::vector<DeviceClaim>& AllDeviceClaims();
// The live match (started 30 minutes before `started`) and tomorrow's.
std::vector<MatchEvent> MakeEvents(Millis started);

bool KnownLanguage(const std::string& language);  // fi sv et en

enum class Text {
  kSeasonTitle,
  kEarlyBirdTitle,
  kTicketTitle,
  kCancellation,
  kTicketCancellation,
  kOrderButton,
  kFirstMonth,
  kTicketCharge,
};
// A sentence in `language`; English when there is none.
std::string Say(Text text, const std::string& language);
std::string OfferTitle(const Offer& offer, const std::string& language);

// The net part of `gross` at a VAT rate: gross / (1 + rate), half up to a minor unit.
int64_t NetOf(int64_t gross, int vat_basis_points);

// "14.90 EUR".
std::string MoneyText(int64_t minor_units, const std::string& currency);

bool IsTelevision(const std::string& profile);

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_CATALOGUE_H_
