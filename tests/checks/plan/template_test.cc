#include "checks/plan/template.h"

#include <gtest/gtest.h>

namespace puckdrop::plan {
namespace {

// Literals as they are, holes in ‹ ›.
std::string Shape(const std::string& text) {
  const ParsedTemplate parsed = ParseTemplate(text);
  if (parsed.error.has_value())
    return "error at " + std::to_string(parsed.error->offset) + ": " + parsed.error->message;
  std::string out;
  for (const TemplatePart& part : parsed.parts) {
    EXPECT_EQ(text.substr(part.offset, part.text.size()), part.text);
    out += part.is_hole ? "<" + part.text + ">" : part.text;
  }
  return out;
}

TEST(TemplateTest, SplitsLiteralsAndHoles) {
  EXPECT_EQ(Shape("/orders/{{ .order }}/pay"), "/orders/<.order>/pay");
  EXPECT_EQ(Shape("{{.a}}{{.b}}"), "<.a><.b>");
  EXPECT_EQ(Shape(""), "");
  EXPECT_EQ(Shape("}} alone"), "}} alone");
  EXPECT_EQ(Shape("{ one"), "{ one");
}

TEST(TemplateTest, BracesEndAHoleOnlyOutsideBracketsAndStrings) {
  EXPECT_EQ(Shape("{{ {a: {b: 1}} }}x"), "<{a: {b: 1}}>x");
  EXPECT_EQ(Shape("{{ \"}}\" }}x"), "<\"}}\">x");
  EXPECT_EQ(Shape("{{ \"\\\"}}\" }}x"), "<\"\\\"}}\">x");
  EXPECT_EQ(Shape("{{ \"\\({a: \"}}\"}) }}\" }}x"), "<\"\\({a: \"}}\"}) }}\">x");
  EXPECT_EQ(Shape("{{ .a[\"}}\"] }}"), "<.a[\"}}\"]>");
  EXPECT_EQ(Shape("{{ .a # }} \n + 1 }}x"), "<.a # }} \n + 1>x");
}

TEST(TemplateTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Shape("ab{{ .x "), "error at 2: this hole is never closed with `}}`");
  EXPECT_EQ(Shape("{{ }}"), "error at 0: this hole is empty");
  EXPECT_EQ(Shape("{{ .x) }}"), "error at 0: `)` closes nothing in this hole");
  EXPECT_EQ(Shape("{{ (.x] }}"), "error at 0: `]` where `)` should close a bracket");
  EXPECT_EQ(Shape("{{ \"x }}"), "error at 0: a string inside this hole is never closed");
  EXPECT_EQ(Shape("{{ [a"), "error at 0: a `[` inside this hole is never closed");
  EXPECT_EQ(Shape("{{" + std::string(1000, '(')), "error at 0: brackets are nested too deeply in this hole");
}

TEST(TemplateTest, OneHoleIsTold) {
  v1::Template text;
  EXPECT_FALSE(IsOneHole(text));
  EXPECT_EQ(LiteralText(text), "");
  text.add_parts()->mutable_hole()->set_program(".a");
  EXPECT_TRUE(IsOneHole(text));
  EXPECT_EQ(LiteralText(text), std::nullopt);
  text.add_parts()->set_literal("x");
  EXPECT_FALSE(IsOneHole(text));
}

TEST(TemplateTest, AnOffsetIsAPlaceInTheFileIfTheTextStandsThere) {
  v1::SourcePosition begin;
  begin.set_line(10);
  begin.set_column(5);
  EXPECT_EQ(PositionAt(begin, "abc\ndef", 5).column(), 5u);
  begin.set_verbatim(true);
  EXPECT_EQ(PositionAt(begin, "abc", 2).column(), 7u);
  EXPECT_EQ(PositionAt(begin, "äb", 2).column(), 6u);
  EXPECT_EQ(PositionAt(begin, "abc\ndef", 5).line(), 11u);
  EXPECT_EQ(PositionAt(begin, "abc\ndef", 5).column(), 6u);
  EXPECT_EQ(PositionAt(begin, "abc", 99).column(), 8u);
}

}  // namespace
}  // namespace puckdrop::plan
