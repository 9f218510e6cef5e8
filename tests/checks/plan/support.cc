#include "tests/checks/plan/support.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/cancellation.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"

namespace puckdrop::plan::testing {

bool update_golden = false;

const OperationCatalogue& TestOperations() {
  static const OperationTable* const kTable = [] {
    auto* table = new OperationTable;
    const auto add = [&](const char* id, const auto* request, const auto* response, v1::Actor by, bool creates) {
      table->Add({id, request, response, by, creates});
    };
    add("ordering.list_offers", target::v1::ListOffersRequest::descriptor(),
        target::v1::ListOffersResponse::descriptor(), v1::ACTOR_CUSTOMER, false);
    add("ordering.sign_up", target::v1::SignUpRequest::descriptor(), target::v1::SignUpResponse::descriptor(),
        v1::ACTOR_CUSTOMER, true);
    add("ordering.place_order", target::v1::PlaceOrderRequest::descriptor(),
        target::v1::PlaceOrderResponse::descriptor(), v1::ACTOR_CUSTOMER, true);
    add("cancellation.cancel_subscription", target::v1::CancelSubscriptionRequest::descriptor(),
        target::v1::CancelSubscriptionResponse::descriptor(), v1::ACTOR_CUSTOMER, false);
    add("billing.list_charges", target::v1::ListChargesRequest::descriptor(),
        target::v1::ListChargesResponse::descriptor(), v1::ACTOR_OPERATOR, false);
    add("billing.list_invoices", target::v1::ListInvoicesRequest::descriptor(),
        target::v1::ListInvoicesResponse::descriptor(), v1::ACTOR_CUSTOMER, false);
    add("billing.preview_invoice", target::v1::PreviewInvoiceRequest::descriptor(),
        target::v1::PreviewInvoiceResponse::descriptor(), v1::ACTOR_CUSTOMER, false);
    return table;
  }();
  return *kTable;
}

LoadOptions TestOptions(std::map<std::string, std::string> environment) {
  LoadOptions options;
  options.operations = &TestOperations();
  options.check_ids = {"ordering.offer_visible",  "ordering.sign_in",   "ordering.order_completes",
                       "ordering.order_to_watch", "playback.loudness",  "playback.uhd_is_uhd",
                       "billing.charged_once",    "billing.no_surprise"};
  options.device_profiles = {"samsung_2018_tizen4.0", "chrome_desktop"};
  options.environment = [environment = std::move(environment)](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  options.compile = [](const std::vector<ExpressionSource>& sources) {
    std::vector<ExpressionError> out;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const std::size_t at = sources[i].program.find("BROKEN");
      if (at != std::string::npos) out.push_back({i, at, "unknown function 'BROKEN/0'"});
    }
    return out;
  };
  return options;
}

LoadResult LoadTexts(const std::map<std::string, std::string>& files, const std::vector<std::string>& main,
                     const std::vector<std::string>& overlays, LoadOptions options) {
  options.read_file = [&files](const std::string& path) -> absl::StatusOr<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return absl::NotFoundError("no such file");
    return found->second;
  };
  return Load(main, overlays, options);
}

std::string GoldenFolder() {
  const char* source = std::getenv("PUCKDROP_SOURCE");
  return std::string(source == nullptr ? "." : source) + "/tests/golden/plan";
}

std::string BasePlan() {
  std::ifstream in(GoldenFolder() + "/mistakes/parts/base.yaml", std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace puckdrop::plan::testing
