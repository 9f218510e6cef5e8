// A target that answers as it is told, and checks that judge as they are told.
#ifndef PUCKDROP_TESTS_SERVICES_PROBER_SCRIPTED_H_
#define PUCKDROP_TESTS_SERVICES_PROBER_SCRIPTED_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "checks/check_context.h"
#include "checks/journey.h"
#include "puckdrop/target/v1/ordering.pb.h"
#include "services/prober/target_port.h"

namespace puckdrop::prober {

using checks::CheckContext;
using checks::CheckDefinition;
using checks::CheckInfo;
using checks::Judgement;
using checks::OperationEnd;
using checks::OperationMapping;
using JudgeFunction = std::function<checks::Task<Judgement>(CheckContext&)>;

// Every operation is mapped and ends OK with an empty answer until told otherwise.
class ScriptedPort final : public checks::OperationPort {
 public:
  using Answer = std::function<OperationEnd(const google::protobuf::Message& request, const checks::Actor& actor)>;
  std::map<std::string, Answer> answers;
  std::map<std::string, OperationMapping> mappings;
  std::set<std::string> untold;
  std::set<std::string> creates = {"ordering.sign_up", "ordering.place_order"};
  std::map<std::string, int> performed;
  std::function<absl::StatusOr<std::string>(const v1::Obligation&)> undo;

  ScriptedPort() {
    mappings["target.get_configuration"].state = OperationMapping::State::kNotMapped;
    Answering("ordering.sign_up", [](const auto&, const checks::Actor&) {
      target::v1::SignUpResponse response;
      response.set_account_id("a-1");
      return Ok(response);
    });
    Answering("ordering.list_offers", [](const auto&, const auto&) { return Ok(target::v1::ListOffersResponse()); });
  }
  void Answering(const std::string& operation, Answer answer) { answers[operation] = std::move(answer); }
  void Ending(const std::string& operation, OperationEnd end) {
    answers[operation] = [end](const auto&, const auto&) { return end; };
  }

  static OperationEnd Ok(const google::protobuf::Message& response) {
    OperationEnd end;
    end.kind = OperationEnd::Kind::kOk;
    std::shared_ptr<google::protobuf::Message> copy(response.New());
    copy->CopyFrom(response);
    end.response = std::move(copy);
    return end;
  }
  static OperationEnd Ended(OperationEnd::Kind kind, const std::string& words) {
    OperationEnd end;
    end.kind = kind;
    end.words = words;
    end.plan_position = "plan.yaml:10:3";
    end.step = 1;
    end.steps = 2;
    end.reproduce = "curl http://shop";
    v1::Evidence exchanges;
    exchanges.set_kind(v1::Evidence::KIND_EXCHANGES);
    exchanges.set_content("har of " + words);
    end.evidence.push_back(exchanges);
    return end;
  }

  boost::asio::awaitable<OperationEnd> Perform(const std::string& operation, const google::protobuf::Message& request,
                                               const checks::Actor& actor, const checks::PerformOptions&,
                                               std::string&) override {
    ++performed[operation];
    OperationEnd end;
    end.kind = OperationEnd::Kind::kOurs;
    end.words = "nobody told the scripted port about " + operation;
    if (auto answer = answers.find(operation); answer != answers.end()) end = answer->second(request, actor);
    end.operation = operation;
    co_return end;
  }
  OperationMapping Mapping(const std::string& operation) const override {
    auto mapping = mappings.find(operation);
    if (mapping != mappings.end()) return mapping->second;
    return {.state = OperationMapping::State::kMapped, .words = ""};
  }
  bool Returns(const std::string& operation, const std::string& field) const override {
    return !untold.contains(operation + ":" + field);
  }
  absl::Status CanUndo(const std::string&) override { return absl::OkStatus(); }
  bool Creates(const std::string& operation) const override { return creates.contains(operation); }
  bool Acts(const std::string& operation) const override { return Creates(operation); }
  bool HasPaymentCase(const std::string&, target::v1::PaymentCase) const override { return true; }
  boost::asio::awaitable<absl::StatusOr<std::string>> Undo(const v1::Obligation& obligation, absl::Time) override {
    if (undo) co_return undo(obligation);
    co_return std::string("nothing was left");
  }
};

class ScriptedObligations final : public checks::ObligationPort {
 public:
  absl::Status answer;
  std::vector<v1::Obligation> opened;
  boost::asio::awaitable<absl::StatusOr<std::string>> Open(v1::Obligation obligation) override {
    if (!answer.ok()) co_return answer;
    opened.push_back(obligation);
    co_return std::string("obligations/1");
  }
  boost::asio::awaitable<absl::Status> Update(v1::Obligation) override { co_return absl::OkStatus(); }
};

// The judgements of scripted checks by check id: one a look, the last one for all further looks.
inline std::map<std::string, std::vector<JudgeFunction>>& Scripts() {
  static auto& scripts = *new std::map<std::string, std::vector<JudgeFunction>>;
  return scripts;
}
inline std::map<std::string, int>& LooksTaken() {
  static auto& looks = *new std::map<std::string, int>;
  return looks;
}

inline checks::Task<Judgement> JudgeByScript(CheckContext& context) {
  std::vector<JudgeFunction>& script = Scripts()[context.info().id];
  const size_t look = static_cast<size_t>(LooksTaken()[context.info().id]++);
  JudgeFunction judge = script[std::min(look, script.size() - 1)];
  Judgement judgement = co_await judge(context);
  co_return judgement;
}

// A look that ends with this judgement.
inline JudgeFunction Says(Judgement judgement) {
  return [judgement](CheckContext&) -> checks::Task<Judgement> { co_return judgement; };
}
// A look that lists the offers first.
inline JudgeFunction ListsOffers() {
  return [](CheckContext& context) -> checks::Task<Judgement> {
    target::v1::ListOffersRequest request;
    co_await context.journey().Once<target::v1::ListOffersResponse>("ordering.list_offers", request);
    co_return checks::Passed("listed");
  };
}

inline CheckDefinition ScriptedCheck(const std::string& id, std::vector<JudgeFunction> script) {
  Scripts()[id] = std::move(script);
  LooksTaken()[id] = 0;
  CheckDefinition check;
  check.info.id = id;
  check.info.path = v1::PATH_ORDERING;
  check.info.sentence = "I could not";
  check.info.question = "Can it?";
  check.judge = &JudgeByScript;
  return check;
}

inline v1::Plan ScriptedPlan() {
  v1::Plan plan;
  plan.mutable_launch()->set_id("liiga");
  plan.mutable_launch()->set_time_zone("Europe/Helsinki");
  for (const char* id : {"living-room", "phone"}) {
    v1::Plan::Customer* customer = plan.add_customers();
    customer->set_id(id);
    customer->set_market("FI");
    customer->set_device(std::string(id) == "phone" ? "iphone_17" : "chrome_desktop");
    customer->set_audience_share(0.5);
  }
  return plan;
}

}  // namespace puckdrop::prober

#endif  // PUCKDROP_TESTS_SERVICES_PROBER_SCRIPTED_H_
