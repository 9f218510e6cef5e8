#include "checks/plan/reader.h"

#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/plan/suggest.h"
#include "checks/plan/text_forms.h"

namespace puckdrop::plan {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

namespace {

constexpr char kPositionType[] = "puckdrop.v1.SourcePosition";

bool IsPosition(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field.message_type()->full_name() == kPositionType;
}

std::string EnumPrefix(const EnumDescriptor& descriptor) {
  // ACTOR_UNSPECIFIED gives ACTOR_.
  const std::string& zero = descriptor.value(0)->name();
  return zero.substr(0, zero.size() - std::string("UNSPECIFIED").size());
}

}  // namespace

std::string KindOf(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "a text";
    case Node::Kind::kList:
      return "a list";
    default:
      return "a map";
  }
}

std::vector<std::string> WordsOf(const EnumDescriptor& descriptor) {
  std::vector<std::string> out;
  const std::string prefix = EnumPrefix(descriptor);
  for (int i = 1; i < descriptor.value_count(); ++i) {
    const std::string word = descriptor.value(i)->name().substr(prefix.size());
    // Severities are written as results print them; everything else in small letters.
    out.push_back(descriptor.name() == "Severity" ? word : absl::AsciiStrToLower(word));
  }
  return out;
}

std::optional<int> ValueOfWord(const EnumDescriptor& descriptor, absl::string_view word) {
  const std::string upper = absl::AsciiStrToUpper(word);
  if (word != upper && word != absl::AsciiStrToLower(word)) return std::nullopt;
  const auto* value = descriptor.FindValueByName(absl::StrCat(EnumPrefix(descriptor), upper));
  if (value == nullptr || value->number() == 0) return std::nullopt;
  return value->number();
}

const FieldDescriptor* InlinedField(const Descriptor& descriptor) {
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (descriptor.field(i)->options().GetExtension(v1::inlined)) return descriptor.field(i);
  }
  return nullptr;
}

Location Reading::ValueOf(const std::string& path) const {
  const auto found = values.find(path);
  return found == values.end() ? KeyOf(path) : found->second;
}

Location Reading::KeyOf(std::string path) const {
  while (true) {
    if (const auto found = keys.find(path); found != keys.end()) return found->second;
    if (const auto found = values.find(path); found != values.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {0, 1, 1};
    path.resize(cut);
  }
}

Reading Reader::Read(const Node& root, v1::Plan* plan) {
  reading_.values[""] = root.at;
  ReadMessage(root, plan, "");
  return std::move(reading_);
}

void Reader::Say(const Location& at, std::string message, std::string hint) {
  if (secret_) {
    mistakes_->AddSecretly(at, std::move(message), std::move(hint));
  } else {
    mistakes_->Add(at, std::move(message), std::move(hint));
  }
}

void Reader::SayNot(const Node& node, absl::string_view field, absl::string_view what) {
  constexpr std::size_t kLongest = 60;
  std::string text = node.text.size() > kLongest ? absl::StrCat(node.text.substr(0, kLongest), "…") : node.text;
  Say(node.at, secret_ ? absl::StrCat("`", field, "`: this is not ", what)
                       : absl::StrCat("`", field, "`: `", text, "` is not ", what));
}

void Reader::SayWrongKind(const Node& node, absl::string_view wanted, std::string hint) {
  if (node.kind == Node::Kind::kBad) return;
  Say(node.at, absl::StrCat(wanted, " is wanted here, not ", KindOf(node)), std::move(hint));
}

v1::SourcePosition Reader::Position(const Location& at, bool verbatim) const {
  v1::SourcePosition out;
  out.set_file(at.file);
  out.set_line(at.line);
  out.set_column(at.column);
  out.set_verbatim(verbatim);
  return out;
}

void Reader::SetPosition(const Location& at, bool verbatim, Message* message) {
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName("position");
  if (field != nullptr && IsPosition(*field)) {
    message->GetReflection()->MutableMessage(message, field)->CopyFrom(Position(at, verbatim));
  }
}

std::vector<std::string> Reader::KeysOf(const Descriptor& descriptor) const {
  std::vector<std::string> out;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (IsPosition(field) || field.options().GetExtension(v1::loader_only)) continue;
    out.push_back(field.name());
  }
  return out;
}

void Reader::ReadMessage(const Node& node, Message* message, const std::string& path) {
  if (node.kind == Node::Kind::kBad) return;
  const FieldDescriptor* position = message->GetDescriptor()->FindFieldByName("position");
  // A keyed message already has the place of its key.
  if (position != nullptr && IsPosition(*position) && !message->GetReflection()->HasField(*message, position)) {
    SetPosition(node.at, false, message);
  }
  if (ReadSpecial(node, message, path)) return;
  if (const FieldDescriptor* inlined = InlinedField(*message->GetDescriptor())) {
    ReadField(node, node.at, message, inlined, path);
    return;
  }
  if (node.kind == Node::Kind::kNull) {
    CheckRequired(node, *message, {});
    return;
  }
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, "a map",
                 absl::StrCat("known keys are: ", absl::StrJoin(KeysOf(*message->GetDescriptor()), ", ")));
    return;
  }
  ReadMembers(node, message, path);
}

void Reader::ReadMembers(const Node& node, Message* message, const std::string& path) {
  const Descriptor& descriptor = *message->GetDescriptor();
  std::set<std::string> given;
  std::map<const google::protobuf::OneofDescriptor*, std::string> chosen;
  for (const Member& member : node.members) {
    const FieldDescriptor* field = descriptor.FindFieldByName(member.key);
    if (field == nullptr || IsPosition(*field) || field->options().GetExtension(v1::loader_only)) {
      Say(member.key_at, absl::StrCat("`", member.key, "` is not known here"),
          DidYouMean(member.key, KeysOf(descriptor)));
      continue;
    }
    given.insert(member.key);
    if (const std::string& later = field->options().GetExtension(v1::not_yet); !later.empty()) {
      reading_.keys[path.empty() ? member.key : absl::StrCat(path, ".", member.key)] = member.key_at;
      Say(member.key_at, absl::StrCat("`", member.key, "`: ", later));
      continue;
    }
    if (const auto* oneof = field->real_containing_oneof()) {
      const auto [first, fresh] = chosen.emplace(oneof, member.key);
      if (!fresh) {
        Say(member.key_at, absl::StrCat("`", member.key, "` and `", first->second, "` cannot both be given"));
        continue;
      }
    }
    ReadField(member.value, member.key_at, message, field,
              path.empty() ? member.key : absl::StrCat(path, ".", member.key));
  }
  CheckRequired(node, *message, given);
}

void Reader::CheckRequired(const Node& node, const Message& message, const std::set<std::string>& given) {
  const Descriptor& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (!field.options().GetExtension(v1::required) || field.options().GetExtension(v1::loader_only)) continue;
    if (!given.contains(field.name())) Say(node.at, absl::StrCat("`", field.name(), "` is missing"));
  }
}

void Reader::ReadField(const Node& node, const Location& key_at, Message* message, const Field* field,
                       const std::string& path) {
  reading_.keys[path] = key_at;
  reading_.values[path] = node.kind == Node::Kind::kNull ? key_at : node.at;
  if (node.kind == Node::Kind::kBad) return;
  const bool secret_before = secret_;
  const bool allowed_before = secrets_allowed_;
  const bool holds_secret = field->options().GetExtension(v1::may_hold_secret) ||
                            (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                             (field->message_type()->full_name() == "puckdrop.v1.Secret" ||
                              field->message_type()->full_name() == "puckdrop.v1.Plan.NamedSecret"));
  secret_ = secret_ || holds_secret;
  secrets_allowed_ = secrets_allowed_ || field->options().GetExtension(v1::may_hold_secret);
  if (!field->is_repeated()) {
    ReadSingular(node, message, field, path);
  } else if (!field->options().GetExtension(v1::keyed_by).empty()) {
    ReadKeyed(node, message, field, path);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
             field->message_type()->full_name() == "puckdrop.v1.Plan.Step") {
    ReadSteps(node, message, field, path);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
             field->message_type()->full_name() == "puckdrop.v1.Plan.Customer") {
    ReadCustomers(node, static_cast<v1::Plan*>(message), path);
  } else if (node.kind == Node::Kind::kNull) {
    if (field->options().GetExtension(v1::required)) Say(key_at, absl::StrCat("`", field->name(), "` is empty"));
  } else if (field->name() == "accounts" && node.kind == Node::Kind::kScalar && node.text == "new") {
    // No standing accounts: none in the message.
  } else if (node.kind != Node::Kind::kList) {
    SayWrongKind(node, absl::StrCat("a list for `", field->name(), "`"),
                 field->name() == "accounts" ? "write `new`, or a list of { username, password }"
                                             : absl::StrCat("write `", field->name(), ": [ … ]`"));
  } else {
    if (node.items.empty() && field->options().GetExtension(v1::required)) {
      Say(node.at, absl::StrCat("`", field->name(), "` is empty"));
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string item_path = absl::StrCat(path, "[", i, "]");
      reading_.values[item_path] = node.items[i].at;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Message* item = message->GetReflection()->AddMessage(message, field);
        ReadMessage(node.items[i], item, item_path);
      } else {
        ReadScalar(node.items[i], message, field, item_path);
      }
    }
  }
  secret_ = secret_before;
  secrets_allowed_ = allowed_before;
}

void Reader::ReadKeyed(const Node& node, Message* message, const Field* field, const std::string& path) {
  if (node.kind == Node::Kind::kNull) {
    if (field->options().GetExtension(v1::required)) {
      Say(reading_.KeyOf(path), absl::StrCat("`", field->name(), "` is empty"));
    }
    return;
  }
  if (node.kind != Node::Kind::kMap) {
    SayWrongKind(node, absl::StrCat("a map for `", field->name(), "`"), "write `name: …` for each");
    return;
  }
  const std::string& key_name = field->options().GetExtension(v1::keyed_by);
  const FieldDescriptor* key_field = field->message_type()->FindFieldByName(key_name);
  const std::string scope_before = scope_;
  for (const Member& member : node.members) {
    const std::string member_path = absl::StrCat(path, ".", member.key);
    reading_.keys[member_path] = member.key_at;
    reading_.values[member_path] = member.value.kind == Node::Kind::kNull ? member.key_at : member.value.at;
    Message* item = message->GetReflection()->AddMessage(message, field);
    SetPosition(member.key_at, false, item);
    item->GetReflection()->SetString(item, key_field, member.key);
    if (member.key.empty()) {
      Say(member.key_at, absl::StrCat("a name in `", field->name(), "` is empty"));
    } else if (const absl::Status form = CheckForm(key_field->options().GetExtension(v1::form), member.key);
               !form.ok()) {
      Say(member.key_at, absl::StrCat("`", member.key, "` is not ", std::string(form.message())));
    }
    const std::string& refers = key_field->options().GetExtension(v1::refers_to);
    if (!refers.empty()) reading_.references.push_back({refers, member.key, member.key_at});
    if (scope_.empty()) scope_ = member_path;
    if (member.value.kind == Node::Kind::kNull && (InlinedField(*field->message_type()) != nullptr) &&
        field->message_type()->full_name() != "puckdrop.v1.NamedValue") {
      Say(member.key_at, absl::StrCat("`", member.key, "` has no value"));
    } else {
      ReadMessage(member.value, item, member_path);
    }
    scope_ = scope_before;
  }
}

void Reader::ReadSingular(const Node& node, Message* message, const Field* field, const std::string& path) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    ReadScalar(node, message, field, path);
    return;
  }
  if (ReadWellKnown(node, message, field)) return;
  ReadMessage(node, message->GetReflection()->MutableMessage(message, field), path);
}

void Reader::ReadScalar(const Node& node, Message* message, const Field* field, const std::string& path) {
  if (node.kind == Node::Kind::kBad) return;
  const std::string& name = field->name();
  const v1::TextForm form = field->options().GetExtension(v1::form);
  std::string text;
  if (!ReadText(node, name, &text)) return;
  const Reflection& reflection = *message->GetReflection();
  const bool positive = field->options().GetExtension(v1::positive);
  const auto must_be_positive = [&] { Say(node.at, absl::StrCat("`", name, "` must be greater than zero")); };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      if (text.empty() && (field->options().GetExtension(v1::required) || form != v1::TEXT_FORM_UNSPECIFIED)) {
        Say(node.at, absl::StrCat("`", name, "` is empty"));
        return;
      }
      if (form == v1::TEXT_FORM_URL &&
          absl::StrContains(text.substr(0, text.find_first_of("/?#", text.find("//") + 2)), '@')) {
        mistakes_->AddSecretly(node.at, absl::StrCat("`", name, "`: an address cannot hold a user name or a password"),
                               "send them in `headers`, from `secrets`");
        return;
      }
      if (const absl::Status status = CheckForm(form, text); !status.ok()) {
        SayNot(node, name, std::string(status.message()));
        return;
      }
      if (const std::string& refers = field->options().GetExtension(v1::refers_to); !refers.empty()) {
        reading_.references.push_back({refers, text, node.at});
      }
      if (field->is_repeated()) {
        reflection.AddString(message, field, text);
      } else {
        reflection.SetString(message, field, text);
      }
      if (form == v1::TEXT_FORM_FILE && message->GetDescriptor() == v1::Plan::Tls::descriptor()) {
        auto* tls = static_cast<v1::Plan::Tls*>(message);
        reading_.files.emplace_back(name == "ca" ? tls->mutable_ca() : tls->mutable_certificate(), node.at.file);
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        SayNot(node, name, "true or false");
        return;
      }
      reflection.SetBool(message, field, text == "true");
      return;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const std::optional<int> value = ValueOfWord(*field->enum_type(), text);
      if (!value.has_value()) {
        const std::vector<std::string> words = WordsOf(*field->enum_type());
        SayNot(node, name, absl::StrCat("one of ", absl::StrJoin(words, ", ")));
        return;
      }
      reflection.SetEnumValue(message, field, *value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      std::int32_t value = 0;
      if (form == v1::TEXT_FORM_PERCENT) {
        const absl::StatusOr<std::int32_t> points = ParsePercent(text);
        if (!points.ok()) {
          SayNot(node, name, std::string(points.status().message()));
          return;
        }
        value = *points;
      } else if (!IsJsonNumber(text) || !absl::SimpleAtoi(text, &value)) {
        SayNot(node, name, "a whole number");
        return;
      }
      if (positive && value <= 0) return must_be_positive();
      reflection.SetInt32(message, field, value);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      const absl::StatusOr<std::int64_t> value = ParseBytes(text);
      if (!value.ok()) {
        SayNot(node, name, std::string(value.status().message()));
        return;
      }
      if (positive && *value <= 0) return must_be_positive();
      reflection.SetInt64(message, field, *value);
      return;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (!IsJsonNumber(text) || !absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
        SayNot(node, name, "a number");
        return;
      }
      if (positive && value <= 0) return must_be_positive();
      reflection.SetDouble(message, field, value);
      return;
    }
    default:
      SayWrongKind(node, "something else");
  }
}

}  // namespace puckdrop::plan
