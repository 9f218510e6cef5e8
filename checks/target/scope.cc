#include "checks/target/scope.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "checks/target/message_json.h"
#include "checks/target/page.h"
#include "services/runtime/event_loop.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

constexpr size_t kParsePageOnLoop = 32u << 10;
constexpr int64_t kExactInteger = int64_t{1} << 53;

bool Compares(Expr::Compare compare, double left, double right) {
  switch (compare) {
    case Expr::Compare::kEqual:
      return left == right;
    case Expr::Compare::kUnequal:
      return left != right;
    case Expr::Compare::kLess:
      return left < right;
    case Expr::Compare::kAtMost:
      return left <= right;
    case Expr::Compare::kGreater:
      return left > right;
    case Expr::Compare::kAtLeast:
      return left >= right;
    case Expr::Compare::kNone:
      break;
  }
  return false;
}

// As jq would print it; nothing where that is not certain.
std::optional<std::string> PrintedAsJq(const json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(kExactInteger)) return std::nullopt;
  if (value.is_number_integer() && !value.is_number_unsigned() && std::abs(value.get<int64_t>()) > kExactInteger) {
    return std::nullopt;
  }
  if (value.is_number_float() || value.is_structured()) return std::nullopt;
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool MadeLater(const std::string& name) {
  for (absl::string_view one : {"request", "customer", "device", "payment", "launch", "run"}) {
    if (name == one) return true;
  }
  return false;
}

}  // namespace

const ExprResult& ExprResults::Of(const Expr& expr) const {
  static const auto* const nothing = new ExprResult{{}, jq::Failure{jq::FailureKind::kFailed, "was not evaluated"}};
  for (const auto& [key, result] : results_) {
    if (key == &expr) return result;
  }
  return *nothing;
}

void Scope::Set(const std::string& name, std::string json_text) {
  parsed_.erase(name);
  texts_[name] = std::move(json_text);
}

void Scope::Unset(const std::string& name) {
  parsed_.erase(name);
  texts_.erase(name);
}

std::optional<std::string> Scope::Saved(const std::string& name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? std::nullopt : std::optional(found->second);
}

void Scope::SetAnswer(std::shared_ptr<const Answer> answer) {
  answer_ = std::move(answer);
  page_.reset();
  page_problem_.clear();
}

Scope::Snapshot Scope::Save() const {
  Snapshot snapshot{texts_, answer_};
  for (auto text = snapshot.texts.begin(); text != snapshot.texts.end();) {
    text = MadeLater(text->first) ? snapshot.texts.erase(text) : std::next(text);
  }
  return snapshot;
}

void Scope::Restore(const Snapshot& snapshot) {
  for (const auto& [name, text] : snapshot.texts) Set(name, text);
  SetAnswer(snapshot.answer);
}

const json& Scope::Parsed(const std::string& name, const std::string& text) {
  const auto found = parsed_.find(name);
  if (found != parsed_.end()) return found->second;
  return parsed_.emplace(name, json::parse(text, nullptr, /*allow_exceptions=*/false)).first->second;
}

std::optional<ExprResult> Scope::Natively(const Expr& expr, Problem& problem) {
  if (expr.path.empty()) return std::nullopt;
  const std::string& name = expr.path[0];
  const auto give = [](std::string text) { return ExprResult{{std::move(text)}, std::nullopt}; };
  if (name == "status") {
    if (expr.path.size() > 1 || !answer_) return std::nullopt;
    if (expr.compare == Expr::Compare::kNone) return give(absl::StrCat(answer_->status));
    return give(Compares(expr.compare, answer_->status, expr.number) ? "true" : "false");
  }
  if (name == "headers") {
    if (expr.path.size() != 2 || !answer_) return std::nullopt;
    // Names are in lower case here, so another spelling finds nothing, as in jq.
    if (std::any_of(expr.path[1].begin(), expr.path[1].end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
      return give("null");
    }
    const auto all = answer_->headers.All(expr.path[1]);
    if (all.size() > 1) return std::nullopt;
    return give(all.empty() ? "null" : JsonText(all[0]));
  }
  if (name == "url" || name == "location") {
    if (expr.path.size() != 1 || !answer_) return std::nullopt;
    const std::string& text = name == "url" ? answer_->url : answer_->location;
    return give(text.empty() ? "null" : JsonText(text));
  }
  const json* at = nullptr;
  size_t next = 1;
  if (name == "secrets") {
    if (expr.path.size() != 2) return std::nullopt;
    const auto value = source_->SecretValue(expr.path[1], problem);
    if (!value) return problem.words.empty() ? std::optional(give("null")) : std::nullopt;
    return give(JsonText(*value));
  }
  if (name == "journey") {
    if (expr.path.size() < 2) return std::nullopt;
    if (journey_ == nullptr) return give("null");
    const auto kept = journey_->kept.find(expr.path[1]);
    if (kept == journey_->kept.end()) return give("null");
    if (expr.path.size() == 2) return give(kept->second);
    // Another operation of the journey may keep it anew at any time: never from the cache.
    const std::string key = absl::StrCat("journey.", expr.path[1]);
    parsed_.erase(key);
    at = &Parsed(key, kept->second);
    next = 2;
  } else {
    auto found = texts_.find(name);
    if (found == texts_.end() && MadeLater(name)) {
      auto made = source_->MakeName(name, problem);
      if (!problem.words.empty()) return std::nullopt;
      if (made) found = texts_.emplace(name, *std::move(made)).first;
    }
    if (found == texts_.end()) return give("null");
    if (expr.path.size() == 1) return give(found->second);
    at = &Parsed(name, found->second);
  }
  for (; next < expr.path.size(); ++next) {
    if (at->is_null()) return give("null");
    if (!at->is_object()) return std::nullopt;  // jq has the words for it
    const auto member = at->find(expr.path[next]);
    if (member == at->end()) return give("null");
    at = &*member;
  }
  auto printed = PrintedAsJq(*at);
  if (!printed) return std::nullopt;
  return give(*std::move(printed));
}

std::string Scope::Text(const std::string& name, const std::vector<const Expr*>& exprs, Problem& problem) {
  const auto found = texts_.find(name);
  if (found != texts_.end()) return found->second;
  if (name == "journey") {
    std::string out = "{";
    if (journey_ != nullptr) {
      for (const auto& [key, value] : journey_->kept) {
        absl::StrAppend(&out, out.size() > 1 ? "," : "", JsonText(key), ":", value);
      }
    }
    return out + "}";
  }
  if (name == "secrets") {
    std::string out = "{";
    for (const std::string& secret : source_->SecretNames()) {
      const bool mentioned =
          std::any_of(exprs.begin(), exprs.end(), [&](const Expr* expr) { return MentionsName(expr->text, secret); });
      if (!mentioned) continue;
      const auto value = source_->SecretValue(secret, problem);
      if (value) absl::StrAppend(&out, out.size() > 1 ? "," : "", JsonText(secret), ":", JsonText(*value));
    }
    return out + "}";
  }
  if (MadeLater(name)) {
    auto made = source_->MakeName(name, problem);
    return made ? texts_.emplace(name, *std::move(made)).first->second : "null";
  }
  if (!answer_) return "null";
  if (name == "status") return absl::StrCat(answer_->status);
  if (name == "headers") return answer_->HeadersJson();
  if (name == "trailers") return answer_->TrailersJson();
  if (name == "cookies") return answer_->CookiesJson();
  if (name == "hops") return answer_->HopsJson();
  if (name == "url") return answer_->url.empty() ? "null" : JsonText(answer_->url);
  if (name == "location") return answer_->location.empty() ? "null" : JsonText(answer_->location);
  if (name == "page") return page_.value_or("null");
  return "null";
}

awaitable<std::optional<Problem>> Scope::Evaluate(runtime::EventLoop& loop, jq::ExpressionPool& pool,
                                                  const std::vector<const Expr*>& exprs, ExprResults& results) {
  Problem problem;
  problem.end = End::kOurs;
  std::vector<const Expr*> rest;
  for (const Expr* expr : exprs) {
    auto natively = Natively(*expr, problem);
    if (!problem.words.empty()) {
      if (problem.position.line() == 0) problem.position = expr->position;
      co_return problem;
    }
    if (natively) {
      results.Add(expr, *std::move(natively));
    } else if (std::find(rest.begin(), rest.end(), expr) == rest.end()) {
      rest.push_back(expr);
    }
  }
  if (rest.empty()) co_return std::nullopt;

  std::set<std::string> names;
  jq::EvaluationRequest request;
  bool wants_body = false;
  for (const Expr* expr : rest) {
    request.programs.push_back(expr->id);
    names.insert(expr->needs.begin(), expr->needs.end());
    wants_body = wants_body || expr->mentions_body;
  }
  if (names.contains("page") && answer_ && answer_->is_page() && !page_) {
    absl::StatusOr<std::string> page = absl::InternalError("");
    if (answer_->body->size() <= kParsePageOnLoop) {
      page = PageJson(*answer_->body, answer_->url);
    } else {
      std::shared_ptr<const Answer> answer = answer_;
      std::function<absl::StatusOr<std::string>()> parse = [answer] { return PageJson(*answer->body, answer->url); };
      page = co_await loop.RunBlocking(std::move(parse));
    }
    if (page.ok()) {
      page_ = *std::move(page);
    } else {
      problem.kind = FailureKind::kLocal;
      problem.words = absl::StrCat("the page cannot be read here: ", page.status().message());
      problem.position = rest[0]->position;
      co_return problem;
    }
  }
  request.context = "{";
  for (const std::string& name : names) {
    if (name == "body" || name == "body_base64") continue;
    const std::string text = Text(name, rest, problem);
    if (!problem.words.empty()) {
      if (problem.position.line() == 0) problem.position = rest[0]->position;
      co_return problem;
    }
    absl::StrAppend(&request.context, request.context.size() > 1 ? ",\"" : "\"", name, "\":", text);
  }
  request.context.push_back('}');
  if (wants_body && answer_) {
    request.body = answer_->body;
    request.body_kind = answer_->kind;
  }
  absl::StatusOr<jq::EvaluationResult> evaluated = co_await pool.Evaluate(std::move(request));
  if (!evaluated.ok()) {
    problem.kind = absl::IsCancelled(evaluated.status()) ? FailureKind::kCancelled : FailureKind::kLocal;
    problem.words = absl::StrCat("expressions cannot be evaluated here: ", evaluated.status().message());
    problem.position = rest[0]->position;
    co_return problem;
  }
  for (size_t i = 0; i < rest.size() && i < evaluated->outcomes.size(); ++i) {
    results.Add(rest[i],
                ExprResult{std::move(evaluated->outcomes[i].values), std::move(evaluated->outcomes[i].failure)});
  }
  co_return std::nullopt;
}

Problem ExpressionProblem(const Expr& expr, const ExprResult& result, const Answer* answer) {
  Problem problem;
  problem.position = expr.position;
  problem.end = End::kUnreadable;
  problem.kind = FailureKind::kExpression;
  if (!result.failure) {
    problem.words = absl::StrCat("the expression gave ", result.values.size(), " values where one is wanted");
    return problem;
  }
  switch (result.failure->kind) {
    case jq::FailureKind::kRanAway:
      problem.end = End::kOurs;
      problem.kind = FailureKind::kRanAway;
      problem.words = absl::StrCat("the expression ran away: ", result.failure->message);
      return problem;
    case jq::FailureKind::kTooLarge:
      problem.end = End::kOurs;
      problem.kind = FailureKind::kRanAway;
      problem.words = absl::StrCat("the expression gave too much: ", result.failure->message);
      return problem;
    case jq::FailureKind::kBodyNotJson:
      problem.end = End::kFault;
      problem.kind = FailureKind::kContent;
      problem.words = absl::StrCat("the answer says ", answer == nullptr ? "JSON" : answer->ContentWords(),
                                   " and is none: ", result.failure->message);
      return problem;
    case jq::FailureKind::kFailed:
      break;
  }
  if (answer != nullptr && expr.mentions_body && answer->kind == jq::BodyKind::kText && !answer->body->empty()) {
    problem.end = End::kFault;
    problem.kind = FailureKind::kContent;
    problem.words =
        absl::StrCat("the answer is ", answer->ContentWords(), " where the plan reads JSON: ", result.failure->message);
    return problem;
  }
  problem.words = absl::StrCat("the expression fails on the answer: ", result.failure->message);
  return problem;
}

}  // namespace puckdrop::target
