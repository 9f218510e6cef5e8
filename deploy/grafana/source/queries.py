"""Every PromQL expression of the boards. Tiles read the recorded rules of deploy/prometheus; what is joined to them here is
only words, ages and readiness's own, possibly stricter, verdict. Verdicts are joined with `min`, never averaged."""

from .style import OBJECTIVE

PICK = 'path=~"$path", device=~"$device", market=~"$market"'
INSTANCE = "launch, path, check, customer"
PAGES = 'alertstate="firing", severity="page", alertname!="PuckdropWatchdog"'


def text(expression, label, words):
    return f'label_replace({expression}, "{label}", "{words}", "", "")'


def failing_but_waived(selector):
    """Instances that a waiver covers and that do not pass: what makes GO a GO with waivers."""
    return (f"(puckdrop_check_waived{{{selector}}} unless on ({INSTANCE}) "
            f"(min by ({INSTANCE}) (puckdrop_check_success{{{selector}}}) == 1))")


def verdict(rules, readiness, selector):
    """2.5 for GO with waivers, else the worse of the rules' verdict and readiness's own: readiness may be stricter (it sees
    notices and fingerprints too), and must never make a tile greener than the rules."""
    worst = f"min({rules} or {readiness})"
    return f"({worst} == 2) + on () (0.5 * (count{failing_but_waived(selector)} > bool 0)) or on () {worst}"


LAUNCH = verdict("puckdrop:verdict", 'puckdrop_verdict{path="all"}', "")


def path_verdict(path):
    """3 (not asked) where readiness expects checks of other paths and nobody has a verdict for this one."""
    selector = f'path="{path}"'
    return (verdict(f"puckdrop:path_verdict{{{selector}}}", f"puckdrop_verdict{{{selector}}}", selector) +
            " or on () 3 * (count(puckdrop_check_expected) > bool 0)")


LAUNCH_HISTORY = ('min(min_over_time(puckdrop:verdict[$__interval]) or '
                  'min_over_time(puckdrop_verdict{path="all"}[$__interval]))')
PATH_HISTORY = ('min by (path) (min_over_time(puckdrop:path_verdict{path=~"$path"}[$__interval]) or '
                'min_over_time(puckdrop_verdict{path=~"$path", path!="all"}[$__interval]))')
CUSTOMER_HISTORY = (f'min by (device, customer) (min_over_time(puckdrop:check_state{{{PICK}, customer!="any"}}'
                    '[$__interval]))')
CHECK_HISTORY = f"min by (check) (min_over_time(puckdrop:check_state{{{PICK}}}[$__interval]))"

# When puck drops does not become less true when readiness dies.
COUNTDOWN = "max(last_over_time(puckdrop_puck_drop_timestamp_seconds[6h])) - time()"


def audience(state, selector="", readiness=""):
    rules = f"puckdrop:audience_{state}:ratio{{{selector}}}" if selector else f"puckdrop:audience_{state}:ratio"
    return f"max({rules} or {readiness})" if readiness else f"max({rules})"


def affected(path):
    return f'puckdrop_audience_affected_ratio{{path="{path}"}}'


def of(have, want, gap, what):
    """One value, `gap`, labelled text="<have> / <want> <what>"; -1 labelled NO DATA when either is missing or nothing is
    wanted."""
    both = f'count_values("have", {have}) * on () group_left (want) count_values("want", {want} > 0)'
    return (f'label_replace(label_join({both} * on () group_left () ({gap}), "text", " / ", "have", "want"), '
            f'"text", "$1 {what}", "text", "(.*)") or on () {text("vector(-1)", "text", "NO DATA")}')


def fresh(selector=""):
    braces = f"{{{selector}}}" if selector else ""
    reporting, expected = f"sum(puckdrop:checks_reporting:count{braces})", f"sum(puckdrop:checks_expected:count{braces})"
    return of(reporting, expected, f"{expected} - {reporting}", "fresh")


def silence(selector=""):
    """Seconds since the longest-silent prober's last heartbeat, which keeps counting when its series are gone; a path whose
    prober was never heard counts as 10^9. A prober that was taken out of the configuration is forgotten with its `up`."""
    braces = f"{{{selector}}}" if selector else ""
    heard = (f"clamp_min(floor(time() - last_over_time(puckdrop_prober_heartbeat_timestamp_seconds{braces}[6h])), 0) "
             "and on (job, instance) up")
    never = f"0 * (puckdrop:checks_expected:count{braces} > 0) + 1e9"
    return f"topk(1, max by (path) ({heard} or on (path) ({never})))"


WAIVERS_HELD = 'sum(puckdrop_waivers{state="honoured"})'
WAIVERS_VOID = 'sum(puckdrop_waivers{state=~"expired|unannounced"})'
# Alive only by the watchdog: no alert rules loaded is NO DATA, not "no pages".
NO_PAGES = '0 * count(ALERTS{alertname="PuckdropWatchdog", alertstate="firing"})'


def pages(selector=""):
    return f"count(ALERTS{{{PAGES}{', ' + selector if selector else ''}}}) or {NO_PAGES}"


ALERTS_TABLE = (
    '1000 * (ALERTS_FOR_STATE{alertname!="PuckdropWatchdog", path=~"$path|all|"} and ignoring (alertstate) '
    'ALERTS{alertstate="firing", alertname!="PuckdropWatchdog"}) or on () ' +
    text(f"1000 * time() + {NO_PAGES}", "alertname", "none"))


def _rows(state, word):
    """Rows of the table for instances in a state, valued with their last pass in ms (the oldest vantage's), which is
    remembered for an hour after a prober's death: 0 never passed, -1 not heard of."""
    wanted = f"(puckdrop:check_state{{{PICK}}} == {state})" if isinstance(state, int) else state
    seen = (f"1000 * min by ({INSTANCE}, device, market) "
            f"(last_over_time(puckdrop_check_last_success_timestamp_seconds{{{PICK}}}[1h])) and on ({INSTANCE}) {wanted}")
    return text(f"(({seen}) or on ({INSTANCE}) (0 * {wanted} - 1))", "state", word)


_FAILING = (f"({_rows(0, 'FAILED')} or {_rows(1, 'INCONCLUSIVE')} or {_rows(failing_but_waived(PICK), 'WAIVED')})")
_WORDS = ('(topk by (path, check) (1, last_over_time(puckdrop_check_info{path=~"$path"}[1h])) or on (path, check) '
          'group by (path, check) (puckdrop:check_state{path=~"$path"}))')
_NAMED = (f"{_FAILING} * on (path, check) group_left (severity, runbook, owner) {_WORDS}")
# check_info may carry an owner; a check without one is its path's on-call engineer's.
_OWNED = (f'label_replace(label_join({_NAMED}, "who", ";", "owner", "path"), "owner", "$1 on call", "who", ";(.+)")')
_ALL_WELL = text(text(f"1000 * time() + 0 * count(puckdrop:check_state{{{PICK}}})", "state", "OK"), "check",
                 "nothing fails in this selection")
FAILING_TABLE = f"{_OWNED} or on () {_ALL_WELL}"

AVAILABILITY = 'puckdrop:audience_weighted_availability:ratio_rate5m{path=~"$path"}'
BUDGET = 'puckdrop:error_budget_remaining:ratio{path=~"$path"}'
BURN = f"(1 - {AVAILABILITY}) / {round(1 - OBJECTIVE, 6)}"
PROMISES = "min by (promise) (puckdrop_promise_kept)"


def reasons(by):
    counted = 'puckdrop_check_failures_total{path=~"$path"}'
    return (f"topk(15, round(sum by ({by}) (increase({counted}[15m]))) > 0) or on () " +
            text(f"0 * count({counted})", "reason", "no failure in 15 minutes"))


def p95(by):
    return (f'histogram_quantile(0.95, sum by ({by}, le) '
            f'(rate(puckdrop_check_duration_seconds_bucket{{path=~"$path"}}[5m])))')


RUNS = '60 * sum by (outcome) (rate(puckdrop_check_runs_total{path=~"$path"}[2m]))'
MEASURED = f"max by (check, customer) (puckdrop_check_observed_value{{{PICK}}})"
REQUESTS = 'sum by (path) (rate(puckdrop_target_requests_total{path=~"$path"}[2m]))'
REQUESTS_BY_ANSWER = 'sum by (code_class) (rate(puckdrop_target_requests_total{path=~"$path"}[2m]))'


def vantages(path):
    alive = (f'(count(group by (vantage) ((time() - puckdrop_prober_heartbeat_timestamp_seconds{{path="{path}"}}) < 60)) or '
             f'0 * max(puckdrop_vantages_required{{path="{path}"}}))')
    required = f'max(puckdrop_vantages_required{{path="{path}"}})'
    return of(alive, required, f"clamp_min({required} - {alive}, 0)", "vantages")




def who(expression):
    """Adds who="<path>", or the job's name where there is no path."""
    joined = f'label_join({expression}, "who", ";", "path", "job")'
    return (f'label_replace(label_replace({joined}, "who", "$1", "who", "([^;]+);.*"), '
            '"who", "$1", "who", ";(?:puckdrop-)?(.+)")')


UP = who("min by (job, path, instance) (up)")
HEARTBEATS = 'time() - min by (path) (puckdrop_prober_heartbeat_timestamp_seconds{path=~"$path"})'
RULES_SAY = "min(puckdrop:verdict)"
READINESS_SAYS = 'min(puckdrop_verdict{path="all"}) or vector(NaN)'
WATCHDOG = 'max(ALERTS{alertname="PuckdropWatchdog", alertstate="firing"})'
OBLIGATIONS = "sum(puckdrop_obligations_open)"
UNCATALOGUED = ("count(count by (path, check) (puckdrop_check_success) unless on (path, check) puckdrop_check_info) and on () "
                "count(puckdrop_check_info) or 0 * count(puckdrop_check_info)")
RULE_LAG = "floor(time() - min(prometheus_rule_group_last_evaluation_timestamp_seconds))"
RULE_FAILURES = "sum(increase(prometheus_rule_evaluation_failures_total[15m]))"
SCRAPE_SECONDS = who("max by (job, path, instance) (scrape_duration_seconds)")
MEMORY = who('max by (job, path, instance) (process_resident_memory_bytes{job=~"puckdrop-.*"})')
BUILDS = "max by (job, instance, version, revision, plan) (puckdrop_build_info)"
