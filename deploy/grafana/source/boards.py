"""What is on each board, and where."""

from . import queries as q
from . import style, variables
from .panels import colored, field, lay_out, lines, query, row, stat, table, timeline
from .style import BAD, NEUTRAL, UNPROVEN, WAIVED, steps

MISSION = "puckdrop-mission-control"
KEEP = "${__url_time_range}&${datasource:queryparam}&${device:queryparam}&${market:queryparam}"
SEEN = "Grey NO DATA means that Prometheus has no such number; it is never good news."


def uid(path):
    return f"puckdrop-path-{path}"


def link(title, board):
    return [{"title": title, "url": f"/d/{board}?{KEEP}", "targetBlank": False}]


def verdict_tile(title, name, expression, description, links, sizes):
    return stat(title, description, query(expression, name), field("none", style.VERDICT, links=links),
                show="value_and_name" if name else "value", paint="background_solid", sizes=sizes)


def path_tile(path):
    words = style.PATH_WORDS[path]
    return verdict_tile(
        style.QUESTIONS[path], words.upper(), q.path_verdict(path),
        f"The worst of everything the launch needs of {words.lower()}, and of readiness's own verdict if that is stricter. "
        "NO-GO: a failure is proven, nothing excuses it. HOLD: evidence is missing or old. GO · WAIVED: failures that are "
        "known, accepted and announced. NOT ASKED: the plan leaves this path out. Click for the path's board. " + SEEN,
        link(f"{words}: the path's board", uid(path)), {"titleSize": 28, "valueSize": 52})


def audience_tile(title, selector, readiness, description):
    return stat(title, description,
                [query(q.audience("failing", selector, readiness), "failing"),
                 query(q.audience("unobserved", selector), "unseen", ref="B")],
                field("percentunit", decimals=0, min=0, max=1), show="value_and_name",
                overrides=[colored("A", steps(NEUTRAL, (0.000001, BAD))), colored("B", steps(NEUTRAL, (0.000001, UNPROVEN)))],
                sizes={"titleSize": 26, "valueSize": 44})


def countdown():
    return stat("Countdown", "Time until puck drop, in days, hours, minutes and seconds; afterwards the time since, with "
                "“ago”. Remembered for six hours when readiness dies. " + SEEN, query(q.COUNTDOWN, "PUCK DROP"),
                field("dtdhms", decimals=0), show="value_and_name", sizes={"titleSize": 28, "valueSize": 52})


def fresh_tile(selector=""):
    return stat("Fresh of expected", "Check instances with a fresh result (from as many vantages as the plan requires), of those "
                "the verdict needs. Coloured as soon as one is missing: a silent check is never a passed one.",
                query(q.fresh(selector), "{{text}}"), field("none", thresholds=steps(style.NOTHING, (0, NEUTRAL), (1, UNPROVEN))),
                show="name", sizes={"valueSize": 44})


def silence_tile(selector=""):
    return stat("Prober silence", "How long the most silent prober has not shown a sign of life, and which path it watches. It "
                "goes on counting when the prober is gone (for six hours). NEVER HEARD: checks are expected and no prober of "
                f"theirs was heard. Coloured from {style.SILENCE_SECONDS} s.", query(q.silence(selector), "{{path}} silent"),
                field("s", style.SILENCE, steps(NEUTRAL, (style.SILENCE_SECONDS, UNPROVEN)), decimals=0),
                show="value_and_name", sizes={"titleSize": 26, "valueSize": 44})


def pages_tile(selector=""):
    return stat("Firing pages", "Alerts that wake somebody, firing now. NO DATA if the alert rules themselves do not run (the "
                "watchdog is silent).", query(q.pages(selector), "PAGES"),
                field("none", thresholds=steps(NEUTRAL, (1, BAD)), decimals=0), show="value_and_name",
                sizes={"titleSize": 28, "valueSize": 64})


def waivers_tile():
    return stat("Waivers", "Honoured: unexpired and the public notice is up. Void: expired, or its notice is not seen; what it "
                "covered counts as a failure again. " + SEEN,
                [query(q.WAIVERS_HELD, "waivers"), query(q.WAIVERS_VOID, "void", ref="B")], field("none", decimals=0),
                show="value_and_name",
                overrides=[colored("A", steps(NEUTRAL, (1, WAIVED))), colored("B", steps(NEUTRAL, (1, BAD)))],
                sizes={"titleSize": 26, "valueSize": 44})


def failing_table():
    columns = [("state", "State", 130, {"mappings": style.STATE_WORDS, "custom.cellOptions": {"type": "color-background",
                                                                                             "mode": "basic"}}),
               ("path", "Path", 120, {}), ("check", "Check", 210, {}), ("customer", "Customer", 130, {}),
               ("device", "Device", 170, {}), ("market", "Market", 80, {}), ("owner", "Owner", 150, {}),
               ("Value", "Since (last pass)", 160, {"unit": "dateTimeFromNow", "mappings": style.LAST_PASS}),
               ("runbook", "Runbook", 0, {})]
    return table("What fails now", "Every instance that fails, is not known or is waived: proven failures first. Since: its last "
                 "pass, the oldest over its vantages. Owner: from the check's information, else the path's on-call engineer. "
                 "One line that says OK when nothing in the selection fails.",
                 query(q.FAILING_TABLE, "", table=True), columns, sort="State")


def reasons_table(title, by, first):
    columns = [(first, first.capitalize(), 150, {}), ("check", "Check", 210, {}), ("reason", "Reason", 0, {}),
               ("Value", "Failures", 90, {"unit": "none", "decimals": 0})]
    columns = [column for i, column in enumerate(columns) if i or first != "check"]
    return table(title, "Why: failed runs of the last 15 minutes by check and reason, most first, fifteen at most. From counters, so "
                 "it also shows failures that the gauges have already forgotten.",
                 query(q.reasons(by), "", table=True), columns, decimals=0)


def alerts_table():
    columns = [("severity", "Severity", 90, {}), ("alertname", "Alert", 230, {}), ("path", "Path", 130, {}),
               ("Value", "Since", 0, {"unit": "dateTimeFromNow"})]
    return table("Alerts firing", "All alerts that fire now, and since when. The watchdog, which always fires, is left out; if it "
                 "does not, this says NO DATA: nobody would be told.", query(q.ALERTS_TABLE, "", table=True), columns,
                 sort="Severity")


def availability():
    return lines("Audience-weighted availability", "Share of the audience that is served, over the last 5 minutes; who is not "
                 "observed counts as not served. The dashed line is the objective, 99.5 % over 24 hours.",
                 query(q.AVAILABILITY, "{{path}}", instant=False), "percentunit", decimals=1,
                 thresholds=steps("transparent", (style.OBJECTIVE, NEUTRAL)), by_path=True, max=1)


def budget():
    return table("Error budget left (24 h)", "What is left of the night's allowance: 0.5 % of 24 hours for the whole audience. Coloured "
                 "when it is spent. Not a verdict. " + SEEN, query(q.BUDGET, "", table=True),
                 [("path", "Path", 0, {}),
                  ("Value", "Left", 90, {"unit": "percentunit", "decimals": 0, "custom.cellOptions": {"type": "color-text"},
                                         "thresholds": steps(BAD, (0.000001, NEUTRAL))})], sort="Path")


def burn():
    return lines("Burn rate", "How many times faster than allowed the night's budget is being spent, over 5 minutes. Dashed: 6 times "
                 "(pages if it lasts, slow burn) and 12 times (fast burn).", query(q.BURN, "{{path}}", instant=False), "suffix: ×",
                 decimals=0, thresholds=steps("transparent", (6, NEUTRAL), (12, NEUTRAL)), by_path=True, min=0)


def p95(by, title):
    return lines(title, f"The time 95 of 100 check runs took, by {by}, over 5 minutes. A gap: no run ended in that time.",
                 query(q.p95(by), f"{{{{{by}}}}}", instant=False), "s", decimals=1, by_path=by == "path", min=0)


def customers_history():
    return timeline("status-history", "Customers and their devices", "The worst state of each pilot customer at each time, over "
                    "all of their checks in the selection: worst of, never average. A gap: nothing was recorded.",
                    [query(q.CUSTOMER_HISTORY, "{{customer}} · {{device}}", instant=False)], style.STATE)


def health():
    up = timeline("state-timeline", "Answers its scrape", "Whether each process answers Prometheus. DOWN: what it "
                  "watches is not known.", [query(q.UP, "{{who}} {{instance}}", instant=False)], style.SCRAPE)
    heart = lines("Prober heartbeats", "Age of each path's newest sign of life; a sawtooth near zero is healthy, a slope is a loop "
                  "that stands still, an end is a process that is gone.",
                  query(q.HEARTBEATS, "{{path}}", instant=False), "s", decimals=0, by_path=True, min=0)
    two = stat("Two verdicts", "The same question answered by Prometheus's rules and by readiness, computed independently. readiness "
               "may be stricter, never greener. NO DATA: it does not answer.",
               [query(q.RULES_SAY, "rules"), query(q.READINESS_SAYS, "readiness", ref="B")], field("none", style.VERDICT),
               show="value_and_name", paint="background_solid",
               sizes={"titleSize": 16, "valueSize": 30})
    dog = stat("Watchdog", "An alert that always fires, so that its silence can be noticed. NO DATA: no alert rule is evaluated and "
               "nobody would be paged.", query(q.WATCHDOG), field("none", style.WATCHDOG), paint="background_solid")
    owed = stat("Obligations open", "Orders and accounts of ours that are still to be undone at the target. Some are normal while "
                "journeys run; at the end it must be 0. " + SEEN, query(q.OBLIGATIONS), field("none", decimals=0))
    strange = stat("Checks nobody knows", "Checks that report without being in readiness's catalogue: a prober with another plan or "
                   "version. Should be 0. " + SEEN, query(q.UNCATALOGUED),
                   field("none", thresholds=steps(NEUTRAL, (1, UNPROVEN)), decimals=0))
    lag = stat("Rules last ran", "Age of the oldest rule group's last evaluation. Beyond 30 s the tiles above are old news. NO DATA: "
               "Prometheus does not scrape itself.", query(q.RULE_LAG),
               field("s", thresholds=steps(NEUTRAL, (30, UNPROVEN)), decimals=0))
    broken = stat("Rule failures", "Evaluations of rules that ended in an error in the last 15 minutes. Must be 0. " + SEEN, query(q.RULE_FAILURES),
                  field("none", thresholds=steps(NEUTRAL, (0.5, UNPROVEN)), decimals=0))
    scrape = lines("Scrape duration", "How long each process takes to answer a scrape; the limit is 4 s.",
                   query(q.SCRAPE_SECONDS, "{{who}} {{instance}}", instant=False), "s", decimals=1, min=0)
    memory = lines("Memory", "Resident memory of each process. Should stay flat all night.",
                   query(q.MEMORY, "{{who}} {{instance}}", instant=False), "bytes", decimals=0, min=0)
    guests = lines("Requests to the target", "What we do to the target, requests per second by path: we are a guest there.",
                   query(q.REQUESTS, "{{path}}", instant=False), "reqps", decimals=1, by_path=True, min=0)
    builds = table("Versions and plans", "What runs where. All lines must show the same plan; two plans mean that a reload did not "
                   "reach everyone.", query(q.BUILDS, "", table=True),
                   [("job", "Job", 160, {}), ("instance", "Address", 150, {}), ("version", "Version", 90, {}),
                    ("revision", "Revision", 120, {}), ("plan", "Plan", 0, {})], sort="Job")
    return [(1, [(row("Is the monitoring itself well?"), 24)]),
            (4, [(two, 6), (dog, 3), (lag, 4), (broken, 3), (owed, 4), (strange, 4)]),
            (8, [(up, 12), (heart, 12)]),
            (8, [(scrape, 8), (memory, 8), (guests, 8)]),
            (7, [(builds, 24)])]


def mission_control():
    launch = verdict_tile(
        "May the launch go ahead?", "", q.LAUNCH, "May the launch go ahead? The worst of all paths, and of readiness's own verdict if that is stricter. GO; "
        "GO · WAIVED: known failures, announced to customers; HOLD: inconclusive, evidence is missing; NO-GO: a failure is proven. "
        "Never green because something died. " + SEEN, [], {"valueSize": 110})
    promises = table("Promises", "What the launch promises its customers, kept or broken by the checks behind it. NO DATA: not "
                     "known yet.", query(q.PROMISES, "", table=True),
                     [("promise", "Promise", 0, {}),
                      ("Value", "Now", 110, {"mappings": style.PROMISE, "custom.cellOptions": {"type": "color-background",
                                                                                              "mode": "basic"}})])
    paths = timeline("state-timeline", "Launch and paths", "The verdicts over time, each the worst within its step. A gap: "
                     "Prometheus itself did not run.", [query(q.LAUNCH_HISTORY, "LAUNCH", instant=False),
                                                        query(q.PATH_HISTORY, "{{path}}", ref="B", instant=False)],
                     style.VERDICT)
    return [
        (6, [(launch, 8), (countdown(), 7),
             (audience_tile("Audience", "", q.affected("all"),
                            "Share of the audience with a proven failure that stops the launch (the worst path's, or all paths' "
                            "together where readiness says so), and share that nobody observes (the worst path's). "
                            + SEEN), 5), (pages_tile(), 4)]),
        (5, [(path_tile(path), 5 if i < 4 else 4) for i, path in enumerate(style.PATHS)]),
        (4, [(fresh_tile(), 8), (silence_tile(), 8), (waivers_tile(), 8)]),
        (1, [(row("Since when, for whom"), 24)]),
        (7, [(paths, 24)]),
        (7, [(customers_history(), 24)]),
        (9, [(failing_table(), 24)]),
        (1, [(row("How much of the night's allowance is spent"), 24)]),
        (8, [(availability(), 14), (budget(), 4), (promises, 6)]),
        (1, [(row("Why"), 24)]),
        (8, [(reasons_table("Reasons, last 15 minutes", "path, check, reason", "path"), 10), (alerts_table(), 14)]),
        (8, [(burn(), 12), (p95("path", "Check duration, p95 by path"), 12)]),
        *health(),
    ]


def path_board(path):
    words = style.PATH_WORDS[path]
    this = f'path="{path}"'
    tile = path_tile(path)
    tile["fieldConfig"]["defaults"]["links"] = link("Back to mission control", MISSION)
    tile["options"]["text"] = {"titleSize": 30, "valueSize": 80}
    vantages = stat("Vantages", "Probers of this path that showed a sign of life in the last minute, of those that the plan requires to "
                    "pass.", query(q.vantages(path), "{{text}}"),
                    field("none", thresholds=steps(style.NOTHING, (0, NEUTRAL), (1, UNPROVEN))), show="name",
                    sizes={"valueSize": 44})
    checks = timeline("status-history", "Checks", "The worst state of each check at each time, over its customers in the "
                      "selection. A gap: nothing was recorded.", [query(q.CHECK_HISTORY, "{{check}}", instant=False)], style.STATE)
    runs = lines("Runs by outcome", "Check runs per minute by outcome, over 2 minutes. No line moving: nothing is being checked.",
                 query(q.RUNS, "{{outcome}}", instant=False), "suffix: /min", decimals=1, colors=style.OUTCOMES, min=0)
    measured = table("Measured", "The number each check last measured, in the check's own unit (see `puckdrop checks`); the largest "
                     "over vantages.", query(q.MEASURED, "", table=True),
                     [("check", "Check", 240, {}), ("customer", "Customer", 160, {}),
                      ("Value", "Value, in the check's unit", 0, {"decimals": 2})], sort="Check")
    answers = lines("Requests to the target by answer", "Requests per second of this path's probers, by class of answer.",
                    query(q.REQUESTS_BY_ANSWER, "{{code_class}}", instant=False), "reqps", decimals=1, min=0)
    return [
        (6, [(tile, 8), (audience_tile("Audience", this, q.affected(path),
                                       f"Share of the audience with a proven failure of {words.lower()} that stops the launch, and "
                                       "share that nobody observes. " + SEEN), 5),
             (fresh_tile(this), 4), (silence_tile(this), 4), (pages_tile(f'path=~"{path}|all"'), 3)]),
        (1, [(row("Since when, for whom"), 24)]),
        (10, [(checks, 24)]),
        (7, [(customers_history(), 24)]),
        (9, [(failing_table(), 24)]),
        (1, [(row("Why"), 24)]),
        (8, [(reasons_table("Reasons, last 15 minutes", "check, reason", "check"), 10), (alerts_table(), 14)]),
        (8, [(availability(), 9), (budget(), 3), (burn(), 9), (vantages, 3)]),
        (8, [(p95("check", "Check duration, p95 by check"), 12), (runs, 12)]),
        (8, [(measured, 12), (answers, 12)]),
    ]


def board(identifier, title, description, rows, path=None):
    annotation = {"name": "Pages", "datasource": {"type": "prometheus", "uid": "${datasource}"}, "enable": True, "hide": False,
                  "iconColor": BAD, "expr": f"ALERTS{{{q.PAGES}}}", "step": "15s", "titleFormat": "{{alertname}}",
                  "textFormat": "{{path}}", "tagKeys": "path"}
    links = [{"type": "link", "title": words if target != MISSION else "Mission control", "url": f"/d/{target}?{KEEP}",
              "icon": "dashboard", "targetBlank": False, "keepTime": False, "includeVars": False, "asDropdown": False, "tags": [],
              "tooltip": ""}
             for target, words in [(MISSION, "")] + [(uid(name), style.PATH_WORDS[name]) for name in style.PATHS]
             if target != identifier]
    return {"uid": identifier, "id": None, "title": title, "description": description, "tags": ["puckdrop"], "schemaVersion": 39,
            "version": 1, "editable": False, "graphTooltip": 1, "timezone": "browser", "refresh": "5s", "weekStart": "",
            "time": {"from": "now-1h", "to": "now"}, "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m"]},
            "fiscalYearStartMonth": 0, "liveNow": False, "links": links, "annotations": {"list": [annotation]},
            "templating": variables.all_of(path), "panels": lay_out(rows)}


def all_boards():
    """File name to board."""
    boards = {"mission-control.json": board(MISSION, "Puckdrop · mission control",
                                            "Is the launch ready, for whom is it not, and can this board be believed?",
                                            mission_control())}
    for path in style.PATHS:
        boards[f"path-{path}.json"] = board(uid(path), f"Puckdrop · {style.PATH_WORDS[path].lower()}",
                                            f"What the {path} probers see: which check, for whom, since when and why.",
                                            path_board(path), path)
    return boards
