// Gates that went well and badly, for the reports' tests: a launch of five customers and thirty checks, changed a
// little.
#ifndef PUCKDROP_TESTS_SERVICES_REPORT_REPORT_FIXTURES_H_
#define PUCKDROP_TESTS_SERVICES_REPORT_REPORT_FIXTURES_H_

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/cli/gate_report.h"
#include "services/readiness/verdict.h"

namespace puckdrop::report::testing {

inline std::string SourceFolder() {
  const char* source = std::getenv("PUCKDROP_SOURCE");
  return source == nullptr ? "." : source;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline absl::Time Begin() { return absl::FromUnixSeconds(1'789'140'468); }  // 2026-09-11 18:27:48 in Helsinki

struct KnownCheck {
  const char* id;
  const char* sentence;
  const char* runbook;
};

inline const std::vector<KnownCheck>& KnownChecks() {
  static const std::vector<KnownCheck> kChecks = {
      {"ordering.declined_payment_leaves_no_trace", "My card was declined and I still have an order", ""},
      {"ordering.offer_truthful", "The price at the checkout is not the one I was shown", ""},
      {"ordering.offer_visible", "I cannot find what was advertised", ""},
      {"ordering.order_completes", "My order does not go through", ""},
      {"ordering.order_to_watch", "I paid and still cannot watch",
       "Follow one order through activation: payment webhook, entitlement write, cache of the playback service."},
      {"ordering.retry_safe", "I clicked twice and bought it twice", ""},
      {"ordering.sign_in", "I cannot sign in on the night", ""},
      {"ordering.sign_up", "I cannot create an account", ""},
      {"ordering.unentitled_refused", "My neighbour watches without paying", ""},
      {"cancellation.access_until_end", "I paid for the month and was locked out when I cancelled", ""},
      {"cancellation.no_charge_after", "I cancelled and they still take my money", ""},
      {"cancellation.receipt", "I have no proof that I cancelled", ""},
      {"cancellation.step_count", "They make it hard to leave", ""},
      {"cancellation.takes_effect", "I cancelled and it goes on", ""},
      {"cancellation.withdrawal_function", "I cannot withdraw from the contract", ""},
      {"device_support.app_minimum_version", "My app just shows an error", ""},
      {"device_support.codec_fit", "It does not play on my television",
       "Compare the ladder with the device's profile; add a variant that this device decodes."},
      {"device_support.concurrent_streams", "The second television in the house does not work", ""},
      {"device_support.container_fit", "My television shows an error instead of the match", ""},
      {"playback.audio_tracks", "The commentary I was promised is not there", ""},
      {"playback.cold_start", "I press play and no picture comes", ""},
      {"playback.every_variant_plays", "It breaks when the quality changes", ""},
      {"playback.live_edge_fresh", "The picture stands and the score moves on", ""},
      {"playback.not_black", "The screen is black",
       "Look at the picture in the report. If the contribution feed has a picture, the encoder input is wrong."},
      {"playback.not_frozen", "The picture is frozen", ""},
      {"playback.not_silent", "There is no sound", ""},
      {"billing.charged_once", "I was charged twice", "Find the charges of this order at the payment provider."},
      {"billing.first_charge_date", "I was billed before the date I was promised", ""},
      {"billing.price_chain", "I paid something else than I was shown", ""},
      {"billing.vat", "The tax on my bill is wrong", "Compare the invoice's rate with the tax table of the market."},
  };
  return kChecks;
}

inline void SetTime(absl::Time time, google::protobuf::Timestamp* to) {
  to->set_seconds(absl::ToUnixSeconds(time));
  to->set_nanos(static_cast<int32_t>(absl::ToUnixNanos(time) - absl::ToUnixSeconds(time) * 1'000'000'000));
}

// A GO until it is changed.
class GateBuilder {
 public:
  GateBuilder() {
    report_.launch_id = "liiga-2026";
    report_.launch_title = "Liiga on Arena TV";
    report_.puck_drop = Begin() + absl::Minutes(2) + absl::Seconds(12);
    report_.time_zone = "Europe/Helsinki";
    report_.plan_files = {"liiga.yaml", "staging.yaml"};
    report_.plan_digest = "sha256:4be1c2";
    report_.target_urls = {"https://shop.arena.example", "https://play.arena.example"};
    report_.customers = {{"sofa", 0.40, "FI", "android_tv_4k", "card"},
                         {"phone", 0.25, "FI", "ios_phone", "mobile_pay"},
                         {"browser", 0.15, "SE", "chrome_desktop", "card"},
                         {"old-tv", 0.10, "FI", "tizen_2018", "invoice"},
                         {"travel", 0.05, "FI", "android_phone", "card"}};
    report_.others_audience_share = 0.05;
    report_.run = "r-01j7";
    report_.start_time = Begin();
    report_.end_time = Begin() + absl::Seconds(72);
    report_.command = "puckdrop gate --plan liiga.yaml --plan staging.yaml";
    report_.version = "0.1.0";
    report_.vantage = "helsinki";
    input_.launch = report_.launch_id;
    input_.now = report_.end_time;
    input_.run = report_.run;
    input_.promises = {{"two-minutes", "You can order in two minutes", {"ordering.order_to_watch"}},
                       {"any-device", "It plays on any device in your home", {"device_support.*"}},
                       {"fair", "You pay once, and what you were shown", {"billing.*"}}};
    int n = 0;
    for (const KnownCheck& check : KnownChecks()) {
      v1::CheckDescription& description = report_.checks[check.id];
      description.set_check(check.id);
      description.set_path(readiness::PathOfCheck(check.id));
      description.set_sentence(check.sentence);
      description.set_question(absl::StrCat("Is ", check.id, " as it must be?"));
      description.set_runbook(check.runbook);
      description.set_source("telecom league launch, 2018");
      for (const cli::GateReport::Customer& customer : report_.customers) {
        v1::Result result;
        result.set_check(check.id);
        result.set_customer(customer.id);
        result.set_severity(v1::SEVERITY_BLOCKING);
        result.set_outcome(v1::OUTCOME_PASSED);
        result.set_attempts(1);
        result.set_summary("as it must be");
        result.set_vantage("helsinki");
        const absl::Time start = Begin() + absl::Milliseconds(300 * ++n);
        SetTime(start, result.mutable_start_time());
        SetTime(start + absl::Milliseconds(250), result.mutable_end_time());
        result.mutable_duration()->set_nanos(250'000'000);
        results_[{check.id, customer.id}] = result;
      }
    }
    for (int i = 0; i < 5; ++i) {
      v1::OperationRecord record;
      record.set_operation("ordering.place_order");
      record.set_customer(report_.customers[static_cast<size_t>(i)].id);
      record.set_end(i == 3 ? "REFUSED" : "OK");
      record.mutable_duration()->set_nanos(100'000'000 * (i + 1));
      record.set_exchanges(2);
      report_.operations.push_back(record);
    }
  }

  cli::GateReport& report() { return report_; }
  readiness::VerdictInput& input() { return input_; }
  v1::Result& At(const std::string& check, const std::string& customer) { return results_[{check, customer}]; }
  void Forget(v1::Path path) {
    std::erase_if(results_, [path](const auto& entry) { return readiness::PathOfCheck(entry.first.first) == path; });
  }
  void Advisory(const std::string& check) { advisory_.insert(check); }
  void Select(const std::string& check, const std::string& customer) { selected_.insert({check, customer}); }

  v1::Result& Fail(const std::string& check, const std::string& customer, const v1::Finding& finding) {
    v1::Result& result = At(check, customer);
    result.set_outcome(v1::OUTCOME_FAILED);
    result.set_confirmed(true);
    result.set_attempts(2);
    result.set_reason(v1::FAILURE_REASON_WRONG_ANSWER);
    result.set_summary(finding.text());
    *result.add_findings() = finding;
    return result;
  }
  void Block(const std::string& check, const std::string& customer, const std::string& root) {
    v1::Result& result = At(check, customer);
    result.set_outcome(v1::OUTCOME_BLOCKED);
    result.set_blocked_by(root);
    result.set_summary(absl::StrCat("stands on ", root));
  }
  void Skip(const std::string& check, const std::string& customer, v1::SkipCause cause, const std::string& why) {
    v1::Result& result = At(check, customer);
    result.set_outcome(v1::OUTCOME_SKIPPED);
    result.set_skip_cause(cause);
    result.set_summary(why);
  }
  void Inconclusive(const std::string& check, const std::string& customer, const std::string& why) {
    v1::Result& result = At(check, customer);
    result.set_outcome(v1::OUTCOME_INCONCLUSIVE);
    result.set_reason(v1::FAILURE_REASON_OURS);
    result.set_summary(why);
  }
  void AddEvidence(v1::Result& result, v1::Evidence::Kind kind, const std::string& type, const std::string& title,
                   const std::string& content) {
    v1::Evidence evidence;
    evidence.set_name(absl::StrCat("evidence/", 1000 + report_.evidence.size()));
    evidence.set_kind(kind);
    evidence.set_media_type(type);
    evidence.set_title(title);
    evidence.set_content(content);
    result.add_evidence(evidence.name());
    report_.evidence[evidence.name()] = evidence;
  }

  cli::GateReport Build() {
    readiness::VerdictInput input = input_;
    for (const KnownCheck& check : KnownChecks()) {
      for (const cli::GateReport::Customer& customer : report_.customers) {
        ++input.expected_of_plan;
        if (!selected_.empty() && selected_.count({check.id, customer.id}) == 0) continue;
        readiness::Instance instance;
        instance.check = check.id;
        instance.customer = customer.id;
        instance.path = readiness::PathOfCheck(check.id);
        instance.severity = advisory_.count(check.id) > 0 ? v1::SEVERITY_ADVISORY : v1::SEVERITY_BLOCKING;
        instance.sentence = check.sentence;
        instance.audience_share = customer.audience_share;
        input.expected.push_back(instance);
      }
    }
    input.filtered = !selected_.empty();
    for (auto& [key, result] : results_) {
      if (!selected_.empty() && selected_.count(key) == 0 && !result.supporting()) continue;
      input.results.push_back(result);
    }
    report_.results = input.results;
    input.obligations_open = static_cast<int>(report_.obligations_open.size());
    report_.verdict = readiness::ComputeVerdict(input);
    report_.exit_code = readiness::VerdictNumber(report_.verdict.state()) == 2 ? 0
                        : report_.verdict.state() == v1::VERDICT_STATE_NO_GO   ? 1
                                                                               : 2;
    return report_;
  }

 private:
  cli::GateReport report_;
  readiness::VerdictInput input_;
  std::map<std::pair<std::string, std::string>, v1::Result> results_;
  std::set<std::string> advisory_;
  std::set<std::pair<std::string, std::string>> selected_;
};

inline v1::Finding Found(const std::string& id, const std::string& text, const std::string& expected = "",
                         const std::string& actual = "", const std::string& where = "") {
  v1::Finding finding;
  finding.set_id(id);
  finding.set_text(text);
  finding.set_expected(expected);
  finding.set_actual(actual);
  finding.set_where(where);
  return finding;
}

inline constexpr char kHar[] = R"({"log":{"version":"1.2","creator":{"name":"puckdrop","version":"0.1.0"},"entries":[
{"startedDateTime":"2026-09-11T15:27:50.000Z","time":142.5,"request":{"method":"POST","url":"https://shop.arena.example/v1/orders",
"headers":[{"name":"content-type","value":"application/json"},{"name":"authorization","value":"<redacted>"}],
"postData":{"mimeType":"application/json","text":"{\"offer\":\"season\",\"payment\":\"card\"}"}},
"response":{"status":202,"headers":[{"name":"content-type","value":"application/json"}],
"content":{"size":40,"mimeType":"application/json","text":"{\"order\":\"o-77\",\"state\":\"pending\"}"}},"comment":"step 1 of 2 at liiga.yaml:118:7"},
{"startedDateTime":"2026-09-11T15:27:51.000Z","time":30000,"request":{"method":"GET","url":"https://shop.arena.example/v1/orders/o-77",
"headers":[]},"response":{"status":0,"headers":[],"content":{"size":0,"mimeType":"","text":""},"_error":"TIMEOUT: no answer within 30 s"}}]}})";

inline GateBuilder Go() {
  GateBuilder gate;
  for (const char* customer : {"phone", "travel"}) {
    gate.Skip("playback.audio_tracks", customer, v1::SKIP_CAUSE_DOES_NOT_APPLY, "one sound track is promised");
  }
  v1::Result& slow = gate.At("ordering.order_to_watch", "old-tv");
  slow.set_warning(true);
  slow.set_summary("order to picture took 12.4 s, amber from 10 s, the limit is 15 s");
  slow.set_observed_value(12.4);
  slow.set_unit("s");
  return gate;
}

inline GateBuilder GoWithWaivers() {
  GateBuilder gate;
  gate.Fail("device_support.codec_fit", "old-tv",
            Found("level_too_high", "the 2160p variant needs HEVC level 5.2, the device decodes 5.1",
                  "at most level 5.1", "level 5.2", "2160p"));
  gate.report().waivers = {{"device_support.codec_fit", "old-tv", "video@arena.example",
                            "2018 sets get 1080p until January", "2026-10-01", "https://arena.example/notices",
                            "4K broadcasts start in January"}};
  readiness::WaiverInput waiver;
  waiver.check = "device_support.codec_fit";
  waiver.customer = "old-tv";
  waiver.owner = "video@arena.example";
  waiver.reason = "2018 sets get 1080p until January";
  waiver.expires = Begin() + absl::Hours(24 * 20);
  waiver.notice_url = "https://arena.example/notices";
  waiver.notice_says = "4K broadcasts start in January";
  waiver.notice = readiness::WaiverInput::Notice::kSaid;
  waiver.notice_seen = Begin() + absl::Seconds(3);
  gate.input().waivers = {waiver};
  return gate;
}

// One root hits three customers and blocks all that stands on it.
inline GateBuilder NoGo() {
  GateBuilder gate;
  int n = 0;
  for (const char* customer : {"sofa", "browser", "old-tv"}) {
    v1::Result& root = gate.Fail("ordering.order_to_watch", customer,
                                 Found("never_active", "the order was never activated", "an entitlement within 15 s",
                                       absl::StrCat("state pending after ", 30 + n++, " s")));
    root.set_reason(v1::FAILURE_REASON_TARGET_FAULT);
    root.set_operation("ordering.await_activation");
    root.set_step(2);
    root.set_steps(3);
    root.set_plan_position("liiga.yaml:118:7");
    root.set_reproduce(
        "curl -i https://shop.arena.example/v1/orders/o-77 -H \"authorization: Bearer $ARENA_TOKEN\" -H 'accept: "
        "application/json'");
    gate.AddEvidence(root, v1::Evidence::KIND_EXCHANGES, "application/json",
                     absl::StrCat("ordering.await_activation for ", customer),
                     absl::StrCat(kHar, std::string(static_cast<size_t>(n), ' ')));
    for (const KnownCheck& check : KnownChecks()) {
      const v1::Path path = readiness::PathOfCheck(check.id);
      if (path == v1::PATH_PLAYBACK || path == v1::PATH_CANCELLATION ||
          check.id == std::string("device_support.concurrent_streams")) {
        gate.Block(check.id, customer, "ordering.order_to_watch");
      }
    }
  }
  gate.Advisory("billing.vat");
  gate.Fail("billing.vat", "browser", Found("wrong_rate", "the invoice has 24 % VAT", "25 % in SE", "24 %"));
  v1::Result& flaky = gate.At("ordering.sign_in", "phone");
  flaky.set_flaky(true);
  flaky.set_attempts(2);
  flaky.set_summary("signed in at the second look; the first ended in a reset");
  for (const char* customer : {"sofa", "phone", "browser", "old-tv", "travel"}) {
    gate.Skip("ordering.unentitled_refused", customer, v1::SKIP_CAUSE_NOT_OFFERED,
              "the target does not offer playback.refuse");
  }
  const std::string picture = ReadFile(SourceFolder() + "/tests/golden/report/picture.jpg");
  for (const char* customer : {"phone", "travel"}) {
    v1::Result& seen = gate.At("playback.cold_start", customer);
    gate.AddEvidence(seen, v1::Evidence::KIND_PICTURE, "image/jpeg",
                     absl::StrCat("1280x720 for ", customer, ", newest segment"), picture);
    gate.AddEvidence(
        seen, v1::Evidence::KIND_PLAYLIST, "application/vnd.apple.mpegurl", "https://play.arena.example/live/main.m3u8",
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-STREAM-INF:BANDWIDTH=4000000,RESOLUTION=1280x720\n720/index.m3u8\n");
  }
  gate.report().warnings = {
      "CI is set but neither --state nor --readiness is given: what is owed is lost with this machine"};
  return gate;
}

inline GateBuilder InconclusiveProber() {
  GateBuilder gate;
  gate.Forget(v1::PATH_PLAYBACK);
  gate.input().missing_because[v1::PATH_PLAYBACK] = "prober unreachable: 127.0.0.1:7504 refused the connection";
  gate.input().causes = {"the playback prober at 127.0.0.1:7504 is unreachable"};
  return gate;
}

inline GateBuilder InconclusiveDeadline() {
  GateBuilder gate;
  for (const KnownCheck& check : KnownChecks()) {
    if (readiness::PathOfCheck(check.id) != v1::PATH_CANCELLATION) continue;
    for (const char* customer : {"sofa", "phone", "browser", "old-tv", "travel"}) {
      gate.Inconclusive(check.id, customer, "the run's deadline came before it was judged");
    }
  }
  gate.Inconclusive("billing.charged_once", "phone", "our limiter held the operation until the deadline");
  gate.At("billing.charged_once", "phone").set_reproduce("curl -i https://shop.arena.example/v1/charges");
  gate.input().causes = {"the run's deadline of 30 s came before everything was judged"};
  gate.report().ended_by = "the run's deadline";
  return gate;
}

inline GateBuilder Filtered() {
  GateBuilder gate;
  gate.Select("billing.charged_once", "sofa");
  gate.Select("billing.vat", "sofa");
  gate.At("ordering.order_completes", "sofa").set_supporting(true);
  gate.report().command = "puckdrop gate --plan liiga.yaml --check 'billing.*' --customer sofa";
  return gate;
}

inline GateBuilder ObligationsLeft() {
  GateBuilder gate;
  v1::Obligation stuck;
  stuck.set_name("obligations/r-01j7-3");
  stuck.set_operation("ordering.place_order");
  stuck.set_customer("sofa");
  stuck.set_account("pd-r01j7-sofa-1@pilot.arena.example");
  (*stuck.mutable_target_ids())["subscription_id"] = "s-901";
  (*stuck.mutable_target_ids())["order_id"] = "o-77";
  stuck.set_state(v1::Obligation::STUCK);
  stuck.set_attempts(5);
  stuck.set_last_error("office answered 503 at staging.yaml:120:9");
  stuck.set_manual_action("cancel subscription s-901 in the back office and refund order o-77 (14.90 EUR)");
  v1::Obligation open;
  open.set_name("obligations/r-01j7-9");
  open.set_operation("device_support.register_device");
  open.set_customer("phone");
  open.set_account("pd-r01j7-phone-1@pilot.arena.example");
  open.set_state(v1::Obligation::OPEN);
  gate.report().obligations_open = {stuck, open};
  gate.report().state_dir = "/var/lib/puckdrop/state";
  return gate;
}

// What a hostile or broken target may put into its answers.
inline constexpr char kHostile[] =
    "\x1b[2J\x1b]0;pwned\x07<script>alert(1)</script> \" onload='x' ]]> & \xE2\x80\xAE"
    "evil \xC2\x9B"
    "31m `rm -rf` |x| "
    "[link](javascript:1) @everyone ::error::no %0A\n::error title=fake::injected\r\n\x01\x7F";

inline GateBuilder Hostile() {
  GateBuilder gate;
  gate.report().launch_title = absl::StrCat("Launch ", kHostile);
  gate.report().customers[1].device = kHostile;
  v1::Result& result =
      gate.Fail("billing.charged_once", "sofa", Found("twice", kHostile, kHostile, kHostile, kHostile));
  result.set_operation(kHostile);
  result.set_reproduce(absl::StrCat("curl -i 'https://x/", kHostile, "```'"));
  result.set_plan_position(kHostile);
  gate.AddEvidence(result, v1::Evidence::KIND_EXCHANGES, "application/json", kHostile, kHostile);
  gate.AddEvidence(result, v1::Evidence::KIND_PICTURE, "image/svg+xml\"><script>", "an svg is no picture",
                   "<svg onload=alert(1)>");
  gate.AddEvidence(result, v1::Evidence::KIND_PICTURE, "image/jpeg", kHostile, "\xFF\xD8\xFF");
  gate.Inconclusive("billing.vat", "phone", kHostile);
  gate.At("ordering.sign_in", "phone").set_flaky(true);
  gate.At("ordering.sign_in", "phone").set_summary(kHostile);
  gate.input().causes = {kHostile};
  gate.report().warnings = {kHostile};
  gate.report().ended_by = kHostile;
  gate.report().command = kHostile;
  v1::Obligation owed;
  owed.set_operation(kHostile);
  owed.set_customer(kHostile);
  owed.set_account(kHostile);
  owed.set_manual_action(kHostile);
  gate.report().obligations_open = {owed};
  return gate;
}

}  // namespace puckdrop::report::testing

#endif  // PUCKDROP_TESTS_SERVICES_REPORT_REPORT_FIXTURES_H_
