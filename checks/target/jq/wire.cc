#include "checks/target/jq/wire.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace puckdrop::jq::wire {

static_assert(std::endian::native == std::endian::little, "both ends are one machine, written for little-endian ones");

Writer::Writer(Type type) {
  out_.resize(kHeaderBytes);
  out_[4] = static_cast<char>(type);
}

void Writer::U32(std::uint32_t value) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out_.append(bytes, 4);
}

void Writer::U64(std::uint64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  out_.append(bytes, 8);
}

void Writer::F64(double value) { U64(std::bit_cast<std::uint64_t>(value)); }

void Writer::Bytes(std::string_view bytes) {
  U32(static_cast<std::uint32_t>(bytes.size()));
  out_.append(bytes);
}

std::size_t Writer::Reserve32() {
  const std::size_t at = out_.size();
  out_.append(4, '\0');
  return at;
}

void Writer::Patch32(std::size_t at, std::uint32_t value) { std::memcpy(out_.data() + at, &value, 4); }

std::string Writer::Finish() && {
  Patch32(0, static_cast<std::uint32_t>(out_.size() - kHeaderBytes));
  return std::move(out_);
}

bool Reader::Take(std::size_t size, const char** at) {
  if (!ok_ || data_.size() < size) {
    ok_ = false;
    return false;
  }
  *at = data_.data();
  data_.remove_prefix(size);
  return true;
}

std::uint8_t Reader::U8() {
  const char* at = nullptr;
  return Take(1, &at) ? static_cast<std::uint8_t>(*at) : 0;
}

std::uint32_t Reader::U32() {
  const char* at = nullptr;
  std::uint32_t value = 0;
  if (Take(4, &at)) std::memcpy(&value, at, 4);
  return value;
}

std::uint64_t Reader::U64() {
  const char* at = nullptr;
  std::uint64_t value = 0;
  if (Take(8, &at)) std::memcpy(&value, at, 8);
  return value;
}

double Reader::F64() { return std::bit_cast<double>(U64()); }

std::string_view Reader::Bytes() {
  const std::uint32_t size = U32();
  const char* at = nullptr;
  return Take(size, &at) ? std::string_view(at, size) : std::string_view();
}

std::uint32_t Reader::Count(std::size_t least) {
  const std::uint32_t count = U32();
  if (count > data_.size() / least) ok_ = false;
  return ok_ ? count : 0;
}

bool PeekHeader(std::string_view data, Type* type, std::size_t* frame_bytes) {
  *frame_bytes = 0;
  if (data.size() < kHeaderBytes) return true;
  std::uint32_t size = 0;
  std::memcpy(&size, data.data(), 4);
  const auto raw = static_cast<std::uint8_t>(data[4]);
  if (size > kMaxFrameBytes || raw < 1 || raw > 4) return false;
  *type = static_cast<Type>(raw);
  *frame_bytes = kHeaderBytes + size;
  return true;
}

std::string EncodeLoad(const Load& load) {
  Writer writer(Type::kLoad);
  writer.U8(load.check ? 1 : 0);
  writer.U32(load.soft_limit_ms);
  writer.U32(load.max_results);
  writer.U32(load.max_result_bytes);
  writer.U32(static_cast<std::uint32_t>(load.programs.size()));
  for (const Program& program : load.programs) {
    writer.Bytes(program.text);
    writer.U8(static_cast<std::uint8_t>(program.scope));
    writer.U32(static_cast<std::uint32_t>(program.names.size()));
    for (const std::string& name : program.names) writer.Bytes(name);
  }
  return std::move(writer).Finish();
}

bool DecodeLoad(std::string_view payload, Load* load) {
  Reader reader(payload);
  load->check = reader.U8() != 0;
  load->soft_limit_ms = reader.U32();
  load->max_results = reader.U32();
  load->max_result_bytes = reader.U32();
  load->programs.resize(reader.Count(9));
  for (Program& program : load->programs) {
    program.text = reader.Bytes();
    program.scope = reader.U8() == 1 ? Scope::kEach : Scope::kContext;
    program.names.resize(reader.Count(4));
    for (std::string& name : program.names) name = reader.Bytes();
    if (!reader.ok()) return false;
  }
  return reader.done();
}

std::string EncodeLoaded(const std::vector<ProgramError>& errors) {
  Writer writer(Type::kLoaded);
  writer.U32(static_cast<std::uint32_t>(errors.size()));
  for (const ProgramError& error : errors) {
    writer.U32(error.program);
    writer.U32(static_cast<std::uint32_t>(error.line));
    writer.U32(static_cast<std::uint32_t>(error.column));
    writer.U32(static_cast<std::uint32_t>(error.length));
    writer.Bytes(error.message);
  }
  return std::move(writer).Finish();
}

bool DecodeLoaded(std::string_view payload, std::vector<ProgramError>* errors) {
  Reader reader(payload);
  errors->resize(reader.Count(20));
  const auto place = [&reader] { return static_cast<int>(std::clamp<std::uint32_t>(reader.U32(), 1, 1 << 20)); };
  for (ProgramError& error : *errors) {
    error.program = reader.U32();
    error.line = place();
    error.column = place();
    error.length = place();
    error.message = reader.Bytes();
  }
  return reader.done();
}

void AppendRequest(Writer* writer, const Request& request) {
  writer->U64(request.id);
  writer->U8(request.body_kind);
  writer->U8(request.now.has_value() ? 1 : 0);
  writer->F64(request.now.value_or(0));
  writer->Bytes(request.context);
  writer->U8(request.body.has_value() ? 1 : 0);
  writer->Bytes(request.body.value_or(std::string_view()));
  writer->U32(static_cast<std::uint32_t>(request.each.size()));
  for (std::string_view each : request.each) writer->Bytes(each);
  writer->U32(static_cast<std::uint32_t>(request.programs.size()));
  for (std::uint32_t program : request.programs) writer->U32(program);
  writer->U32(static_cast<std::uint32_t>(request.skip.size()));
  for (std::uint32_t skip : request.skip) writer->U32(skip);
}

bool DecodeEvaluate(std::string_view payload, std::vector<Request>* requests) {
  Reader reader(payload);
  requests->resize(reader.Count(39));
  for (Request& request : *requests) {
    request.id = reader.U64();
    request.body_kind = reader.U8();
    const bool has_now = reader.U8() != 0;
    const double now = reader.F64();
    if (has_now) request.now = now;
    request.context = reader.Bytes();
    const bool has_body = reader.U8() != 0;
    const std::string_view body = reader.Bytes();
    if (has_body) request.body = body;
    request.each.resize(reader.Count(4));
    for (std::string_view& each : request.each) each = reader.Bytes();
    request.programs.resize(reader.Count(4));
    for (std::uint32_t& program : request.programs) program = reader.U32();
    request.skip.resize(reader.Count(4));
    for (std::uint32_t& skip : request.skip) skip = reader.U32();
    if (!reader.ok()) return false;
  }
  return reader.done();
}

void AppendResultHead(Writer* writer, const Result& result) {
  writer->U64(result.id);
  writer->U8(result.input_error.has_value() ? 1 : 0);
  writer->Bytes(result.input_error.value_or(std::string_view()));
  writer->U8(result.body_problem.has_value() ? 1 : 0);
  writer->Bytes(result.body_problem.value_or(std::string_view()));
}

bool DecodeResults(std::string_view payload, std::vector<Result>* results) {
  Reader reader(payload);
  results->resize(reader.Count(22));
  for (Result& result : *results) {
    result.id = reader.U64();
    const bool has_error = reader.U8() != 0;
    const std::string_view error = reader.Bytes();
    if (has_error) result.input_error = error;
    const bool has_problem = reader.U8() != 0;
    const std::string_view problem = reader.Bytes();
    if (has_problem) result.body_problem = problem;
    result.outcomes.resize(reader.Count(5));
    for (Outcome& outcome : result.outcomes) {
      outcome.kind = reader.U8();
      if (outcome.kind == 0) {
        outcome.values.resize(reader.Count(4));
        for (std::string_view& value : outcome.values) value = reader.Bytes();
      } else {
        outcome.message = reader.Bytes();
      }
    }
    if (!reader.ok()) return false;
  }
  return reader.done();
}

}  // namespace puckdrop::jq::wire
