#ifndef PUCKDROP_SERVICES_ARENA_ROUTES_H_
#define PUCKDROP_SERVICES_ARENA_ROUTES_H_

#include <httplib.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "services/arena/live.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {

// One request on its way through a handler.
struct Call {
  const httplib::Request& request;
  httplib::Response& response;
  Caller caller;
  std::vector<std::string> arguments;  // what stood for the `*` of the route's pattern, in order

  std::string Query(const std::string& name, const std::string& fallback = "") const {
    return request.has_param(name) ? request.get_param_value(name) : fallback;
  }
  // The `since` parameter; 0 without one, 400 when it is no instant.
  Millis Since() const;
  // The body as JSON, null when empty; 400 when it is not JSON, 415 when it says it is something else.
  Json Body() const;
  // A field of a form body, "" when absent.
  std::string Form(const std::string& name) const { return Query(name); }

  void Answer(int status, const Json& json);
  // One page of `items`, whole and in order; `more` is merged into the answer.
  void AnswerList(const Json& items, const std::string& id_member = "id", int default_limit = 50,
                  const Json& more = {});
  void AnswerHtml(int status, const std::string& html);
};

// Turns requests into calls of the shop, and the shop's problems into answers. Also where target faults act.
// Thread-safe.
class Routes {
 public:
  // `live` may be null: then there are no streams and /healthz is ready at once.
  Routes(Shop* shop, FaultSet* faults, LiveStreams* live, std::string office_token);

  void Handle(const httplib::Request& request, httplib::Response& response);
  // Ends the waits of slow answers.
  void Stop();

 private:
  using Handler = std::function<void(Call&)>;
  struct Route {
    std::string method;
    std::vector<std::string> pattern;  // segments; "*" takes any one
    Handler handler;
  };

  void Add(const std::string& method, const std::string& pattern, Handler handler);
  void AddShop();    // routes_shop.cc
  void AddPages();   // routes_pages.cc
  void AddOffice();  // routes_office.cc
  void AddLive();    // routes_live.cc
  void Dispatch(Call& call);
  // Acts out the target faults; true: the request has its answer.
  bool TargetFault(const httplib::Request& request, httplib::Response& response);
  bool Sleep(Millis millis);
  Json FaultsJson() const;
  absl::Status SwitchFaults(const Json& body);

  Shop* shop_;
  FaultSet* faults_;
  LiveStreams* live_;
  std::string office_token_;
  std::vector<Route> routes_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  uint64_t requests_ = 0;
  std::map<std::string, int> retries_to_reset_;
  std::mutex fault_switch_mutex_;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_SERVICES_ARENA_ROUTES_H_
