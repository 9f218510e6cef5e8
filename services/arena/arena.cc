#include "services/arena/arena.h"

#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace puckdrop::arena {

namespace fs = std::filesystem;

absl::StatusOr<std::unique_ptr<Arena>> Arena::Start(ArenaOptions options) {
  std::unique_ptr<Arena> arena(new Arena);
  for (const std::string& name : options.faults) {
    Fault fault;
    if (absl::Status found = FindFault(name, &fault); !found.ok()) return found;
    arena->faults_.Set(fault, true);
  }
  std::string temporary = (fs::temp_directory_path() / "arena-XXXXXX").string();
  if (::mkdtemp(temporary.data()) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("cannot make ", temporary, ": ", std::strerror(errno)));
  }
  arena->temporary_folder_ = temporary;

  std::string store = options.state_folder;
  if (store != ":memory:") {
    if (store.empty()) store = temporary;
    std::error_code error;
    fs::create_directories(store, error);
    if (error) return absl::FailedPreconditionError(absl::StrCat("cannot make ", store, ": ", error.message()));
    store += "/arena.sqlite";
  }
  auto database = Database::Open(store);
  if (!database.ok()) return database.status();
  options.shop.media_version = options.recipe.Hash();
  arena->shop_ = std::make_unique<Shop>(*std::move(database), &arena->faults_, options.shop);

  if (options.live) {
    LiveOptions live;
    live.media_folder = options.media_folder;
    live.work_folder = temporary + "/live";
    live.recipe = options.recipe;
    auto streams = LiveStreams::Start(std::move(live), &arena->faults_);
    if (!streams.ok()) return streams.status();
    arena->live_ = *std::move(streams);
  }
  arena->routes_ =
      std::make_unique<Routes>(arena->shop_.get(), &arena->faults_, arena->live_.get(), options.office_token);
  arena->server_ = std::make_unique<HttpServer>(
      [routes = arena->routes_.get()](const httplib::Request& request, httplib::Response& response) {
        routes->Handle(request, response);
      });
  const auto port = arena->server_->Start(options.host, options.port);
  if (!port.ok()) return port.status();
  arena->base_url_ = absl::StrCat("http://", options.host, ":", *port);
  spdlog::info("listening on {}", arena->base_url_);
  if (arena->live_ != nullptr) {
    if (absl::Status ready = arena->live_->ApplyFaults(); !ready.ok()) return ready;
  }
  return arena;
}

Arena::~Arena() {
  if (routes_ != nullptr) routes_->Stop();
  server_.reset();
  live_.reset();
  shop_.reset();
  std::error_code error;
  if (!temporary_folder_.empty()) fs::remove_all(temporary_folder_, error);
}

}  // namespace puckdrop::arena
