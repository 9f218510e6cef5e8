#include "services/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/cli/exit_codes.h"
#include "services/cli/gate.h"
#include "services/cli/lists.h"
#include "services/cli/obligations.h"
#include "services/cli/report/report.h"
#include "services/cli/serve.h"
#include "services/cli/try_operation.h"
#include "services/runtime/logging.h"

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
      "7075 billing; metrics on the same number plus 2400.\n"
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
              const size_t equals = text.find('=');
              if (equals == std::string::npos) {
                throw CLI::ValidationError("--prober", "takes PATH=HOST:PORT, not '" + text + "'");
              }
              serve.probers[text.substr(0, equals)] = text.substr(equals + 1);
            }
          },
          "readiness: where a prober is, as billing=10.0.0.7:7075 (may be given several times)")
      ->type_name("PATH=HOST:PORT");
  serve_command->callback([&] { code = RunServe(serve); });

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
