#include "checks/target/jq/worker/engine.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <tuple>
#include <utility>

#include "checks/target/jq/pool.h"
#include "checks/target/jq/worker/digest.h"
#include "checks/target/jq/worker/host.h"
#include "checks/target/jq/worker/prelude.h"

namespace puckdrop::jq::worker {
namespace {

constexpr std::uint32_t kGroup = 128;
constexpr std::size_t kMaxWanted = 4096;
constexpr std::size_t kMaxBatchBytes = 64 << 20;
constexpr std::size_t kMaxMessage = 1000;

// What the signal handler may touch.
std::atomic<jq_state*> running{nullptr};
std::atomic<int> ticks{0};
std::atomic<int> tick_limit{5};

std::uint8_t Kind(FailureKind kind) { return static_cast<std::uint8_t>(1 + static_cast<std::uint8_t>(kind)); }

std::string Shortened(std::string text) {
  if (text.size() > kMaxMessage) {
    std::size_t cut = kMaxMessage;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text.resize(cut);
    text += "…";
  }
  return text;
}

// The source of a set, and which lines of it are whose.
struct Source {
  std::string text;
  struct Part {
    std::uint32_t program;
    int first_line;  // of the program's text
    int last_line;
  };
  std::vector<Part> parts;
  int line = 1;

  void Add(std::string_view piece) {
    text += piece;
    line += static_cast<int>(std::count(piece.begin(), piece.end(), '\n'));
  }
};

// `if $__i < 8 then … else … end` over calls[from, to), each with the first number it is for, in rising order.
void AddChoice(Source* source, const std::vector<std::pair<std::size_t, std::string>>& calls, std::size_t from,
               std::size_t to) {
  if (to - from == 1) {
    source->Add(calls[from].second);
    return;
  }
  const std::size_t middle = from + (to - from) / 2;
  source->Add("if $__i < " + std::to_string(calls[middle].first) + " then ");
  AddChoice(source, calls, from, middle);
  source->Add(" else ");
  AddChoice(source, calls, middle, to);
  source->Add(" end");
}

void AddProgram(Source* source, std::uint32_t number, const Program& program, const Scan& scan) {
  source->Add("def __p" + std::to_string(number) + ":");
  for (const std::string& name : scan.variables) source->Add(" ." + name + " as $" + name + " |");
  if (program.scope == Scope::kEach) source->Add(" .each |");
  source->Add(" (\n");
  const int first = source->line;
  std::string text = program.text;
  // jq 1.6 takes a carriage return for a mistake.
  std::replace(text.begin(), text.end(), '\r', ' ');
  source->Add(text);
  source->parts.push_back({number, first, source->line});
  source->Add("\n);\n");
}

// One compiler message: "jq: error: MESSAGE at <top-level>, line 7:\nTEXT OF THE LINE" and as many spaces as stand
// before the place.
struct Message {
  std::string text;
  int line = 0;
  std::size_t column = 0;  // from 0
};

bool ParseMessage(const std::string& raw, const std::string& source, Message* out) {
  static constexpr std::string_view kAt = " at <top-level>, line ";
  const std::size_t at = raw.rfind(kAt);
  if (at == std::string::npos) return false;
  const char* number = raw.data() + at + kAt.size();
  const auto [end, ec] = std::from_chars(number, raw.data() + raw.size(), out->line);
  if (ec != std::errc() || out->line < 1) return false;
  out->text = raw.substr(0, at);
  std::size_t begin = 0;
  for (int i = 1; i < out->line && begin != std::string::npos; ++i) {
    begin = source.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos) return false;
  const std::size_t length = std::min(source.find('\n', begin), source.size()) - begin;
  const auto shown = static_cast<std::size_t>(end - raw.data()) + 2 + length;  // past ":\n"
  out->column = raw.size() > shown ? raw.size() - shown : 0;
  return true;
}

}  // namespace

Engine::Engine(wire::Marker* marker) : marker_(marker), pending_(jv_null()) {}

Engine::~Engine() {
  for (Group& group : groups_) {
    if (group.jq != nullptr) jq_teardown(&group.jq);
  }
  jv_free(pending_);
}

void Engine::OnTick() {
  jq_state* jq = running.load(std::memory_order_relaxed);
  if (jq == nullptr) return;
  // Once only: jq_halt asserts that it was not halted before.
  if (ticks.fetch_add(1, std::memory_order_relaxed) + 1 == tick_limit.load(std::memory_order_relaxed)) {
    jq_halt(jq, jv_invalid(), jv_invalid());
  }
}

void Engine::Mark(std::uint32_t request, std::uint32_t outcome) {
  marker_->position.store((static_cast<std::uint64_t>(request) << 32) | outcome, std::memory_order_release);
  marker_->steps.fetch_add(1, std::memory_order_release);
}

bool Engine::CompileOnce(Group* group, std::vector<ProgramError>* errors) {
  Source source;
  source.Add(Prelude());
  std::vector<std::pair<std::size_t, std::string>> calls;
  for (std::uint32_t i = group->first; i < group->end; ++i) {
    if (!compiled_[i].good) continue;
    AddProgram(&source, i, load_.programs[i], compiled_[i].scan);
    calls.emplace_back(i, "__p" + std::to_string(i));
  }
  source.Add(".[0] as $__i | .[1] | ");
  if (calls.empty()) {
    source.Add("empty");
  } else {
    AddChoice(&source, calls, 0, calls.size());
  }

  if (group->jq != nullptr) jq_teardown(&group->jq);
  group->jq = jq_init();
  jq_state* const jq = group->jq;
  messages_.clear();
  jq_set_error_cb(
      jq,
      [](void* data, jv message) {
        auto* engine = static_cast<Engine*>(data);
        if (jv_get_kind(message) == JV_KIND_STRING && engine->messages_.size() < 1000) {
          engine->messages_.emplace_back(View(message));
        }
        jv_free(message);
      },
      this);
  jq_set_debug_cb(
      jq,
      [](void* data, jv message) {
        auto* engine = static_cast<Engine*>(data);
        jv_free(engine->pending_);
        engine->pending_ = CallHost(message, engine->now_);
      },
      this);
  jq_set_input_cb(
      jq,
      [](jq_state*, void* data) {
        auto* engine = static_cast<Engine*>(data);
        return std::exchange(engine->pending_, jv_null());
      },
      this);
  const bool ok = jq_compile(jq, source.text.c_str()) != 0;

  std::vector<ProgramError> found;
  for (const std::string& raw : messages_) {
    Message message;
    if (!ParseMessage(raw, source.text, &message)) continue;
    for (const Source::Part& part : source.parts) {
      if (message.line < part.first_line || message.line > part.last_line + 1) continue;
      const Program& program = load_.programs[part.program];
      // The offset of the line in the program's text; our closing parenthesis stands for the end.
      std::size_t offset = 0;
      for (int i = part.first_line; i < message.line && offset != std::string::npos; ++i) {
        offset = program.text.find('\n', offset);
        if (offset != std::string::npos) ++offset;
      }
      offset =
          offset == std::string::npos ? program.text.size() : std::min(offset + message.column, program.text.size());
      ProgramError error = HumanError(program, part.program, message.text, offset);
      compiled_[part.program].good = false;
      compiled_[part.program].why_not = error.message;
      found.push_back(std::move(error));
      break;
    }
  }
  // "Possibly unterminated 'if'" follows "unexpected ')'" and says more.
  for (const ProgramError& error : std::vector<ProgramError>(found)) {
    if (error.message.find("is not complete") == std::string::npos) continue;
    std::erase_if(found, [&](const ProgramError& other) {
      return other.program == error.program && other.message.find("is not complete") == std::string::npos;
    });
  }
  const bool progress = !found.empty();
  errors->insert(errors->end(), found.begin(), found.end());
  return ok || progress;
}

// The compiler complains without a place (a program too long for its bytecode): each alone tells whose it is.
void Engine::CondemnUnplaced(Group* group, std::vector<ProgramError>* errors) {
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = group->first; i < group->end; ++i) {
    if (compiled_[i].good) open.push_back(i);
    compiled_[i].good = false;
  }
  std::vector<std::uint32_t> good;
  for (std::uint32_t i : open) {
    compiled_[i].good = true;
    const std::size_t before = errors->size();
    const bool compiles = CompileOnce(group, errors) && errors->size() == before;
    compiled_[i].good = false;
    if (compiles) {
      good.push_back(i);
    } else if (errors->size() == before) {
      ProgramError error;
      error.program = i;
      error.message = "the expression does not compile" + (messages_.empty() ? "" : ": " + Shortened(messages_[0]));
      compiled_[i].why_not = error.message;
      errors->push_back(std::move(error));
    }
  }
  // Good alone and bad together cannot be; then none is used.
  const bool none_bad = good.size() == open.size();
  for (std::uint32_t i : good) {
    compiled_[i].good = !none_bad;
    if (!none_bad) continue;
    ProgramError error;
    error.program = i;
    error.message = compiled_[i].why_not = "the expression does not compile together with its neighbours";
    errors->push_back(std::move(error));
  }
}

void Engine::CompileGroup(Group* group, std::vector<ProgramError>* errors) {
  for (std::uint32_t i = group->first; i < group->end; ++i) {
    Compiled& compiled = compiled_[i];
    compiled.scan = ScanProgram(load_.programs[i]);
    compiled.good = compiled.scan.compilable;
    if (!compiled.scan.errors.empty()) compiled.why_not = compiled.scan.errors[0].message;
    for (ProgramError& error : compiled.scan.errors) {
      error.program = i;
      errors->push_back(error);
    }
  }
  // Mistakes of grammar hide unknown names: what is left without the faulty programs is compiled again. Two or three
  // rounds.
  for (std::uint32_t round = 0; round <= group->end - group->first; ++round) {
    const std::size_t before = errors->size();
    if (!CompileOnce(group, errors)) {
      CondemnUnplaced(group, errors);
    } else if (errors->size() == before) {
      break;
    }
  }
  group->ready = true;
}

std::vector<ProgramError> Engine::Load(wire::Load load) {
  load_ = std::move(load);
  tick_limit = std::max<int>(1, static_cast<int>(load_.soft_limit_ms) / kTickMs);
  compiled_.assign(load_.programs.size(), {});
  std::vector<ProgramError> errors;
  const auto total = static_cast<std::uint32_t>(compiled_.size());
  for (std::uint32_t first = 0; first < total; first += kGroup) {
    Group group;
    group.first = first;
    group.end = std::min(total, first + kGroup);
    groups_.push_back(group);
    if (load_.check) CompileGroup(&groups_.back(), &errors);
  }
  std::sort(errors.begin(), errors.end(), [](const ProgramError& a, const ProgramError& b) {
    return std::tie(a.program, a.line, a.column, a.message) < std::tie(b.program, b.line, b.column, b.message);
  });
  return errors;
}

const Wanted* Engine::WantedBy(const wire::Request& request) {
  const auto [at, is_new] = wanted_.try_emplace(request.programs);
  if (is_new) {
    for (std::uint32_t program : request.programs) {
      if (program >= compiled_.size()) continue;
      const Reach& reach = compiled_[program].scan.reach;
      if (reach.everything) at->second.Add({});
      for (const std::vector<std::string>& path : reach.paths) at->second.Add(path);
    }
    if (wanted_.size() > kMaxWanted) {
      auto kept = wanted_.extract(at);
      wanted_.clear();
      return &wanted_.insert(std::move(kept)).position->second;
    }
  }
  return &at->second;
}

void Engine::RunProgram(std::uint32_t program, jv context, wire::Writer* writer) {
  const std::size_t begin = writer->buffer().size();
  writer->U8(0);
  const std::size_t count_at = writer->Reserve32();
  const auto fail = [&](FailureKind kind, const std::string& message) {
    writer->buffer().resize(begin);
    writer->U8(Kind(kind));
    writer->Bytes(Shortened(message));
  };
  if (program >= compiled_.size() || !compiled_[program].good) {
    jv_free(context);
    fail(FailureKind::kFailed,
         program < compiled_.size() ? compiled_[program].why_not : std::string("there is no such expression"));
    return;
  }
  const std::size_t batch_left = begin < kMaxBatchBytes ? kMaxBatchBytes - begin : 0;
  const std::size_t limit = begin + std::min<std::size_t>(load_.max_result_bytes, batch_left);
  std::uint32_t count = 0;
  std::string problem;
  // The start belongs to what is timed: it takes the previous evaluation's stack apart.
  jq_state* const jq = groups_[program / kGroup].jq;
  ticks = 0;
  running = jq;
  jq_start(jq, jv_array_append(jv_array_append(jv_array(), jv_number(program)), context), 0);
  jv value = jq_next(jq);
  while (jv_is_valid(value)) {
    if (count == load_.max_results) {
      problem = "more than " + std::to_string(load_.max_results) + " results";
      break;
    }
    const std::size_t size_at = writer->Reserve32();
    const WriteEnd end = WriteJson(value, limit, &writer->buffer());
    jv_free(value);
    value = jv_invalid();
    if (end != WriteEnd::kOk) {
      problem = end == WriteEnd::kTooDeep
                    ? "the result is nested deeper than 200 levels"
                    : "the results are larger than " + std::to_string(load_.max_result_bytes) + " bytes";
      break;
    }
    writer->Patch32(size_at, static_cast<std::uint32_t>(writer->buffer().size() - size_at - 4));
    ++count;
    value = jq_next(jq);
  }
  running = nullptr;
  if (!problem.empty()) {
    jv_free(value);
    fail(FailureKind::kTooLarge, problem);
  } else if (jq_halted(jq) != 0) {
    jv_free(value);
    fail(FailureKind::kRanAway, "ran too long (" + std::to_string(load_.soft_limit_ms) + " ms)");
    malloc_trim(0);
  } else if (jv_invalid_has_msg(jv_copy(value)) != 0) {
    jv message = jv_invalid_get_msg(value);
    std::string text;
    if (jv_get_kind(message) == JV_KIND_STRING) {
      text = std::string(View(message));
    } else {
      WriteJson(message, kMaxMessage * 2, &text);
    }
    jv_free(message);
    fail(FailureKind::kFailed, text);
  } else {
    jv_free(value);
    writer->Patch32(count_at, count);
  }
}

void Engine::EvaluateRequest(const wire::Request& request, std::uint32_t number, wire::Writer* writer) {
  for (std::uint32_t program : request.programs) {
    if (program >= compiled_.size() || groups_[program / kGroup].ready) continue;
    Mark(number, wire::kCompiling);
    std::vector<ProgramError> ignored;
    CompileGroup(&groups_[program / kGroup], &ignored);
  }
  Mark(number, wire::kReadingInput);
  const Wanted* wanted = WantedBy(request);
  const Wanted* wanted_body = wanted->everything() ? wanted : wanted->Member("body");
  wire::Result head;
  head.id = request.id;
  std::string error;
  std::string problem;
  jv context = jv_null();
  if (!ParseJson(request.context, &context, &error, wanted)) {
    error = "the context is not JSON: " + error;
  } else if (jv_get_kind(context) != JV_KIND_OBJECT) {
    error = "the context is not a JSON object";
  }
  std::vector<jv> each;
  for (std::size_t i = 0; i < request.each.size() && error.empty(); ++i) {
    jv item = jv_null();
    if (!ParseJson(request.each[i], &item, &error)) error = "each[" + std::to_string(i) + "] is not JSON: " + error;
    each.push_back(item);
  }
  if (error.empty() && request.body_kind == static_cast<std::uint8_t>(BodyKind::kJson)) {
    jv body = jv_null();
    static const Wanted kNothing;
    ParseJson(request.body.value_or(std::string_view()), &body, &problem,
              wanted_body == nullptr ? &kNothing : wanted_body);
    context = jv_object_set(context, jv_string("body"), body);
  } else if (error.empty() && request.body_kind == static_cast<std::uint8_t>(BodyKind::kText)) {
    const std::string_view text =
        wanted_body == nullptr ? std::string_view() : request.body.value_or(std::string_view());
    context = jv_object_set(context, jv_string("body"), text.empty() ? jv_null() : ToJvString(text));
  }
  const auto known = [this](std::uint32_t program) { return program < compiled_.size(); };
  if (error.empty() && request.body &&
      std::any_of(request.programs.begin(), request.programs.end(),
                  [&](std::uint32_t p) { return known(p) && compiled_[p].scan.looks_at_body_base64; })) {
    context = jv_object_set(context, jv_string("body_base64"), ToJvString(Base64(*request.body)));
  }

  if (!error.empty()) head.input_error = error;
  if (!problem.empty()) head.body_problem = problem;
  wire::AppendResultHead(writer, head);
  if (!error.empty()) {
    writer->U32(0);
    for (jv item : each) jv_free(item);
    jv_free(context);
    return;
  }
  now_ = request.now;
  const std::size_t rounds = std::max<std::size_t>(1, each.size());
  writer->U32(static_cast<std::uint32_t>(rounds * request.programs.size()));
  std::uint32_t outcome = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    if (!each.empty()) context = jv_object_set(context, jv_string("each"), each[i]);
    for (std::uint32_t program : request.programs) {
      if (std::find(request.skip.begin(), request.skip.end(), outcome) != request.skip.end()) {
        writer->U8(wire::kSkipped);
        writer->Bytes("");
      } else if (!problem.empty() && known(program) && compiled_[program].scan.looks_at_body) {
        writer->U8(Kind(FailureKind::kBodyNotJson));
        writer->Bytes("the body is not JSON: " + problem);
      } else {
        Mark(number, outcome);
        RunProgram(program, jv_copy(context), writer);
      }
      ++outcome;
    }
  }
  Mark(number, wire::kReadingInput);
  jv_free(context);
}

std::string Engine::Evaluate(const std::vector<wire::Request>& requests) {
  wire::Writer writer(wire::Type::kResults);
  writer.U32(static_cast<std::uint32_t>(requests.size()));
  std::uint32_t number = 0;
  for (const wire::Request& request : requests) EvaluateRequest(request, number++, &writer);
  Mark(0, wire::kIdle);
  std::string frame = std::move(writer).Finish();
  if (frame.size() > (4U << 20)) malloc_trim(0);
  return frame;
}

}  // namespace puckdrop::jq::worker
