#include "checks/plan/schema.h"

#include <gtest/gtest.h>

#include "nlohmann/json.hpp"
#include "tests/checks/plan/support.h"

namespace puckdrop::plan {
namespace {

using Json = nlohmann::json;

// Every reference leads somewhere.
void CheckReferences(const Json& node, const Json& definitions) {
  if (node.is_object()) {
    if (node.contains("$ref")) {
      const std::string name = node["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
      EXPECT_TRUE(definitions.contains(name)) << name;
    }
    for (const auto& [key, value] : node.items()) CheckReferences(value, definitions);
  } else if (node.is_array()) {
    for (const Json& value : node) CheckReferences(value, definitions);
  }
}

TEST(SchemaTest, KnowsTheLanguageAndItsOperations) {
  const Json schema = Json::parse(JsonSchema(testing::TestOperations()));
  CheckReferences(schema, schema["$defs"]);
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_FALSE(schema["additionalProperties"].get<bool>());
  EXPECT_TRUE(schema["properties"].contains("launch"));
  EXPECT_TRUE(schema["properties"].contains("include"));
  EXPECT_FALSE(schema["properties"].contains("source_files"));
  const Json& operations = schema["properties"]["operations"]["properties"];
  EXPECT_EQ(operations.size(), testing::TestOperations().Ids().size());
  const Json& offers = operations["ordering.list_offers"]["properties"]["returns"]["properties"]["offers"];
  EXPECT_TRUE(offers["anyOf"][1]["properties"].contains("each"));
  EXPECT_TRUE(offers["anyOf"][1]["properties"].contains("offer_id"));
  EXPECT_FALSE(operations["ordering.list_offers"]["properties"]["returns"]["properties"].contains("refusal"));
  EXPECT_TRUE(schema["$defs"]["Operation"]["properties"].contains("http"));
  EXPECT_TRUE(schema["$defs"]["Operation"]["properties"].contains("undo"));
  EXPECT_FALSE(schema["$defs"]["Operation"]["properties"].contains("grpc"));
  EXPECT_TRUE(schema["$defs"]["Http"]["properties"].contains("post"));
  EXPECT_FALSE(schema["$defs"]["Http"]["properties"].contains("method"));
  EXPECT_FALSE(schema["$defs"]["Host"]["properties"].contains("name"));
}

}  // namespace
}  // namespace puckdrop::plan
