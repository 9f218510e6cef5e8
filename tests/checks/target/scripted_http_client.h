// A target made of rules, for tests of what speaks to one.
#ifndef PUCKDROP_TESTS_CHECKS_TARGET_SCRIPTED_HTTP_CLIENT_H_
#define PUCKDROP_TESTS_CHECKS_TARGET_SCRIPTED_HTTP_CLIENT_H_

#include <functional>
#include <string>
#include <vector>

#include "checks/target/http/cookie_jar.h"
#include "checks/target/http/http_client.h"

namespace puckdrop::target {

http::HttpAnswer Answered(int status, std::string body, std::string content_type = "application/json");
http::HttpAnswer Broken(http::TransportError error, std::string message = "it broke");
http::HttpAnswer Redirected(int status, std::string location);

// Answers by the first rule whose method and path (without query; a trailing '*' matches the rest) fit; 404 problem
// details when none does. A rule with several answers gives them in turn, the last one again and again. Cookies go as
// they would.
class ScriptedHttpClient final : public http::HttpClient {
 public:
  using Handler = std::function<http::HttpAnswer(const http::HttpRequest&)>;

  void On(const std::string& method, const std::string& path, std::vector<http::HttpAnswer> answers);
  void On(const std::string& method, const std::string& path, Handler handler);

  awaitable<http::HttpAnswer> Fetch(http::HttpRequest request) override;

  // All requests so far, with the Cookie header that went along.
  const std::vector<http::HttpRequest>& requests() const { return requests_; }
  // "POST http://shop.test/v1/carts".
  std::vector<std::string> lines() const;
  int CountOf(const std::string& method, const std::string& path) const;

 private:
  struct Rule {
    std::string method, path;
    Handler handler;
  };
  std::vector<Rule> rules_;
  std::vector<http::HttpRequest> requests_;
};

}  // namespace puckdrop::target

#endif  // PUCKDROP_TESTS_CHECKS_TARGET_SCRIPTED_HTTP_CLIENT_H_
