#ifndef PUCKDROP_TESTS_SERVICES_ARENA_FIXTURE_H_
#define PUCKDROP_TESTS_SERVICES_ARENA_FIXTURE_H_

#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <memory>
#include <string>

#include "services/arena/arena.h"

namespace puckdrop::arena {

// What came back, with the body read as JSON where it is JSON.
struct Reply {
  int status = 0;  // 0: no answer
  std::string body;
  Json json;
  httplib::Headers headers;

  std::string Code() const { return json.is_object() && json.contains("code") ? json["code"].get<std::string>() : ""; }
  std::string Header(const std::string& name) const;
};

// Somebody with a device who talks to the arena over HTTP.
class Visitor {
 public:
  explicit Visitor(const std::string& base_url, const std::string& device_id = "device-1");

  Reply Get(const std::string& path, httplib::Headers headers = {});
  Reply Post(const std::string& path, const Json& body = nullptr, httplib::Headers headers = {});
  Reply Send(const std::string& method, const std::string& path, const Json& body = nullptr,
             httplib::Headers headers = {});
  Reply SendForm(const std::string& path, const httplib::Params& fields);

  // Each returns the created document and fails the test when the arena refuses.
  Json SignUp(const std::string& email, const std::string& market = "FI");
  Json SignIn(const std::string& email);
  // Cart and payment; the answer whatever it is.
  Reply Order(const std::string& offer, const std::string& key, const std::string& card = "4242424242424242");
  Json Ordered(const std::string& offer, const std::string& key = "key-1");
  // Submits the cancellation's forms until a page has none; the number of submits is in `steps`.
  Reply Cancel(const std::string& subscription_id, int* steps = nullptr);
  Reply Play(const std::string& profile = "chrome_desktop", const std::string& event = "liiga-tappara-ilves");

  Json Items(const std::string& path);  // of a list's first page
  Json Only(const std::string& path);   // the one item of a list

  std::string token;
  std::string profile;
  std::string app_version;
  const std::string device_id;

 private:
  httplib::Headers Headers(httplib::Headers more) const;
  httplib::Client client_;
};

// An arena without streams, its store in memory, on a clock that the test moves. 2026-12-04T18:30:00+02:00 at the
// start.
class ArenaTest : public ::testing::Test {
 protected:
  void SetUp() override;
  virtual void Configure(ArenaOptions&) {}

  void Advance(Millis millis) { *now_ += millis; }
  void On(Fault fault) { arena_->faults().Set(fault, true); }
  void Off(Fault fault) { arena_->faults().Set(fault, false); }
  Visitor NewVisitor(const std::string& device_id = "device-1") { return Visitor(arena_->base_url(), device_id); }
  Visitor Customer(const std::string& email = "aino@example.test", const std::string& market = "FI");
  // A customer whose order of `offer` is active.
  Visitor Subscriber(const std::string& offer = "season", const std::string& email = "aino@example.test",
                     const std::string& market = "FI");
  // A visitor with the office's token.
  Visitor Office();
  void MoveClock(const std::string& email, const std::string& to);
  int64_t Count(const std::string& name);

  std::shared_ptr<std::atomic<Millis>> now_ = std::make_shared<std::atomic<Millis>>(1'796'401'800'000);
  std::unique_ptr<Arena> arena_;
};

}  // namespace puckdrop::arena

#endif  // PUCKDROP_TESTS_SERVICES_ARENA_FIXTURE_H_
