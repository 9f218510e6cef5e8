#include "checks/target/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace puckdrop::target {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kLogin[] = R"html(<!doctype html><html lang="fi"><head><title> Kirjaudu </title></head><body>
<p>Tervetuloa <b>takaisin</b></p><script>var hidden = 1;</script>
<form id="login" action="../session?x=1" method="POST">
 <input type="hidden" name="csrf" value="t&amp;k">
 <input name="user"><input type="password" name="pass">
 <input type="checkbox" name="stay" checked><input type="checkbox" name="spam">
 <input name="off" value="1" disabled>
 <select name="lang"><option value="fi">F</option><option value="sv" selected>S</option></select>
 <textarea name="note">a
b</textarea>
 <button name="go" value="1">In</button><button name="cancel">No</button>
</form><a href="/help">Apua</a></body></html>)html";

json Page(const std::string& html) {
  const auto text = PageJson(html, "https://shop.test/a/b/login");
  return text.ok() ? json::parse(*text) : json{{"error", std::string(text.status().message())}};
}

TEST(PageTest, ShowsFormsLinksTitleAndText) {
  const json page = Page(kLogin);
  EXPECT_EQ(page["title"], "Kirjaudu");
  EXPECT_EQ(page["language"], "fi");
  EXPECT_EQ(page["links"][0]["href"], "https://shop.test/help");
  EXPECT_NE(page["text"].get<std::string>().find("Tervetuloa takaisin"), std::string::npos);
  EXPECT_EQ(page["text"].get<std::string>().find("hidden"), std::string::npos);
  const json& form = page["forms"][0];
  EXPECT_EQ(form["action"], "https://shop.test/a/session?x=1");
  EXPECT_EQ(form["method"], "post");
  EXPECT_EQ(form["fields"]["csrf"], "t&k");
  EXPECT_EQ(form["fields"]["lang"], "sv");
  EXPECT_EQ(form["fields"]["stay"], "on");
  EXPECT_FALSE(form["fields"].contains("spam"));
  EXPECT_FALSE(form["fields"].contains("off"));
  EXPECT_FALSE(form["fields"].contains("go"));
}

TEST(PageTest, FillsAFormAsABrowserWould) {
  const json form = Page(kLogin)["forms"][0];
  const auto request = FillForm(form, {{"user", "a@b"}, {"pass", "p w"}, {"stay", std::nullopt}}, "");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->method, "POST");
  EXPECT_THAT(request->fields, ElementsAre(Pair("csrf", "t&k"), Pair("user", "a@b"), Pair("pass", "p w"),
                                           Pair("lang", "sv"), Pair("note", "a\nb"), Pair("go", "1")));
  EXPECT_EQ(FormEncode({{"a b", "ö&="}}), "a+b=%C3%B6%26%3D");
}

TEST(PageTest, PressesTheNamedButtonAndRefusesOneThatIsNotThere) {
  const json form = Page(kLogin)["forms"][0];
  const auto pressed = FillForm(form, {}, "cancel");
  ASSERT_TRUE(pressed.ok());
  EXPECT_EQ(pressed->fields.back().first, "cancel");
  EXPECT_FALSE(FillForm(form, {}, "buy").ok());
  EXPECT_FALSE(FillForm(json("text"), {}, "").ok());
}

TEST(PageTest, SurvivesBytesThatAreNoPageAndRefusesBottomlessNesting) {
  EXPECT_TRUE(Page(std::string("\x00\xff<form><form", 13)).contains("forms"));
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<div>";
  EXPECT_TRUE(Page(deep).contains("error"));
  // As deep as is allowed, by means that a count of closing tags would miss.
  std::string hidden;
  for (int i = 0; i < 19'990; ++i) hidden += "<div></x>";
  EXPECT_TRUE(Page(hidden).contains("forms"));
  EXPECT_FALSE(PageJson(std::string(5u << 20, 'a'), "https://shop.test/").ok());
}

TEST(PageTest, StaysSmallWhateverThePageNests) {
  std::string links, forms;
  for (int i = 0; i < 3000; ++i) links += "<a href=x><object>";
  const auto nested = PageJson(links + std::string(150'000, 'w'), "https://shop.test/");
  ASSERT_TRUE(nested.ok());
  EXPECT_LT(nested->size(), 3u << 20);
  for (int i = 0; i < 9000; ++i) forms += "<form></form><input form=f name=a>";
  const auto many = PageJson(forms, "https://shop.test/" + std::string(8000, 'p'));
  ASSERT_TRUE(many.ok());
  EXPECT_LT(many->size(), 12u << 20);
}

TEST(PageTest, FillsAFormThatAnExpressionMadeUp) {
  const auto request = FillForm(
      json::parse(R"({"action":"/x","controls":[5,{"name":"a","sent":"yes"},{"name":7},{"name":"b","sent":true}]})"),
      {{"c", "1"}}, "");
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->fields, ElementsAre(Pair("b", ""), Pair("c", "1")));
}

}  // namespace
}  // namespace puckdrop::target
