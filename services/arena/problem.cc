#include "services/arena/problem.h"

#include <nlohmann/json.hpp>

namespace puckdrop::arena {

std::string ToJson(const Problem& problem, const std::string& instance) {
  nlohmann::ordered_json document = {{"type", "https://arena.example/problems/" + problem.code},
                                     {"title", problem.title},
                                     {"status", problem.status},
                                     {"detail", problem.detail},
                                     {"code", problem.code},
                                     {"instance", instance}};
  if (!problem.link.empty()) document["link"] = problem.link;
  for (const auto& [field, detail] : problem.field_errors) {
    document["errors"].push_back({{"field", field}, {"detail", detail}});
  }
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace puckdrop::arena
