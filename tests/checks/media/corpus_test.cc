// The fuzzers' corpora, and seeded mutations of them, in the normal test run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "fuzz_targets.h"

namespace puckdrop::media {
namespace {

std::vector<std::string> Corpus(const std::string& name) {
  const char* source = std::getenv("PUCKDROP_SOURCE");
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(source == nullptr ? "." : source) + "/tests/fuzz/media/corpus/" + name)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    inputs.push_back(text.str());
  }
  return inputs;
}

void Replay(const std::string& name, void (*target)(const uint8_t*, size_t), int mutations) {
  const std::vector<std::string> inputs = Corpus(name);
  ASSERT_FALSE(inputs.empty());
  auto one = [&](const std::string& input) { target(reinterpret_cast<const uint8_t*>(input.data()), input.size()); };
  for (const std::string& input : inputs) one(input);
  std::mt19937 random(7);
  for (int i = 0; i < mutations; ++i) {
    std::string input = inputs[random() % inputs.size()];
    for (unsigned flips = random() % 16; flips > 0 && !input.empty(); --flips) {
      const size_t at = random() % input.size();
      switch (random() % 4) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input.erase(at, random() % 16);
          break;
        case 2:
          input.insert(at, input.substr(random() % input.size(), random() % 64));
          break;
        default:
          input.resize(at);
          break;
      }
    }
    one(input);
  }
}

TEST(CorpusTest, HlsPlaylist) { Replay("hls_playlist", &FuzzHlsPlaylist, 500); }
TEST(CorpusTest, CodecString) { Replay("codec_string", &FuzzCodecString, 5000); }
TEST(CorpusTest, Decoder) { Replay("decoder", &FuzzDecoder, 200); }
TEST(CorpusTest, DeviceProfile) { Replay("device_profile", &FuzzDeviceProfile, 200); }

}  // namespace
}  // namespace puckdrop::media
