#include "checks/plan/suggest.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace puckdrop::plan {
namespace {
constexpr std::size_t kLongest = 64;
}

int EditDistance(absl::string_view a, absl::string_view b) {
  a = a.substr(0, kLongest);
  b = b.substr(0, kLongest);
  std::array<std::array<int, kLongest + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    const auto& above2 = rows[(i + 1) % 3];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = absl::ascii_tolower(static_cast<unsigned char>(a[i - 1]));
      const char y = absl::ascii_tolower(static_cast<unsigned char>(b[j - 1]));
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (x == y ? 0 : 1)});
      if (i > 1 && j > 1 && x == absl::ascii_tolower(static_cast<unsigned char>(b[j - 2])) &&
          y == absl::ascii_tolower(static_cast<unsigned char>(a[i - 2]))) {
        row[j] = std::min(row[j], above2[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::string Nearest(absl::string_view name, const std::vector<std::string>& known) {
  if (name.empty()) return "";
  // A third of the letters may differ; one always may, if anything else is left.
  const int limit = std::max<int>(1, static_cast<int>(std::min(name.size(), kLongest)) / 3);
  int best = limit + 1;
  std::string nearest;
  for (const std::string& candidate : known) {
    const int distance = EditDistance(name, candidate);
    if (distance < best && distance < static_cast<int>(std::max(name.size(), candidate.size()))) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(absl::string_view name, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(name, known);
  if (!nearest.empty()) return absl::StrCat("did you mean `", nearest, "`?");
  if (known.empty()) return "";
  constexpr std::size_t kMost = 12;
  const auto end = known.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, known.size()));
  return absl::StrCat("known are: ", absl::StrJoin(known.begin(), end, ", "), known.size() > kMost ? ", …" : "");
}

}  // namespace puckdrop::plan
