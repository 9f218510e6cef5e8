#include "checks/plan/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace puckdrop::plan {
namespace {

v1::Secret Env(const std::string& name) {
  v1::Secret secret;
  secret.set_env(name);
  return secret;
}

TEST(SecretsTest, ResolvesFromTheEnvironmentAndRemembers) {
  int asked = 0;
  SecretStore store([&](const std::string& name) -> std::optional<std::string> {
    ++asked;
    if (name == "KEY") return "hunter2";
    if (name == "LONG") return "a longer one";
    if (name == "TINY") return "ab";
    return std::nullopt;
  });
  EXPECT_EQ(store.Resolve(Env("KEY"))->Reveal(), "hunter2");
  EXPECT_EQ(store.Resolve(Env("KEY"))->Reveal(), "hunter2");
  EXPECT_EQ(asked, 1);
  ASSERT_TRUE(store.Resolve(Env("LONG")).ok());
  ASSERT_TRUE(store.Resolve(Env("TINY")).ok());
  const std::vector<SecretValue> known = store.Known();
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].Reveal(), "a longer one");
}

TEST(SecretsTest, AMissingSecretIsNamedByItsReference) {
  SecretStore store([](const std::string& name) -> std::optional<std::string> {
    if (name == "EMPTY") return "";
    return std::nullopt;
  });
  EXPECT_EQ(store.Resolve(Env("KEY")).status().message(),
            "the secret { env: KEY } is missing: the environment variable is not set");
  EXPECT_EQ(store.Resolve(Env("EMPTY")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(store.Resolve(v1::Secret()).ok());
}

TEST(SecretsTest, ReadsAFileWithoutItsLastNewline) {
  std::string folder = ::testing::TempDir() + "/puckdrop-secrets-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/key";
  SecretStore store;
  v1::Secret secret;
  secret.set_file(path);
  EXPECT_FALSE(store.Resolve(secret).ok());
  std::ofstream(path) << "abc def\n";
  // A failure is not remembered.
  EXPECT_EQ(store.Resolve(secret)->Reveal(), "abc def");
  v1::Secret large;
  large.set_file(folder + "/large");
  std::ofstream(large.file()) << std::string(70'000, 'x');
  EXPECT_FALSE(store.Resolve(large).ok());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace puckdrop::plan
