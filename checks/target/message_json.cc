#include "checks/target/message_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "checks/target/catalogue.h"
#include "puckdrop/target/v1/target.pb.h"
#include "puckdrop/v1/options.pb.h"

namespace puckdrop::target {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

constexpr absl::string_view kTimestamp = "google.protobuf.Timestamp";
constexpr absl::string_view kDuration = "google.protobuf.Duration";
constexpr absl::string_view kMoney = "puckdrop.target.v1.Money";
constexpr int kDeepest = 32;
// Of protobuf: the years 1 to 9999, and a duration of as many.
constexpr absl::Time kFirstInstant = absl::FromUnixSeconds(-62'135'596'800);
constexpr absl::Time kAfterLastInstant = absl::FromUnixSeconds(253'402'300'800);
constexpr absl::Duration kLongestDuration = absl::Seconds(315'576'000'000);

absl::Status Wrong(absl::string_view words) { return absl::InvalidArgumentError(words); }

// ---- to JSON

json ToJson(const Message& message);

json ScalarToJson(const Message& message, const FieldDescriptor& field, int index) {
  const auto& reflection = *message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? reflection.GetRepeatedBool(message, &field, index) : reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? reflection.GetRepeatedInt32(message, &field, index) : reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? reflection.GetRepeatedInt64(message, &field, index) : reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? reflection.GetRepeatedUInt32(message, &field, index) : reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? reflection.GetRepeatedUInt64(message, &field, index) : reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return many ? reflection.GetRepeatedDouble(message, &field, index) : reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return many ? reflection.GetRepeatedFloat(message, &field, index) : reflection.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& value =
          many ? *reflection.GetRepeatedEnum(message, &field, index) : *reflection.GetEnum(message, &field);
      return value.number() == 0 ? json(nullptr) : json(ShortEnumName(value));
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          many ? reflection.GetRepeatedString(message, &field, index) : reflection.GetString(message, &field);
      if (field.type() == FieldDescriptor::TYPE_BYTES) return absl::Base64Escape(text);
      return text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(many ? reflection.GetRepeatedMessage(message, &field, index)
                         : reflection.GetMessage(message, &field));
  }
  return nullptr;
}

json ToJson(const Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (type.full_name() == kTimestamp) {
    const auto& at = static_cast<const google::protobuf::Timestamp&>(message);
    const absl::Time time = absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
    return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
  }
  if (type.full_name() == kDuration) {
    const auto& length = static_cast<const google::protobuf::Duration&>(message);
    if (length.nanos() == 0) return length.seconds();
    return static_cast<double>(length.seconds()) + length.nanos() / 1e9;
  }
  json out = json::object();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_map()) {
      json map = json::object();
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        const Message& entry = reflection.GetRepeatedMessage(message, &field, k);
        map[ScalarToJson(entry, *entry.GetDescriptor()->map_key(), -1).get<std::string>()] =
            ScalarToJson(entry, *entry.GetDescriptor()->map_value(), -1);
      }
      out[field.name()] = std::move(map);
    } else if (field.is_repeated()) {
      json list = json::array();
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) list.push_back(ScalarToJson(message, field, k));
      out[field.name()] = std::move(list);
    } else if (field.has_presence() && !reflection.HasField(message, &field)) {
      out[field.name()] = nullptr;
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field.has_presence() &&
               reflection.GetString(message, &field).empty()) {
      out[field.name()] = nullptr;
    } else {
      out[field.name()] = ScalarToJson(message, field, -1);
    }
  }
  return out;
}

// ---- from JSON

std::optional<int64_t> WholeNumber(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::floor(number) != number || std::abs(number) > 9007199254740992.0) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    int64_t number = 0;
    if (!text.empty() && absl::SimpleAtoi(text, &number) && absl::StrCat(number) == text) return number;
  }
  return std::nullopt;
}

bool IsCivilDate(absl::string_view text) {
  if (text.size() != 10) return false;
  absl::CivilDay day;
  return absl::ParseCivilTime(text, &day) && absl::FormatCivilTime(day) == text;
}

// PT1H30M, P14D: calendar months and years have no length, so they are refused.
std::optional<absl::Duration> IsoDuration(absl::string_view text) {
  if (text.size() < 3 || text[0] != 'P') return std::nullopt;
  absl::Duration sum;
  bool in_time = false;
  std::string number;
  for (char c : text.substr(1)) {
    if (c == 'T' && !in_time && number.empty()) {
      in_time = true;
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.') {
      number.push_back(c);
    } else {
      double amount = 0;
      if (number.size() > 12 || !absl::SimpleAtod(number, &amount)) return std::nullopt;
      number.clear();
      if (!in_time && c == 'W') {
        sum += absl::Hours(24 * 7) * amount;
      } else if (!in_time && c == 'D') {
        sum += absl::Hours(24) * amount;
      } else if (in_time && c == 'H') {
        sum += absl::Hours(1) * amount;
      } else if (in_time && c == 'M') {
        sum += absl::Minutes(1) * amount;
      } else if (in_time && c == 'S') {
        sum += absl::Seconds(1) * amount;
      } else {
        return std::nullopt;
      }
    }
  }
  return number.empty() ? std::optional(sum) : std::nullopt;
}

absl::Status PutTimestamp(Message& message, const json& value) {
  absl::Time time;
  if (value.is_number()) {
    const double seconds = value.get<double>();
    if (!(seconds > -62135596800.0 && seconds < 253402300800.0)) {
      return Wrong(absl::StrCat("is ", Quoted(value), ", which is no instant: give RFC 3339 or seconds since 1970"));
    }
    time = absl::UnixEpoch() + absl::Seconds(seconds);
  } else if (value.is_string()) {
    std::string error;
    // What protobuf and RFC 3339 hold; Abseil reads more, "infinite-future" among it.
    if (!absl::ParseTime(absl::RFC3339_full, value.get_ref<const std::string&>(), &time, &error) ||
        time < kFirstInstant || time >= kAfterLastInstant) {
      return Wrong(absl::StrCat("is ", Quoted(value), ", which is no RFC 3339 instant with a zone"));
    }
  } else {
    return Wrong(absl::StrCat("is ", Quoted(value), ", which is no instant"));
  }
  auto& at = static_cast<google::protobuf::Timestamp&>(message);
  const int64_t seconds = absl::ToUnixSeconds(time);
  at.set_seconds(seconds);
  at.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return absl::OkStatus();
}

absl::Status PutDuration(Message& message, const json& value) {
  absl::Duration length;
  if (value.is_number()) {
    const double seconds = value.get<double>();
    if (!(std::abs(seconds) < 315576000000.0))
      return Wrong(absl::StrCat("is ", Quoted(value), ", which is no duration"));
    length = absl::Seconds(seconds);
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (const auto iso = IsoDuration(text)) {
      length = *iso;
    } else if (!absl::ParseDuration(text, &length)) {
      return Wrong(absl::StrCat("is ", Quoted(value), ", which is no duration: give seconds, 1h30m or PT1H30M"));
    }
  } else {
    return Wrong(absl::StrCat("is ", Quoted(value), ", which is no duration"));
  }
  if (length > kLongestDuration || length < -kLongestDuration) {
    return Wrong(absl::StrCat("is ", Quoted(value), ", which is longer than 10,000 years"));
  }
  auto& out = static_cast<google::protobuf::Duration&>(message);
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(length, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return absl::OkStatus();
}

int CurrencyDigits(absl::string_view currency) {
  for (absl::string_view none : {"JPY", "KRW", "ISK", "CLP", "VND", "XAF", "XOF", "UGX", "PYG", "RWF", "GNF", "KMF"}) {
    if (currency == none) return 0;
  }
  for (absl::string_view three : {"BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD"}) {
    if (currency == three) return 3;
  }
  return 2;
}

bool IsCurrency(absl::string_view text) {
  return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// "14.90 EUR".
absl::Status PutMoneyText(v1::Money& money, const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ' ');
  const auto refuse = [&] {
    return Wrong(absl::StrCat("is ", Quoted(json(text)),
                              ", which is no amount: give {currency_code, minor_units}, \"14.90 EUR\", or use "
                              "money(\"EUR\") or minor(\"EUR\")"));
  };
  if (parts.size() != 2 || !IsCurrency(parts[1])) return refuse();
  const size_t digits = static_cast<size_t>(CurrencyDigits(parts[1]));
  std::string whole = parts[0], fraction;
  if (const size_t dot = whole.find('.'); dot != std::string::npos) {
    fraction = whole.substr(dot + 1);
    whole.resize(dot);
    if (fraction.empty()) return refuse();
  }
  if (fraction.size() > digits) return refuse();
  fraction.resize(digits, '0');
  int64_t units = 0;
  // A sign, then digits: SimpleAtoi alone takes blanks as well, and "-" with a fraction of our own for a number.
  const absl::string_view amount = absl::StripPrefix(whole, "-");
  if (amount.empty() || amount.size() > 15 ||
      !std::all_of(amount.begin(), amount.end(), [](unsigned char c) { return absl::ascii_isdigit(c); }) ||
      !absl::SimpleAtoi(whole + fraction, &units)) {
    return refuse();
  }
  money.set_currency_code(parts[1]);
  money.set_minor_units(units);
  return absl::OkStatus();
}

std::string EnumNames(const google::protobuf::EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) names.push_back(ShortEnumName(*type.value(i)));
  }
  return absl::StrJoin(names, ", ");
}

absl::string_view JsonType(const json& value) {
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  if (value.is_boolean()) return "a truth value";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return "null";
}

absl::Status TypeMismatch(const json& value, absl::string_view wanted) {
  return Wrong(absl::StrCat("is ", JsonType(value), " (", Quoted(value), ") where ", wanted, " is wanted"));
}

// One value of a scalar field; added when the field is repeated.
absl::Status PutScalar(Message& message, const FieldDescriptor& field, const json& value) {
  const auto& reflection = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!value.is_boolean()) return TypeMismatch(value, "true or false");
      many ? reflection.AddBool(&message, &field, value.get<bool>())
           : reflection.SetBool(&message, &field, value.get<bool>());
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::optional<int64_t> number = WholeNumber(value);
      if (!number) return TypeMismatch(value, "a whole number");
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
        many ? reflection.AddInt64(&message, &field, *number) : reflection.SetInt64(&message, &field, *number);
        return absl::OkStatus();
      }
      if (*number < std::numeric_limits<int32_t>::min() || *number > std::numeric_limits<int32_t>::max()) {
        return TypeMismatch(value, "a number of 32 bits");
      }
      const auto small = static_cast<int32_t>(*number);
      many ? reflection.AddInt32(&message, &field, small) : reflection.SetInt32(&message, &field, small);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      if (!value.is_string()) return TypeMismatch(value, absl::StrCat("one of ", EnumNames(*field.enum_type())));
      const auto* found = FindEnumValue(*field.enum_type(), value.get_ref<const std::string&>());
      if (found == nullptr) {
        return Wrong(absl::StrCat("is ", Quoted(value), ", which is none of ", EnumNames(*field.enum_type())));
      }
      many ? reflection.AddEnum(&message, &field, found) : reflection.SetEnum(&message, &field, found);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text;
      if (value.is_string()) {
        text = value.get<std::string>();
      } else if (const auto number = value.is_number() ? WholeNumber(value) : std::nullopt) {
        text = absl::StrCat(*number);
      } else {
        return TypeMismatch(value, "a text");
      }
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        std::string bytes;
        if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
          return Wrong("is no base64");
        }
        text = std::move(bytes);
      } else if (!text.empty() && (field.name() == "date" || absl::EndsWith(field.name(), "_date")) &&
                 !IsCivilDate(text)) {
        return Wrong(absl::StrCat("is ", Quoted(value),
                                  ", which is no civil date YYYY-MM-DD; in_zone(\"%Y-%m-%d\"; zone) makes one of an "
                                  "instant"));
      }
      many ? reflection.AddString(&message, &field, std::move(text))
           : reflection.SetString(&message, &field, std::move(text));
      return absl::OkStatus();
    }
    default:
      return absl::InternalError(absl::StrCat("has a type that no operation uses: ", field.cpp_type_name()));
  }
}

Put PutMessageAt(Message& message, const json& value, const std::string& path, std::set<std::string>& told, int depth);

Put PutFieldAt(Message& message, const FieldDescriptor& field, const json& value, const std::string& path,
               std::set<std::string>& told, int depth) {
  Put put;
  if (value.is_null()) return put;
  const auto& reflection = *message.GetReflection();
  if (field.is_map()) {
    if (!value.is_object()) return {TypeMismatch(value, "an object")};
    for (const auto& [key, member] : value.items()) {
      if (member.is_null()) continue;
      if (!member.is_string()) return {TypeMismatch(member, absl::StrCat("a text for ", Quoted(json(key))))};
      Message* entry = reflection.AddMessage(&message, &field);
      entry->GetReflection()->SetString(entry, entry->GetDescriptor()->map_key(), key);
      entry->GetReflection()->SetString(entry, entry->GetDescriptor()->map_value(), member.get<std::string>());
    }
  } else if (field.is_repeated()) {
    if (!value.is_array()) return {TypeMismatch(value, "an array")};
    for (size_t i = 0; i < value.size(); ++i) {
      absl::Status status;
      if (value[i].is_null()) {
        status = Wrong("is null");
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Put item = PutMessageAt(*reflection.AddMessage(&message, &field), value[i], path, told, depth + 1);
        if (item.missing) return item;
        status = item.status;
      } else {
        status = PutScalar(message, field, value[i]);
      }
      if (!status.ok()) return {Wrong(absl::StrCat("[", i, "] ", status.message()))};
    }
    if (value.empty() && IsRequired(field)) return put;
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    put = PutMessageAt(*reflection.MutableMessage(&message, &field), value, path, told, depth + 1);
    if (!put.told) reflection.ClearField(&message, &field);
    if (!put.status.ok() || !put.told) return put;
  } else {
    if (value.is_string() && value.get_ref<const std::string&>().empty() && IsRequired(field)) return put;
    put.status = PutScalar(message, field, value);
    if (!put.status.ok()) return put;
  }
  put.told = true;
  told.insert(path);
  return put;
}

Put PutMessageAt(Message& message, const json& value, const std::string& path, std::set<std::string>& told, int depth) {
  Put put;
  if (value.is_null()) return put;
  if (depth > kDeepest) return {Wrong("is nested too deeply")};
  const Descriptor& type = *message.GetDescriptor();
  put.told = true;
  if (type.full_name() == kTimestamp) {
    put.status = PutTimestamp(message, value);
    return put;
  }
  if (type.full_name() == kDuration) {
    put.status = PutDuration(message, value);
    return put;
  }
  if (type.full_name() == kMoney && value.is_string()) {
    put.status = PutMoneyText(static_cast<v1::Money&>(message), value.get_ref<const std::string&>());
    return put;
  }
  if (!value.is_object()) return {TypeMismatch(value, absl::StrCat("an object (", type.name(), ")"))};
  std::set<std::string> fields;
  for (const auto& [name, member] : value.items()) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr) {
      return {Wrong(absl::StrCat("has a member ", Quoted(json(name)), ", which ", type.name(), " does not have"))};
    }
    Put one = PutFieldAt(message, *field, member, path.empty() ? name : absl::StrCat(path, ".", name), told, depth);
    if (one.missing) return one;
    if (!one.status.ok()) return {Wrong(absl::StrCat("has a `", name, "` that ", one.status.message()))};
    if (one.told) fields.insert(name);
  }
  if (const std::string missing = MissingField(type, fields); !missing.empty()) {
    put.missing = true;
    put.status = Wrong(absl::StrCat("lacks `", missing, "`, which is required"));
    return put;
  }
  if (type.full_name() == kMoney && !IsCurrency(static_cast<v1::Money&>(message).currency_code())) {
    put.status = Wrong(absl::StrCat("has the currency ", Quoted(value["currency_code"]), ", which is not ISO 4217"));
  }
  return put;
}

}  // namespace

std::string RequestJson(const Message& message) {
  return ToJson(message).dump(-1, ' ', false, json::error_handler_t::replace);
}

Put PutField(Message& message, const FieldDescriptor& field, const json& value, const std::string& path,
             std::set<std::string>& told_paths) {
  return PutFieldAt(message, field, value, path, told_paths, 0);
}

Put PutMessage(Message& message, const json& object, const std::string& path, std::set<std::string>& told_paths) {
  return PutMessageAt(message, object, path, told_paths, 0);
}

bool IsRequired(const FieldDescriptor& field) { return field.options().GetExtension(puckdrop::v1::required); }

std::string MissingField(const Descriptor& type, const std::set<std::string>& told) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (IsRequired(*type.field(i)) && !told.contains(type.field(i)->name())) return type.field(i)->name();
  }
  return "";
}

std::string Quoted(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60) {
    size_t end = 57;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = absl::StrCat(text.substr(0, end), "…");
  }
  return text;
}

}  // namespace puckdrop::target
