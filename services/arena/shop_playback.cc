#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

constexpr char kMinimumApp[] = "2.0.0";
constexpr int kStreamLimit = 2;
constexpr int kDeviceLimit = 5;
constexpr int kHeartbeatSeconds = 20;
constexpr Millis kSlotMillis = 60'000;
constexpr Millis kStreamMillis = 4 * 3'600'000;

std::string Member(const Json& body, const std::string& name, const std::string& fallback) {
  std::string text = TextMember(body, name, 128);
  return text.empty() ? fallback : text;
}

}  // namespace

std::string Shop::MinimumAppVersion() { return Setting("minimum_app_version", kMinimumApp); }

void Shop::RequireApp(const std::string& app_version) {
  if (app_version.empty() || !OlderVersion(app_version, MinimumAppVersion()) || On(Fault::kOldAppWelcome)) return;
  if (On(Fault::kOldAppCrashes))
    throw Problem{500, "internal_error", "Something went wrong", "unexpected end of stream"};
  throw Problem{426, "update_required", "Please update the app",
                "This version of the app is no longer supported. Update to " + MinimumAppVersion() + " or later.",
                "https://store.example/arena"};
}

Json Shop::DeviceJson(const Row& row, const std::string& zone) {
  return {{"id", row.Text(0)},
          {"device_id", row.Text(1)},
          {"profile", row.Text(2)},
          {"registered_at", FormatInstant(row.Int(3), zone)}};
}

int Shop::DeviceLimit() {
  const std::lock_guard lock(mutex_);
  return std::stoi(Setting("device_limit", std::to_string(kDeviceLimit)));
}

Shop::Registered Shop::RegisterDevice(const Caller& caller, const Json& body) {
  const std::string device_id = Member(body, "device_id", caller.device_id);
  const std::string profile = Member(body, "profile", caller.profile);
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = Authenticate(caller);
  if (device_id.empty()) {
    throw Problem{
        422, "invalid_input", "The input is not valid", "device_id is missing", "", 0, {{"device_id", "is missing"}}};
  }
  const std::string query =
      "SELECT id, device_id, profile, registered_at FROM devices WHERE account_id = ? AND device_id = ?";
  Registered registered;
  if (!db_->QueryOne(query, {account.id, device_id})) {
    const int limit = DeviceLimit();
    if (db_->QueryOne("SELECT count(*) FROM devices WHERE account_id = ?", {account.id})->Int(0) >= limit) {
      throw Problem{409, "device_limit", "Too many devices",
                    absl::StrCat("You can have ", limit, " devices. Remove one first."), "/v1/devices"};
    }
    db_->Run("INSERT INTO devices(id, account_id, device_id, profile, registered_at) VALUES(?, ?, ?, ?, ?)",
             {NewId("dev_"), account.id, device_id, profile, account.now});
    registered.created = true;
  }
  registered.device = DeviceJson(*db_->QueryOne(query, {account.id, device_id}), account.market->zone);
  transaction.Commit();
  return registered;
}

Json Shop::Devices(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  Json devices = Json::array();
  for (const Row& row :
       db_->Query("SELECT id, device_id, profile, registered_at FROM devices WHERE account_id = ? ORDER BY seq DESC",
                  {account.id})) {
    devices.push_back(DeviceJson(row, account.market->zone));
  }
  return devices;
}

void Shop::RemoveDevice(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  if (db_->Run("DELETE FROM devices WHERE id = ? AND account_id = ?", {id, account.id}) == 0) {
    throw NotFound("device_not_found", "device");
  }
}

int Shop::OpenStreams(const std::string& account_id) {
  return static_cast<int>(db_->QueryOne("SELECT count(*) FROM playback_sessions WHERE account_id = ? AND ((ended = 0 "
                                        "AND heartbeat_real > ?) OR leaked = 1)",
                                        {account_id, RealNow() - kSlotMillis})
                              ->Int(0));
}

std::string Shop::StreamToken(const std::string& session_id, Millis expires) {
  const std::string claim = absl::StrCat(session_id, ".", expires / 1000);
  return absl::StrCat(claim, ".", HmacHex(secret_, "stream " + claim).substr(0, 32));
}

bool Shop::StreamTokenValid(const std::string& token) {
  // Only the secret and the clock, which never change: no lock, so that segments do not wait for the shop.
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  int64_t expires = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &expires)) return false;
  const std::string expected = HmacHex(secret_, "stream " + parts[0] + "." + parts[1]).substr(0, 32);
  return parts[2] == expected && expires * 1000 > RealNow();
}

Json Shop::StartPlayback(const Caller& caller, const Json& body) {
  const std::string event_id = TextMember(body, "event_id");
  const Json device = body.is_object() && body.contains("device") ? body["device"] : Json();
  const std::string profile = Member(device, "profile", caller.profile);
  const std::string device_id = Member(device, "instance_id", caller.device_id);
  const std::string app_version = Member(device, "app_version", caller.app_version);
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  const Account account = Authenticate(caller);
  RequireApp(app_version);
  const MatchEvent& event = NeedEvent(event_id);
  if (!Entitled(account, event_id) && !On(Fault::kUnentitledPlays)) {
    throw Problem{403, "not_entitled", "You have not ordered this match",
                  "Order the season pass or this match to watch it.", "/v1/offers"};
  }
  if (!event.live) {
    throw Problem{409, "event_not_live", "The match has not begun",
                  "It starts at " + FormatInstant(event.start, account.market->zone) + "."};
  }
  if (On(Fault::kStartFails)) throw Problem{500, "internal_error", "Something went wrong", "Please try again later."};
  const int limit = std::stoi(Setting("stream_limit", std::to_string(kStreamLimit)));
  if (OpenStreams(account.id) >= limit && !On(Fault::kStreamsUnlimited)) {
    if (On(Fault::kSlotNeverFreed)) {
      db_->Run("UPDATE playback_sessions SET leaked = 1 WHERE account_id = ? AND ended = 0", {account.id});
      transaction.Commit();
    }
    throw Problem{409, "concurrency_limit", "Too many streams at the same time",
                  absl::StrCat("You can watch on ", limit, " devices at the same time. Stop one of them first.")};
  }
  const Millis now = RealNow(), expires = now + kStreamMillis;
  const std::string id = NewId("pbs_");
  db_->Run("DELETE FROM playback_sessions WHERE leaked = 0 AND heartbeat_real < ?", {now - 3'600'000});
  db_->Run(
      "INSERT INTO playback_sessions(id, account_id, event_id, device_id, profile, heartbeat_real) VALUES(?, ?, ?, ?, "
      "?, ?)",
      {id, account.id, event_id, device_id, profile, now});
  transaction.Commit();
  const bool transport_stream = IsTelevision(profile) && !On(Fault::kFmp4ForTelevisions);
  const std::string expires_at = FormatInstant(expires, account.market->zone);
  return {{"id", id},
          {"event_id", event_id},
          {"device_profile", profile.empty() ? Json(nullptr) : Json(profile)},
          {"manifests", Json::array({{{"protocol", "HLS"},
                                      {"container", transport_stream ? "mpegts" : "fmp4"},
                                      {"url", absl::StrCat(caller.base_url, "/live/", StreamToken(id, expires),
                                                           transport_stream ? "/ts" : "/fmp4", "/master.m3u8")},
                                      {"cdn", "arena"},
                                      {"expires_at", expires_at}}})},
          {"drm", Json::array()},
          {"heartbeat_interval_seconds", kHeartbeatSeconds},
          {"expires_at", expires_at}};
}

Json Shop::KeepPlayback(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  const auto row =
      db_->QueryOne("SELECT ended, heartbeat_real, event_id FROM playback_sessions WHERE id = ? AND account_id = ?",
                    {id, account.id});
  if (!row) throw NotFound("playback_session_not_found", "playback session");
  if (row->Int(0) != 0 || row->Int(1) <= RealNow() - kSlotMillis) {
    throw Problem{410, "session_ended", "This stream has ended", "Start it again."};
  }
  db_->Run("UPDATE playback_sessions SET heartbeat_real = ? WHERE id = ?", {RealNow(), id});
  return {{"may_continue", Entitled(account, row->Text(2)) || On(Fault::kUnentitledPlays)},
          {"heartbeat_interval_seconds", kHeartbeatSeconds}};
}

void Shop::StopPlayback(const Caller& caller, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Account account = Authenticate(caller);
  if (db_->Run("UPDATE playback_sessions SET ended = 1 WHERE id = ? AND account_id = ?", {id, account.id}) == 0) {
    throw NotFound("playback_session_not_found", "playback session");
  }
}

}  // namespace puckdrop::arena
