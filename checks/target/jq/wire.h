#ifndef PUCKDROP_CHECKS_TARGET_JQ_WIRE_H_
#define PUCKDROP_CHECKS_TARGET_JQ_WIRE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/target/jq/program.h"

// The messages between a pool and its workers, which are always two halves of one build: no versions, no
// compatibility. A frame is a length (4 bytes), a type (1 byte) and a payload; integers are little-endian. All readers
// are total: a worker runs other people's programs, so what it sends is not trusted.
namespace puckdrop::jq::wire {

enum class Type : std::uint8_t {
  kLoad = 1,      // to the worker: the programs and the limits; once, first
  kLoaded = 2,    // from it: the mistakes found
  kEvaluate = 3,  // to the worker: a batch of requests
  kResults = 4,   // from it: the batch's results, in the same order
};

constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kMaxFrameBytes = 512 << 20;

struct Load {
  bool check = false;  // compile everything now and tell all mistakes; else each part when it is first needed
  std::uint32_t soft_limit_ms = 50;
  std::uint32_t max_results = 10000;
  std::uint32_t max_result_bytes = 4 << 20;
  std::vector<Program> programs;  // without positions
};

struct Request {
  std::uint64_t id = 0;
  std::uint8_t body_kind = 0;  // BodyKind
  std::optional<double> now;
  std::string_view context;
  std::optional<std::string_view> body;
  std::vector<std::string_view> each;
  std::vector<std::uint32_t> programs;
  // Outcomes (by number) that killed a worker before and are left out.
  std::vector<std::uint32_t> skip;
};

struct Outcome {
  // 0 values, 1 + FailureKind, kSkipped.
  std::uint8_t kind = 0;
  std::vector<std::string_view> values;
  std::string_view message;
};
constexpr std::uint8_t kSkipped = 255;

struct Result {
  std::uint64_t id = 0;
  std::optional<std::string_view> input_error;  // the context or an `each` is not JSON: nothing was evaluated
  std::optional<std::string_view> body_problem;
  std::vector<Outcome> outcomes;
};

// A page that parent and worker share: how the parent knows what a worker was doing when it hung or died.
struct Marker {
  // The request (number in the batch) in the upper 32 bits, the outcome (number) or one of the values below in the
  // lower.
  std::atomic<std::uint64_t> position{0};
  // Grows with every change of position.
  std::atomic<std::uint64_t> steps{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
constexpr std::uint32_t kReadingInput = 0xFFFFFFFF;
constexpr std::uint32_t kIdle = 0xFFFFFFFE;
constexpr std::uint32_t kCompiling = 0xFFFFFFFD;

// File descriptors of a worker.
constexpr int kSocketFd = 3;
constexpr int kMarkerFd = 4;

// Builds one frame in a string.
class Writer {
 public:
  explicit Writer(Type type);
  void U8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void U32(std::uint32_t value);
  void U64(std::uint64_t value);
  void F64(double value);
  void Bytes(std::string_view bytes);
  // Places a number that is known later only.
  std::size_t Reserve32();
  void Patch32(std::size_t at, std::uint32_t value);
  std::string& buffer() { return out_; }
  std::string Finish() &&;

 private:
  std::string out_;
};

// Reads a payload; after the first overrun every value is zero and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  std::uint8_t U8();
  std::uint32_t U32();
  std::uint64_t U64();
  double F64();
  std::string_view Bytes();
  // A count of things that take at least `least` bytes each.
  std::uint32_t Count(std::size_t least);
  bool ok() const { return ok_; }
  bool done() const { return ok_ && data_.empty(); }
  void Fail() { ok_ = false; }

 private:
  bool Take(std::size_t size, const char** at);
  std::string_view data_;
  bool ok_ = true;
};

// What stands at the head of `data`: false when a header cannot be right. `*frame_bytes` is 0 while the header is
// incomplete.
bool PeekHeader(std::string_view data, Type* type, std::size_t* frame_bytes);

std::string EncodeLoad(const Load& load);
bool DecodeLoad(std::string_view payload, Load* load);
std::string EncodeLoaded(const std::vector<ProgramError>& errors);
bool DecodeLoaded(std::string_view payload, std::vector<ProgramError>* errors);
void AppendRequest(Writer* writer, const Request& request);
bool DecodeEvaluate(std::string_view payload, std::vector<Request>* requests);
void AppendResultHead(Writer* writer, const Result& result);
bool DecodeResults(std::string_view payload, std::vector<Result>* results);

}  // namespace puckdrop::jq::wire

#endif  // PUCKDROP_CHECKS_TARGET_JQ_WIRE_H_
