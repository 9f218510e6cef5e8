#include "services/arena/routes.h"

namespace puckdrop::arena {

void Routes::AddLive() {
  const auto cors = [](Call& call) {
    call.response.set_header("Access-Control-Allow-Origin", "*");
    call.response.set_header("Access-Control-Expose-Headers", "Content-Length, Content-Range, Date");
  };
  const auto serve = [this, cors](Call& call) {
    cors(call);  // also on refusals: a browser shows no status without it
    const std::string& token = call.arguments[0];
    if (!shop_->StreamTokenValid(token)) {
      throw Problem{403, "token_invalid", "This address is not valid", "Start playback again to get a new one."};
    }
    if (live_ == nullptr) throw NotFound("not_found", "stream");
    const std::vector<std::string> path(call.arguments.begin() + 2, call.arguments.end());
    LiveStreams::Answer answer = live_->Serve(call.arguments[1], path, token);
    if (answer.status != 200) throw NotFound("not_found", "file");
    call.response.status = 200;
    call.response.set_header("Cache-Control", answer.cache_control);
    call.response.set_content(std::move(answer.body), answer.content_type);
  };
  const auto preflight = [cors](Call& call) {
    cors(call);
    call.response.set_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    call.response.set_header("Access-Control-Allow-Headers", "Range, X-Device-Id, X-Device-Profile");
    call.response.set_header("Access-Control-Max-Age", "600");
    call.response.status = 204;
  };
  for (const char* pattern : {"/live/*/*/*", "/live/*/*/*/*"}) {
    Add("GET", pattern, serve);
    Add("OPTIONS", pattern, preflight);
  }
}

}  // namespace puckdrop::arena
