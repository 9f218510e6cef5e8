#include "tests/services/arena/fixture.h"

namespace puckdrop::arena {
namespace {

using PlaybackTest = ArenaTest;

std::string ManifestUrl(const Reply& reply) { return reply.json["manifests"][0]["url"].get<std::string>(); }

TEST_F(PlaybackTest, EventsTellWhoMayWatch) {
  Visitor visitor = NewVisitor();
  const Json events = visitor.Items("/v1/events");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["status"], "live");
  EXPECT_EQ(events[0]["call_to_action"], "buy");
  EXPECT_EQ(events[0]["starts_at"], "2026-12-04T18:00:00.000+02:00");
  EXPECT_EQ(Subscriber().Items("/v1/events")[0]["call_to_action"], "watch");
  EXPECT_EQ(visitor.Get("/v1/events/nothing").Code(), "event_not_found");
}

TEST_F(PlaybackTest, OnlyTheEntitledGetAStream) {
  Visitor visitor = Customer();
  const Reply refused = visitor.Play();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.Code(), "not_entitled");
  EXPECT_EQ(refused.json["link"], "/v1/offers");
  EXPECT_EQ(NewVisitor().Play().status, 401);
  visitor.Ordered("season");
  Advance(2000);
  EXPECT_EQ(visitor.Play().status, 201);
  EXPECT_EQ(visitor.Play("chrome_desktop", "liiga-hifk-jokerit").Code(), "event_not_live");
}

TEST_F(PlaybackTest, TelevisionsGetTransportStreamsAndOthersFragments) {
  Visitor visitor = Subscriber();
  const Reply television = visitor.Play("samsung_2018_tizen4.0"), browser = visitor.Play("chrome_desktop");
  EXPECT_EQ(television.json["manifests"][0]["container"], "mpegts");
  EXPECT_NE(ManifestUrl(television).find("/ts/master.m3u8"), std::string::npos);
  EXPECT_EQ(browser.json["manifests"][0]["container"], "fmp4");
  EXPECT_EQ(browser.json["heartbeat_interval_seconds"], 20);
}

TEST_F(PlaybackTest, TwoAtTheSameTimeAndTheSlotsComeBack) {
  Visitor visitor = Subscriber();
  const std::string first = "/v1/playback/sessions/" + visitor.Play().json["id"].get<std::string>();
  const std::string second = "/v1/playback/sessions/" + visitor.Play().json["id"].get<std::string>();
  const Reply third = visitor.Play();
  EXPECT_EQ(third.status, 409);
  EXPECT_EQ(third.Code(), "concurrency_limit");
  EXPECT_EQ(Count("open_playback_sessions"), 2);
  EXPECT_EQ(visitor.Send("DELETE", first).status, 204);
  EXPECT_EQ(visitor.Play().status, 201);
  EXPECT_EQ(visitor.Play().status, 409);
  Advance(50'000);
  EXPECT_EQ(visitor.Send("PUT", second + "/heartbeat").json["may_continue"], true);
  EXPECT_EQ(visitor.Send("PUT", first + "/heartbeat").Code(), "session_ended");
  Advance(11'000);
  EXPECT_EQ(Count("open_playback_sessions"), 1) << "the one without heartbeats for 61 s is gone";
  EXPECT_EQ(visitor.Play().status, 201);
  Visitor other = Customer("other@example.test");
  EXPECT_EQ(other.Send("DELETE", second).Code(), "playback_session_not_found");
}

TEST_F(PlaybackTest, StreamAddressesNeedTheirTokenAndLapse) {
  Visitor visitor = Subscriber();
  const std::string path = ManifestUrl(visitor.Play()).substr(arena_->base_url().size());
  EXPECT_EQ(NewVisitor().Get(path).status, 404) << "the token is right, this arena has no streams";
  EXPECT_EQ(NewVisitor().Get("/live/none/ts/master.m3u8").Code(), "token_invalid");
  std::string forged = path;
  forged[forged.find("/ts/") == std::string::npos ? forged.find("/fmp4/") - 1 : forged.find("/ts/") - 1] ^= 1;
  const Reply refused = NewVisitor().Get(forged);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.Header("Access-Control-Allow-Origin"), "*");
  Advance(4 * 3'600'000 + 1000);
  EXPECT_EQ(NewVisitor().Get(path).status, 403);
  EXPECT_EQ(NewVisitor().Send("OPTIONS", path).status, 204);
}

TEST_F(PlaybackTest, OldAppsAreToldWhereTheNewOneIs) {
  Visitor visitor = Subscriber();
  visitor.profile = "samsung_2018_tizen4.0";
  visitor.app_version = "1.9.9";
  const Reply old = visitor.Get("/v1/compatibility");
  EXPECT_EQ(old.status, 426);
  EXPECT_EQ(old.Code(), "update_required");
  EXPECT_EQ(old.json["link"], "https://store.example/arena");
  EXPECT_EQ(visitor.Play().status, 426);
  visitor.app_version = "2.0.0";
  EXPECT_EQ(visitor.Get("/v1/compatibility").json["supported"], true);
  EXPECT_EQ(visitor.Play().status, 201);
  visitor.profile = "samsung_2016_tizen2.4_uhd";
  EXPECT_EQ(visitor.Get("/v1/compatibility").json["supported"], false);
}

TEST_F(PlaybackTest, DeviceClaimsArePublic) {
  const Json claims = NewVisitor().Items("/v1/device-claims?language=en");
  ASSERT_GE(claims.size(), 5u);
  EXPECT_EQ(claims[0]["profile"], "samsung_2018_tizen4.0");
  EXPECT_EQ(claims[0]["minimum_app_version"], "2.0.0");
}

TEST_F(PlaybackTest, FiveDevicesAndTheOwnerMakesRoom) {
  Visitor visitor = Customer();
  Json first;
  for (int i = 0; i < 5; ++i) {
    const Reply reply =
        visitor.Post("/v1/devices", {{"device_id", "tv-" + std::to_string(i)}, {"profile", "chrome_desktop"}});
    EXPECT_EQ(reply.status, 201);
    if (i == 0) first = reply.json;
  }
  EXPECT_EQ(visitor.Post("/v1/devices", {{"device_id", "tv-0"}}).status, 200);
  EXPECT_EQ(visitor.Post("/v1/devices", {{"device_id", "tv-5"}}).Code(), "device_limit");
  EXPECT_EQ(visitor.Get("/v1/devices").json["limit"], 5);
  EXPECT_EQ(visitor.Send("DELETE", "/v1/devices/" + first["id"].get<std::string>()).status, 204);
  EXPECT_EQ(visitor.Post("/v1/devices").status, 201) << "the device of the headers";
}

}  // namespace
}  // namespace puckdrop::arena
