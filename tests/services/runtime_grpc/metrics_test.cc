#include "services/runtime/metrics.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace puckdrop::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Hostile final : public SnapshotCollectable {
 public:
  mutable int looks = 0;

 protected:
  std::vector<prometheus::MetricFamily> CollectLocked() const override {
    EXPECT_FALSE(mutex_.try_lock()) << "the snapshot is taken under the lock";
    ++looks;
    std::vector<prometheus::MetricFamily> all;
    all.push_back(std::move(FamilyBuilder("hostile_total", "two\nlines \\ and \xff", prometheus::MetricType::Counter)
                                .Add({{"check", "a\"b\\c\nd\xff\x01"}, {"other", std::string(1000, 'x')}}, 3))
                      .Build());
    all.push_back(std::move(FamilyBuilder("took_seconds", "How long.", prometheus::MetricType::Histogram)
                                .AddHistogram({{"path", "billing"}}, {0.5, 1}, {2, 0, 1}, 4.5))
                      .Build());
    return all;
  }
};

size_t Append(char* data, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

std::string Get(const std::string& url) {
  std::string text;
  CURL* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
  curl_easy_cleanup(curl);
  return text;
}

TEST(MetricsTest, HostileTextCannotBreakAScrape) {
  const std::string text = MetricsText({std::make_shared<Hostile>()});
  EXPECT_THAT(text, HasSubstr("# HELP hostile_total two lines / and \xEF\xBF\xBD\n"));
  EXPECT_THAT(text, HasSubstr("hostile_total{check=\"a\\\"b\\\\c d\xEF\xBF\xBD \",other=\""));
  EXPECT_THAT(text, Not(HasSubstr(std::string(201, 'x'))));
}

TEST(MetricsTest, AHistogramIsCumulativeAndEndsAtInfinity) {
  const std::string text = MetricsText({std::make_shared<Hostile>()});
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"billing\",le=\"0.5\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"billing\",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{path=\"billing\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_sum{path=\"billing\"} 4.5\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_count{path=\"billing\"} 3\n"));
}

TEST(MetricsTest, AProcessTellsItsOwnNumbers) {
  const std::string text = MetricsText({ProcessMetrics(), BuildInfoMetric("abc123")});
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds ", "process_max_fds "}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", name))) << name;
  }
  EXPECT_THAT(text, HasSubstr("plan=\"abc123\""));
  const size_t at = text.find("\nprocess_start_time_seconds ");
  const double start = std::stod(text.substr(at + 28));
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_GT(start, now - 3600);
  EXPECT_LE(start, now + 2);
  const double memory = std::stod(text.substr(text.find("\nprocess_resident_memory_bytes ") + 31));
  EXPECT_GT(memory, 1e6);
}

TEST(MetricsTest, TheEndpointServesEveryCollectable) {
  auto hostile = std::make_shared<Hostile>();
  absl::StatusOr<std::unique_ptr<MetricsEndpoint>> endpoint =
      MetricsEndpoint::Start("127.0.0.1:0", {hostile, ProcessMetrics()});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  ASSERT_GT((*endpoint)->port(), 0);
  const std::string text = Get(absl::StrCat("http://127.0.0.1:", (*endpoint)->port(), "/metrics"));
  EXPECT_THAT(text, HasSubstr("hostile_total{"));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total"));
  absl::StatusOr<std::unique_ptr<MetricsEndpoint>> second =
      MetricsEndpoint::Start(absl::StrCat("127.0.0.1:", (*endpoint)->port()), {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace puckdrop::runtime
