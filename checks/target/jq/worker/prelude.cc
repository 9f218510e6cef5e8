#include "checks/target/jq/worker/prelude.h"

namespace puckdrop::jq::worker {

std::string_view Prelude() {
  return R"jq(
def __host($call): $call | debug | input;

def money($currency): if . == null then null else __host(["money", ., $currency]) end;
def minor($currency): if . == null then null else __host(["minor", ., $currency]) end;
def money_nanos: if . == null then null else __host(["money_nanos", .]) end;

def now: __host(["now"]);
def fromdateiso8601: __host(["fromdate", .]);
def fromdate: fromdateiso8601;
def todateiso8601: __host(["strftime", ., "%Y-%m-%dT%H:%M:%SZ", "UTC"]);
def todate: todateiso8601;
def date: todate;
def dateadd(unit; $n): . + $n;
def datesub(unit; $n): . - $n;
def strptime($format): __host(["strptime", ., $format]);
def mktime: __host(["mktime", .]);
def gmtime: __host(["gmtime", .]);
def strftime($format): __host(["strftime", ., $format, "UTC"]);
def in_zone($format; $zone): if . == null then null else __host(["in_zone", ., $format, $zone]) end;

def uuid: __host(["uuid"]);
def random($length): __host(["random", $length]);
def sha256($encoding): __host(["sha256", ., $encoding]);
def hmac_sha256($key; $encoding): __host(["hmac_sha256", ., $key, $encoding]);
def jwt($key; $header): __host(["jwt", ., $key, $header]);
def jwt_payload: __host(["jwt_payload", .]);
def base64url: __host(["base64url", .]);
def url_query: __host(["url_query", .]);
def form_body: __host(["form_body", .]);
def html: __host(["html", .]);

def fromjson: __host(["fromjson", .]);

def __implode: implode;
def implode:
  if type != "array" or any(.[]; type != "number" or . < 0 or . > 1114111 or (. >= 55296 and . <= 57343))
  then error("implode needs an array of Unicode code points") else __implode end;

def __indices($i): indices($i);
def indices($i): if type == "string" and $i == "" then null else __indices($i) end;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];

def __captures: .captures | map(select(.name != null) | {key: .name, value: .string}) | from_entries;
def sub($re; text; $flags):
  . as $in | [match($re; $flags)] as $matches
  | def __from($i; $at):
      if $i == ($matches | length) then $in[$at:]
      else $matches[$i] as $m
      | ($m | __captures | text) as $new
      | if ($new | type) != "string" then error("sub and gsub need a string to put in, not \($new | type)") else . end
      | $in[$at:$m.offset] + $new + __from($i + 1; $m.offset + $m.length)
      end;
    __from(0; 0);
def sub($re; text): sub($re; text; "");
def gsub($re; text; $flags): sub($re; text; $flags + "g");
def gsub($re; text): sub($re; text; "g");

def __refused($name): error($name + " cannot be used in an expression");
def env: __refused("env");
def input: __refused("input");
def inputs: __refused("inputs");
def debug: __refused("debug");
def stderr: __refused("stderr");
def input_filename: __refused("input_filename");
def input_line_number: __refused("input_line_number");
def halt: __refused("halt");
def halt_error: __refused("halt_error");
def halt_error($code): __refused("halt_error");
def modulemeta: __refused("modulemeta");
def get_search_list: __refused("get_search_list");
def get_jq_origin: __refused("get_jq_origin");
def get_prog_origin: __refused("get_prog_origin");
def localtime: __refused("localtime");
def strflocaltime($format): __refused("strflocaltime");
)jq";
}

}  // namespace puckdrop::jq::worker
