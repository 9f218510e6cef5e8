#include "tests/checks/target/operations_fixture.h"

#include "absl/strings/str_cat.h"
#include "checks/plan/load.h"
#include "checks/target/catalogue.h"

namespace puckdrop::target {
namespace {

constexpr char kHead[] = R"(launch:
  id: test
  title: Test
  puck_drop: 2026-12-04T18:30:00+02:00
  time_zone: Europe/Helsinki
customers:
  - id: fan
    audience_share: 1
    market: FI
    payment: card
    device: chrome_desktop
    details: { street: Mannerheimintie 1 }
payments:
  card:
    accepted: { number: "4242424242424242" }
    declined_card: { number: "4000000000000002" }
target:
  pilot_key: { env: PILOT_KEY }
  secrets:
    office: { env: OFFICE }
    absent: { env: NOT_THERE }
)";

awaitable<void> Destroy(std::unique_ptr<Operations>& operations, std::unique_ptr<jq::ExpressionPool>& pool,
                        std::unique_ptr<http::Limiter>& limiter) {
  operations.reset();
  pool.reset();
  limiter.reset();
  co_return;
}

}  // namespace

const char kPlaceOrder[] = R"(operations:
  ordering.place_order:
    steps:
      - http: { host: shop, post: /orders, json: { sku: "{{ .request.offer_id }}" } }
    returns:
      order_id: .body.id
      state: .body.state
    undo: { nothing: a test }
)";

OperationsTest::OperationsTest() = default;

OperationsTest::~OperationsTest() {
  loop_.Spawn(Destroy(operations_, pool_, limiter_)).Get();
  loop_.Stop();
}

void OperationsTest::Load(const std::string& rest, const std::string& host_lines, const std::string& target_lines) {
  const std::string text =
      absl::StrCat(kHead, target_lines, "  hosts:\n    shop:\n      url: http://shop.test/api\n", host_lines,
                   "    office:\n      url: http://office.test\n      by: operator\n", rest);
  plan::LoadOptions options;
  options.operations = &Catalogue();
  options.environment = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::nullopt : std::optional(found->second);
  };
  options.read_file = [&](const std::string&) -> absl::StatusOr<std::string> { return text; };
  plan::LoadResult loaded = plan::Load({"plan.yaml"}, {}, options);
  for (const auto& mistake : loaded.mistakes) ADD_FAILURE() << mistake.message << "\n" << text;
  auto shared = std::make_shared<puckdrop::v1::Plan>(std::move(loaded.plan));
  auto made = TargetPlan::Make(shared, [this](const puckdrop::v1::Secret& secret) -> absl::StatusOr<std::string> {
    const auto found = environment_.find(secret.env());
    if (found == environment_.end()) return absl::NotFoundError(absl::StrCat(secret.env(), " is not set"));
    return found->second;
  });
  ASSERT_TRUE(made.ok()) << made.status();
  loop_.Spawn(Destroy(operations_, pool_, limiter_)).Get();
  plan_ = *made;
  limiter_ = std::make_unique<http::Limiter>(loop_, clock_, limits_);
  pool_ = MakeExpressionPool(loop_, *plan_);
  operations_ =
      std::make_unique<Operations>(Operations::Ports{loop_, clock_, http_, *limiter_, redactor_, *pool_, memory_},
                                   plan_, Operations::RunOptions{.run_id = "r1", .step_timeout = absl::Seconds(30)});
}

Actor OperationsTest::Fan() {
  absl::StatusOr<Actor> actor = operations_->NewAccount("fan", 1);
  EXPECT_TRUE(actor.ok()) << actor.status();
  return actor.ok() ? *actor : Actor();
}

Ended OperationsTest::Perform(const std::string& operation, const google::protobuf::Message& request,
                              CallOptions options) {
  options.journey = &journey_;
  return Wait(loop_.Spawn(operations_->Perform(operation, request, Fan(), options)));
}

Ended OperationsTest::PlaceOrder(CallOptions options) {
  v1::PlaceOrderRequest request;
  request.set_offer_id("season");
  request.set_idempotency_key("key-1");
  return Perform("ordering.place_order", request, options);
}

Undone OperationsTest::Undo(UndoRequest request) {
  return Wait(loop_.Spawn(operations_->Undo(std::move(request), Fan())));
}

}  // namespace puckdrop::target
