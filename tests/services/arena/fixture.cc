#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

constexpr char kPassword[] = "correct horse";

Reply Read(const httplib::Result& result) {
  Reply reply;
  if (!result) return reply;
  reply.status = result->status;
  reply.body = result->body;
  reply.headers = result->headers;
  if (result->get_header_value("Content-Type").find("json") != std::string::npos)
    reply.json = Json::parse(result->body, nullptr, false);
  return reply;
}

std::string Between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t begin = text.find(before);
  if (begin == std::string::npos) return "";
  const size_t end = text.find(after, begin + before.size());
  return text.substr(begin + before.size(), end - begin - before.size());
}

}  // namespace

std::string Reply::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Visitor::Visitor(const std::string& base_url, const std::string& device) : device_id(device), client_(base_url) {
  client_.set_keep_alive(true);
  client_.set_read_timeout(20);
}

httplib::Headers Visitor::Headers(httplib::Headers more) const {
  if (!token.empty()) more.emplace("Authorization", "Bearer " + token);
  more.emplace("X-Device-Id", device_id);
  if (!profile.empty()) more.emplace("X-Device-Profile", profile);
  if (!app_version.empty()) more.emplace("X-App-Version", app_version);
  return more;
}

Reply Visitor::Get(const std::string& path, httplib::Headers headers) {
  return Read(client_.Get(path, Headers(std::move(headers))));
}

Reply Visitor::Post(const std::string& path, const Json& body, httplib::Headers headers) {
  return Send("POST", path, body, std::move(headers));
}

Reply Visitor::Send(const std::string& method, const std::string& path, const Json& body, httplib::Headers headers) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = Headers(std::move(headers));
  if (!body.is_null()) {
    request.body = body.dump();
    request.headers.emplace("Content-Type", "application/json");
  }
  return Read(client_.send(request));
}

Reply Visitor::SendForm(const std::string& path, const httplib::Params& fields) {
  return Read(client_.Post(path, Headers({}), fields));
}

Json Visitor::SignUp(const std::string& email, const std::string& market) {
  const Reply reply =
      Post("/v1/accounts", {{"email", email}, {"password", kPassword}, {"name", "Aino"}, {"market", market}});
  EXPECT_EQ(reply.status, 201) << reply.body;
  if (reply.status == 201) token = reply.json["session"]["token"].get<std::string>();
  return reply.json;
}

Json Visitor::SignIn(const std::string& email) {
  const Reply reply = Post("/v1/sessions", {{"username", email}, {"password", kPassword}});
  EXPECT_EQ(reply.status, 201) << reply.body;
  if (reply.status == 201) token = reply.json["token"].get<std::string>();
  return reply.json;
}

Reply Visitor::Order(const std::string& offer, const std::string& key, const std::string& card) {
  const Reply cart = Post("/v1/carts", {{"offer_id", offer}});
  if (cart.status != 201) return cart;
  httplib::Headers headers;
  if (!key.empty()) headers.emplace("Idempotency-Key", key);
  return Post("/v1/carts/" + cart.json["id"].get<std::string>() + "/pay", {{"payment", {{"number", card}}}}, headers);
}

Json Visitor::Ordered(const std::string& offer, const std::string& key) {
  const Reply reply = Order(offer, key);
  EXPECT_EQ(reply.status, 201) << reply.body;
  return reply.json;
}

Reply Visitor::Cancel(const std::string& subscription_id, int* steps) {
  Reply page = Get("/account/subscriptions/" + subscription_id + "/cancel");
  int submits = 0;
  while (page.body.find("<form") != std::string::npos && submits < 20) {
    ++submits;
    page = SendForm(Between(page.body, "action=\"", "\""),
                    {{"csrf_token", Between(page.body, "csrf_token\" value=\"", "\"")},
                     {"step", Between(page.body, "step\" value=\"", "\"")}});
    if (page.status == 303) page = Get(page.Header("Location"));
  }
  if (steps != nullptr) *steps = submits;
  return page;
}

Reply Visitor::Play(const std::string& device_profile, const std::string& event) {
  return Post("/v1/playback/sessions", {{"event_id", event}, {"device", {{"profile", device_profile}}}});
}

Json Visitor::Items(const std::string& path) {
  const Reply reply = Get(path);
  EXPECT_EQ(reply.status, 200) << path << ": " << reply.body;
  return reply.status == 200 ? reply.json["items"] : Json::array();
}

Json Visitor::Only(const std::string& path) {
  Json items = Items(path);
  EXPECT_EQ(items.size(), 1u) << path << ": " << items.dump();
  return items.size() == 1 ? items[0] : Json::object();
}

void ArenaTest::SetUp() {
  ArenaOptions options;
  options.state_folder = ":memory:";
  options.live = false;
  options.shop.clock = [now = now_] { return now->load(); };
  options.shop.payment_time = 0;
  Configure(options);
  auto arena = Arena::Start(options);
  ASSERT_TRUE(arena.ok()) << arena.status();
  arena_ = *std::move(arena);
}

Visitor ArenaTest::Customer(const std::string& email, const std::string& market) {
  Visitor visitor = NewVisitor();
  visitor.SignUp(email, market);
  return visitor;
}

Visitor ArenaTest::Subscriber(const std::string& offer, const std::string& email, const std::string& market) {
  Visitor visitor = Customer(email, market);
  visitor.Ordered(offer);
  Advance(2000);
  return visitor;
}

Visitor ArenaTest::Office() {
  Visitor visitor = NewVisitor("office");
  visitor.token = "office-demo-token";
  return visitor;
}

void ArenaTest::MoveClock(const std::string& email, const std::string& to) {
  const Reply reply = Office().Post("/admin/accounts/" + email + "/clock", {{"to", to}});
  EXPECT_EQ(reply.status, 200) << reply.body;
}

int64_t ArenaTest::Count(const std::string& name) { return Office().Get("/admin/counts").json[name].get<int64_t>(); }

}  // namespace puckdrop::arena
