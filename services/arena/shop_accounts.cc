#include "absl/strings/ascii.h"
#include "services/arena/shop.h"

namespace puckdrop::arena {
namespace {

constexpr Millis kSessionMillis = 30 * 60'000;
constexpr Millis kUnreadableMillis = 60'000;
constexpr char kAccountColumns[] =
    "id, email, name, language, device_id, maker_session, password, market, created_at, created_real, clock_offset";

bool LooksLikeEmail(const std::string& text) {
  const size_t at = text.find('@');
  if (at == std::string::npos || at == 0 || text.find('@', at + 1) != std::string::npos) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == ',') return false;
  }
  return text.size() > at + 1;
}

}  // namespace

Shop::Shop(std::unique_ptr<Database> database, const FaultSet* faults, ShopOptions options)
    : db_(std::move(database)), faults_(faults), options_(std::move(options)), events_(MakeEvents(RealNow())) {
  secret_ = Setting("secret", "");
  if (secret_.empty()) {
    secret_ = NewId("") + NewId("");
    db_->Run("INSERT INTO settings(name, value) VALUES('secret', ?)", {secret_});
  }
  // A payment that was under way when the arena died was never made.
  db_->Run("DELETE FROM idempotency WHERE state = 'in_flight'");
  if (db_->QueryOne("SELECT 1 FROM notices") == std::nullopt) {
    db_->Run(
        "INSERT INTO notices(id, title, text, state, about, published_at) VALUES(?, ?, ?, 'planned', 'playback', ?)",
        {NewId("ntc_"), "4K broadcasts start in January",
         "Until then all matches are shown in 720p at 50 frames per second, on every device we list.", RealNow()});
  }
}

std::string Shop::Setting(const std::string& name, const std::string& fallback) {
  const auto row = db_->QueryOne("SELECT value FROM settings WHERE name = ?", {name});
  return row ? row->Text(0) : fallback;
}

std::optional<Shop::Account> Shop::LoadAccount(const std::string& where, const std::string& value) {
  const auto row =
      db_->QueryOne(std::string("SELECT ") + kAccountColumns + " FROM accounts WHERE " + where + " = ?", {value});
  if (!row) return std::nullopt;
  Account account;
  account.id = row->Text(0);
  account.email = row->Text(1);
  account.name = row->Text(2);
  account.language = row->Text(3);
  account.device_id = row->Text(4);
  account.maker_session = row->Text(5);
  account.password = row->Text(6);
  account.market = FindMarket(row->Text(7));
  account.created_at = row->Int(8);
  account.created_real = row->Int(9);
  account.offset = row->Int(10);
  account.now = RealNow() + account.offset;
  return account;
}

Shop::Account Shop::NeedAccount(const std::string& id_or_email) {
  auto account = LoadAccount(id_or_email.find('@') == std::string::npos ? "id" : "email", id_or_email);
  if (!account) throw NotFound("account_not_found", "account");
  RunDue(*account, account->now);
  return *account;
}

Shop::Account Shop::Authenticate(const Caller& caller, std::string* session_hash) {
  if (caller.token.empty()) {
    throw Problem{401, "session_missing", "Please sign in", "This needs a session: sign in first.", "/v1/sessions"};
  }
  const std::string hash = Sha256Hex(caller.token);
  const auto row = db_->QueryOne("SELECT account_id, expires_real FROM sessions WHERE hash = ?", {hash});
  if (!row || row->Int(1) <= RealNow() || On(Fault::kSessionsExpire)) {
    throw Problem{401, "session_expired", "Please sign in again", "Your session has ended: sign in again.",
                  "/v1/sessions"};
  }
  auto account = LoadAccount("id", row->Text(0));
  if (!account) throw Problem{401, "session_expired", "Please sign in again", "This account is no more."};
  if (session_hash != nullptr) *session_hash = hash;
  RunDue(*account, account->now);
  return *account;
}

std::optional<Shop::Account> Shop::TryAuthenticate(const Caller& caller) {
  if (caller.token.empty()) return std::nullopt;
  try {
    return Authenticate(caller);
  } catch (const Problem&) {
    return std::nullopt;  // a dead session sees the public pages as a visitor does
  }
}

Json Shop::OpenSession(const Account& account, const Caller& caller) {
  const std::string token = NewId("") + NewId("");
  const Millis now = RealNow();
  db_->Run("DELETE FROM sessions WHERE expires_real <= ?", {now});
  db_->Run("INSERT INTO sessions(hash, account_id, device_id, created_real, expires_real) VALUES(?, ?, ?, ?, ?)",
           {Sha256Hex(token), account.id, caller.device_id, now, now + kSessionMillis});
  return {{"token", token},
          {"token_type", "Bearer"},
          {"account_id", account.id},
          {"device_id", caller.device_id.empty() ? Json(nullptr) : Json(caller.device_id)},
          {"created_at", FormatInstant(now, account.market->zone)},
          {"expires_at", FormatInstant(now + kSessionMillis, account.market->zone)}};
}

Json Shop::SignUp(const Caller& caller, const Json& body) {
  const std::string email(absl::StripAsciiWhitespace(TextMember(body, "email", 254)));
  const std::string password = TextMember(body, "password", 256);
  const std::string name = TextMember(body, "name", 200);
  const std::string market_code = TextMember(body, "market", 8);
  std::string language = TextMember(body, "language", 8);
  Problem bad{422, "invalid_input", "The input is not valid", ""};
  if (!LooksLikeEmail(email)) bad.field_errors.emplace_back("email", "must be an e-mail address");
  if (password.size() < 8) bad.field_errors.emplace_back("password", "must have at least 8 characters");
  if (name.empty()) bad.field_errors.emplace_back("name", "is missing");
  const Market* market = FindMarket(market_code);
  if (market == nullptr) bad.field_errors.emplace_back("market", "must be one of FI, SE, EE");
  if (language.empty() && market != nullptr) language = market->language;
  if (!language.empty() && !KnownLanguage(language))
    bad.field_errors.emplace_back("language", "must be one of fi, sv, et, en");
  if (!bad.field_errors.empty()) {
    for (const auto& [field, detail] : bad.field_errors)
      bad.detail += (bad.detail.empty() ? "" : "; ") + field + " " + detail;
    throw bad;
  }
  const std::string hash = HashPassword(password);

  const std::lock_guard lock(mutex_);
  if (On(Fault::kSignUpFails)) throw Problem{500, "internal_error", "Something went wrong", "Please try again later."};
  Transaction transaction(*db_, depth_);
  if (LoadAccount("email", email)) {
    throw Problem{409, "email_taken", "This e-mail address has an account", "Sign in with it, or use another address."};
  }
  const Millis real = RealNow();
  Millis offset = 0;
  if (const auto row = db_->QueryOne("SELECT start_at FROM account_settings WHERE email = ?", {email});
      row && !row->IsNull(0)) {
    offset = row->Int(0) - real;
    db_->Run("DELETE FROM account_settings WHERE email = ?", {email});
  }
  const std::string id = NewId("acc_");
  db_->Run(
      "INSERT INTO accounts(id, email, password, name, market, language, created_at, created_real, clock_offset, "
      "device_id, "
      "maker_session) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
      {id, email, hash, name, market->code, language, real + offset, real, offset, caller.device_id});
  const Account account = *LoadAccount("id", id);
  Json session = OpenSession(account, caller);
  db_->Run("UPDATE accounts SET maker_session = ? WHERE id = ?", {Sha256Hex(session["token"].get<std::string>()), id});
  SendMail(email, "Welcome to Arena TV", "Hello " + name + ", your account is ready.", caller.base_url + "/account");
  transaction.Commit();
  return {{"id", id},
          {"email", email},
          {"name", name},
          {"market", market->code},
          {"language", language},
          {"created_at", FormatInstant(account.created_at, market->zone)},
          {"needs_verification", false},
          {"session", std::move(session)}};
}

Json Shop::SignIn(const Caller& caller, const Json& body) {
  const std::string username(absl::StripAsciiWhitespace(TextMember(body, "username", 254)));
  const std::string password = TextMember(body, "password", 256);
  std::optional<Account> account;
  {
    const std::lock_guard lock(mutex_);
    account = LoadAccount("email", username);
  }
  // The same work for a name that does not exist, so that the time does not tell which names do.
  static const std::string nobody = HashPassword("nobody");
  const bool right = PasswordMatches(password, account ? account->password : nobody) && account;
  if (!right || (On(Fault::kSignInRejected) && caller.device_id != account->device_id)) {
    throw Problem{401, "invalid_credentials", "Sign-in failed", "The name or the password is not right."};
  }
  const std::lock_guard lock(mutex_);
  Transaction transaction(*db_, depth_);
  Json session = OpenSession(*account, caller);
  transaction.Commit();
  return session;
}

void Shop::SignOut(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (caller.token.empty()) throw Problem{401, "session_missing", "Please sign in", "There is no session to end."};
  db_->Run("DELETE FROM sessions WHERE hash = ?", {Sha256Hex(caller.token)});
}

Json Shop::Me(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  std::string hash;
  const Account account = Authenticate(caller, &hash);
  if (On(Fault::kAccountUnreadable) && hash != account.maker_session &&
      RealNow() - account.created_real < kUnreadableMillis) {
    throw NotFound("account_not_found", "account");
  }
  bool may_watch = false;
  for (const Offer& offer : AllOffers()) {
    for (const std::string& event : offer.event_ids) may_watch = may_watch || Entitled(account, event);
  }
  return {{"id", account.id},
          {"email", account.email},
          {"name", account.name},
          {"market", account.market->code},
          {"language", account.language},
          {"created_at", FormatInstant(account.created_at, account.market->zone)},
          {"may_watch", may_watch},
          {"now", FormatInstant(account.now, account.market->zone)}};
}

void Shop::SendMail(const std::string& to, const std::string& subject, const std::string& text,
                    const std::string& link) {
  db_->Run("INSERT INTO mails(id, recipient, subject, text, link, sent_real) VALUES(?, ?, ?, ?, ?, ?)",
           {NewId("msg_"), to, subject, text, link, RealNow()});
}

}  // namespace puckdrop::arena
