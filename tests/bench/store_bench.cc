// Fills a history with results and measures what on-call asks of it while more arrive; prints one line of JSON a
// measurement. usage: store_bench --directory D [--results N] [--seconds S] [--rate R]
#include <sys/resource.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/readiness/connection.h"
#include "services/readiness/history.h"
#include "services/runtime/proto_time.h"

namespace puckdrop::bench {
namespace {

using readiness::History;
using std::chrono::steady_clock;

constexpr int kChecks = 200;
constexpr int kCustomers = 5;
constexpr int kInstances = kChecks * kCustomers;
constexpr int64_t kMade = 100'000;  // results made one by one, with all that belongs to them

std::string CheckName(int check) { return absl::StrFormat("billing.check_number_%03d", check); }
std::string CustomerName(int customer) { return absl::StrFormat("customer-%d", customer); }

// As a prober writes them: a pass is short, a failure (one in forty, in rows of ten) has findings and evidence.
v1::Result ResultNumber(int64_t number, absl::Time end) {
  const int instance = static_cast<int>(number % kInstances);
  const int64_t round = number / kInstances;
  const int check = instance / kCustomers;
  v1::Result result;
  result.set_run(absl::StrCat("runs/", absl::FormatTime("%Y%m%d-%H%M%S", end, absl::UTCTimeZone()),
                              absl::StrFormat("-%08x", static_cast<unsigned>(round))));
  result.set_check(CheckName(check));
  result.set_customer(CustomerName(instance % kCustomers));
  result.set_name(absl::StrCat(result.run(), "/results/", result.check(), ":", result.customer()));
  result.set_vantage("helsinki");
  result.set_stage(v1::STAGE_SUBSCRIBER);
  result.set_severity(v1::SEVERITY_BLOCKING);
  result.set_attempts(1);
  result.set_configuration("release-2026.09.1+build.4711");
  result.set_plan_digest("6a1f0c2b9d8e7f60");
  result.set_operation("billing.list_charges");
  result.set_step(2);
  result.set_steps(3);
  result.set_plan_position("liiga.yaml:212:7");
  *result.mutable_end_time() = runtime::ToTimestamp(end);
  *result.mutable_start_time() = runtime::ToTimestamp(end - absl::Milliseconds(180));
  *result.mutable_duration() = runtime::ToProtoDuration(absl::Milliseconds(180));
  const bool failed = (round + check) % 400 < 10;
  result.set_outcome(failed ? v1::OUTCOME_FAILED : v1::OUTCOME_PASSED);
  result.set_summary(failed ? "2 charges of 14.90 EUR where the offer promises one"
                            : "1 charge of 14.90 EUR, as promised");
  if (failed) {
    result.set_confirmed(true);
    result.set_reason(v1::FAILURE_REASON_WRONG_ANSWER);
    v1::Finding* finding = result.add_findings();
    finding->set_id(round % 3 == 0 ? "charged_twice" : "charged_wrong_amount");
    finding->set_text(result.summary());
    finding->set_expected("1 charge of 14.90 EUR");
    finding->set_actual("2 charges of 14.90 EUR");
    result.add_evidence(absl::StrFormat("evidence/%064x", static_cast<uint64_t>(number % 20'000)));
    result.set_reproduce(
        "curl -sS -H \"authorization: Bearer $TOKEN\" 'https://billing.example/v1/charges?subscription=s-1'");
  }
  return result;
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  absl::FPrintF(stderr, "store_bench: %s\n", status.ToString());
  std::exit(70);
}

double MillisecondsSince(steady_clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begun).count();
}

// Of this thread: what a query costs on a machine that others use too.
double ThreadCpuMilliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

double At(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

// `cpu` may be empty.
void Print(const std::string& what, std::vector<double>& milliseconds, std::vector<double> cpu = {}) {
  if (milliseconds.empty()) return;
  std::sort(milliseconds.begin(), milliseconds.end());
  std::sort(cpu.begin(), cpu.end());
  absl::PrintF(
      "{\"what\":\"%s\",\"count\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f%s}\n", what, milliseconds.size(),
      At(milliseconds, 0.5), At(milliseconds, 0.99), milliseconds.back(),
      cpu.empty() ? "" : absl::StrFormat(",\"cpu_p50_ms\":%.2f,\"cpu_p99_ms\":%.2f", At(cpu, 0.5), At(cpu, 0.99)));
  std::fflush(stdout);
}

void AppendRange(History& history, int64_t from, int64_t to, absl::Time start) {
  constexpr size_t kBatch = 5000;
  std::vector<v1::Result> batch;
  for (int64_t number = from; number < to; ++number) {
    batch.push_back(ResultNumber(number, start + absl::Milliseconds(2) * number));
    if (batch.size() < kBatch && number + 1 < to) continue;
    Check(history.Append(batch));
    batch.clear();
  }
}

// The same rows again and again under other keys, until there are `count`: what is asked looks at indexes and at single
// messages, and to make each message anew would take an hour on a busy machine.
void Multiply(const std::string& file, int64_t have, int64_t count) {
  auto db = readiness::Connection::Open(file, {});
  Check(db.status());
  Check((*db)->Execute("PRAGMA synchronous=OFF"));
  for (int64_t copy = 1; have < count; ++copy) {
    const int64_t some = std::min<int64_t>(kMade, count - have);
    Check(readiness::Statement(**db,
                               "INSERT INTO results (instance, key, outcome, added, finding, message) "
                               "SELECT instance, key + (? << 32), outcome, added, finding, message FROM results "
                               "WHERE seq <= ? ORDER BY seq")
              .Bind(copy * kMade / 5000)
              .Bind(some)
              .Run());
    have += some;
  }
}

// Results one by one, evenly, without waiting for each: as probers stream them.
struct Arrivals {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> acknowledged{0}, failed{0};
  std::vector<double> milliseconds;  // each to its commit; of the writer's thread until the history is closed
};

void Arrive(History& history, int64_t next, int rate, absl::Time time, Arrivals& arrivals) {
  const auto begun = steady_clock::now();
  for (int64_t sent = 0; !arrivals.stop; ++sent) {
    std::this_thread::sleep_until(begun + std::chrono::microseconds(sent * 1'000'000 / rate));
    const auto at = steady_clock::now();
    history.AppendAsync({ResultNumber(next + sent, time + absl::Milliseconds(2) * sent)},
                        [&arrivals, at](absl::Status status) {
                          (status.ok() ? arrivals.acknowledged : arrivals.failed) += 1;
                          arrivals.milliseconds.push_back(MillisecondsSince(at));
                        });
  }
}

struct Query {
  std::string what;
  std::function<absl::Status()> ask;
  std::vector<double> milliseconds, cpu;
};

std::vector<Query> Queries(History& history, std::mt19937& random) {
  const auto check = [&random] { return CheckName(static_cast<int>(random() % kChecks)); };
  const auto customer = [&random] { return CustomerName(static_cast<int>(random() % kCustomers)); };
  const auto list = [&history](const std::string& of_check, const std::string& of_customer, const std::string& token) {
    v1::ListResultsRequest request;
    request.set_check(of_check);
    request.set_customer(of_customer);
    request.set_page_token(token);
    return history.ListResults(request).status();
  };
  std::vector<Query> queries;
  queries.push_back({"status: newest of 1,000 instances and their standings",
                     [&history] {
                       absl::Status latest = history.Latest().status();
                       return latest.ok() ? history.Standings().status() : latest;
                     },
                     {}});
  queries.push_back({"explain: standing, last green, similar, last GO, 10 results, evidence",
                     [&history, check, customer] {
                       const std::string c = check(), who = customer();
                       absl::Status status = history.StandingOf(c, who).status();
                       if (status.ok()) status = history.LastGreen(c, who).status();
                       if (status.ok()) status = history.Similar(c, who, "charged_twice", 5).status();
                       if (status.ok()) status = history.GetLastGo().status();
                       if (status.ok()) status = history.ListStandingChanges(c, who, {10, ""}).status();
                       v1::ListResultsRequest request;
                       request.set_check(c);
                       request.set_customer(who);
                       request.set_page_size(10);
                       auto results = history.ListResults(request);
                       if (!status.ok() || !results.ok()) return status.ok() ? results.status() : status;
                       std::vector<std::string> names(results->results(0).evidence().begin(),
                                                      results->results(0).evidence().end());
                       return history.DescribeEvidence(names).status();
                     },
                     {}});
  queries.push_back(
      {"history of one instance, 50 results", [list, check, customer] { return list(check(), customer(), ""); }, {}});
  queries.push_back({"history of one instance, 50 results from a random place",
                     [list, check, customer, &history, &random] {
                       auto size = history.Size();
                       if (!size.ok()) return size.status();
                       return list(check(), customer(),
                                   absl::StrCat(1 + random() % static_cast<uint64_t>(size->last_result)));
                     },
                     {}});
  queries.push_back({"history of a check, 50 results", [list, check] { return list(check(), "", ""); }, {}});
  queries.push_back(
      {"history of a customer (200 instances), 50 results", [list, customer] { return list("", customer(), ""); }, {}});
  queries.push_back({"history of all, 50 results", [list] { return list("", "", ""); }, {}});
  return queries;
}

int Main(int argc, char** argv) {
  CLI::App app("Measures the store that on-call asks");
  std::string directory;
  int64_t results = 5'000'000;
  int seconds = 30, rate = 500;
  app.add_option("--directory", directory, "Empty folder for the history")->required();
  app.add_option("--results", results, "How many it holds first")->check(CLI::Range(1'000, 50'000'000));
  app.add_option("--seconds", seconds, "How long to ask")->check(CLI::Range(1, 3600));
  app.add_option("--rate", rate, "Results that arrive in a second")->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);

  runtime::RealClock clock;
  readiness::HistoryOptions options;
  options.directory = directory;
  options.launch = "bench";
  // Less than it will have, so that upkeep has something to remove in every pass.
  options.database_bytes = results * 200;
  const absl::Time start = clock.Now() - absl::Milliseconds(2) * results;
  const auto filling = steady_clock::now();
  auto opened = History::Open(options, clock);
  Check(opened.status());
  const int64_t made = std::min(kMade, results);
  const double cpu_before = CpuSeconds();
  AppendRange(**opened, 0, made, start);
  absl::PrintF("{\"what\":\"append in batches\",\"results\":%d,\"cpu_microseconds_each\":%.1f}\n", made,
               (CpuSeconds() - cpu_before) * 1e6 / static_cast<double>(made));
  opened->reset();
  Multiply(directory + "/history.db", made, results);
  opened = History::Open(options, clock);
  Check(opened.status());
  std::unique_ptr<History> history = std::move(*opened);
  // So that the newest of all instances are at the end.
  AppendRange(*history, results, results + 2 * kInstances, start);
  auto size = history->Size();
  Check(size.status());
  absl::PrintF("{\"what\":\"fill\",\"results\":%d,\"seconds\":%.1f,\"database_megabytes\":%.0f}\n", size->last_result,
               MillisecondsSince(filling) / 1000, static_cast<double>(size->database_bytes) / 1e6);
  std::fflush(stdout);
  v1::Verdict verdict;
  verdict.set_state(v1::VERDICT_STATE_GO);
  for (int i = 0; i < kInstances; ++i) {
    v1::InstanceStanding* instance = verdict.add_instances();
    instance->set_check(CheckName(i / kCustomers));
    instance->set_customer(CustomerName(i % kCustomers));
    instance->set_standing(v1::STANDING_OK);
    instance->set_why("passed");
  }
  Check(history->RecordStandings(verdict).status());
  Check(history->AppendVerdictChange(verdict).status());

  Arrivals arrivals;
  std::thread feeder([&] { Arrive(*history, results + 2 * kInstances, rate, clock.Now(), arrivals); });
  std::mt19937 random(1);
  std::vector<Query> queries = Queries(*history, random);
  const double cpu = CpuSeconds();
  const auto begun = steady_clock::now();
  std::vector<double> upkeep;
  double house = 0;
  while (MillisecondsSince(begun) < seconds * 1000.0) {
    for (Query& query : queries) {
      const auto asked = steady_clock::now();
      const double cpu_before = ThreadCpuMilliseconds();
      Check(query.ask());
      query.cpu.push_back(ThreadCpuMilliseconds() - cpu_before);
      query.milliseconds.push_back(MillisecondsSince(asked));
    }
    // More often than a service does, and never without work.
    if (MillisecondsSince(begun) > house) {
      house += 1'000;
      const auto asked = steady_clock::now();
      Check(history->KeepHouse().status());
      upkeep.push_back(MillisecondsSince(asked));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double took = MillisecondsSince(begun) / 1000, used = CpuSeconds() - cpu;
  arrivals.stop = true;
  feeder.join();
  history.reset();
  double worst = 0;
  for (Query& query : queries) {
    Print(query.what, query.milliseconds, query.cpu);
    worst = std::max(worst, At(query.milliseconds, 0.99));
  }
  Print("upkeep: a pass of 2,000 results", upkeep);
  Print("a result to its commit", arrivals.milliseconds);
  absl::PrintF(
      "{\"what\":\"while\",\"results_per_second\":%.0f,\"refused\":%d,\"cpu_share\":%.2f,\"worst_p99_ms\":%.2f}\n",
      static_cast<double>(arrivals.acknowledged) / took, arrivals.failed.load(), used / took, worst);
  return worst < 20 && arrivals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace puckdrop::bench

int main(int argc, char** argv) { return puckdrop::bench::Main(argc, argv); }
