"""Writes promtool test files from short descriptions of a night.

A case says what the probers saw, run by run, and what died when; this module plays the exporters (readiness and the
probers, as METRICS names their series) and writes the samples that Prometheus would scrape from them. What the rules must
answer is written by hand in the case: nothing here knows the rules.

Everything is scraped and evaluated every 5 s from time 0 (the long nights: every minute). A check runs every 15 s (`pace`), the first time at 2 s: what
run k (from 0) found is scraped first at 15k + 5 s. A result is too old after 55 s (`max_age`).

A check's runs, one letter each: P passed, F failed, B blocked, I inconclusive, S skipped, `.` no run in this slot. A `+` at
the end repeats the letter before it for ever; without it the check is never run again. "PPF+" fails from 32 s on and is
seen to at 35 s.
"""
import json
import re

LAUNCH = "derby"
CUSTOMERS = {  # customer: device, market, share of the audience
    "anna": ("tv.android", "FI", 0.6),
    "bert": ("phone.ios", "SE", 0.4),
    "any": ("any", "any", None),
}
OUTCOMES = {"P": "passed", "F": "failed", "B": "blocked", "I": "inconclusive", "S": "skipped"}
FOREVER = 10**9


def seconds(text):
    """5, "90s", "1m30s", "2h" in seconds."""
    if isinstance(text, (int, float)):
        return text
    parts = re.findall(r"(\d+)([hms])", text)
    if "".join(n + u for n, u in parts) != text:
        raise ValueError(f"not a duration: {text!r}")
    return sum(int(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in parts)


def window(span):
    """("1m", "2m") or "1m" (for ever from then on) as seconds."""
    if isinstance(span, str):
        span = (span, FOREVER)
    return seconds(span[0]), seconds(span[1])


def inside(now, span):
    return span is not None and window(span)[0] <= now < window(span)[1]


def labels_of(check, customer):
    device, market, _ = CUSTOMERS[customer]
    return {"launch": LAUNCH, "path": check.split(".")[0], "check": check, "customer": customer, "device": device,
            "market": market}


class Prober:
    """One process: what it exports after the runs it has seen. Restarted, it remembers nothing."""

    def __init__(self, instances, max_age):
        self.max_age = max_age
        self.state = {key: {"last": 0, "pass": 0, "success": None, "row": 0, "runs": dict.fromkeys(OUTCOMES, 0)}
                      for key in instances}

    def run(self, key, when, letter):
        state = self.state[key]
        state["runs"][letter] += 1
        state["last"] = when
        state["success"] = None if letter == "S" else int(letter == "P")
        if letter == "P":
            state["pass"], state["row"] = when, 0
        elif letter == "F":
            state["row"] += 1

    def export(self):
        for (check, customer), state in self.state.items():
            labels = labels_of(check, customer)
            if state["success"] is not None:
                yield "puckdrop_check_success", labels, state["success"]
            yield "puckdrop_check_consecutive_failures", labels, state["row"]
            yield "puckdrop_check_last_run_timestamp_seconds", labels, state["last"]
            yield "puckdrop_check_last_success_timestamp_seconds", labels, state["pass"]
            yield "puckdrop_check_max_age_seconds", labels, self.max_age
            for letter, word in OUTCOMES.items():
                yield "puckdrop_check_runs_total", dict(labels, outcome=word), state["runs"][letter]


class Series:
    """Samples by scrape; a series that was there and is gone gets a stale marker, unless the case says that it lingers."""

    def __init__(self, scrapes):
        self.scrapes = scrapes
        self.values = {}

    def add(self, index, name, labels, value):
        key = (name, tuple(sorted(labels.items())))
        self.values.setdefault(key, [None] * self.scrapes)[index] = value

    def text(self, lingers):
        out = []
        for (name, labels), values in sorted(self.values.items()):
            words = []
            for i, value in enumerate(values):
                if value is not None:
                    words.append(f"{value:g}" if value < 1e6 else f"{value:.0f}")
                else:
                    gone = i > 0 and values[i - 1] is not None
                    words.append("stale" if gone and not lingers else "_")
            inner = ",".join(f'{k}="{v}"' for k, v in labels)
            out.append({"series": f"{name}{{{inner}}}", "values": " ".join(words)})
        return out


class Case:
    """One night. `checks` maps "check customer" or "check customer @vantage" (or "@vantage/replica") to its runs.

    uncatalogued   checks that readiness does not expect
    unseen         "check customer" that readiness expects and no prober knows
    waived         {"check customer": span}
    needed         {path: vantages that must pass}; 1 by default
    killed         {"path" or "path@vantage" or "path@vantage/replica": span}; the scrape fails
    lingers        True: a failed scrape leaves no stale marker (as if Prometheus was restarted in between)
    unplugged      {"path": span}: the target leaves Prometheus's configuration, `up` and all
    stalled        {"path": span}: it answers the scrape and nothing in it moves
    clock          {"path": seconds}: its clock is ahead by so much
    shares         {customer: share of the audience} in place of the usual ones
    twins          True: readiness is scraped under two names
    foreign        {"path": launch}: its prober works for another launch
    readiness      span in which readiness is dead
    mute           True: readiness was never there
    says           {"all" or path: [(from, value), ...]} readiness's own verdict; 0 by default, which is never too green; None: none
    owed           [(from, count), ...] obligations
    """

    def __init__(self, name, why, checks, *expectations, uncatalogued=(), unseen=(), waived=None, needed=None, killed=None,
                 lingers=False, unplugged=None, stalled=None, clock=None, readiness=None, mute=False, says=None, owed=None,
                 foreign=None, shares=None, twins=False, pace=15, max_age=55):
        self.name, self.why, self.expectations = name, why, expectations
        self.uncatalogued, self.waived, self.needed = set(uncatalogued), waived or {}, needed or {}
        self.killed, self.unplugged, self.stalled = killed or {}, unplugged or {}, stalled or {}
        self.clock, self.lingers, self.readiness, self.mute = clock or {}, lingers, readiness, mute
        self.says, self.owed, self.pace, self.max_age = says or {}, owed or [(0, 0)], pace, max_age
        self.foreign, self.shares, self.twins = foreign or {}, shares or {}, twins
        self.length = max((seconds(e.when) for e in expectations), default=0)
        self.expected, self.probers = [], {}
        for spelled, runs in checks.items():
            words = spelled.split()
            check, customer = words[:2]
            place = words[2][1:] if len(words) > 2 else "local"
            path = check.split(".")[0]
            self.probers.setdefault((path, *(place.split("/") + ["a"])[:2]), {})[check, customer] = runs
            if f"{check} {customer}" not in self.uncatalogued and (check, customer) not in self.expected:
                self.expected.append((check, customer))
        for spelled in unseen:
            self.expected.append(tuple(spelled.split()))

    def letter(self, runs, slot):
        if runs.endswith("+"):
            return runs[min(slot, len(runs) - 2)]
        return runs[slot] if slot < len(runs) else "."

    def span(self, table, path, vantage, replica):
        for key in (f"{path}@{vantage}/{replica}", f"{path}@{vantage}", path):
            if key in table:
                return table[key]
        return None

    def series(self, scrape):
        series = Series(int(self.length // scrape) + 1)
        for number, ((path, vantage, replica), instances) in enumerate(self.probers.items()):
            target = {"job": "puckdrop-prober", "instance": f"10.0.0.{number + 1}:9471", "path": path, "vantage": vantage}
            scraped = {"job": target["job"], "instance": target["instance"], "vantage": vantage}
            prober, slots, beat = None, 0, 0
            for i in range(series.scrapes):
                now = i * scrape
                dead = inside(now, self.span(self.killed, path, vantage, replica))
                gone = inside(now, self.span(self.unplugged, path, vantage, replica))
                stuck = inside(now, self.span(self.stalled, path, vantage, replica))
                ahead = self.clock.get(path, 0)
                while slots * self.pace + 2 <= now:
                    when = slots * self.pace + 2
                    for key, runs in instances.items():
                        letter = self.letter(runs, slots)
                        if letter != "." and prober is not None and not stuck:
                            prober.run(key, when + ahead, letter)
                    slots += 1
                if dead:
                    prober = None
                elif prober is None:
                    prober = Prober(instances, self.max_age)
                if not gone:
                    series.add(i, "up", target, 0 if dead else 1)
                if dead or gone:
                    continue
                if not stuck:
                    beat = now + ahead
                series.add(i, "puckdrop_prober_heartbeat_timestamp_seconds", {**scraped, "launch": LAUNCH, "path": path}, beat)
                for name, labels, value in prober.export():
                    series.add(i, name, {**labels, **scraped, "launch": self.foreign.get(path, LAUNCH)}, value)
        if not self.mute:
            for number in range(100, 102 if self.twins else 101):
                self.add_readiness(series, scrape, f"10.0.0.{number}:9470")
        return series.text(self.lingers)

    def add_readiness(self, series, scrape, instance):
        home = {"job": "puckdrop-readiness", "instance": instance}
        paths = sorted({check.split(".")[0] for check, _ in self.expected})
        for i in range(series.scrapes):
            now = i * scrape
            dead = inside(now, self.readiness)
            series.add(i, "up", home, 0 if dead else 1)
            if dead:
                continue
            common = {**home, "launch": LAUNCH}
            for check, customer in self.expected:
                series.add(i, "puckdrop_check_expected", {**labels_of(check, customer), **home}, 1)
                if inside(now, self.waived.get(f"{check} {customer}")):
                    series.add(i, "puckdrop_check_waived", {**labels_of(check, customer), **home}, 1)
            for customer, (device, market, share) in CUSTOMERS.items():
                if share is not None:
                    series.add(i, "puckdrop_customer_audience_share",
                               {**common, "customer": customer, "device": device, "market": market},
                               self.shares.get(customer, share))
            for path in paths:
                series.add(i, "puckdrop_vantages_required", {**common, "path": path}, self.needed.get(path, 1))
            for path in paths + ["all"]:
                value = [v for since, v in self.says.get(path, [(0, 0)]) if seconds(since) <= now][-1]
                if value is not None:
                    series.add(i, "puckdrop_verdict", {**common, "path": path}, value)
            owed = [v for since, v in self.owed if seconds(since) <= now][-1]
            series.add(i, "puckdrop_obligations_open", common, owed)

    def test(self, scrape):
        group = {"name": self.name, "interval": f"{scrape}s", "input_series": self.series(scrape), "promql_expr_test": [], "alert_rule_test": []}
        for expectation in self.expectations:
            expectation.write(group)
        return group


PER_PATH = {  # what a case calls it: the recorded rule
    "paths": "puckdrop:path_verdict",
    "failing": "puckdrop:audience_failing:ratio",
    "unobserved": "puckdrop:audience_unobserved:ratio",
    "expected": "puckdrop:checks_expected:count",
    "reporting": "puckdrop:checks_reporting:count",
    "availability": "puckdrop:audience_weighted_availability:ratio_rate5m",
    "budget": "puckdrop:error_budget_remaining:ratio",
}


class at:
    """What must hold at one moment. A list names every series there may be: one more or less is a failure.

    verdict       2, 1 or 0
    paths, failing, unobserved, expected, reporting, availability, budget
                  "ordering 0, billing 2" (availability and budget to three decimals)
    states, fresh "ordering.sign_in anna 0, ..." (fresh with "@vantage" where there are several)
    alerts        "PathNoGo ordering, ProberDown billing@local": all that fire, the watchdog apart; "" for none
    """

    def __init__(self, when, verdict=None, states=None, fresh=None, alerts=None, **per_path):
        self.when, self.verdict, self.states, self.fresh, self.alerts = when, verdict, states, fresh, alerts
        self.per_path = per_path
        unknown = set(per_path) - set(PER_PATH)
        if unknown:
            raise ValueError(f"no such expectation: {unknown}")

    def write(self, group):
        def expect(expression, samples):
            group["promql_expr_test"].append({
                "expr": expression, "eval_time": f"{seconds(self.when)}s",
                "exp_samples": [{"labels": text, "value": value} for text, value in samples]})

        def items(text):
            return [item.split() for item in text.split(",") if item.strip()]

        def text(name, labels):
            return name + "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items())) + "}"

        if self.verdict is not None:
            expect("puckdrop:verdict", [("puckdrop:verdict", self.verdict)])
        for word, wanted in self.per_path.items():
            name = PER_PATH[word]
            if word in ("availability", "budget"):
                expect(f"round({name}, 0.001)", [(text("", {"path": p}), float(v)) for p, v in items(wanted)])
            else:
                expect(name, [(text(name, {"path": p}), float(v)) for p, v in items(wanted)])
        if self.states is not None:
            expect("puckdrop:check_state", [(text("puckdrop:check_state", labels_of(c, k)), float(v)) for c, k, v in items(self.states)])
        if self.fresh is not None:
            expect("sum by (check, customer, vantage) (puckdrop:check_fresh:bool)",
                   [(text("", {"check": c, "customer": k.split("@")[0], "vantage": (k.split("@") + ["local"])[1]}), float(v))
                    for c, k, v in items(self.fresh)])
        if self.alerts is not None:
            samples = []
            for alert, where in items(self.alerts):
                path, _, vantage = where.partition("@")
                labels = {"alertname": f"Puckdrop{alert}", "path": path}
                if vantage:
                    labels["vantage"] = vantage
                samples.append((text("", labels), 1))
            expect('group by (alertname, path, vantage) (ALERTS{alertstate="firing", alertname!="PuckdropWatchdog"})', samples)


class alert:
    """All that fire under one name at one moment, word for word: (labels, summary, description), with the runbook's address."""

    def __init__(self, when, name, *wanted, runbook=None):
        self.when, self.name, self.wanted = when, f"Puckdrop{name}", wanted
        self.runbook = f"http://127.0.0.1:9090/consoles/runbooks.html#{runbook or self.name}"

    def write(self, group):
        group["alert_rule_test"].append({
            "eval_time": f"{seconds(self.when)}s", "alertname": self.name,
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": {
                "summary": summary, "description": description, "runbook_url": self.runbook}}
                for labels, summary, description in self.wanted]})


def write(path, rule_files, cases, scrape):
    tests = {"rule_files": rule_files, "evaluation_interval": f"{scrape}s",
             "group_eval_order": ["puckdrop_verdict", "puckdrop_audience", "puckdrop_budget", "puckdrop_alerts"],
             "tests": [case.test(scrape) for case in cases]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(tests, file, indent=1)  # JSON is YAML
