#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/arena/html.h"
#include "services/arena/routes.h"

namespace puckdrop::arena {
namespace {

// Each is a whole customer step between the first page and the confirmation.
constexpr const char* kExtraSteps[] = {"Tell us why you want to go", "Have you thought of the play-offs?",
                                       "We give you half the price for a month", "Are you really sure?"};

std::string Hidden(const std::string& name, const std::string& value) {
  return absl::StrCat("<input type=\"hidden\" name=\"", name, "\" value=\"", EscapeHtml(value), "\">");
}

}  // namespace

void Routes::AddPages() {
  Add("GET", "/", [](Call& call) {
    call.AnswerHtml(
        200, HtmlPage("Arena TV", "<h1>Arena TV</h1><p>The league, live. <a href=\"/v1/offers\">Offers</a></p>"));
  });
  Add("GET", "/terms", [this](Call& call) {
    call.AnswerHtml(200, shop_->TermsHtml(call.Query("market", "FI"), call.Query("language", "fi")));
  });
  Add("GET", "/status", [this](Call& call) {
    std::string body = "<h1>Status</h1>";
    for (const Json& notice : shop_->Notices(call.caller)) {
      absl::StrAppend(&body, "<article id=\"", notice["id"].get<std::string>(), "\" data-state=\"",
                      notice["state"].get<std::string>(), "\"><h2>", EscapeHtml(notice["title"].get<std::string>()),
                      "</h2><p>", EscapeHtml(notice["text"].get<std::string>()), "</p><p>",
                      notice["state"].get<std::string>(), ", <time datetime=\"",
                      notice["published_at"].get<std::string>(), "\">", notice["published_at"].get<std::string>(),
                      "</time></p></article>");
    }
    call.AnswerHtml(200, HtmlPage("Status", body));
  });

  Add("GET", "/account", [this](Call& call) {
    const Json me = shop_->Me(call.caller);
    std::string body = absl::StrCat("<h1>Your account</h1><p>", EscapeHtml(me["name"].get<std::string>()), "</p><ul>");
    for (const Json& subscription : shop_->Subscriptions(call.caller)) {
      const std::string id = subscription["id"].get<std::string>();
      absl::StrAppend(&body, "<li>", EscapeHtml(subscription["offer_id"].get<std::string>()), ": ",
                      subscription["state"].get<std::string>(), " <a href=\"/account/subscriptions/", id,
                      "/cancel\">Cancel</a></li>");
    }
    call.AnswerHtml(200, HtmlPage("Your account", body + "</ul>"));
  });

  // The way out: page `step` of the flow; the form of the last page does it.
  const auto page = [this](Call& call, int step, int steps, const std::string& problem) {
    const std::string id = call.arguments[0];
    const Json subscription = shop_->GetSubscription(call.caller, id);
    std::string title = "Cancel your subscription";
    std::string text = "You can watch to the end of the period you paid for.";
    std::string fields;
    std::string button = "Continue to cancellation";
    if (step == 1) {
      fields =
          "<label>Reason (you need not tell) <select name=\"reason\"><option value=\"\">-</option>"
          "<option value=\"price\">Price</option><option value=\"content\">Content</option></select></label>";
    } else if (step == steps) {
      title = "Confirm your cancellation";
      text = absl::StrCat("Your subscription ends on ", subscription["paid_through_date"].get<std::string>(),
                          ". Nothing more will be charged.");
      button = "Confirm cancellation";
    } else {
      title = kExtraSteps[(step - 2) % 4];
      text = "Before you go.";
      button = "No thanks, continue";
    }
    std::string body = absl::StrCat("<h1>", EscapeHtml(title), "</h1>");
    if (!problem.empty()) absl::StrAppend(&body, "<p class=\"problem\">", EscapeHtml(problem), "</p>");
    absl::StrAppend(&body, "<p>", EscapeHtml(text), "</p>\n<form method=\"post\" action=\"/account/subscriptions/", id,
                    "/cancel\">", Hidden("csrf_token", shop_->CsrfToken(call.caller)),
                    Hidden("step", std::to_string(step)), fields, "<button type=\"submit\">", button,
                    "</button></form>");
    call.AnswerHtml(problem.empty() ? 200 : 403, HtmlPage(title, body));
  };
  const auto steps = [this] { return faults_->On(Fault::kCancelSixSteps) ? 6 : 2; };
  Add("GET", "/account/subscriptions/*/cancel", [page, steps](Call& call) { page(call, 1, steps(), ""); });
  Add("POST", "/account/subscriptions/*/cancel", [this, page, steps](Call& call) {
    int step = 0;
    shop_->GetSubscription(call.caller, call.arguments[0]);  // 401 or 404 before anything else
    if (call.Form("csrf_token") != shop_->CsrfToken(call.caller)) {
      return page(call, 1, steps(), "This form has expired. Please start again.");
    }
    if (!absl::SimpleAtoi(call.Form("step"), &step) || step < 1 || step >= steps())
      step = step >= steps() ? steps() : 0;
    if (step < steps()) return page(call, step + 1, steps(), "");
    const Json done = shop_->Cancel(call.caller, call.arguments[0]);
    std::string target = absl::StrCat("/account/subscriptions/", call.arguments[0],
                                      "/cancelled?end_date=", done["end_date"].get<std::string>());
    if (done["receipt_number"].is_string())
      absl::StrAppend(&target, "&receipt=", done["receipt_number"].get<std::string>());
    call.response.status = 303;
    call.response.set_header("Location", target);
  });
  Add("GET", "/account/subscriptions/*/cancelled", [this](Call& call) {
    shop_->GetSubscription(call.caller, call.arguments[0]);
    std::string body =
        absl::StrCat("<h1>Your subscription is cancelled</h1><p>You can watch until <time id=\"end-date\" datetime=\"",
                     EscapeHtml(call.Query("end_date")), "\">", EscapeHtml(call.Query("end_date")),
                     "</time>. Nothing more will be charged.</p>");
    if (!call.Query("receipt").empty()) {
      absl::StrAppend(&body, "<p>Receipt number: <strong id=\"receipt-number\">", EscapeHtml(call.Query("receipt")),
                      "</strong></p><p>We sent it to you by mail, too.</p>");
    }
    call.AnswerHtml(200, HtmlPage("Your subscription is cancelled", body));
  });

  const auto statement = [](Call& call, int status, const std::string& problem) {
    std::string body =
        "<h1>Withdraw from contract here</h1><p>Within 14 days of your order you can withdraw without a reason and get "
        "all your money back. You need not sign in.</p>";
    if (!problem.empty()) absl::StrAppend(&body, "<p class=\"problem\">", EscapeHtml(problem), "</p>");
    const auto field = [&](const char* name, const char* label, const char* type) {
      absl::StrAppend(&body, "<label>", label, " <input type=\"", type, "\" name=\"", name, "\" value=\"",
                      EscapeHtml(call.Form(name)), "\" required maxlength=\"200\"></label>");
    };
    absl::StrAppend(&body, "<form method=\"post\" action=\"/withdraw\">");
    field("name", "Your name", "text");
    field("contract_id", "Contract (order number, like A-100001)", "text");
    field("electronic_address", "E-mail address for the acknowledgement", "email");
    absl::StrAppend(&body, "<button type=\"submit\">Withdraw from contract here</button></form>");
    call.AnswerHtml(status, HtmlPage("Withdraw from contract here", body));
  };
  // Whether the three fields can be a statement; answers with the form again if not.
  const auto complete = [statement](Call& call) {
    if (!call.Form("name").empty() && !call.Form("contract_id").empty() && call.Form("name").size() <= 200 &&
        call.Form("electronic_address").size() <= 200 &&
        call.Form("electronic_address").find('@') != std::string::npos) {
      return true;
    }
    statement(call, 422, "Please fill in your name, the contract and an e-mail address.");
    return false;
  };
  const auto missing = [this] {
    if (faults_->On(Fault::kWithdrawalMissing)) throw NotFound("not_found", "page");
  };
  Add("GET", "/withdraw", [statement, missing](Call& call) {
    missing();
    statement(call, 200, "");
  });
  Add("POST", "/withdraw", [this, statement, complete, missing](Call& call) {
    missing();
    if (!complete(call)) return;
    Json contract;
    try {
      contract = shop_->FindContract(call.Form("contract_id"));
    } catch (const Problem& problem) {
      return statement(call, problem.status, problem.title + ". " + problem.detail);
    }
    std::string body = absl::StrCat("<h1>Confirm withdrawal</h1><p>", EscapeHtml(call.Form("name")),
                                    " withdraws from contract ", EscapeHtml(contract["number"].get<std::string>()),
                                    ", ", EscapeHtml(contract["title"].get<std::string>()),
                                    ".</p><form method=\"post\" action=\"/withdraw/confirm\">");
    for (const char* name : {"name", "contract_id", "electronic_address"})
      absl::StrAppend(&body, Hidden(name, call.Form(name)));
    absl::StrAppend(&body, "<button type=\"submit\">Confirm withdrawal</button></form>");
    call.AnswerHtml(200, HtmlPage("Confirm withdrawal", body));
  });
  Add("POST", "/withdraw/confirm", [this, statement, complete, missing](Call& call) {
    missing();
    if (!complete(call)) return;
    Json done;
    try {
      done = shop_->Withdraw(call.Form("contract_id"), call.Form("name"), call.Form("electronic_address"));
    } catch (const Problem& problem) {
      return statement(call, problem.status, problem.title + ". " + problem.detail);
    }
    if (!done["receipt_number"].is_string()) return call.AnswerHtml(200, HtmlPage("Thank you", "<h1>Thank you</h1>"));
    const int64_t refund = done["refund"]["minor_units"].get<int64_t>();
    const std::string received = done["received_at"].get<std::string>(), by = done["refund_by_date"].get<std::string>();
    call.AnswerHtml(
        200,
        HtmlPage("We received your withdrawal",
                 absl::StrCat(
                     "<h1>We received your withdrawal</h1><p>Acknowledgement number: <strong id=\"receipt-number\">",
                     done["receipt_number"].get<std::string>(),
                     "</strong></p><p>Received: <time id=\"received-at\" datetime=\"", received, "\">", received,
                     "</time></p><p>Contract ", done["number"].get<std::string>(),
                     ". You get back <data id=\"refund\" value=\"", refund, "\">",
                     MoneyText(refund, done["refund"]["currency"].get<std::string>()),
                     "</data> by <time id=\"refund-by\" datetime=\"", by, "\">", by, "</time>.</p>")));
  });
}

}  // namespace puckdrop::arena
