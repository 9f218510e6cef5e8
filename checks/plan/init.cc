#include "checks/plan/init.h"

namespace puckdrop::plan {

std::string StarterPlan() {
  return R"plan(# A plan: what a launch promises, who its pilot customers are, and how the service is reached.
# Look for CHANGE. Then: `puckdrop plan check`, `puckdrop try ordering.list_offers --customer living-room`,
# `puckdrop plan coverage`, `puckdrop gate`. Expressions are jq; {{ … }} is a hole in a text and always stands in quotes.

launch:
  id: my-launch                               # CHANGE
  title: My launch
  puck_drop: 2030-12-04T18:30:00+02:00        # CHANGE: the start, with its zone
  time_zone: Europe/Helsinki

# What you promise. Checks compare the service with this, so write what customers were told.
claims:
  offers:
    - offer_id: season                        # CHANGE: the id in your shop
      market: FI
      price: 14.90 EUR
      billing_period: P1M
      # vat: 25.5 %
      # first_charge_date: 2030-12-04
  devices: [chrome_desktop]
  streams: { best: 720p50, audio: [fi] }
  languages: [fi]
  # concurrent_streams: 2

target:
  clock: none                                 # none | customer | global: whether time can be moved
  allow_real_charges: false                   # never order where payments are live
  pilot_key: { env: PILOT_KEY }               # passwords of the accounts we sign up come from it
  limits: { requests_per_second: 10, in_flight: 4, orders_per_hour: 30 }
  hosts:
    shop:
      url: ${SHOP:-http://127.0.0.1:8080}     # CHANGE
      session: viewer
      headers: { x-synthetic: puckdrop }      # so that your analytics can leave us out
      # What your service says instead of yes, although the status may be 200:
      # refused: |
      #   select(.body.error?) | { reason: "OTHER", code: .body.error.code, text: .body.error.message }

sessions:
  viewer:
    per: device
    open: sign_in                             # a fragment, below
    read: .body.token                         # looked at after every answer; null keeps the old one
    lost: .status == 401                      # then it is opened again, once
    send: { authorization: "Bearer {{ .session }}" }

customers:
  - id: living-room
    audience_share: 0.6
    market: FI
    payment: card
    device: chrome_desktop
    accounts: new                             # or [{ username: …, password: { env: … } }]
  - id: others                                # who nobody here stands for
    audience_share: 0.4

payments:
  card:
    accepted: { number: "4242424242424242" }
    declined_card: { number: "4000000000000002" }

fragments:
  sign_in:
    - http:
        host: shop
        session: none
        post: /v1/sessions
        json: { email: "{{ .customer.email }}", password: "{{ .customer.password }}" }
      expect: .status == 201

operations:
  ordering.list_offers:
    http: { host: shop, get: /v1/offers, query: { market: "{{ .request.market }}" }, session: none }
    expect: .status == 200
    returns:
      offers:
        each: .body.offers[]
        offer_id: .id
        price:
          gross: .price | money("EUR")
        purchasable: .available

  # ordering.place_order is next. What it leaves behind must be undone from our own key:
  #
  # ordering.place_order:
  #   http:
  #     host: shop
  #     post: /v1/orders
  #     headers: { idempotency-key: "{{ .request.idempotency_key }}" }
  #     json: { offer: "{{ .request.offer_id }}", card: "{{ .payment.number }}" }
  #   commit: true
  #   customer_does: pays
  #   returns:
  #     order_id: .body.id
  #     state: '{ paid: "CONFIRMED", live: "ACTIVE" }[.body.state]'
  #   undo:
  #     steps:
  #       - http: { host: shop, get: /v1/orders, query: { key: "{{ .request.idempotency_key }}" } }
  #       - each: .body.orders[]
  #         http: { host: shop, post: "/v1/orders/{{ $each.id }}/refund" }
  #     done: .body.refunded

checks:
  "*": { attempts: 2 }
  # ordering.order_to_watch: { warn: 30s, fail: 120s }

not_judged: []                                # { check: billing.*, reason: …, owner: … }

promises:
  - id: offer-visible
    text: You find the season in the shop
    checks: [ordering.offer_visible]

waivers: []
)plan";
}

}  // namespace puckdrop::plan
