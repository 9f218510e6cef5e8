// The plan loader over arbitrary bytes: a plan, and after a line `=== overlay` an overlay. It must give a plan or
// mistakes that print, never crash, hang or read beyond its input; and a plan it accepts must have a digest that does
// not change.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "checks/plan/load.h"
#include "checks/plan/settings.h"
#include "puckdrop/target/v1/billing.pb.h"
#include "puckdrop/target/v1/ordering.pb.h"

namespace {

using puckdrop::plan::ExpressionError;
using puckdrop::plan::ExpressionSource;

const puckdrop::plan::OperationCatalogue& Operations() {
  static const auto* const kTable = [] {
    auto* table = new puckdrop::plan::OperationTable;
    table->Add({"ordering.list_offers", puckdrop::target::v1::ListOffersRequest::descriptor(),
                puckdrop::target::v1::ListOffersResponse::descriptor(), puckdrop::v1::ACTOR_CUSTOMER, false});
    table->Add({"ordering.place_order", puckdrop::target::v1::PlaceOrderRequest::descriptor(),
                puckdrop::target::v1::PlaceOrderResponse::descriptor(), puckdrop::v1::ACTOR_CUSTOMER, true});
    table->Add({"billing.list_charges", puckdrop::target::v1::ListChargesRequest::descriptor(),
                puckdrop::target::v1::ListChargesResponse::descriptor(), puckdrop::v1::ACTOR_OPERATOR, false});
    return table;
  }();
  return *kTable;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::string mark = "\n=== overlay\n";
  const std::size_t cut = input.find(mark);
  const std::string plan = input.substr(0, cut);
  const std::string overlay = cut == std::string::npos ? "" : input.substr(cut + mark.size());
  puckdrop::plan::LoadOptions options;
  options.operations = &Operations();
  options.check_ids = {"ordering.sign_in", "billing.vat"};
  options.device_profiles = {"chrome_desktop"};
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "a {{ .b }} ${A}";
    return std::nullopt;
  };
  options.read_file = [&](const std::string& path) -> absl::StatusOr<std::string> {
    if (path == "plan.yaml") return plan;
    if (path == "over.yaml" || path == "a.yaml") return overlay;
    return absl::NotFoundError("no such file");
  };
  options.compile = [](const std::vector<ExpressionSource>& sources) {
    std::vector<ExpressionError> out;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].program.size() > 40) out.push_back({i, sources[i].program.size() / 2, "too long"});
    }
    return out;
  };
  std::vector<std::string> overlays;
  if (!overlay.empty()) overlays.push_back("over.yaml");
  const puckdrop::plan::LoadResult result = puckdrop::plan::Load({"plan.yaml"}, overlays, options);
  for (const puckdrop::plan::Mistake& mistake : result.mistakes) {
    if (puckdrop::plan::ToText(mistake).empty() || mistake.message.empty()) std::abort();
  }
  if (result.ok()) {
    puckdrop::v1::Plan again;
    if (!again.ParseFromString(result.plan.SerializeAsString())) std::abort();
    if (puckdrop::plan::Digest(again).size() != 64) std::abort();
    puckdrop::plan::SettingsFor(result.plan, "billing.vat");
  }
  return 0;
}
