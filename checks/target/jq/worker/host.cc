#include "checks/target/jq/worker/host.h"

#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checks/target/jq/worker/dates.h"
#include "checks/target/jq/worker/digest.h"
#include "checks/target/jq/worker/jv_json.h"
#include "checks/target/jq/worker/money.h"
#include "checks/target/jq/worker/text.h"

namespace puckdrop::jq::worker {
namespace {

constexpr std::size_t kMaxText = 64 << 20;

// Owns one value.
class Value {
 public:
  explicit Value(jv value) : value_(value) {}
  Value(Value&& other) noexcept : value_(other.value_) { other.value_ = jv_null(); }
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  Value& operator=(Value&&) = delete;
  ~Value() { jv_free(value_); }

  const jv& get() const { return value_; }
  jv_kind kind() const { return jv_get_kind(value_); }
  bool is_string() const { return kind() == JV_KIND_STRING; }
  bool is_number() const { return kind() == JV_KIND_NUMBER; }
  std::string_view view() const { return View(value_); }
  double number() const { return jv_number_value(value_); }
  const char* kind_name() const { return jv_kind_name(kind()); }
  Value Item(int i) const { return Value(jv_array_get(jv_copy(value_), i)); }
  Value Member(const char* name) const { return Value(jv_object_get(jv_copy(value_), jv_string(name))); }
  jv Release() && {
    jv value = value_;
    value_ = jv_null();
    return value;
  }

 private:
  jv value_;
};

struct Call {
  Value args;
  const std::optional<double>& now;
  Value Arg(int i) const { return args.Item(i); }
};

jv Fail(const std::string& message) { return jv_invalid_with_msg(ToJvString(message)); }

jv Wanted(const char* function, const char* wanted, const Value& got) {
  return Fail(std::string(function) + " needs " + wanted + ", not " + got.kind_name());
}

std::string JsonText(const Value& value) {
  std::string text;
  WriteJson(value.get(), kMaxText, &text);
  return text;
}

// A string's characters; another scalar as JSON writes it.
std::string ScalarText(const Value& value) { return value.is_string() ? std::string(value.view()) : JsonText(value); }

jv MoneyValue(const Amount& amount) {
  constexpr std::int64_t kMaxExact = std::int64_t{1} << 53;
  jv minor = amount.minor_units > kMaxExact || amount.minor_units < -kMaxExact
                 ? ToJvString(std::to_string(amount.minor_units))
                 : jv_number(static_cast<double>(amount.minor_units));
  return jv_object_set(jv_object_set(jv_object(), jv_string("currency_code"), ToJvString(amount.currency_code)),
                       jv_string("minor_units"), minor);
}

// The decimal digits of a number or a string.
bool Decimal(const Value& value, std::string* digits) {
  if (value.is_number()) {
    if (!std::isfinite(value.number())) return false;
    *digits = PlainNumber(value.number());
  } else if (value.is_string()) {
    *digits = std::string(value.view());
  } else {
    return false;
  }
  return true;
}

jv Money(const Call& call) {
  const Value amount = call.Arg(1);
  const Value currency = call.Arg(2);
  std::string digits;
  if (!Decimal(amount, &digits)) return Wanted("money", "a number or a string of digits", amount);
  if (!currency.is_string()) return Wanted("money", "a currency code", currency);
  Amount out;
  const std::string problem = MoneyFromDecimal(digits, currency.view(), &out);
  return problem.empty() ? MoneyValue(out) : Fail("money: " + problem);
}

jv Minor(const Call& call) {
  const Value amount = call.Arg(1);
  const Value currency = call.Arg(2);
  std::string digits;
  if (!Decimal(amount, &digits)) return Wanted("minor", "a whole number", amount);
  if (!currency.is_string()) return Wanted("minor", "a currency code", currency);
  Amount out;
  const std::string problem = MoneyFromMinor(digits, currency.view(), &out);
  return problem.empty() ? MoneyValue(out) : Fail("minor: " + problem);
}

jv MoneyNanos(const Call& call) {
  const Value money = call.Arg(1);
  if (money.kind() != JV_KIND_OBJECT)
    return Wanted("money_nanos", "an object with currencyCode, units and nanos", money);
  const Value camel = money.Member("currencyCode");
  const Value snake = money.Member("currency_code");
  const Value& currency = camel.is_string() ? camel : snake;
  if (!currency.is_string()) return Fail("money_nanos: currencyCode is missing");
  // JSON of protobuf leaves out what is zero.
  const auto digits = [&](const char* name, std::string* out) {
    const Value member = money.Member(name);
    if (member.kind() != JV_KIND_NULL && member.kind() != JV_KIND_INVALID) return Decimal(member, out);
    *out = "0";
    return true;
  };
  std::string units;
  std::string nanos;
  if (!digits("units", &units) || !digits("nanos", &nanos))
    return Fail("money_nanos: units and nanos should be whole numbers");
  Amount out;
  const std::string problem = MoneyFromNanos(units, nanos, currency.view(), &out);
  return problem.empty() ? MoneyValue(out) : Fail("money_nanos: " + problem);
}

jv Now(const Call& call) {
  if (call.now) return jv_number(*call.now);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  return jv_number(static_cast<double>(micros.count()) / 1e6);
}

jv FromDate(const Call& call) {
  const Value text = call.Arg(1);
  if (!text.is_string()) return Wanted("fromdate", "a string", text);
  double instant = 0;
  const std::string problem = ParseRfc3339(text.view(), &instant);
  return problem.empty() ? jv_number(instant) : Fail("fromdate: " + problem);
}

jv BrokenDownValue(const BrokenDown& broken_down) {
  jv array = jv_array();
  for (double part : broken_down) array = jv_array_append(array, jv_number(part));
  return array;
}

bool ReadBrokenDown(const Value& value, BrokenDown* out) {
  if (value.kind() != JV_KIND_ARRAY || jv_array_length(jv_copy(value.get())) < 6) return false;
  for (int i = 0; i < 6; ++i) {
    const Value part = value.Item(i);
    if (!part.is_number()) return false;
    (*out)[static_cast<std::size_t>(i)] = part.number();
  }
  return true;
}

// Seconds, or jq's broken-down time.
jv Instant(const char* function, const Value& value, double* instant) {
  BrokenDown parts{};
  if (value.is_number()) {
    *instant = value.number();
  } else if (ReadBrokenDown(value, &parts)) {
    const std::string problem = FromBrokenDown(parts, instant);
    if (!problem.empty()) return Fail(std::string(function) + ": " + problem);
  } else {
    return Wanted(function, "seconds since 1970 or a broken-down time", value);
  }
  return jv_null();
}

jv StrPTime(const Call& call) {
  const Value text = call.Arg(1);
  const Value format = call.Arg(2);
  if (!text.is_string()) return Wanted("strptime", "a string", text);
  if (!format.is_string()) return Wanted("strptime", "a format", format);
  double instant = 0;
  BrokenDown parts{};
  std::string problem = ParseTime(text.view(), format.view(), &instant);
  if (problem.empty()) problem = ToBrokenDown(instant, &parts);
  return problem.empty() ? BrokenDownValue(parts) : Fail("strptime: " + problem);
}

jv MkTime(const Call& call) {
  const Value value = call.Arg(1);
  BrokenDown parts{};
  double instant = 0;
  if (!ReadBrokenDown(value, &parts)) return Wanted("mktime", "a broken-down time of at least six numbers", value);
  const std::string problem = FromBrokenDown(parts, &instant);
  return problem.empty() ? jv_number(instant) : Fail("mktime: " + problem);
}

jv GmTime(const Call& call) {
  const Value value = call.Arg(1);
  if (!value.is_number()) return Wanted("gmtime", "seconds since 1970", value);
  BrokenDown parts{};
  const std::string problem = ToBrokenDown(value.number(), &parts);
  return problem.empty() ? BrokenDownValue(parts) : Fail("gmtime: " + problem);
}

jv Formatted(const char* function, double instant, const Value& format, const Value& zone) {
  if (!format.is_string()) return Wanted(function, "a format", format);
  if (!zone.is_string()) return Wanted(function, "a time zone", zone);
  std::string text;
  const std::string problem = FormatTime(instant, format.view(), zone.view(), &text);
  return problem.empty() ? ToJvString(text) : Fail(std::string(function) + ": " + problem);
}

jv StrFTime(const Call& call) {
  const Value value = call.Arg(1);
  double instant = 0;
  jv problem = Instant("strftime", value, &instant);
  return jv_get_kind(problem) == JV_KIND_NULL ? Formatted("strftime", instant, call.Arg(2), call.Arg(3)) : problem;
}

jv InZone(const Call& call) {
  const Value value = call.Arg(1);
  double instant = 0;
  if (value.is_string()) {
    const std::string problem = ParseRfc3339(value.view(), &instant);
    if (!problem.empty()) return Fail("in_zone: " + problem);
  } else {
    jv problem = Instant("in_zone", value, &instant);
    if (jv_get_kind(problem) != JV_KIND_NULL) return problem;
  }
  return Formatted("in_zone", instant, call.Arg(2), call.Arg(3));
}

jv UuidValue(const Call&) { return ToJvString(Uuid()); }

jv Random(const Call& call) {
  const Value length = call.Arg(1);
  if (!length.is_number() || !(length.number() >= 1) || !(length.number() <= 1024)) {
    return Fail("random needs a length from 1 to 1024");
  }
  return ToJvString(RandomText(static_cast<int>(length.number())));
}

jv Digest(const char* function, std::string_view bytes, const Value& encoding) {
  if (!encoding.is_string()) return Wanted(function, "an encoding", encoding);
  std::string text;
  const std::string problem = Encode(bytes, encoding.view(), &text);
  return problem.empty() ? ToJvString(text) : Fail(std::string(function) + ": " + problem);
}

jv Sha256Value(const Call& call) {
  const Value text = call.Arg(1);
  if (!text.is_string()) return Wanted("sha256", "a string", text);
  return Digest("sha256", Sha256(text.view()), call.Arg(2));
}

jv HmacSha256Value(const Call& call) {
  const Value text = call.Arg(1);
  const Value key = call.Arg(2);
  if (!text.is_string()) return Wanted("hmac_sha256", "a string", text);
  if (!key.is_string()) return Wanted("hmac_sha256", "a string as key", key);
  return Digest("hmac_sha256", HmacSha256(key.view(), text.view()), call.Arg(3));
}

jv Jwt(const Call& call) {
  const Value claims = call.Arg(1);
  const Value key = call.Arg(2);
  const Value given = call.Arg(3);
  if (claims.kind() != JV_KIND_OBJECT) return Wanted("jwt", "an object of claims", claims);
  if (!key.is_string()) return Wanted("jwt", "a string as key", key);
  if (given.kind() != JV_KIND_OBJECT && given.kind() != JV_KIND_NULL)
    return Wanted("jwt", "an object as header", given);
  // What the header does not say: HS256 and JWT.
  jv header = jv_object_set(jv_object_set(jv_object(), jv_string("alg"), jv_string("HS256")), jv_string("typ"),
                            jv_string("JWT"));
  if (given.kind() == JV_KIND_OBJECT) header = jv_object_merge(header, jv_copy(given.get()));
  const Value full(header);
  const Value algorithm = full.Member("alg");
  if (!algorithm.is_string()) return Wanted("jwt", "a string as alg", algorithm);
  const std::string signing_input = Base64Url(JsonText(full)) + "." + Base64Url(JsonText(claims));
  std::string signature;
  const std::string problem = SignJwt(algorithm.view(), key.view(), signing_input, &signature);
  return problem.empty() ? ToJvString(signing_input + "." + Base64Url(signature)) : Fail("jwt: " + problem);
}

jv JwtPayload(const Call& call) {
  const Value token = call.Arg(1);
  if (!token.is_string()) return Wanted("jwt_payload", "a string", token);
  const std::string_view text = token.view();
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  std::string json;
  std::string error;
  jv payload = jv_null();
  if (second == std::string_view::npos || !Base64UrlDecode(text.substr(first + 1, second - first - 1), &json)) {
    return Fail("jwt_payload: this is not a JWT: three parts in base64url with points between them");
  }
  if (!ParseJson(json, &payload, &error)) return Fail("jwt_payload: the payload is not JSON: " + error);
  return payload;
}

jv Base64UrlValue(const Call& call) {
  const Value text = call.Arg(1);
  return ToJvString(Base64Url(ScalarText(text)));
}

// {a: 1, b: [2, 3], c: null} is a=1&b=2&b=3.
jv Pairs(const char* function, const Value& object, Escaping escaping) {
  std::string out;
  bool good = true;
  const auto add = [&](std::string_view key, const Value& value) {
    if (value.kind() == JV_KIND_NULL) return;
    good = good && value.kind() != JV_KIND_OBJECT && value.kind() != JV_KIND_ARRAY;
    if (!out.empty()) out.push_back('&');
    out += PercentEncode(key, escaping) + "=" + PercentEncode(ScalarText(value), escaping);
  };
  const jv& o = object.get();
  for (int i = jv_object_iter(o); jv_object_iter_valid(o, i); i = jv_object_iter_next(o, i)) {
    const Value key(jv_object_iter_key(o, i));
    const Value value(jv_object_iter_value(o, i));
    if (value.kind() == JV_KIND_ARRAY) {
      const int length = jv_array_length(jv_copy(value.get()));
      for (int j = 0; j < length; ++j) add(key.view(), value.Item(j));
    } else {
      add(key.view(), value);
    }
  }
  if (!good)
    return Fail(std::string(function) + ": a member's value should be a string, number, boolean or a list of them");
  return ToJvString(out);
}

jv UrlQuery(const Call& call) {
  const Value value = call.Arg(1);
  if (value.kind() == JV_KIND_OBJECT) return Pairs("url_query", value, Escaping::kQuery);
  if (!value.is_string()) return Wanted("url_query", "an object, or a URL or query string", value);
  jv object = jv_object();
  for (const auto& [name, text] : QueryPairs(value.view())) {
    jv key = ToJvString(name);
    jv have = jv_object_get(jv_copy(object), jv_copy(key));
    jv next = ToJvString(text);
    if (jv_get_kind(have) == JV_KIND_ARRAY) {
      next = jv_array_append(have, next);
    } else if (jv_get_kind(have) == JV_KIND_STRING) {
      next = jv_array_append(jv_array_append(jv_array(), have), next);
    } else {
      jv_free(have);
    }
    object = jv_object_set(object, key, next);
  }
  return object;
}

jv FormBody(const Call& call) {
  const Value value = call.Arg(1);
  if (value.kind() != JV_KIND_OBJECT) return Wanted("form_body", "an object", value);
  return Pairs("form_body", value, Escaping::kForm);
}

jv Html(const Call& call) {
  const Value value = call.Arg(1);
  if (!value.is_string()) return Wanted("html", "a string", value);
  return ToJvString(HtmlText(value.view()));
}

jv FromJson(const Call& call) {
  const Value value = call.Arg(1);
  if (!value.is_string()) return Wanted("fromjson", "a string", value);
  jv out = jv_null();
  std::string error;
  return ParseJson(value.view(), &out, &error) ? out : Fail("fromjson: " + error);
}

using Function = jv (*)(const Call&);

const std::unordered_map<std::string_view, Function>& Functions() {
  static const auto* functions = new std::unordered_map<std::string_view, Function>{{"money", Money},
                                                                                    {"minor", Minor},
                                                                                    {"money_nanos", MoneyNanos},
                                                                                    {"now", Now},
                                                                                    {"fromdate", FromDate},
                                                                                    {"strptime", StrPTime},
                                                                                    {"mktime", MkTime},
                                                                                    {"gmtime", GmTime},
                                                                                    {"strftime", StrFTime},
                                                                                    {"in_zone", InZone},
                                                                                    {"uuid", UuidValue},
                                                                                    {"random", Random},
                                                                                    {"sha256", Sha256Value},
                                                                                    {"jwt", Jwt},
                                                                                    {"jwt_payload", JwtPayload},
                                                                                    {"hmac_sha256", HmacSha256Value},
                                                                                    {"base64url", Base64UrlValue},
                                                                                    {"url_query", UrlQuery},
                                                                                    {"form_body", FormBody},
                                                                                    {"html", Html},
                                                                                    {"fromjson", FromJson}};
  return *functions;
}

}  // namespace

jv CallHost(jv call, const std::optional<double>& now) {
  const Call parsed{Value(call), now};
  const Value name = parsed.Arg(0);
  const auto function = name.is_string() ? Functions().find(name.view()) : Functions().end();
  if (function == Functions().end()) return Fail("unknown function");
  return function->second(parsed);
}

}  // namespace puckdrop::jq::worker
