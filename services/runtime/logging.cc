#include "services/runtime/logging.h"

#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/runtime/text.h"

namespace puckdrop::runtime {

namespace {

// The library's own lines would stand beside ours in another shape; what matters of them comes back as a status.
void FromGrpc(gpr_log_func_args* line) { spdlog::debug("grpc: {}", Printable(line->message)); }

}  // namespace

absl::Status InitLogging(const std::string& level) {
  static constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  bool known = false;
  for (const char* name : kLevels) known = known || level == name;
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", Printable(level, 40), "\" is no log level: use trace, debug, info, warn, error or off"));
  }
  const bool plain = std::getenv("NO_COLOR") != nullptr;
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(plain ? spdlog::color_mode::never
                                                                          : spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>("puckdrop", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level == "warn" ? "warning" : level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  gpr_set_log_function(FromGrpc);
  return absl::OkStatus();
}

std::string Printable(absl::string_view text, size_t most) {
  return CutText(ReplaceControls(ValidUtf8(text), [](unsigned code) { return absl::StrFormat("\\x%02x", code); }),
                 most);
}

}  // namespace puckdrop::runtime
