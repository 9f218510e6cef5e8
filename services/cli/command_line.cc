#include "services/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "checks/registry.h"
#include "services/cli/completion.h"
#include "services/cli/exit_codes.h"
#include "services/cli/gate.h"
#include "services/cli/lists.h"
#include "services/cli/obligations.h"
#include "services/cli/oncall.h"
#include "services/cli/report/report.h"
#include "services/cli/serve.h"
#include "services/cli/token.h"
#include "services/cli/try_operation.h"
#include "services/runtime/logging.h"
#include "services/runtime/security.h"

namespace puckdrop::cli {
namespace {

constexpr char kAbout[] =
    "Puckdrop lives through a launch as its customers will, and says GO or NO-GO.\n"
    "\n"
    "The first fifteen minutes:\n"
    "  puckdrop plan init                             a commented plan to start from\n"
    "  puckdrop plan check --plan plan.yaml           every mistake at its line, without network\n"
    "  puckdrop plan coverage --plan plan.yaml        what can be judged, and what to map next\n"
    "  puckdrop gate --plan plan.yaml --check ordering.offer_visible\n"
    "  puckdrop gate --plan plan.yaml                 the verdict";

constexpr char kGateFooter[] =
    "Exit codes: 0 GO or GO with waivers; 1 NO-GO; 2 inconclusive (also target or prober unreachable, time ran out);\n"
    "3 nothing to judge (the plan is invalid, the selection is empty); 64 wrong usage; 70 puckdrop itself failed or a\n"
    "report could not be written; 130, 143 ended by a signal, after undoing for at most 5 s.\n"
    "\n"
    "Examples:\n"
    "  puckdrop gate --plan plan.yaml --report junit=gate.xml --report html=gate.html\n"
    "  puckdrop gate --plan plan.yaml --overlay production.yaml --path billing --customer living-room\n"
    "  puckdrop gate --report-schema > puckdrop-report.schema.json\n"
    "\n"
    "In a GitHub action the gate annotates the log by itself; elsewhere: --report annotations=-";

std::string ReadDuration(const std::string& text, absl::Duration* into) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration <= absl::ZeroDuration() || duration > absl::Hours(6)) {
    return absl::StrCat("'", text, "' is no time like 20s, 10m or 1h30m (at most 6h)");
  }
  *into = duration;
  return "";
}

void AddPlan(CLI::App* command, PlanFiles* files, bool required = true) {
  CLI::Option* plan = command->add_option("--plan", files->plan, "The plan's file")->type_name("FILE");
  if (required) plan->required();
  command->add_option("--overlay", files->overlays, "Laid over the plan; later wins (may be given several times)")
      ->type_name("FILE");
}

CLI::Option* AddDuration(CLI::App* command, const std::string& name, absl::Duration* into, const std::string& help) {
  return command
      ->add_option_function<std::string>(
          name,
          [into, name](const std::string& text) {
            const std::string wrong = ReadDuration(text, into);
            if (!wrong.empty()) throw CLI::ValidationError(name, wrong);
          },
          help)
      ->type_name("TIME");
}

void AddOutput(CLI::App* command, bool* json) {
  command
      ->add_option_function<std::string>(
          "--output", [json](const std::string& text) { *json = text == "json"; }, "text (default) or json, on stdout")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("KIND");
}

// How a command reaches a running readiness.
void AddClient(CLI::App* command, runtime::ClientSecurityOptions* client) {
  command->add_option("--tls-ca", client->tls_ca, "TLS: who signed the service's certificate (PEM)")->type_name("FILE");
  command->add_option("--tls-cert", client->tls_certificate, "TLS: our own certificate, where the service wants one")
      ->type_name("FILE");
  command->add_option("--tls-key", client->tls_key, "TLS: the key of our certificate")->type_name("FILE");
  command
      ->add_option("--tls-server-name", client->tls_server_name,
                   "TLS: the name in the service's certificate, when it is reached by another (a tunnel)")
      ->type_name("NAME");
  // Never the token itself: arguments are for everybody on the machine to see.
  command->add_option("--token-file", client->token_file, "File with our token (or set PUCKDROP_TOKEN)")
      ->type_name("FILE");
  client->token = runtime::TokenFromEnvironment();
}

// A service's own port, and the way to the others.
void AddSecurity(CLI::App* command, ServeOptions* serve) {
  runtime::ServerSecurityOptions* server = &serve->security;
  command
      ->add_option(
          "--tls-cert", server->tls_certificate,
          "TLS: certificate of this service (PEM, intermediates after it); also shown to the services it calls")
      ->type_name("FILE");
  command->add_option("--tls-key", server->tls_key, "TLS: its key")->type_name("FILE");
  command
      ->add_option("--tls-client-ca", server->tls_client_ca,
                   "TLS: every caller must show a certificate signed by one of these")
      ->type_name("FILE");
  command->add_option("--tls-ca", serve->client.tls_ca, "TLS: who signed the certificates of the services it calls")
      ->type_name("FILE");
  command->add_option("--tokens", server->tokens, "Who may do what (`puckdrop token new` prints a line of it)")
      ->type_name("FILE");
  command
      ->add_option("--token-file", serve->client.token_file,
                   "File with the token for the services it calls (or set PUCKDROP_TOKEN)")
      ->type_name("FILE");
  command->add_option("--audit-log", server->audit_log, "Who changed what, one JSON object a line")->type_name("FILE");
  command->add_flag("--metrics-beyond-loopback", serve->metrics_beyond_loopback,
                    "Serve /metrics where others reach it, though it has neither TLS nor tokens");
  serve->client.token = runtime::TokenFromEnvironment();
}

// As typed, for `run again with`.
std::string Typed(int argc, const char* const* argv) {
  std::string command = "puckdrop";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                            "-_=./:@,+") == std::string::npos;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    absl::StrAppend(&command, " ", plain ? word : quoted + "'");
  }
  return command;
}

void AddReadiness(CLI::App* command, OncallOptions* options) {
  command->add_option("--readiness", options->readiness, "Where it serves (PUCKDROP_READINESS, or 127.0.0.1:7070)")
      ->type_name("HOST:PORT");
  AddClient(command, &options->client);
  AddOutput(command, &options->json);
}

// What a running readiness is asked. The options live as long as the process: callbacks point into them.
void AddOncall(CLI::App& app, int* code) {
  static StatusOptions status;
  CLI::App* command = app.add_subcommand("status", "The verdict now, on one screen, worst first");
  command->footer("Exit codes: as gate: 0 GO, 1 NO-GO, 2 inconclusive or readiness cannot be reached.");
  AddReadiness(command, &status);
  command->add_flag("--all", status.all, "Not cut to the screen");
  command->callback([code] { *code = RunStatus(status); });

  static WatchOptions watch;
  command = app.add_subcommand("watch", "The verdict as it changes; rings the bell when it does");
  AddReadiness(command, &watch);
  command->add_flag("!--quiet", watch.bell, "No bell");
  command->callback([code] { *code = RunWatch(watch); });

  static ExplainOptions explain;
  command = app.add_subcommand("explain", "Why is this check red, since when, for whom, and what changed?");
  command->footer(
      "Exit codes: 0 it is ok, 1 it fails, 2 unknown or readiness cannot be reached, 64 there is no such check.\n"
      "\n"
      "Examples:\n"
      "  puckdrop explain playback.not_black\n"
      "  puckdrop explain billing.charged_once --customer living-room\n"
      "  puckdrop explain --evidence evidence/4f2a… --to picture.jpg");
  command->add_option("check", explain.check, "As billing.charged_once")->type_name("CHECK");
  AddReadiness(command, &explain);
  command->add_option("--customer", explain.customer, "Only this pilot customer")->type_name("ID");
  command->add_option("--evidence", explain.evidence, "Instead: the content of this evidence")->type_name("NAME");
  command->add_option("--to", explain.to, "Where evidence goes (stdout)")->type_name("FILE");
  command->callback([code] {
    if (explain.check.empty() && explain.evidence.empty()) throw CLI::RequiredError("a check, or --evidence");
    *code = RunExplain(explain);
  });

  static HistoryQuery history;
  command = app.add_subcommand("history", "What was seen before, newest first");
  command->footer(
      "Examples:\n"
      "  puckdrop history                       how the verdict changed\n"
      "  puckdrop history playback.cold_start   the results of a check\n"
      "  puckdrop history --runs                the runs");
  command->add_option("check", history.check, "The results of this check")->type_name("CHECK");
  AddReadiness(command, &history);
  command->add_option("--customer", history.customer, "Only this pilot customer")->type_name("ID");
  command->add_flag("--runs", history.runs, "The runs");
  command->add_option("--limit", history.limit, "At most this many (20)")->check(CLI::Range(1, 10000));
  command->callback([code] {
    if (history.runs && !history.check.empty()) throw CLI::ExcludesError("--runs", "a check");
    if (!history.customer.empty() && history.check.empty()) throw CLI::RequiresError("--customer", "a check");
    *code = RunHistory(history);
  });

  static RunNowOptions now;
  command = app.add_subcommand("run", "Start a run now at a running readiness, and follow it");
  command->footer(
      "Ending this command does not end the run; `puckdrop history --runs` shows it.\n"
      "Exit codes: as gate.\n"
      "\n"
      "Example: puckdrop run --check 'billing.*' --customer living-room");
  AddReadiness(command, &now);
  command->add_option("--check", now.checks, "Only these checks; * stands for anything (billing.*)")->type_name("ID");
  command->add_option("--path", now.paths, "Only these paths")->type_name("PATH");
  command->add_option("--customer", now.customers, "Only these pilot customers")->type_name("ID");
  AddDuration(command, "--observe", &now.observe, "How long live streams are watched (20s)");
  AddDuration(command, "--timeout", &now.timeout, "The run's limit in time, undoing included (10m)");
  command->add_flag("--quiet", now.quiet, "No progress");
  command->callback([code] { *code = RunNow(now); });

  static WaiveOptions waive;
  command = app.add_subcommand("waive", "Accept a known failure until a date, with a public notice to customers");
  command->footer(
      "A waiver holds while its notice is live and says its words; without them it is void.\n"
      "Exit codes: 0 it holds, 1 it does not hold (yet), 2 readiness cannot be reached, 64 it is refused.\n"
      "\n"
      "Examples:\n"
      "  puckdrop waive device_support.codec_fit --customer bedroom --owner video --until 2026-12-24 \\\n"
      "    --reason 'LG 2018 comes in January' --notice-url https://tv.example/notices \\\n"
      "    --notice-says 'LG televisions of 2018 follow in January'\n"
      "  puckdrop waive --list\n"
      "  puckdrop waive --revoke 1001");
  command->add_option("check", waive.check, "A check, or a pattern with *")->type_name("CHECK");
  AddReadiness(command, &waive);
  command->add_flag("--list", waive.list, "The waivers, and whether they hold");
  command->add_option("--revoke", waive.revoke, "The number of one made at run time")->type_name("NUMBER");
  command->add_option("--customer", waive.customer, "Only this pilot customer")->type_name("ID");
  command->add_option("--finding", waive.findings, "Only these findings (default: those of now)")->type_name("ID");
  command->add_option("--owner", waive.owner, "Who accepts it")->type_name("WHO");
  command->add_option("--reason", waive.reason, "Why")->type_name("WORDS");
  command->add_option("--until", waive.until, "The last day, as 2026-12-24")->type_name("DATE");
  command->add_option("--notice-url", waive.notice_url, "Where customers are told")->type_name("URL");
  command->add_option("--notice-says", waive.notice_says, "What they are told there, 12 characters or more")
      ->type_name("WORDS");
  command->callback([code] {
    if (!waive.list && waive.revoke < 0) {
      const std::pair<const char*, const std::string*> needed[] = {{"a check, --list or --revoke", &waive.check},
                                                                   {"--owner", &waive.owner},
                                                                   {"--reason", &waive.reason},
                                                                   {"--until", &waive.until},
                                                                   {"--notice-url", &waive.notice_url},
                                                                   {"--notice-says", &waive.notice_says}};
      for (const auto& [name, value] : needed) {
        if (value->empty()) throw CLI::RequiredError(name);
      }
    }
    *code = RunWaive(waive);
  });

  static PauseOptions pause;
  command = app.add_subcommand("pause", "Stop all traffic to the target except undoing");
  AddReadiness(command, &pause);
  command->add_option("--reason", pause.reason, "Why; others read it")->required()->type_name("WORDS");
  command->callback([code] { *code = RunPause(pause); });

  static OncallOptions resume;
  command = app.add_subcommand("resume", "Go on after a pause");
  AddReadiness(command, &resume);
  command->callback([code] { *code = RunResume(resume); });

  static OncallOptions reload;
  command =
      app.add_subcommand("reload", "Have the plan's files read again; a broken plan is refused, the old one stays");
  AddReadiness(command, &reload);
  command->callback([code] { *code = RunReload(reload); });

  static std::string shell;
  command = app.add_subcommand("completion", "Print completion for a shell");
  command->footer("In ~/.bashrc: source <(puckdrop completion bash)");
  command->add_option("shell", shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app] {
    std::vector<std::string> ids;
    for (const checks::CheckDefinition& check : checks::AllChecks()) ids.push_back(check.info.id);
    std::printf("%s", CompletionScript(app, shell, ids).c_str());
  });
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app(kAbout, "puckdrop");
  app.set_version_flag("--version", std::string("puckdrop " PUCKDROP_VERSION));
  app.require_subcommand(1);
  std::string log_level = "warn";
  app.add_option("--log-level", log_level, "Logs on stderr: trace, debug, info, warn, error, off")->type_name("LEVEL");
  int code = kExitGo;

  GateOptions gate;
  CLI::App* gate_command = app.add_subcommand("gate", "Live through the launch once and say GO or NO-GO");
  gate_command->footer(kGateFooter);
  AddPlan(gate_command, &gate.files);
  gate_command->add_option("--check", gate.checks, "Only these checks; * stands for anything (billing.*)")
      ->type_name("ID");
  gate_command
      ->add_option("--path", gate.paths, "Only these paths: ordering, cancellation, device_support, playback, billing")
      ->type_name("PATH");
  gate_command->add_option("--customer", gate.customers, "Only these pilot customers")->type_name("ID");
  AddDuration(gate_command, "--observe", &gate.observe, "How long live streams are watched (20s)");
  AddDuration(gate_command, "--timeout", &gate.timeout, "The gate's limit in time, undoing included (10m)");
  gate_command
      ->add_option_function<std::vector<std::string>>(
          "--report",
          [&gate](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<ReportFile> report = ParseReportFile(text);
              if (!report.ok()) throw CLI::ValidationError("--report", std::string(report.status().message()));
              gate.reports.push_back(*report);
            }
          },
          "A report to a file, as junit=gate.xml, or to stdout with - (may be given several times): junit, json, html, "
          "md, text, annotations")
      ->type_name("KIND=FILE");
  gate_command->add_flag_callback(
      "--report-schema",
      [] {
        std::printf("%s", report::JsonReportSchema().c_str());
        throw CLI::Success();
      },
      "Print the JSON Schema of the json report, and end");
  gate_command
      ->add_option("--state", gate.state_directory, "Where obligations are written down; kept storage on a CI runner")
      ->type_name("DIR");
  gate_command
      ->add_option("--readiness", gate.readiness,
                   "Use the readiness service at this address in place of an embedded one")
      ->type_name("HOST:PORT");
  AddClient(gate_command, &gate.client);
  gate_command->add_option("--vantage", gate.vantage, "The name of this place")->type_name("NAME");
  gate_command->add_flag("--quiet", gate.quiet, "No progress");
  AddOutput(gate_command, &gate.json);
  gate_command->callback([&] {
    gate.command = Typed(argc, argv);
    code = RunGate(gate);
  });

  ServeOptions serve;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve one of the services until it is told to end");
  serve_command->footer(
      "Defaults on loopback: 7070 readiness, 7071 ordering, 7072 cancellation, 7073 device_support, 7074 playback,\n"
      "7075 billing; metrics on the same number plus 2400. SIGHUP reads the plan's files again.\n"
      "\n"
      "Example: puckdrop serve readiness --plan plan.yaml & puckdrop serve ordering --plan plan.yaml & …\n"
      "         puckdrop gate --plan plan.yaml --readiness 127.0.0.1:7070");
  serve_command
      ->add_option("service", serve.service, "readiness, ordering, cancellation, device_support, playback or billing")
      ->required()
      ->check(CLI::IsMember({"readiness", "ordering", "cancellation", "device_support", "playback", "billing"}));
  AddPlan(serve_command, &serve.files);
  serve_command->add_option("--listen", serve.listen, "gRPC address")->type_name("HOST:PORT");
  serve_command->add_option("--metrics", serve.metrics, "Address of /metrics, or none")->type_name("HOST:PORT");
  serve_command->add_option("--state", serve.state_directory, "readiness: where obligations are written down")
      ->type_name("DIR");
  serve_command->add_option("--readiness", serve.readiness, "A prober: where readiness is (127.0.0.1:7070)")
      ->type_name("HOST:PORT");
  serve_command->add_option("--vantage", serve.vantage, "The name of this place")->type_name("NAME");
  serve_command
      ->add_option_function<std::vector<std::string>>(
          "--prober",
          [&serve](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::Status parsed = ParseProbers(text, &serve.probers);
              if (!parsed.ok()) throw CLI::ValidationError("--prober", std::string(parsed.message()));
            }
          },
          "readiness: where a prober is, as billing=10.0.0.7:7075; several that stand in for each other with commas, "
          "each\n"
          "with its vantage where the plan names some: playback=helsinki@a:7074,helsinki@b:7074,stockholm@c:7074")
      ->type_name("PATH=[VANTAGE@]HOST:PORT[,...]");
  AddSecurity(serve_command, &serve);
  serve_command->callback([&] {
    // One certificate for both directions; without --tls-ca it calls nobody over TLS.
    if (!serve.client.tls_ca.empty()) {
      serve.client.tls_certificate = serve.security.tls_certificate;
      serve.client.tls_key = serve.security.tls_key;
    }
    code = RunServe(serve);
  });

  ObligationsOptions obligations;
  CLI::App* obligations_command = app.add_subcommand("obligations", "What we still owe the target");
  obligations_command->footer(
      "Exit codes: 0 nothing is owed; 1 something is; 2 readiness cannot be reached; 3, 64, 70.");
  AddPlan(obligations_command, &obligations.files, /*required=*/false);
  obligations_command->add_option("--state", obligations.state_directory, "Where they are written down")
      ->type_name("DIR");
  obligations_command->add_option("--readiness", obligations.readiness, "Ask the readiness service at this address")
      ->type_name("HOST:PORT");
  obligations_command->add_flag("--settle", obligations.settle, "Undo now what nobody alive owns");
  AddClient(obligations_command, &obligations.client);
  AddOutput(obligations_command, &obligations.json);
  obligations_command->callback([&] {
    if (obligations.files.plan.empty() && obligations.readiness.empty()) {
      throw CLI::RequiredError("--plan or --readiness");
    }
    code = RunObligations(obligations);
  });

  TryOptions attempt;
  CLI::App* try_command = app.add_subcommand("try", "Perform one operation of the plan, step by step, and undo it");
  try_command->footer(
      "Exit codes: 0 it ended OK or was refused; 1 it failed or could not be undone; 3, 64, 70.\n"
      "\n"
      "Examples:\n"
      "  puckdrop try ordering.list_offers --plan plan.yaml\n"
      "  puckdrop try ordering.place_order --plan plan.yaml --customer living-room --case declined_card\n"
      "  puckdrop try ordering.place_order --plan plan.yaml --again      after mending its mapping; offline\n"
      "\n"
      "The exchanges of an operation's last try are kept in the state directory, for its owner only and without "
      "secrets;\n"
      "what was secret in an answer reads <redacted> to --again.");
  try_command->add_option("operation", attempt.operation, "As ordering.place_order")->required();
  AddPlan(try_command, &attempt.files);
  try_command->add_option("--customer", attempt.customer, "A pilot customer of the plan (the first)")->type_name("ID");
  try_command->add_option("--case", attempt.payment_case, "Which payment: accepted, declined_card, …")
      ->type_name("CASE");
  try_command
      ->add_option("--arg", attempt.arguments,
                   "A field of the request, as offer_id=season (may be given several times)")
      ->type_name("NAME=VALUE");
  try_command->add_flag("--keep", attempt.keep, "Leave what it made");
  try_command->add_flag("--again", attempt.again,
                        "Map the answers of the last try of this operation anew, without touching the target");
  try_command->add_option("--state", attempt.state_directory, "Where obligations are written down")->type_name("DIR");
  AddDuration(try_command, "--timeout", &attempt.timeout, "Its limit in time (2m)");
  try_command->callback([&] { code = RunTry(attempt); });

  TokenOptions token;
  CLI::App* token_command = app.add_subcommand("token", "Tokens: who may do what at a running service");
  token_command->require_subcommand(1);
  CLI::App* token_new = token_command->add_subcommand("new", "Make a token, shown once, and its line for --tokens");
  token_new->footer(
      "Scopes: read (look), run (start and end runs, undo what is owed), waive, pause, plan (reload it), and prober\n"
      "(our own services among themselves). Whoever may run, waive, pause or plan may look.\n"
      "\n"
      "Example: puckdrop token new --name alice --scope run,pause");
  token_new->add_option("--name", token.name, "Whose it is: what the audit log says")->required()->type_name("NAME");
  token_new->add_option("--scope", token.scopes, "What it may do")->required()->type_name("WORDS");
  AddOutput(token_new, &token.json);
  token_new->callback([&] { code = RunTokenNew(token); });

  bool checks_json = false;
  CLI::App* checks_command = app.add_subcommand("checks", "List every check of this binary");
  AddOutput(checks_command, &checks_json);
  checks_command->callback([&] { std::printf("%s", (checks_json ? ChecksJson() : ChecksMarkdown()).c_str()); });

  CLI::App* plan_command = app.add_subcommand("plan", "Write and check plans; none of it needs a network");
  plan_command->require_subcommand(1);
  PlanFiles files;
  CLI::App* plan_check = plan_command->add_subcommand("check", "Every mistake of a plan, at its file:line:column");
  AddPlan(plan_check, &files);
  plan_check->callback([&] { code = RunPlanCheck(files); });
  CLI::App* plan_coverage =
      plan_command->add_subcommand("coverage", "How many checks the plan lets us judge, and what to map next");
  AddPlan(plan_coverage, &files);
  plan_coverage->callback([&] { code = RunPlanCoverage(files); });
  std::string init_file = "plan.yaml";
  CLI::App* plan_init = plan_command->add_subcommand("init", "Write a commented plan to start from");
  plan_init->add_option("--output", init_file, "Where to (plan.yaml); - is stdout")->type_name("FILE");
  plan_init->callback([&] { code = RunPlanInit(init_file); });
  CLI::App* plan_schema = plan_command->add_subcommand("schema", "Print the plan language as JSON Schema, for editors");
  plan_schema->callback([&] { code = RunPlanSchema(); });

  AddOncall(app, &code);

  app.parse_complete_callback([&] {
    absl::Status logging = runtime::InitLogging(log_level);
    if (!logging.ok()) throw CLI::ValidationError("--log-level", std::string(logging.message()));
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no mistakes; everything else is one of the person who typed.
    return app.exit(error) == 0 ? kExitGo : kExitUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "puckdrop: %s\n", error.what());
    return kExitInternal;
  }
  return code;
}

}  // namespace puckdrop::cli
