#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "checks/plan/reader.h"
#include "checks/plan/suggest.h"
#include "checks/plan/template.h"
#include "checks/plan/text_forms.h"

namespace puckdrop::plan {
namespace {

constexpr std::size_t kLongestVariable = 64 * 1024;

bool IsVariableName(absl::string_view name) {
  if (name.empty() || name.size() > 200 || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return true;
}

// The environment may hold any bytes; protobuf strings may not.
bool IsText(absl::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c < 0x80                 ? 1
                               : c >= 0xc2 && c <= 0xdf ? 2
                               : (c & 0xf0) == 0xe0     ? 3
                               : c >= 0xf0 && c <= 0xf4 ? 4
                                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    if (length == 3 && ((c == 0xe0 && static_cast<unsigned char>(text[i + 1]) < 0xa0) ||
                        (c == 0xed && static_cast<unsigned char>(text[i + 1]) > 0x9f))) {
      return false;
    }
    if (length == 4 && ((c == 0xf0 && static_cast<unsigned char>(text[i + 1]) < 0x90) ||
                        (c == 0xf4 && static_cast<unsigned char>(text[i + 1]) > 0x8f))) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

bool Reader::ReadText(const Node& node, absl::string_view field, std::string* out) {
  if (node.kind == Node::Kind::kNull) {
    Say(node.at, absl::StrCat("`", field, "` has no value"));
    return false;
  }
  if (node.kind != Node::Kind::kScalar) {
    // `[.body.id]` or `{{ .x }}` where one word is wanted.
    SayWrongKind(node, absl::StrCat("one value for `", field, "`"));
    return false;
  }
  return Substitute(node, node.text, 0, out);
}

// `raw` is the part of node.text that begins at `offset`.
bool Reader::Substitute(const Node& node, absl::string_view raw, std::size_t offset, std::string* out) {
  out->clear();
  const v1::SourcePosition begin = Position(node.text_at, node.verbatim);
  const auto place = [&](std::size_t i) {
    const v1::SourcePosition at = PositionAt(begin, node.text, offset + i);
    return Location{at.file(), at.line(), at.column()};
  };
  for (std::size_t i = 0; i < raw.size();) {
    if (raw[i] != '$' || i + 1 == raw.size() || (raw[i + 1] != '$' && raw[i + 1] != '{')) {
      out->push_back(raw[i++]);
      continue;
    }
    if (raw[i + 1] == '$') {
      out->push_back('$');
      i += 2;
      continue;
    }
    const std::size_t end = raw.find('}', i);
    if (end == absl::string_view::npos) {
      Say(place(i), "`${` is never closed with `}`", "write `$$` for a plain dollar sign");
      return false;
    }
    absl::string_view name = raw.substr(i + 2, end - i - 2);
    std::optional<absl::string_view> fallback;
    if (const std::size_t colon = name.find(":-"); colon != absl::string_view::npos) {
      fallback = name.substr(colon + 2);
      name = name.substr(0, colon);
    }
    if (!IsVariableName(name)) {
      Say(place(i), absl::StrCat("`", raw.substr(i, end - i + 1), "` does not name an environment variable"),
          "write `${NAME}` or `${NAME:-default}`, and `$$` for a plain dollar sign");
      return false;
    }
    std::optional<std::string> value = environment_(std::string(name));
    if (fallback.has_value() && (!value.has_value() || value->empty())) value = std::string(*fallback);
    if (!value.has_value()) {
      Say(place(i), absl::StrCat("the environment variable `", name, "` is not set"),
          absl::StrCat("set it, or give a default: ${", name, ":-…}"));
      return false;
    }
    if (!IsText(*value) || absl::StrContains(*value, '\0')) {
      Say(place(i), absl::StrCat("the environment variable `", name, "` does not hold UTF-8 text"));
      return false;
    }
    if (value->size() > kLongestVariable) {
      Say(place(i), absl::StrCat("the environment variable `", name, "` is longer than ", kLongestVariable, " bytes"));
      return false;
    }
    out->append(*value);
    i = end + 1;
  }
  return true;
}

bool Reader::ReadExpression(const Node& node, v1::Expression* out) {
  if (node.kind == Node::Kind::kBad) return false;
  if (node.kind == Node::Kind::kList || node.kind == Node::Kind::kMap) {
    if (node.flow) {
      Say(node.at, "an expression with [ ] { } inside flow style needs quotes or block style",
          "put the expression in quotes: YAML reads the bracket as its own");
    } else {
      SayWrongKind(node, "an expression");
    }
    return false;
  }
  if (node.kind == Node::Kind::kNull || absl::StripAsciiWhitespace(node.text).empty()) {
    Say(node.at, "an expression is missing here");
    return false;
  }
  out->set_program(node.text);
  *out->mutable_position() = Position(node.text_at, node.verbatim);
  reading_.expressions.push_back({node.text, out->position(), scope_, of_item_});
  return true;
}

bool Reader::ReadTemplate(const Node& node, v1::Template* out) {
  if (node.kind == Node::Kind::kBad) return false;
  if (node.kind != Node::Kind::kScalar) {
    SayWrongKind(node, "a text",
                 node.kind == Node::Kind::kNull ? "write \"\" for an empty text, or leave the name out" : "");
    return false;
  }
  const v1::SourcePosition begin = Position(node.text_at, node.verbatim);
  *out->mutable_position() = begin;
  ParsedTemplate parsed = ParseTemplate(node.text);
  if (parsed.error.has_value()) {
    const v1::SourcePosition at = PositionAt(begin, node.text, parsed.error->offset);
    Say({at.file(), at.line(), at.column()}, parsed.error->message, "a hole is `{{ jq }}`");
    return false;
  }
  for (const TemplatePart& part : parsed.parts) {
    if (!part.is_hole) {
      std::string literal;
      if (!Substitute(node, part.text, part.offset, &literal)) return false;
      if (!literal.empty()) out->add_parts()->set_literal(literal);
      continue;
    }
    v1::Expression* hole = out->add_parts()->mutable_hole();
    hole->set_program(part.text);
    *hole->mutable_position() = PositionAt(begin, node.text, part.offset);
    reading_.expressions.push_back({part.text, hole->position(), scope_, of_item_});
  }
  return true;
}

void Reader::ReadValue(const Node& node, v1::Value* out) {
  *out->mutable_position() = Position(node.at, false);
  switch (node.kind) {
    case Node::Kind::kBad:
      return;
    case Node::Kind::kNull:
      out->set_null(true);
      return;
    case Node::Kind::kList:
      out->mutable_list();
      for (const Node& item : node.items) ReadValue(item, out->mutable_list()->add_values());
      return;
    case Node::Kind::kMap:
      if (secrets_allowed_ && node.members.size() == 1 &&
          (node.members[0].key == "env" || node.members[0].key == "file")) {
        ReadSecret(node, out->mutable_secret());
        return;
      }
      out->mutable_map();
      for (const Member& member : node.members) {
        v1::NamedValue* named = out->mutable_map()->add_members();
        named->set_name(member.key);
        *named->mutable_position() = Position(member.key_at, false);
        ReadValue(member.value, named->mutable_value());
      }
      return;
    case Node::Kind::kScalar:
      break;
  }
  if (!node.quoted && !absl::StrContains(node.text, "{{")) {
    std::string text;
    if (!Substitute(node, node.text, 0, &text)) return;
    if (text == "true" || text == "false") {
      out->set_boolean(text == "true");
      return;
    }
    if (IsJsonNumber(text)) {
      out->set_number(text);
      return;
    }
    if (text == "null") {
      out->set_null(true);
      return;
    }
  }
  ReadTemplate(node, out->mutable_text());
}

void Reader::ReadSecret(const Node& node, v1::Secret* out) {
  *out->mutable_position() = Position(node.at, false);
  const bool fits = node.kind == Node::Kind::kMap && node.members.size() == 1 &&
                    (node.members[0].key == "env" || node.members[0].key == "file");
  const bool before = secret_;
  secret_ = true;
  if (!fits) {
    if (node.kind != Node::Kind::kBad) {
      Say(node.at, "a secret is a reference: { env: NAME } or { file: PATH }",
          "never write the secret itself into a plan");
    }
  } else {
    const Member& member = node.members[0];
    std::string text;
    if (ReadText(member.value, member.key, &text)) {
      if (text.empty()) {
        Say(member.value.at, absl::StrCat("`", member.key, "` is empty"));
      } else if (member.key == "file") {
        out->set_file(text);
        reading_.files.emplace_back(out->mutable_file(), node.at.file);
      } else if (!IsVariableName(text)) {
        Say(member.value.at, "`env`: this is not the name of an environment variable");
      } else {
        out->set_env(text);
      }
    }
  }
  secret_ = before;
}

void Reader::ReadThreshold(const Node& node, v1::Plan::Threshold* out) {
  std::string text;
  if (!ReadText(node, "threshold", &text)) return;
  *out->mutable_position() = Position(node.at, false);
  double number = 0;
  if (IsJsonNumber(text) && absl::SimpleAtod(text, &number)) {
    out->set_number(number);
    return;
  }
  const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
  if (!duration.ok()) {
    SayNot(node, "threshold", "a number or a duration (3, 0.5, 30s)");
    return;
  }
  out->mutable_duration()->set_seconds(absl::ToInt64Seconds(*duration));
  out->mutable_duration()->set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(*duration - absl::Seconds(absl::ToInt64Seconds(*duration)))));
}

void Reader::ReadRedirects(const Node& node, v1::Plan::Redirects* out, const std::string& path) {
  if (node.kind == Node::Kind::kMap) {
    ReadMembers(node, out, path);
    return;
  }
  std::string text;
  if (!ReadText(node, "redirects", &text)) return;
  std::int32_t follow = 0;
  if (text == "none") {
    out->set_follow(0);
  } else if (IsJsonNumber(text) && absl::SimpleAtoi(text, &follow) && follow >= 0 && follow <= 50) {
    out->set_follow(follow);
  } else {
    SayNot(node, "redirects", "`none`, a number up to 50, or { stop_at: address }");
  }
}

bool Reader::ReadWellKnown(const Node& node, Message* message, const Field* field) {
  const std::string& type = field->message_type()->full_name();
  const bool duration = type == "google.protobuf.Duration";
  const bool timestamp = type == "google.protobuf.Timestamp";
  const bool money = type == "puckdrop.target.v1.Money";
  const bool quality = type == "puckdrop.v1.Plan.Quality";
  if (!duration && !timestamp && !money && !quality) return false;
  std::string text;
  if (!ReadText(node, field->name(), &text)) return true;
  Message* out = message->GetReflection()->MutableMessage(message, field);
  absl::Status status;
  if (duration) {
    const absl::StatusOr<absl::Duration> value = ParseDuration(text);
    status = value.status();
    if (status.ok() && field->options().GetExtension(v1::positive) && *value <= absl::ZeroDuration()) {
      Say(node.at, absl::StrCat("`", field->name(), "` must be greater than zero"));
      return true;
    }
    if (status.ok()) {
      google::protobuf::Duration proto;
      proto.set_seconds(absl::ToInt64Seconds(*value));
      proto.set_nanos(
          static_cast<std::int32_t>(absl::ToInt64Nanoseconds(*value - absl::Seconds(absl::ToInt64Seconds(*value)))));
      out->CopyFrom(proto);
    }
  } else if (timestamp) {
    const absl::StatusOr<absl::Time> value = ParseTimestamp(text);
    status = value.status();
    if (status.ok()) {
      google::protobuf::Timestamp proto;
      proto.set_seconds(absl::ToUnixSeconds(*value));
      proto.set_nanos(static_cast<std::int32_t>(
          absl::ToInt64Nanoseconds(*value - absl::FromUnixSeconds(absl::ToUnixSeconds(*value)))));
      out->CopyFrom(proto);
    }
  } else if (money) {
    const absl::StatusOr<target::v1::Money> value = ParseMoney(text);
    status = value.status();
    if (status.ok()) out->CopyFrom(*value);
  } else {
    const absl::StatusOr<v1::Plan::Quality> value = ParseQuality(text);
    status = value.status();
    if (status.ok()) out->CopyFrom(*value);
  }
  if (!status.ok()) SayNot(node, field->name(), std::string(status.message()));
  return true;
}

}  // namespace puckdrop::plan
