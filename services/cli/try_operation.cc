#include "services/cli/try_operation.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "checks/plan/settings.h"
#include "checks/target/catalogue.h"
#include "checks/target/http/curl_http_client.h"
#include "checks/target/http/limiter.h"
#include "checks/target/http/redactor.h"
#include "checks/target/jq/pool.h"
#include "checks/target/operations.h"
#include "checks/target/run_memory.h"
#include "checks/target/target_plan.h"
#include "services/cli/exit_codes.h"
#include "services/cli/try_recording.h"
#include "services/readiness/readiness.h"
#include "services/readiness/store.h"
#include "services/runtime/logging.h"
#include "services/runtime/redacting_printer.h"

namespace puckdrop::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void SetText(Message& message, const std::string& name, const std::string& value) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || value.empty())
    return;
  if (message.GetReflection()->GetString(message, field).empty())
    message.GetReflection()->SetString(&message, field, value);
}

// Prints a line a step.
void PrintExchanges(const target::Ended& ended) {
  for (const target::ExchangeRecord& record : ended.exchanges) {
    const http::Exchange& exchange = record.exchange;
    std::printf("  %s%s %s -> %s, %lld ms%s\n", record.of_session ? "(session) " : "", exchange.method.c_str(),
                runtime::Printable(exchange.url, 160).c_str(),
                exchange.status != 0 ? absl::StrCat(exchange.status).c_str()
                                     : runtime::Printable(exchange.error_message, 120).c_str(),
                static_cast<long long>(absl::ToInt64Milliseconds(exchange.phases.total)),
                record.saved.empty() ? "" : absl::StrCat(", saved ", absl::StrJoin(record.saved, " ")).c_str());
  }
}

// Top-level fields of the response that the target did not tell.
std::vector<std::string> NotTold(const target::Ended& ended) {
  std::vector<std::string> names;
  const Descriptor* type = ended.response->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const std::string& name = type->field(i)->name();
    if (name == "refusal") continue;
    const auto told = std::find_if(ended.told.begin(), ended.told.end(), [&](const std::string& path) {
      return path == name || path.rfind(name + ".", 0) == 0;
    });
    if (told == ended.told.end()) names.push_back(name);
  }
  return names;
}

// What one try works with, on the loop's thread from Run on.
class Trial {
 public:
  // Without a store for --again: nothing is made, so nothing is owed. `replay` is null otherwise.
  Trial(const TryOptions& options, const LoadedPlan& plan, std::shared_ptr<const target::TargetPlan> target_plan,
        runtime::EventLoop& loop, const runtime::Clock& clock, readiness::Store* store, std::string run,
        std::string recording_folder, Recording* replay)
      : options_(options),
        plan_(plan),
        target_plan_(std::move(target_plan)),
        loop_(loop),
        clock_(clock),
        store_(store),
        run_(std::move(run)),
        recording_folder_(std::move(recording_folder)),
        replay_(replay) {}

  awaitable<int> Run() {
    // Made and ended on the loop's thread, which they require.
    std::unique_ptr<http::CurlHttpClient> network;
    std::unique_ptr<target::RecordingHttpClient> recording;
    http::LimitSettings limits;
    if (replay_ == nullptr) {
      network = std::make_unique<http::CurlHttpClient>(loop_, clock_);
      recording = std::make_unique<target::RecordingHttpClient>(*network);
      limits.requests_per_second = 10;
      limits.in_flight = 2;
    }
    http::HttpClient& client = replay_ == nullptr ? static_cast<http::HttpClient&>(*recording) : *replay_->exchanges;
    http::Limiter limiter(loop_, clock_, limits);
    http::Redactor redactor;
    target::RunMemory memory;
    std::unique_ptr<jq::ExpressionPool> expressions = target::MakeExpressionPool(loop_, *target_plan_);
    target::Operations operations(target::Operations::Ports{.loop = loop_,
                                                            .clock = clock_,
                                                            .http = client,
                                                            .limiter = limiter,
                                                            .redactor = redactor,
                                                            .expressions = *expressions,
                                                            .memory = memory},
                                  target_plan_, target::Operations::RunOptions{.run_id = run_});
    operations_ = &operations;
    deadline_ = clock_.Now() + options_.timeout;
    int code = co_await Try();
    // Before the undoing: its exchanges are no part of what is mapped again.
    if (recording != nullptr && recording->size() > 0) Keep(*recording, redactor);
    if (replay_ != nullptr) {
      std::printf("these are the answers of %s; nothing was asked of the target\n",
                  absl::FormatTime("%Y-%m-%d %H:%M:%S", replay_->as.time, absl::LocalTimeZone()).c_str());
    } else if (!options_.keep) {
      const bool undone = co_await UndoAll();
      if (!undone && code == kExitGo) code = kExitNoGo;
    } else if (!made_.empty()) {
      std::printf("left as it is; `puckdrop obligations --settle` undoes it\n");
    }
    operations_ = nullptr;
    co_return code;
  }

 private:
  void Keep(const target::RecordingHttpClient& recording, const http::Redactor& redactor) {
    TriedAs as;
    as.operation = options_.operation;
    as.run = run_;
    as.customer = customer_;
    as.payment_case = options_.payment_case;
    as.request_json = given_json_;
    as.time = clock_.Now();
    absl::Status kept = SaveRecording(recording_folder_, as, recording, redactor);
    // The operation was tried all the same.
    if (!kept.ok()) {
      std::fprintf(stderr, "puckdrop try: its answers could not be kept for --again: %s\n",
                   std::string(kept.message()).c_str());
    }
  }

  struct Made {
    target::UndoRequest undo;
    target::Actor actor;
    std::string obligation;
  };

  awaitable<int> Try() {
    const plan::OperationInfo* info = target::Catalogue().Find(options_.operation);
    const v1::Plan::Customer* customer =
        options_.customer.empty() ? &plan_.plan->customers(0) : plan::FindCustomer(*plan_.plan, options_.customer);
    if (info == nullptr || customer == nullptr) {
      std::fprintf(stderr, "puckdrop try: %s\n",
                   info == nullptr ? absl::StrCat("there is no operation '", options_.operation, "'").c_str()
                                   : absl::StrCat("the plan has no customer '", options_.customer, "'").c_str());
      co_return kExitUsage;
    }
    customer_ = customer->id();
    if (operations_->OfferingOf(options_.operation) != target::Offering::kMapped) {
      const std::string why = operations_->NotOfferedReason(options_.operation);
      std::fprintf(stderr, "puckdrop try: the plan does not map %s%s\n", options_.operation.c_str(),
                   why.empty() ? "" : absl::StrCat(": ", why).c_str());
      co_return kExitNoGo;
    }
    if (plan_.plan->target().read_only() && info->creates) {
      std::fprintf(stderr, "puckdrop try: the plan is read-only and %s creates something\n",
                   options_.operation.c_str());
      co_return kExitNoGo;
    }
    std::unique_ptr<Message> request(Prototype(info->request)->New());
    absl::StatusOr<std::string> arguments = ArgumentsJson(options_.arguments);
    google::protobuf::util::Status read;
    if (arguments.ok()) read = google::protobuf::util::JsonStringToMessage(*arguments, request.get());
    if (!arguments.ok() || !read.ok()) {
      std::fprintf(
          stderr, "puckdrop try: --arg: %s\n",
          arguments.ok() ? std::string(read.message()).c_str() : std::string(arguments.status().message()).c_str());
      co_return kExitUsage;
    }
    if (replay_ != nullptr && options_.arguments.empty()) {
      // Of another version of the program, at worst; then the plan's own values have to do.
      (void)google::protobuf::util::JsonStringToMessage(replay_->as.request_json, request.get());
    } else {
      given_json_ = CleanJson(*request, /*without_secrets=*/true);
    }

    const int standing = plan::JourneyAccount(*customer);
    absl::StatusOr<target::Actor> actor =
        standing >= 0 ? operations_->StandingAccount(customer_, standing) : operations_->NewAccount(customer_, 1);
    if (!actor.ok()) {
      std::fprintf(stderr, "puckdrop try: %s\n", std::string(actor.status().message()).c_str());
      co_return kExitNothingToJudge;
    }
    // Who orders must have an account; who only looks needs none.
    const bool needs_account = options_.operation != "ordering.sign_up" && options_.operation != "ordering.list_offers";
    if (needs_account && standing < 0 &&
        operations_->OfferingOf("ordering.sign_up") == target::Offering::kMapped && !plan_.plan->target().read_only()) {
      const plan::OperationInfo* sign_up = target::Catalogue().Find("ordering.sign_up");
      std::unique_ptr<Message> first(Prototype(sign_up->request)->New());
      std::printf("first ordering.sign_up, because %s has no standing account\n", customer_.c_str());
      const int signed_up = co_await PerformOne(*sign_up, *first, *customer, *actor, /*quiet=*/true);
      if (signed_up != kExitGo) co_return signed_up;
    }
    const int code = co_await PerformOne(*info, *request, *customer, *actor, /*quiet=*/false);
    co_return code;
  }

  static const Message* Prototype(const Descriptor* type) {
    return google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  }

  // The request without what may be secret: told as such, or left out.
  static std::string CleanJson(const Message& request, bool without_secrets) {
    std::unique_ptr<Message> clean(request.New());
    clean->CopyFrom(request);
    runtime::RedactInPlace(*clean);
    std::vector<const FieldDescriptor*> fields;
    clean->GetReflection()->ListFields(*clean, &fields);
    for (const FieldDescriptor* field : fields) {
      if (!without_secrets || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
      if (clean->GetReflection()->GetString(*clean, field) == runtime::kRedactedText) {
        clean->GetReflection()->ClearField(clean.get(), field);
      }
    }
    std::string json;
    google::protobuf::util::JsonPrintOptions print;
    print.preserve_proto_field_names = true;
    (void)google::protobuf::util::MessageToJsonString(*clean, &json, print);
    return json;
  }

  // What the person did not give is the plan's.
  void FillIn(Message& request, const v1::Plan::Customer& customer, const target::Actor& actor,
              const std::string& key) {
    const v1::Plan::OfferClaim* offer = plan::OfferFor(*plan_.plan, customer);
    SetText(request, "offer_id", offer != nullptr ? offer->offer_id() : customer.offer_id());
    SetText(request, "market", customer.market());
    SetText(request, "language", customer.language());
    SetText(request, "email", actor.email);
    SetText(request, "username", actor.email);
    SetText(request, "password", actor.password);
    SetText(request, "name", actor.name);
    SetText(request, "payment_method", customer.payment());
    SetText(request, "idempotency_key", key);
    SetText(request, "key", key);
    if (plan_.plan->claims().events_size() > 0) SetText(request, "event_id", plan_.plan->claims().events(0).event_id());
    const FieldDescriptor* payment = request.GetDescriptor()->FindFieldByName("payment_case");
    if (payment != nullptr && payment->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const std::string name = absl::StrCat(
          "PAYMENT_CASE_", absl::AsciiStrToUpper(options_.payment_case.empty() ? "accepted" : options_.payment_case));
      const auto* value = payment->enum_type()->FindValueByName(name);
      if (value != nullptr) request.GetReflection()->SetEnum(&request, payment, value);
    }
    const FieldDescriptor* device = request.GetDescriptor()->FindFieldByName("device");
    if (device != nullptr && device->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        !request.GetReflection()->HasField(request, device)) {
      request.GetReflection()->MutableMessage(&request, device)->CopyFrom(actor.device);
    }
  }

  awaitable<int> PerformOne(const plan::OperationInfo& info, Message& request, const v1::Plan::Customer& customer,
                            target::Actor& actor, bool quiet) {
    const std::string key = absl::StrCat(run_, "-", ++acts_);
    FillIn(request, customer, actor, key);
    if (info.creates && replay_ == nullptr) {
      if (absl::Status undoable = operations_->CanUndo(info.id); !undoable.ok()) {
        std::printf("OURS: %s\n", runtime::Printable(std::string(undoable.message()), 2000).c_str());
        co_return kExitNoGo;
      }
      const std::string json = CleanJson(request, /*without_secrets=*/false);
      v1::Obligation owing;
      owing.set_launch(plan_.plan->launch().id());
      owing.set_operation(info.id);
      owing.set_customer(customer_);
      owing.set_account(actor.email);
      owing.set_standing_index(actor.standing_index);
      owing.set_idempotency_key(key);
      owing.set_request_json(json);
      owing.set_path(info.id.substr(0, info.id.find('.')));
      owing.set_owner(run_);
      absl::StatusOr<v1::Obligation> opened =
          co_await loop_.RunBlocking([this, &owing] { return store_->OpenObligation(owing); });
      if (!opened.ok()) {
        std::fprintf(stderr, "puckdrop try: not done, because it could not be written down first: %s\n",
                     std::string(opened.status().message()).c_str());
        co_return kExitInternal;
      }
      target::UndoRequest undo;
      undo.operation = info.id;
      undo.request_json = json;
      undo.idempotency_key = key;
      made_.push_back({std::move(undo), actor, opened->name()});
    }
    target::CallOptions call;
    call.deadline = deadline_;
    call.journey = &journey_;
    target::Ended ended = co_await operations_->Perform(info.id, request, actor, std::move(call));
    PrintExchanges(ended);
    if (ended.ok()) {
      const FieldDescriptor* account = ended.response->GetDescriptor()->FindFieldByName("account_id");
      if (account != nullptr && account->cpp_type() == FieldDescriptor::CPPTYPE_STRING && actor.account_id.empty()) {
        actor.account_id = ended.response->GetReflection()->GetString(*ended.response, account);
        for (Made& made : made_) made.actor.account_id = actor.account_id;
      }
      if (!quiet) {
        std::printf("OK in %lld ms\n%s\n", static_cast<long long>(absl::ToInt64Milliseconds(ended.took())),
                    std::string(absl::StripTrailingAsciiWhitespace(
                                    runtime::RedactedJson(*ended.response, /*pretty=*/true).value_or("")))
                        .c_str());
        const std::vector<std::string> untold = NotTold(ended);
        const bool grey = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
        if (!untold.empty()) {
          std::printf("%snot told: %s%s\n", grey ? "\x1b[90m" : "", absl::StrJoin(untold, ", ").c_str(),
                      grey ? "\x1b[0m" : "");
        }
      }
      co_return kExitGo;
    }
    std::printf("%s: %s\n", std::string(target::EndName(ended.end)).c_str(),
                runtime::Printable(ended.Words(), 2000).c_str());
    co_return ended.end == target::End::kRefused && !quiet ? kExitGo : kExitNoGo;
  }

  // Newest first; what could not be undone stays written down.
  awaitable<bool> UndoAll() {
    bool all = true;
    const absl::Time until = clock_.Now() + absl::Minutes(1);
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
      target::CallOptions call;
      call.deadline = until;
      target::UndoRequest undo = made->undo;
      target::Actor actor = made->actor;
      target::Undone undone = co_await operations_->Undo(std::move(undo), std::move(actor), std::move(call));
      std::printf("%s %s: %s\n", undone.done ? "undid" : "COULD NOT UNDO", made->undo.operation.c_str(),
                  runtime::Printable(undone.words, 1000).c_str());
      const std::string name = made->obligation, words = undone.words;
      const bool done = undone.done;
      (void)co_await loop_.RunBlocking([this, name, words, done]() -> absl::Status {
        if (done) return store_->CloseObligation(name, run_).status();
        return store_->NoteAttempt(name, run_, words, "undo it at the target by hand", /*stuck=*/true).status();
      });
      all = all && done;
    }
    co_return all;
  }

  const TryOptions& options_;
  const LoadedPlan& plan_;
  const std::shared_ptr<const target::TargetPlan> target_plan_;
  runtime::EventLoop& loop_;
  const runtime::Clock& clock_;
  readiness::Store* const store_;
  const std::string run_;
  const std::string recording_folder_;
  Recording* const replay_;
  target::Operations* operations_ = nullptr;
  std::string given_json_ = "{}";
  target::JourneyScope journey_;
  std::string customer_;
  absl::Time deadline_;
  std::vector<Made> made_;
  int acts_ = 0;
};

// The last try of the operation, mapped by the plan as it is now.
int TryAgain(const TryOptions& given, const LoadedPlan& plan, std::shared_ptr<const target::TargetPlan> target_plan,
             const std::string& folder) {
  absl::StatusOr<Recording> recording = LoadRecording(folder);
  if (!recording.ok()) {
    if (absl::IsNotFound(recording.status())) {
      std::fprintf(stderr,
                   "puckdrop try: there is no recording of %s: run it once without --again, as the same launch%s "
                   "(looked in %s)\n",
                   given.operation.c_str(), given.state_directory.empty() ? "" : " and with the same --state",
                   folder.c_str());
    } else {
      std::fprintf(stderr, "puckdrop try: %s; run it once without --again\n",
                   std::string(recording.status().message()).c_str());
    }
    return kExitNothingToJudge;
  }
  const TriedAs& as = recording->as;
  TryOptions options = given;
  const auto differs = [&](const char* flag, std::string& option, const std::string& recorded) {
    if (!option.empty() && option != recorded) {
      std::fprintf(stderr,
                   "puckdrop try: the recording was made with %s, not with %s %s; run it once without --again\n",
                   recorded.empty() ? absl::StrCat("no ", flag).c_str() : absl::StrCat(flag, " ", recorded).c_str(),
                   flag, option.c_str());
      return true;
    }
    option = recorded;
    return false;
  };
  if (differs("--customer", options.customer, as.customer) ||
      differs("--case", options.payment_case, as.payment_case)) {
    return kExitUsage;
  }
  runtime::EventLoop loop;
  HurryingClock clock(loop);
  Trial trial(options, plan, std::move(target_plan), loop, clock, /*store=*/nullptr, as.run, folder, &*recording);
  const int code = loop.Spawn(trial.Run()).Get();
  loop.Stop();
  return code;
}

}  // namespace

absl::StatusOr<std::string> ArgumentsJson(const std::vector<std::string>& arguments) {
  nlohmann::json all = nlohmann::json::object();
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat("takes NAME=VALUE, not '", argument, "'"));
    }
    std::string pointer = "/" + argument.substr(0, equals);
    std::replace(pointer.begin() + 1, pointer.end(), '.', '/');
    const std::string text = argument.substr(equals + 1);
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    // A bare word or a number with letters is a text.
    if (value.is_discarded()) value = text;
    try {
      all[nlohmann::json::json_pointer(pointer)] = std::move(value);
    } catch (const nlohmann::json::exception&) {
      return absl::InvalidArgumentError(absl::StrCat("'", argument.substr(0, equals), "' is given twice in two ways"));
    }
  }
  return all.dump();
}

int RunTry(const TryOptions& options) {
  runtime::RealClock clock;
  absl::StatusOr<LoadedPlan> plan = LoadPlan(options.files);
  if (!plan.ok()) {
    std::fprintf(stderr, "%s\n", std::string(plan.status().message()).c_str());
    return absl::IsInvalidArgument(plan.status()) ? kExitNothingToJudge : kExitInternal;
  }
  absl::StatusOr<std::shared_ptr<const target::TargetPlan>> target_plan = target::TargetPlan::Make(
      plan->plan,
      [secrets = plan->secrets, again = options.again](const v1::Secret& secret) -> absl::StatusOr<std::string> {
        absl::StatusOr<plan::SecretValue> value = secrets->Resolve(secret);
        if (value.ok()) return value->Reveal();
        // Nobody asks for it offline.
        if (again) return std::string("not needed for --again");
        return value.status();
      });
  if (!target_plan.ok()) {
    std::fprintf(stderr, "%s\n", std::string(target_plan.status().message()).c_str());
    return kExitNothingToJudge;
  }
  const std::string state = options.state_directory.empty()
                                ? readiness::DefaultStateDirectory(plan->plan->launch().id())
                                : options.state_directory;
  const std::string recording_folder = RecordingFolder(state, options.operation);
  if (options.again) return TryAgain(options, *plan, *target_plan, recording_folder);

  const std::string run = readiness::NewRunId(clock.Now());
  absl::StatusOr<std::unique_ptr<readiness::Store>> store = readiness::Store::Open(state, clock);
  absl::Status claimed = store.ok() ? (*store)->ClaimRun(run) : store.status();
  if (!claimed.ok()) {
    std::fprintf(stderr, "puckdrop try: %s\n", std::string(claimed.message()).c_str());
    return kExitInternal;
  }
  runtime::EventLoop loop;
  Trial trial(options, *plan, *target_plan, loop, clock, store->get(), run, recording_folder, nullptr);
  const int code = loop.Spawn(trial.Run()).Get();
  loop.Stop();
  (*store)->CloseAndRemoveIfNothingOwed();
  return code;
}

}  // namespace puckdrop::cli
