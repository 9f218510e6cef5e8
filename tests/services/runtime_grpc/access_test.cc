// The tokens file, the scopes of our methods, and the audit log: what needs no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "puckdrop/v1/check_service.pb.h"
#include "puckdrop/v1/evidence_service.pb.h"
#include "puckdrop/v1/obligation_service.pb.h"
#include "puckdrop/v1/prober_service.pb.h"
#include "puckdrop/v1/readiness_service.pb.h"
#include "puckdrop/v1/waiver_service.pb.h"
#include "services/runtime/access_list.h"
#include "services/runtime/audit_log.h"
#include "services/runtime/call_guard.h"
#include "services/runtime/file_watch.h"
#include "services/runtime/status_convert.h"
#include "services/runtime/tls_files.h"
#include "tests/services/runtime_grpc/certificates.h"

namespace puckdrop::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

Scopes ScopesOf(const char* words) { return *ParseScopes(words); }

std::string LineOf(const std::string& name, const std::string& token, const char* scopes) {
  return *TokenLine(name, token, ScopesOf(scopes)) + "\n";
}

TEST(TokensTest, ATokenIsFoundByItselfOnly) {
  TestDirectory directory;
  const std::string alice = NewToken();
  const std::string bob = NewToken();
  EXPECT_NE(alice, bob);
  EXPECT_EQ(alice.size(), 46u);
  WriteFile(directory / "tokens", absl::StrCat("# who\n", LineOf("alice", alice, "run,pause"), "\n",
                                               LineOf("bob", bob, "waive"), "night cert:prober.example prober\n"));
  absl::StatusOr<std::shared_ptr<AccessList>> list = AccessList::Load(directory / "tokens");
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_TRUE((*list)->FindToken(alice).has_value());
  EXPECT_EQ((*list)->FindToken(alice)->name, "alice");
  EXPECT_EQ((*list)->FindToken(alice)->scopes.Words(), "run, pause");
  EXPECT_EQ((*list)->FindToken(bob)->name, "bob");
  EXPECT_FALSE((*list)->FindToken("").has_value());
  EXPECT_FALSE((*list)->FindToken(alice.substr(0, 45)).has_value());
  EXPECT_FALSE((*list)->FindToken(absl::BytesToHexString(Sha256(alice))).has_value()) << "the hash is no token";
  EXPECT_EQ((*list)->FindCertificate({"other", "prober.example"})->name, "night");
  EXPECT_FALSE((*list)->FindCertificate({"other"}).has_value());
}

TEST(TokensTest, EveryMistakeIsToldAtItsLineAndNoTokenIsRepeated) {
  const std::string token = NewToken();
  const std::string hash(64, 'a');
  const struct {
    std::string line;
    const char* says;
  } cases[] = {
      {"alice", "NAME sha256:HASH SCOPES"},
      {absl::StrCat("alice sha256:", hash), "NAME sha256:HASH SCOPES"},
      {absl::StrCat("alice ", token, " run"), "a token itself"},
      {"alice sha256:12 run", "64 hexadecimal digits"},
      {absl::StrCat("alice sha256:", hash, " run,fly"), "no scope \"fly\"; there are read, run, waive, pause, plan"},
      {absl::StrCat("alice sha256:", hash, " RUN"), "no scope \"RUN\""},
      {absl::StrCat("alice sha256:", hash, " unspecified"), "no scope"},
      {absl::StrCat("a/b sha256:", hash, " run"), "a name is"},
      {"alice plain run", "NAME sha256:HASH SCOPES"},
      {absl::StrCat("a sha256:", hash, " run\nb sha256:", hash, " run"), "stands above"},
  };
  for (const auto& c : cases) {
    const absl::Status wrong = ParseTokens(absl::StrCat("# first\n", c.line), "f").status();
    EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument) << c.line;
    EXPECT_THAT(Message(wrong), HasSubstr(c.says)) << c.line;
    EXPECT_THAT(Message(wrong), ::testing::MatchesRegex("f:[23]: .*")) << c.line;
    EXPECT_THAT(Message(wrong), Not(HasSubstr(token)));
  }
  EXPECT_TRUE(ParseTokens("", "f")->empty()) << "nobody may do anything: a list all the same";
}

TEST(TokensTest, ABrokenFileLeavesTheOldListInForce) {
  TestDirectory directory;
  const std::string file = directory / "tokens";
  const std::string alice = NewToken();
  EXPECT_EQ(AccessList::Load(file).status().code(), absl::StatusCode::kNotFound);
  WriteFile(file, LineOf("alice", alice, "run"), 0602);
  const absl::Status open = AccessList::Load(file).status();
  EXPECT_EQ(open.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(open), HasSubstr("chmod o-w"));
  WriteFile(file, LineOf("alice", alice, "run"));
  std::shared_ptr<AccessList> list = *AccessList::Load(file);
  WriteFile(file, "nonsense\n");
  EXPECT_FALSE(list->Reload().ok());
  EXPECT_TRUE(list->FindToken(alice).has_value());
  WriteFile(file, "");
  EXPECT_TRUE(list->Reload().ok());
  EXPECT_FALSE(list->FindToken(alice).has_value());
}

TEST(ScopesTest, WhoMayChangeMayLookAndAProberMayNot) {
  for (const char* people : {"run", "waive", "pause", "plan", "read"}) {
    EXPECT_TRUE(ScopesOf(people).Has(v1::SCOPE_READ)) << people;
    EXPECT_FALSE(ScopesOf(people).Has(v1::SCOPE_PROBER)) << people;
    EXPECT_FALSE(ScopesOf(people).Has(v1::SCOPE_UNSPECIFIED)) << people;
  }
  EXPECT_FALSE(ScopesOf("prober").Has(v1::SCOPE_READ));
  EXPECT_TRUE(ScopesOf("prober").Has(v1::SCOPE_PROBER));
  EXPECT_FALSE(ScopesOf("run").Has(v1::SCOPE_WAIVE));
}

// Every file of puckdrop.v1 with services, by way of a message of it.
std::vector<const google::protobuf::FileDescriptor*> ServiceFiles() {
  return {v1::ListPlanChecksRequest::descriptor()->file(), v1::GetEvidenceRequest::descriptor()->file(),
          v1::OpenObligationRequest::descriptor()->file(), v1::RunChecksRequest::descriptor()->file(),
          v1::GetVerdictRequest::descriptor()->file(),     v1::CreateWaiverRequest::descriptor()->file()};
}

TEST(ScopesTest, EveryMethodSaysWhoMayCallItAndIsFoundByItsRequest) {
  std::set<std::string> looking;
  std::set<std::string> seen;
  for (const google::protobuf::FileDescriptor* file : ServiceFiles()) {
    ASSERT_GT(file->service_count(), 0) << file->name();
    seen.insert(file->name());
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const google::protobuf::MethodDescriptor* method = file->service(s)->method(m);
        EXPECT_NE(ScopeOf(*method), v1::SCOPE_UNSPECIFIED)
            << method->full_name() << " needs `option (scope)`, or nobody may call it";
        EXPECT_EQ(MethodOfRequest(method->input_type()), method)
            << method->full_name() << " needs a request of its own, in its own file: its type tells the method";
        if (ScopeOf(*method) == v1::SCOPE_READ) looking.insert(method->name());
      }
    }
  }
  // Only what really changes nothing may be open to those who look.
  for (const std::string& name : looking) {
    EXPECT_THAT(name, ::testing::MatchesRegex("(Get|List|Watch|Explain).*"));
  }
  // A service file that this test does not know would not be looked at.
  const std::string source = std::getenv("PUCKDROP_SOURCE") == nullptr ? "" : std::getenv("PUCKDROP_SOURCE");
  ASSERT_FALSE(source.empty()) << "run me with ctest, or set PUCKDROP_SOURCE";
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(source + "/proto/puckdrop/v1")) {
    const std::string name = entry.path().filename();
    if (ReadFile(entry.path()).find("\nservice ") != std::string::npos) there.insert("puckdrop/v1/" + name);
  }
  EXPECT_EQ(seen, there);
}

class GuardTest : public ::testing::Test {
 protected:
  std::shared_ptr<Admission> Admit(CallGuard& guard, const google::protobuf::Message& request,
                                   const std::string& peer = "ipv4:10.0.0.7:1234") {
    CallFacts facts;
    facts.request = &request;
    facts.peer = peer;
    return guard.Admit(facts);
  }
  FakeClock clock_;
};

TEST_F(GuardTest, AMethodWithoutAScopeIsRefusedToEverybody) {
  CallGuard guard(CallGuardOptions{.clock = &clock_});
  // No method has this as its request.
  std::shared_ptr<Admission> admission = Admit(guard, v1::Obligation());
  EXPECT_EQ(admission->status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(admission->status), "METHOD_WITHOUT_SCOPE");
  EXPECT_EQ(Admit(guard, v1::Obligation(), "fd:7"), nullptr) << "in process nobody is asked";
}

TEST_F(GuardTest, WatchersAreBoundedInAllAndByClient) {
  CallGuard guard(CallGuardOptions{.clock = &clock_, .limits = {.watchers = 3, .watchers_of_one = 2, .calls = 100}});
  const v1::WatchVerdictRequest watch;
  std::vector<std::shared_ptr<Admission>> running = {Admit(guard, watch), Admit(guard, watch, "ipv4:10.0.0.7:99")};
  std::shared_ptr<Admission> third = Admit(guard, watch, "ipv4:10.0.0.7:100");
  EXPECT_EQ(ReasonOf(third->status), "TOO_MANY_WATCHERS");
  EXPECT_THAT(Message(third->status), HasSubstr("10.0.0.7 has 2 watchers"));
  (void)guard.End(third, third->status, nullptr);
  running.push_back(Admit(guard, watch, "ipv6:[::1]:5"));
  EXPECT_TRUE(running.back()->status.ok());
  std::shared_ptr<Admission> fourth = Admit(guard, watch, "ipv6:[::2]:5");
  EXPECT_EQ(fourth->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(fourth->status), HasSubstr("there are 3 watchers"));
  (void)guard.End(fourth, fourth->status, nullptr);
  EXPECT_TRUE(Admit(guard, v1::GetVerdictRequest())->status.ok()) << "who asks once is no watcher";
  for (const std::shared_ptr<Admission>& one : running) (void)guard.End(one, absl::OkStatus(), nullptr);
  EXPECT_EQ(guard.watchers(), 0);
  EXPECT_TRUE(Admit(guard, watch)->status.ok());
}

TEST_F(GuardTest, CallsUnderWayAreBounded) {
  CallGuard guard(CallGuardOptions{.clock = &clock_, .limits = {.calls = 2}});
  const v1::GetVerdictRequest get;
  std::shared_ptr<Admission> one = Admit(guard, get);
  std::shared_ptr<Admission> two = Admit(guard, get);
  EXPECT_EQ(ReasonOf(Admit(guard, get)->status), "TOO_MANY_CALLS");
  (void)guard.End(one, absl::OkStatus(), nullptr);
  EXPECT_TRUE(Admit(guard, get)->status.ok());
}

TEST_F(GuardTest, TellsWhoChangedWhatAndNothingOfWhoLooked) {
  std::vector<AuditRecord> told;
  CallGuard guard(
      CallGuardOptions{.clock = &clock_, .on_audit = [&](const AuditRecord& record) { told.push_back(record); }});
  v1::StartRunRequest start;
  start.mutable_selection()->add_paths("billing");
  std::shared_ptr<Admission> admission = Admit(guard, start);
  clock_.Advance(absl::Milliseconds(250));
  v1::Run run;
  run.set_name("runs/abc");
  EXPECT_TRUE(guard.End(admission, absl::OkStatus(), &run).ok());
  std::shared_ptr<Admission> look = Admit(guard, v1::GetVerdictRequest());
  (void)guard.End(look, absl::OkStatus(), nullptr);
  v1::CloseObligationRequest close;
  close.set_name("obligations/abc-1");
  std::shared_ptr<Admission> closing = Admit(guard, close);
  (void)guard.End(closing, WithReason(absl::NotFoundError("no"), "NO_SUCH_OBLIGATION"), nullptr);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].who, "loopback");
  EXPECT_EQ(told[0].method, "puckdrop.v1.ReadinessService/StartRun");
  EXPECT_EQ(told[0].scope, "run");
  EXPECT_EQ(told[0].resource, "runs/abc");
  EXPECT_EQ(told[0].outcome, "OK");
  EXPECT_EQ(told[0].took, absl::Milliseconds(250));
  EXPECT_THAT(told[0].request, HasSubstr("billing"));
  EXPECT_EQ(told[1].resource, "obligations/abc-1");
  EXPECT_EQ(told[1].outcome, "NOT_FOUND");
  EXPECT_EQ(told[1].reason, "NO_SUCH_OBLIGATION");
  EXPECT_EQ(told[1].request, "");
}

TEST_F(GuardTest, AFloodOfRefusedCallsDoesNotWashTheLogAway) {
  TestDirectory directory;
  WriteFile(directory / "tokens", "");
  CallGuardOptions options;
  options.clock = &clock_;
  options.access = *AccessList::Load(directory / "tokens");
  options.audit = *AuditLog::Open({.file = directory / "audit"});
  CallGuard guard(options);
  const auto refused = [&] {
    std::shared_ptr<Admission> admission = Admit(guard, v1::PauseProbingRequest());
    EXPECT_EQ(admission->status.code(), absl::StatusCode::kUnauthenticated);
    (void)guard.End(admission, admission->status, nullptr);
  };
  for (int i = 0; i < 500; ++i) refused();
  clock_.Advance(absl::Seconds(1));
  refused();
  options.audit->Flush();
  const std::vector<std::string> lines = absl::StrSplit(ReadFile(directory / "audit"), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 12u);
  EXPECT_THAT(lines[10], HasSubstr("490 more refused calls"));
}

TEST(AuditLogTest, ALineIsJsonWhateverIsInIt) {
  AuditRecord record;
  record.time = absl::FromUnixMillis(1'780'000'000'120);
  record.who = "al\"ice\\\n\x1b[31m\xff";
  record.resource = std::string(5000, 'x');
  record.request = absl::StrCat("{\"a\":\"", std::string(9000, 'y'), "\"}");
  const std::string line = AuditLine(record);
  EXPECT_LT(line.size(), 8192u);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  const nlohmann::json read = nlohmann::json::parse(line);
  EXPECT_EQ(read["time"], "2026-05-28T20:26:40.120Z");
  EXPECT_THAT(read["who"].get<std::string>(), HasSubstr("al\"ice\\\n"));
  record.request = "{\"a\":[1]}";
  EXPECT_EQ(nlohmann::json::parse(AuditLine(record))["request"]["a"][0], 1);
}

TEST(AuditLogTest, GrowsRotatesAndKeepsToItsSize) {
  TestDirectory directory;
  const std::string file = directory / "audit.jsonl";
  WriteFile(file, "half a li", 0644);
  {
    std::shared_ptr<AuditLog> log = *AuditLog::Open({.file = file, .most_bytes = 1000, .kept = 2});
    for (int i = 0; i < 100; ++i) log->Write(absl::StrCat("{\"n\":", i, ",\"pad\":\"", std::string(80, 'p'), "\"}"));
    log->Flush();
    EXPECT_EQ(log->lost(), 0);
  }
  struct stat facts{};
  ASSERT_EQ(stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_THAT(ReadFile(file), HasSubstr("\"n\":99,"));
  EXPECT_TRUE(std::filesystem::exists(file + ".2"));
  EXPECT_FALSE(std::filesystem::exists(file + ".3"));
  for (const char* end : {"", ".1", ".2"}) EXPECT_LE(std::filesystem::file_size(file + end), 1000u) << end;
  // What is kept has no gap.
  const std::string all = ReadFile(file + ".2") + ReadFile(file + ".1") + ReadFile(file);
  int expected = -1;
  for (absl::string_view line : absl::StrSplit(all, '\n', absl::SkipEmpty())) {
    const int n = nlohmann::json::parse(line)["n"];
    if (expected >= 0) EXPECT_EQ(n, expected);
    expected = n + 1;
  }
}

TEST(AuditLogTest, AHalfLineOfACrashStandsAloneAndAFullDiskLosesOnlyLines) {
  TestDirectory directory;
  const std::string file = directory / "audit";
  WriteFile(file, "{\"half");
  {
    std::shared_ptr<AuditLog> log = *AuditLog::Open({.file = file});
    log->Write("{}");
  }
  EXPECT_EQ(ReadFile(file), "{\"half\n{}\n");
  EXPECT_THAT(Message(AuditLog::Open({.file = directory / "none/audit"}).status()), HasSubstr("--audit-log"));
  EXPECT_FALSE(AuditLog::Open({.file = "/dev/full"}).ok()) << "only a file grows";
}

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    WriteFile(directory_ / "ca.pem", ca_.certificate_pem);
    Write("", MakeCertificate({}, &ca_));
  }
  void Write(const std::string& prefix, const TestCertificate& made) {
    WriteFile(directory_ / (prefix + "cert.pem"), made.certificate_pem);
    WriteFile(directory_ / (prefix + "key.pem"), made.key_pem);
  }
  absl::Status Load(const std::string& cert, const std::string& key, const std::string& ca = "") {
    return TlsFiles::Load({directory_ / cert, directory_ / key, ca.empty() ? "" : directory_ / ca}).status();
  }
  TestDirectory directory_;
  TestCertificate ca_ = MakeCertificate({.name = "Test CA"}, nullptr);
};

TEST_F(TlsFilesTest, SaysWhatIsWrongWithWhichFile) {
  EXPECT_TRUE(Load("cert.pem", "key.pem", "ca.pem").ok());
  WriteFile(directory_ / "empty.pem", "");
  Write("other-", MakeCertificate({}, &ca_));
  Write("old-", MakeCertificate({.from_now = -absl::Hours(48), .until = -absl::Hours(24)}, &ca_));
  Write("new-", MakeCertificate({.from_now = absl::Hours(24)}, &ca_));
  WriteFile(directory_ / "secret.pem", EncryptedKey(MakeCertificate({}, &ca_)));
  WriteFile(directory_ / "old-ca.pem",
            MakeCertificate({.from_now = -absl::Hours(48), .until = -absl::Hours(24)}, nullptr).certificate_pem);
  const struct {
    const char *cert, *key, *ca, *file, *says;
  } cases[] = {
      {"none.pem", "key.pem", "", "none.pem", "no such file"},
      {"cert.pem", "none.pem", "", "none.pem", "no such file"},
      {"empty.pem", "key.pem", "", "empty.pem", "no certificate"},
      {"key.pem", "key.pem", "", "key.pem", "no certificate"},
      {"cert.pem", "cert.pem", "", "cert.pem", "no private key"},
      {"cert.pem", "other-key.pem", "", "other-key.pem", "does not belong"},
      {"cert.pem", "secret.pem", "", "secret.pem", "encrypted"},
      {"old-cert.pem", "old-key.pem", "", "old-cert.pem", "expired at 20"},
      {"new-cert.pem", "new-key.pem", "", "new-cert.pem", "not valid before 20"},
      {"cert.pem", "key.pem", "empty.pem", "empty.pem", "no certificate"},
      {"cert.pem", "key.pem", "old-ca.pem", "old-ca.pem", "expired"},
  };
  for (const auto& c : cases) {
    const absl::Status wrong = Load(c.cert, c.key, c.ca);
    EXPECT_FALSE(wrong.ok()) << c.says;
    EXPECT_THAT(Message(wrong), HasSubstr(directory_ / c.file));
    EXPECT_THAT(Message(wrong), HasSubstr(c.says));
  }
  EXPECT_THAT(Message(TlsFiles::Load({directory_ / "cert.pem", "", ""}).status()), HasSubstr("needs its key"));
  EXPECT_FALSE(TlsFiles::Load({}).ok());
}

TEST(FileWatchTest, NoticesARenewalByReplacingAndByALink) {
  TestDirectory directory;
  WriteFile(directory / "a1", "one");
  WriteFile(directory / "a2", "two");
  std::filesystem::create_symlink(directory / "a1", directory / "a");
  std::atomic<int> told = 0;
  FileWatch watch(absl::Milliseconds(5));
  watch.Add({directory / "a", directory / "not-there-yet"}, [&] { ++told; });
  const auto eventually = [&](int count) {
    const absl::Time end = absl::Now() + absl::Seconds(20);
    while (told < count && absl::Now() < end) absl::SleepFor(absl::Milliseconds(2));
    return told == count;
  };
  std::filesystem::create_symlink(directory / "a2", directory / "b");
  std::filesystem::rename(directory / "b", directory / "a");
  EXPECT_TRUE(eventually(1));
  WriteFile(directory / "not-there-yet", "three");
  EXPECT_TRUE(eventually(2));
  std::filesystem::remove(directory / "a");
  EXPECT_TRUE(eventually(3));
}

}  // namespace
}  // namespace puckdrop::runtime
