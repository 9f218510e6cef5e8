#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "services/arena/arena.h"

namespace puckdrop::arena {
namespace {

constexpr int kUsage = 64;
constexpr int kSoftware = 70;

std::string OfficeToken() {
  const char* token = std::getenv("ARENA_OFFICE_TOKEN");
  return token != nullptr && *token != '\0' ? token : "office-demo-token";
}

// "1500ms", "2s", "1m", "14d"; a plain number is seconds.
std::string ReadDuration(const std::string& text, Millis* millis) {
  size_t end = 0;
  double number = -1;
  try {
    number = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const std::string unit = text.substr(end);
  const double factor = unit == "ms"                  ? 1
                        : unit == "s" || unit.empty() ? 1000
                        : unit == "m"                 ? 60'000
                        : unit == "h"                 ? 3'600'000
                        : unit == "d"                 ? static_cast<double>(kDayMillis)
                                                      : -1;
  if (end == 0 || !(number >= 0) || factor < 0 || number * factor > 400.0 * kDayMillis)
    return "must be a time like 1500ms, 2s, 1m or 14d";
  *millis = static_cast<Millis>(number * factor);
  return "";
}

CLI::Option* AddDuration(CLI::App* app, const std::string& name, Millis* millis, const std::string& fallback,
                         const std::string& help) {
  return app
      ->add_option_function<std::string>(
          name,
          [millis, name](const std::string& text) {
            if (const std::string error = ReadDuration(text, millis); !error.empty())
              throw CLI::ValidationError(name, error);
          },
          help)
      ->default_str(fallback)
      ->type_name("TIME");
}

int Serve(ArenaOptions options, const std::string& ready_file) {
  // The library's select() is undefined past 1024 descriptors.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > 1000) {
    files.rlim_cur = 1000;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  // Blocked before any thread starts, so that only sigwait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  auto arena = Arena::Start(std::move(options));
  if (!arena.ok()) {
    std::cerr << "arena: " << arena.status().message() << "\n";
    return absl::IsNotFound(arena.status()) || absl::IsInvalidArgument(arena.status()) ? kUsage : kSoftware;
  }
  std::cout << (*arena)->base_url() << std::endl;
  if (!ready_file.empty()) {
    // Renamed into place, so that a reader never sees half of it.
    const std::string partial = ready_file + ".partial";
    std::ofstream(partial) << (*arena)->base_url() << "\n";
    if (std::rename(partial.c_str(), ready_file.c_str()) != 0) {
      std::cerr << "arena: cannot write " << ready_file << "\n";
      return kSoftware;
    }
  }
  spdlog::info("ready; Ctrl-C ends it");
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stopping");
  arena->reset();
  if (!ready_file.empty()) std::remove(ready_file.c_str());
  return 0;
}

int SwitchFaults(const std::string& url, bool on, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Fault fault;
    if (const absl::Status found = FindFault(name, &fault); !found.ok()) {
      std::cerr << "arena: " << found.message() << "\n";
      return kUsage;
    }
  }
  httplib::Client client(url);
  client.set_read_timeout(60);
  client.set_bearer_token_auth(OfficeToken());
  const Json body = {{on ? "on" : "off", names}};
  const auto result = client.Post("/admin/faults", body.dump(), "application/json");
  if (!result) {
    std::cerr << "arena: no arena answers at " << url << " (" << httplib::to_string(result.error()) << ")\n";
    return 1;
  }
  if (result->status != 200) {
    std::cerr << "arena: " << url << " answered " << result->status << ": " << result->body << "\n";
    return 1;
  }
  for (const std::string& name : names) std::cout << name << (on ? " on" : " off") << "\n";
  return 0;
}

int ListFaults(const std::string& url) {
  Json state;
  if (!url.empty()) {
    httplib::Client client(url);
    client.set_bearer_token_auth(OfficeToken());
    const auto result = client.Get("/admin/faults");
    if (!result || result->status != 200) {
      std::cerr << "arena: no arena answers at " << url << "\n";
      return 1;
    }
    state = Json::parse(result->body, nullptr, false);
  }
  for (const FaultInfo& info : AllFaults()) {
    std::string on;
    if (state.is_object()) {
      for (const Json& item : state["items"]) {
        if (item["name"] == info.name && item["on"] == true) on = " (on)";
      }
    }
    std::printf("%-42s %s%s%s\n", info.name, info.text,
                *info.check != '\0' ? (std::string(" -> ") + info.check).c_str() : "", on.c_str());
  }
  return 0;
}

struct Subscription {
  std::string url = "http://127.0.0.1:8080";
  std::string email, market = "FI", language = "fi", offer = "season";
};

// A customer of long ago: signs up, orders and pays as anybody would, and is left alone if there already.
int Subscribe(const Subscription& wanted) {
  const char* password = std::getenv("ARENA_WATCH_PASSWORD");
  if (password == nullptr || *password == '\0') {
    std::cerr << "arena: set ARENA_WATCH_PASSWORD to the account's password\n";
    return kUsage;
  }
  httplib::Client client(wanted.url);
  client.set_read_timeout(60);
  httplib::Headers headers = {{"X-Device-Id", "set-up"}, {"X-Device-Profile", "chrome_desktop"}};
  const auto post = [&](const std::string& path, const Json& body, int* status) {
    const auto result = client.Post(path, headers, body.dump(), "application/json");
    *status = result ? result->status : 0;
    if (!result) {
      std::cerr << "arena: no arena answers at " << wanted.url << " (" << httplib::to_string(result.error()) << ")\n";
    } else if (result->status >= 400 && result->status != 409) {
      std::cerr << "arena: " << path << " answered " << result->status << ": " << result->body << "\n";
    }
    return result ? Json::parse(result->body, nullptr, false) : Json();
  };
  int status = 0;
  const Json account = post("/v1/accounts",
                            {{"email", wanted.email},
                             {"password", password},
                             {"name", "Standing"},
                             {"market", wanted.market},
                             {"language", wanted.language}},
                            &status);
  if (status == 409) {
    std::cout << wanted.email << " is there already\n";
    return 0;
  }
  if (status / 100 != 2) return 1;
  headers.emplace("Authorization", "Bearer " + account.at("session").at("token").get<std::string>());
  headers.emplace("Idempotency-Key", "subscribe-" + wanted.email);
  const Json cart = post("/v1/carts", {{"offer_id", wanted.offer}}, &status);
  if (status / 100 != 2) return 1;
  const std::string path = "/v1/carts/" + cart.at("id").get<std::string>();
  post(path + "/checkout", Json::object(), &status);
  if (status / 100 != 2) return 1;
  post(path + "/pay", {{"payment", {{"number", "4242424242424242"}, {"expiry", "12/30"}, {"cvc", "123"}}}}, &status);
  if (status / 100 != 2) return 1;
  std::cout << wanted.email << " has subscribed\n";
  return 0;
}

int Main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("arena"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");

  CLI::App app{
      "arena: a small sports-streaming service to practise on.\n\n"
      "  arena serve --port 8080            the shop and a live stream on http://127.0.0.1:8080\n"
      "  arena serve --fault playback.black the same, broken on purpose\n"
      "  arena fault list                   every way to break it\n"
      "  arena fault on billing.wrong_vat   break the one that runs; fault off mends it\n\n"
      "The API is described in services/arena/API.md. Test card: 4242 4242 4242 4242."};
  app.require_subcommand(1);
  app.set_version_flag("--version", PUCKDROP_VERSION);

  ArenaOptions options;
  options.port = 8080;
  std::string ready_file, log_level = "info";
  Millis first_charge_in = 7 * kDayMillis;
  CLI::App* serve = app.add_subcommand("serve", "Run the service until a signal");
  serve->add_option("--host", options.host, "Address to listen on")->capture_default_str();
  serve->add_option("--port", options.port, "Port to listen on; 0 takes a free one and prints it")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  serve->add_option("--media", options.media_folder, "Cache of the encoded match")->capture_default_str();
  serve->add_option("--state", options.state_folder,
                    "Folder of the store; :memory: keeps it in memory (default: a temporary folder, removed at exit)");
  serve->add_option("--fault", options.faults, "Faults that are on from the start, separated by commas")
      ->delimiter(',');
  serve->add_option("--ready-file", ready_file, "Gets the base URL once everything answers, the live stream included");
  AddDuration(serve, "--activation", &options.shop.activation_delay, "1500ms", "From a paid order to its activation");
  AddDuration(serve, "--payment", &options.shop.payment_time, "120ms", "How long a card payment takes");
  AddDuration(serve, "--first-charge-in", &first_charge_in, "7d",
              "When early_bird is charged first, in days from the order");
  serve->add_option("--release", options.shop.release, "A word in the configuration's fingerprint")
      ->capture_default_str();
  serve->add_flag("!--no-live", options.live, "Without streams: the shop alone");
  serve->add_option("--log-level", log_level, "debug, info, warn or error")->capture_default_str();
  serve->footer("The office's token is ARENA_OFFICE_TOKEN, or office-demo-token.");

  CLI::App* encode =
      app.add_subcommand("encode", "Fill the cache of encoded media, so that the first serve starts at once");
  encode->add_option("--media", options.media_folder, "Cache of the encoded match")->capture_default_str();

  std::string url = "http://127.0.0.1:8080", list_url;
  std::vector<std::string> names;
  CLI::App* fault = app.add_subcommand("fault", "Break a running arena on purpose, or mend it");
  fault->require_subcommand(1);
  CLI::App* on = fault->add_subcommand("on", "Switch faults on; returns when they hold");
  CLI::App* off = fault->add_subcommand("off", "Switch faults off");
  for (CLI::App* command : {on, off}) {
    command->add_option("names", names, "Names of faults")->required()->delimiter(',');
    command->add_option("--url", url, "The arena")->capture_default_str();
  }
  CLI::App* list =
      fault->add_subcommand("list", "Print all faults, one a line: name, what it does, the check that notices");
  list->add_option("--url", list_url, "Also tell which are on in this arena");

  Subscription subscription;
  CLI::App* subscribe = app.add_subcommand("subscribe", "Give a running arena a standing customer who has subscribed");
  subscribe->add_option("email", subscription.email, "Name of the account")->required();
  subscribe->add_option("--url", subscription.url, "The arena")->capture_default_str();
  subscribe->add_option("--market", subscription.market, "Country")->capture_default_str();
  subscribe->add_option("--language", subscription.language, "Language")->capture_default_str();
  subscribe->add_option("--offer", subscription.offer, "What is bought")->capture_default_str();
  subscribe->footer("The password is ARENA_WATCH_PASSWORD.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kUsage;
  }
  options.office_token = OfficeToken();
  options.shop.first_charge_in_days = static_cast<int>(first_charge_in / kDayMillis);
  if (*serve) {
    spdlog::set_level(spdlog::level::from_str(log_level));
    return Serve(std::move(options), ready_file);
  }
  if (*encode) {
    for (const Content content : {Content::kMatch, Content::kBlack, Content::kFrozen, Content::kSilent}) {
      const auto file = EnsureMedia(options.recipe, content, options.media_folder);
      if (!file.ok()) {
        std::cerr << "arena: " << file.status().message() << "\n";
        return kSoftware;
      }
      std::cout << *file << "\n";
    }
    return 0;
  }
  if (*list) return ListFaults(list_url);
  if (*subscribe) return Subscribe(subscription);
  return SwitchFaults(url, static_cast<bool>(*on), names);
}

}  // namespace
}  // namespace puckdrop::arena

int main(int argc, char** argv) {
  try {
    return puckdrop::arena::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "arena: " << error.what() << "\n";
    return 70;
  }
}
