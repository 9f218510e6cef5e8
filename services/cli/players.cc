#include "services/cli/players.h"

#include <utility>

#include "checks/media/live_player.h"

namespace puckdrop::cli {

prober::MakePlayer PlayerMaker() {
  return [](const prober::PlayerParts& parts) -> std::shared_ptr<media::Player> {
    media::PlayerPorts ports;
    ports.loop = &parts.loop;
    ports.clock = &parts.clock;
    ports.http = &parts.http;
    ports.limiter = &parts.limiter;
    ports.redactor = &parts.redactor;
    ports.hosts = &parts.host_rules;
    ports.memory = &parts.memory;
    ports.host_settings = parts.host_settings;
    return std::make_shared<media::LivePlayer>(std::move(ports));
  };
}

}  // namespace puckdrop::cli
