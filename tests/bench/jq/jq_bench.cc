// What an evaluation costs in CPU time, ours and the worker's together: a typical step (a body of 2 KB, three programs)
// with 1, 16 and 64 requests in flight, and what compiling a set costs.

#include <sys/resource.h>
#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string>

#include "checks/target/jq/pool.h"

namespace puckdrop::jq {
namespace {

double Seconds(clockid_t clock) {
  struct timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double WorkerSeconds(const ExpressionPool& pool) {
  double sum = 0;
  for (int pid : pool.WorkerPids()) {
    clockid_t clock = 0;
    if (clock_getcpuclockid(pid, &clock) == 0) sum += Seconds(clock);
  }
  return sum;
}

std::string Body() {
  std::string body = R"({"id":"ord_1","state":"paid","total":14.9,"lines":[)";
  for (int i = 0; i < 16; ++i) {
    body += (i > 0 ? "," : "") + std::string(R"({"sku":"season-)") + std::to_string(i) +
            R"(","title":"Liiga season pass","price":14.9,"currency":"EUR","quantity":1,"features":["hd","dolby"]})";
  }
  return body + "]}";
}

boost::asio::awaitable<void> Walk(ExpressionPool* pool, const EvaluationRequest* request, int count, int* bad) {
  for (int i = 0; i < count; ++i) {
    const auto result = co_await pool->Evaluate(*request);
    if (!result.ok() || !result->outcomes[0].ok()) ++*bad;
  }
}

void Measure(int in_flight, int total) {
  boost::asio::io_context loop(1);
  auto set = std::make_shared<ProgramSet>();
  EvaluationRequest request;
  for (const char* text : {".status == 201", ".body.id", ".body.total | tostring"}) {
    Program program;
    program.text = text;
    request.programs.push_back(set->Add(program));
  }
  request.context =
      R"({"status":201,"headers":{"content-type":"application/json","date":"Fri, 04 Dec 2026 16:30:00 GMT"},
                       "url":"https://shop.example/v1/orders","request":{"offer_id":"season"},"journey":{"order":"ord_1"}})";
  request.body_kind = BodyKind::kJson;
  request.body = std::make_shared<const std::string>(Body());
  ExpressionPool pool(loop.get_executor(), set);
  int bad = 0;
  boost::asio::co_spawn(loop, Walk(&pool, &request, 10, &bad), boost::asio::detached);
  while (pool.statistics().requests < 10 || pool.WorkerPids().empty()) loop.run_one();
  loop.run_for(std::chrono::milliseconds(50));
  const double own = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double worker = WorkerSeconds(pool);
  int running = in_flight;
  for (int i = 0; i < in_flight; ++i) {
    boost::asio::co_spawn(loop, Walk(&pool, &request, total / in_flight, &bad), [&](std::exception_ptr) { --running; });
  }
  while (running > 0) loop.run_one();
  const double own_us = (Seconds(CLOCK_PROCESS_CPUTIME_ID) - own) * 1e6 / total;
  const double worker_us = (WorkerSeconds(pool) - worker) * 1e6 / total;
  std::printf(
      "%2d in flight, %zu bytes, 3 programs: %5.1f us a request here, %5.1f us in the worker, %5.1f us a program%s\n",
      in_flight, request.body->size(), own_us, worker_us, (own_us + worker_us) / 3, bad > 0 ? "  FAILURES" : "");
}

double ChildrenSeconds() {
  struct rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void MeasureCompile(int programs) {
  ProgramSet set;
  for (int i = 0; i < programs; ++i) {
    Program program;
    program.text = ".body.field" + std::to_string(i) + " | select(. != null) | tostring";
    set.Add(program);
  }
  const double before = ChildrenSeconds();
  const auto errors = CheckPrograms(set);
  std::printf("starting a worker and compiling %4d programs: %6.1f ms%s\n", programs,
              (ChildrenSeconds() - before) * 1e3, errors.ok() && errors->empty() ? "" : "  FAILED");
}

}  // namespace
}  // namespace puckdrop::jq

int main() {
  for (int programs : {1, 100, 300, 1000, 3000}) puckdrop::jq::MeasureCompile(programs);
  for (int in_flight : {1, 16, 64}) puckdrop::jq::Measure(in_flight, 32000);
}
