#include "services/runtime/call_guard.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/runtime/logging.h"
#include "services/runtime/redacting_printer.h"
#include "services/runtime/status_convert.h"

namespace puckdrop::runtime {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Those who only try are told of, but must not wash away what others did.
constexpr int kRefusalsASecond = 10;
constexpr size_t kMostRequestToPrint = 64 * 1024;

std::string MethodName(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->full_name(), "/", method.name());
}

// The token of "Bearer TOKEN"; empty for anything else.
absl::string_view BearerOf(absl::string_view authorization) {
  constexpr size_t kScheme = 7;
  if (!absl::StartsWithIgnoreCase(authorization, "bearer ")) return "";
  return absl::StripAsciiWhitespace(authorization.substr(kScheme));
}

// "ipv4:10.0.0.7:51234" without its port.
std::string HostOf(const std::string& peer) {
  if (!absl::StartsWith(peer, "ipv4:") && !absl::StartsWith(peer, "ipv6:")) return peer;
  return peer.substr(0, peer.rfind(':'));
}

std::string StringField(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() || field->type() != FieldDescriptor::TYPE_STRING) return "";
  return message.GetReflection()->GetString(message, field);
}

// What a request or an answer is about, by the names of our API.
std::string ResourceOf(const Message& message) {
  for (const char* name : {"name", "run", "check"}) {
    std::string value = StringField(message, name);
    if (!value.empty()) return value;
  }
  for (const char* part : {"obligation", "waiver"}) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(part);
    if (field == nullptr || field->is_repeated() || field->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    const Message& inner = message.GetReflection()->GetMessage(message, field);
    for (const char* name : {"name", "operation", "check"}) {
      std::string value = StringField(inner, name);
      if (!value.empty()) return value;
    }
  }
  return StringField(message, "owner");
}

}  // namespace

const MethodDescriptor* MethodOfRequest(const Descriptor* request) {
  const MethodDescriptor* found = nullptr;
  const google::protobuf::FileDescriptor* file = request->file();
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      const MethodDescriptor* method = file->service(s)->method(m);
      if (method->input_type() != request) continue;
      if (found != nullptr) return nullptr;
      found = method;
    }
  }
  return found;
}

v1::Scope ScopeOf(const MethodDescriptor& method) { return method.options().GetExtension(v1::scope); }

CallGuard::CallGuard(CallGuardOptions options) : options_(std::move(options)) {}

std::shared_ptr<Admission> CallGuard::Admit(const CallFacts& facts) {
  // The pair of sockets of ServiceServer::InProcessChannel; nothing that listens gives such a name.
  if (absl::StartsWith(facts.peer, "fd:")) return nullptr;
  auto admission = std::make_shared<Admission>();
  AuditRecord& record = admission->record;
  record.time = options_.clock->Now();
  record.by = "nobody";
  record.peer = facts.peer;
  const MethodDescriptor* method = MethodOfRequest(facts.request->GetDescriptor());
  if (method != nullptr) {
    record.method = MethodName(*method);
    admission->scope = ScopeOf(*method);
    record.scope = admission->scope == v1::SCOPE_UNSPECIFIED ? "" : ScopeWord(admission->scope);
  } else {
    record.method = facts.request->GetDescriptor()->full_name();
  }
  admission->status = Authorize(facts, *admission);
  const bool watches = method != nullptr && method->server_streaming() && admission->scope == v1::SCOPE_READ;
  if (admission->status.ok()) admission->status = Count(*admission, watches);
  if (admission->scope != v1::SCOPE_READ) {
    record.resource = ResourceOf(*facts.request);
    // What services tell each other is about pilot customers, and much.
    if (admission->scope != v1::SCOPE_PROBER && facts.request->ByteSizeLong() <= kMostRequestToPrint) {
      absl::StatusOr<std::string> json = RedactedJson(*facts.request);
      if (json.ok() && *json != "{}") record.request = *std::move(json);
    }
  }
  if (admission->counted) {
    std::lock_guard<std::mutex> lock(mutex_);
    running_.insert(admission);
  }
  // Between the look at the list and this the list may have changed, and Recheck have missed us.
  if (admission->status.ok() && !StillAllowed(*admission)) {
    std::lock_guard<std::mutex> lock(mutex_);
    admission->revoked = true;
  }
  return admission;
}

absl::Status CallGuard::Authorize(const CallFacts& facts, Admission& admission) const {
  AuditRecord& record = admission.record;
  if (admission.scope == v1::SCOPE_UNSPECIFIED) {
    return WithReason(absl::PermissionDeniedError(
                          absl::StrCat(record.method, " says nowhere who may call it (option `scope`), so nobody may")),
                      "METHOD_WITHOUT_SCOPE", {{"method", record.method}});
  }
  if (options_.access == nullptr) {
    record.who = "loopback";
    record.by = "loopback";
    return absl::OkStatus();
  }
  std::optional<Grant> grant;
  const absl::string_view token = BearerOf(facts.authorization);
  if (!token.empty()) {
    // A token that is given is the one that counts: a wrong one must not pass because of a certificate.
    grant = options_.access->FindToken(token);
    if (!grant) {
      return WithReason(
          absl::UnauthenticatedError(
              "this service does not know the token: was it taken out of its tokens file, or is it for "
              "another service? `puckdrop token new` makes one, and the line that its --tokens file needs"),
          "TOKEN_UNKNOWN", {{"method", record.method}});
    }
    record.by = "token";
    admission.token_sha256 = grant->token_sha256;
  } else if (!facts.certificate_names.empty()) {
    grant = options_.access->FindCertificate(facts.certificate_names);
    record.by = "certificate";
    record.who = Printable(facts.certificate_names.front(), 256);
    admission.certificate_names = facts.certificate_names;
  }
  if (!grant) {
    const std::string certificate =
        facts.certificate_names.empty()
            ? ""
            : absl::StrCat(", or the service's tokens file a line for your certificate (cert:", record.who, ")");
    return WithReason(absl::UnauthenticatedError(
                          absl::StrCat(record.method, " needs a token with the scope ", record.scope,
                                       ": give --token-file FILE or set PUCKDROP_TOKEN", certificate,
                                       "; `puckdrop token new --name YOU --scope ", record.scope, "` makes one")),
                      "TOKEN_MISSING", {{"method", record.method}, {"scope", record.scope}});
  }
  record.who = grant->name;
  if (!grant->scopes.Has(admission.scope)) {
    return WithReason(
        absl::PermissionDeniedError(absl::StrCat(grant->name, " may ", grant->scopes.Words(), ", but ", record.method,
                                                 " needs the scope ", record.scope, ": have it added to the line of ",
                                                 grant->name, " in the service's tokens file")),
        "SCOPE_MISSING", {{"method", record.method}, {"scope", record.scope}, {"who", grant->name}});
  }
  return absl::OkStatus();
}

absl::Status CallGuard::Count(Admission& admission, bool watches) {
  const std::string client = options_.access == nullptr ? HostOf(admission.record.peer) : admission.record.who;
  std::lock_guard<std::mutex> lock(mutex_);
  if (static_cast<int>(running_.size()) >= options_.limits.calls) {
    return WithReason(absl::ResourceExhaustedError(absl::StrCat("there are ", options_.limits.calls,
                                                                " calls under way already: try again in a moment")),
                      "TOO_MANY_CALLS", {{"most", absl::StrCat(options_.limits.calls)}});
  }
  if (watches) {
    const auto it = watchers_.find(client);
    const int of_one = it == watchers_.end() ? 0 : it->second;
    const bool all = watching_ >= options_.limits.watchers;
    if (all || of_one >= options_.limits.watchers_of_one) {
      const int most = all ? options_.limits.watchers : options_.limits.watchers_of_one;
      return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                            all ? "there are " : absl::StrCat(Printable(client, 100), " has "), most,
                            " watchers already: end one, or ask again and again (GetVerdict, GetRun) instead")),
                        "TOO_MANY_WATCHERS", {{"most", absl::StrCat(most)}});
    }
    ++watching_;
    ++watchers_[client];
    admission.watcher = client;
  }
  admission.counted = true;
  return absl::OkStatus();
}

void CallGuard::OnRevoked(const std::shared_ptr<Admission>& admission, std::function<void()> cancel) {
  bool now = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    now = admission->revoked;
    admission->cancel = cancel;
  }
  if (now) cancel();
}

absl::Status CallGuard::End(const std::shared_ptr<Admission>& admission, absl::Status ended, const Message* response) {
  bool revoked = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    revoked = admission->revoked;
    admission->cancel = nullptr;
    if (admission->counted) {
      running_.erase(admission);
      if (!admission->watcher.empty()) {
        --watching_;
        auto it = watchers_.find(admission->watcher);
        if (--it->second == 0) watchers_.erase(it);
      }
    }
  }
  if (revoked && absl::IsCancelled(ended)) {
    ended =
        WithReason(absl::UnauthenticatedError(absl::StrCat("the right of ", admission->record.who, " to ",
                                                           admission->record.method, " was taken back while it ran")),
                   "ACCESS_REVOKED", {{"method", admission->record.method}, {"who", admission->record.who}});
  }
  if (admission->scope == v1::SCOPE_READ) return ended;
  AuditRecord& record = admission->record;
  record.took = options_.clock->Now() - record.time;
  record.outcome = absl::StatusCodeToString(ended.code());
  record.reason = ReasonOf(ended);
  if (ended.ok() && response != nullptr) {
    const std::string made = ResourceOf(*response);
    if (!made.empty()) record.resource = made;
  }
  Audit(record);
  return ended;
}

void CallGuard::Audit(const AuditRecord& record) {
  const bool refused = record.by == "nobody" || record.outcome == "PERMISSION_DENIED" ||
                       record.outcome == "UNAUTHENTICATED" || record.outcome == "RESOURCE_EXHAUSTED";
  int untold = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const int64_t second = absl::ToUnixSeconds(options_.clock->Now());
    if (second != second_) {
      second_ = second;
      refused_this_second_ = 0;
    }
    if (refused && ++refused_this_second_ > kRefusalsASecond) {
      ++refused_untold_;
      return;
    }
    std::swap(untold, refused_untold_);
  }
  if (untold > 0) {
    AuditRecord more;
    more.time = record.time;
    more.by = "nobody";
    more.outcome = "REFUSED";
    more.reason = absl::StrCat(untold, " more refused calls, not told one by one");
    if (options_.audit != nullptr) options_.audit->Write(AuditLine(more));
  }
  const std::string line = AuditLine(record);
  // Between services there are many; a person's act is rare.
  spdlog::log(refused                                       ? spdlog::level::warn
              : record.scope == ScopeWord(v1::SCOPE_PROBER) ? spdlog::level::debug
                                                            : spdlog::level::info,
              "audit: {}", line);
  if (options_.audit != nullptr) options_.audit->Write(line);
  if (options_.on_audit) options_.on_audit(record);
}

bool CallGuard::StillAllowed(const Admission& admission) const {
  if (options_.access == nullptr) return true;
  std::optional<Grant> grant;
  if (!admission.token_sha256.empty()) {
    grant = options_.access->FindTokenByHash(admission.token_sha256);
  } else if (!admission.certificate_names.empty()) {
    grant = options_.access->FindCertificate(admission.certificate_names);
  }
  return grant.has_value() && grant->scopes.Has(admission.scope);
}

void CallGuard::Recheck() {
  std::vector<std::function<void()>> cancels;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const std::shared_ptr<Admission>& admission : running_) {
      if (admission->revoked || StillAllowed(*admission)) continue;
      admission->revoked = true;
      if (admission->cancel) cancels.push_back(admission->cancel);
    }
  }
  for (const std::function<void()>& cancel : cancels) cancel();
}

int CallGuard::watchers() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return watching_;
}

}  // namespace puckdrop::runtime
