"""What every panel must say in every state of world.py, written by hand. A panel's entry is state to texts, "*" for all
states that are not named. A text that begins with ~ is a regular expression for the whole text; one that begins with ? may
be missing; any other is exact."""

PATHS = ("ordering", "cancellation", "device_support", "playback", "billing")
QUESTIONS = {"ordering": "Can they order?", "cancellation": "Can they leave?", "device_support": "On their device?",
             "playback": "Does the picture show?", "billing": "Is the bill right?"}
NAMES = {"ordering": "ORDERING", "cancellation": "CANCELLATION", "device_support": "DEVICES", "playback": "PLAYBACK",
         "billing": "BILLING"}
CHECKS = {"ordering": ("offer_visible", "order_completes", "sign_in"),
          "cancellation": ("reachable", "takes_effect", "no_charge_after"),
          "device_support": ("profiles_known", "codec_supported", "captions_supported"),
          "playback": ("manifest_valid", "picture_shows", "sound_heard"),
          "billing": ("currency_known", "charged_once", "vat")}
LIVING, KITCHEN, CABIN = ("living-room | samsung_2018_tizen4.0 | FI", "kitchen | chrome_desktop | FI", "cabin | ipad_2021 | SE")

BLIND = ("readiness_dead", "nothing")  # nobody says what is expected
NONE = ["NO DATA [nothing]"]
EMPTY = ["NO DATA"]  # of a table


def blind(texts):
    return {state: texts for state in BLIND}


def each(text, playback=None, without=()):
    """One text per path, sorted, with {} for its name; another for playback."""
    return sorted((playback or text).format(path) if path == "playback" else text.format(path) for path in PATHS
                  if path not in without)


def escaped(text):
    return text.replace(".", r"\.").replace("|", r"\|").replace("[", r"\[")


# ---- Shared by the mission-control board and playback's

GO, HOLD, NO_GO, WAIVED, NOT_ASKED = ("GO [good]", "HOLD [unproven]", "NO-GO [bad]", "GO · WAIVED [waived]",
                                      "NOT ASKED [nothing]")
LAUNCH = {"healthy": GO, "blip": HOLD, "failing": NO_GO, "waived": WAIVED, "stalled": HOLD, "killed": HOLD,
          "readiness_dead": HOLD, "not_asked": GO, "stricter": NO_GO, "nothing": HOLD}


def path_tile(path):
    said = LAUNCH if path == "playback" else {state: HOLD if state in BLIND else GO for state in LAUNCH}
    if path == "billing":
        said = said | {"not_asked": NOT_ASKED}
    return {state: [f"{NAMES[path]}: {text}"] for state, text in said.items()}


AUDIENCE = {"*": ["failing: 0%", "unseen: 0%"],
            "blip": ["failing: 0%", "unseen: 60% [unproven]"],
            "failing": ["failing: 60% [bad]", "unseen: 0%"],
            "stalled": ["failing: 0%", "unseen: 100% [unproven]"],
            "killed": ["failing: 0%", "unseen: 100% [unproven]"],
            **blind(["failing: 0%", "unseen: 100% [unproven]"])}

PAGES = {"*": ["PAGES: 0"], "failing": ["PAGES: 3 [bad]"], "stalled": ["PAGES: 1 [bad]"], "killed": ["PAGES: 1 [bad]"],
         **blind(["PAGES: 1 [bad]"])}

SILENCE = {"*": [r"~\w+ silent: \d s"],
           "stalled": [r"~playback silent: [5-7] mins \[unproven\]"],
           "killed": [r"~playback silent: ([345]\d s|[12] mins?) \[unproven\]"],
           "nothing": NONE}

CUSTOMERS = {
    "*": ["cabin · ipad_2021: OK [good]", "kitchen · chrome_desktop: OK [good]",
          "living-room · samsung_2018_tizen4.0: OK [good]"],
    "blip": ["cabin · ipad_2021: OK [good]", "kitchen · chrome_desktop: OK [good]",
             "living-room · samsung_2018_tizen4.0: INCONCLUSIVE [unproven]"],
    "failing": ["cabin · ipad_2021: OK [good]", "kitchen · chrome_desktop: OK [good]",
                "living-room · samsung_2018_tizen4.0: FAILED [bad]"],
    "stalled": ["cabin · ipad_2021: INCONCLUSIVE [unproven]", "kitchen · chrome_desktop: INCONCLUSIVE [unproven]",
                "living-room · samsung_2018_tizen4.0: INCONCLUSIVE [unproven]"],
    "killed": ["cabin · ipad_2021: INCONCLUSIVE [unproven]", "kitchen · chrome_desktop: INCONCLUSIVE [unproven]",
               "living-room · samsung_2018_tizen4.0: INCONCLUSIVE [unproven]"],
    "readiness_dead": ["cabin · ipad_2021: NO DATA [nothing]", "kitchen · chrome_desktop: NO DATA [nothing]",
                       "living-room · samsung_2018_tizen4.0: NO DATA [nothing]"],
    "nothing": NONE}

NOTHING_FAILS = ["OK [good] |  | nothing fails in this selection |  |  |  |  | a few seconds ago | "]


def failing_row(state, check, customer, since):
    words = f"{state} | playback | {check} | {customer} | playback on call | "
    return f"~{escaped(words)}({since})" + escaped(f" | Look at what {check} needs.")


def all_of_playback(since):
    return [failing_row("INCONCLUSIVE [unproven]", check, customer, since) for check, customer in
            [("manifest_valid", "any | any | any")] +
            [(check, customer) for check in ("picture_shows", "sound_heard") for customer in (CABIN, KITCHEN, LIVING)]]


FAILS = {
    "*": NOTHING_FAILS,
    "blip": [failing_row("INCONCLUSIVE [unproven]", "picture_shows", LIVING, "a few seconds ago")],
    "failing": [failing_row("FAILED [bad]", check, LIVING, "4 minutes ago") for check in ("picture_shows", "sound_heard")],
    "waived": [failing_row("WAIVED [waived]", check, LIVING, "4 minutes ago") for check in ("picture_shows", "sound_heard")],
    "stalled": all_of_playback("[5-7] minutes ago"),
    "killed": all_of_playback("a few seconds ago|a minute ago|2 minutes ago"),
    **blind(EMPTY)}

SINCE = "(a few seconds ago|a minute ago|2 minutes ago)"
QUIET = [" | none |  | a few seconds ago"]


def ticket(path):
    return rf"~ticket \| PuckdropPathInconclusive \| {path} \| {SINCE}"


def page(alert, path="playback"):
    return rf"~page \| Puckdrop{alert} \| {path} \| {SINCE}"


def alerts(paths):
    """Of a board that is filtered to these paths; alerts of all paths are on every board."""
    ours = "playback" in paths
    everybody = [page("ReadinessAbsent", "all")] + [ticket(path) for path in sorted(paths)]
    if not ours:
        return {"*": QUIET, **blind(everybody)}
    return {"*": QUIET,
            "blip": [ticket("playback")],
            "failing": [page("BudgetBurnFast"), page("BudgetBurnSlow"), page("PathNoGo")],
            "stalled": [page("ProberStalled"), ticket("playback")],
            "killed": [page("ProberDown"), ticket("playback")],
            **blind(everybody)}


# ---- Mission control

WAIVERS = {"*": ["waivers: 0", "void: 0"], "failing": ["waivers: 0", "void: 1 [bad]"],
           "waived": ["waivers: 2 [waived]", "void: 0"], **blind(NONE)}
ADDRESS = r"127\.0\.0\.1:\d+"


def processes(text, dead=None, dead_text=None, names=(*PATHS, "prometheus", "readiness")):
    return [f"~{name} {ADDRESS}: {dead_text if name == dead else text}" for name in sorted(names)]


def versions():
    return [rf"~puckdrop-prober \| {ADDRESS} \| 1\.0 \| abc \| p1"] * 5 + [rf"~puckdrop-readiness \| {ADDRESS} \| 1\.0 \| abc \| p1"]


UP, DOWN = r"UP \[good\]", r"DOWN \[unproven\]"
MISSION = {
    "May the launch go ahead?": {state: [text] for state, text in LAUNCH.items()},
    "Countdown": {"*": [r"~PUCK DROP: 1 d 02:0[123]:\d\d"], "killed": [r"~PUCK DROP: 00:1[0-3]:\d\d ago"], "nothing": NONE},
    "Audience": AUDIENCE,
    "Firing pages": PAGES,
    **{QUESTIONS[path]: path_tile(path) for path in PATHS},
    "Fresh of expected": {"*": ["35 / 35 fresh"], "stalled": ["28 / 35 fresh [unproven]"],
                          "killed": ["28 / 35 fresh [unproven]"], "not_asked": ["28 / 28 fresh"], **blind(NONE)},
    "Prober silence": SILENCE,
    "Waivers": WAIVERS,
    "Launch and paths": {
        "*": ["LAUNCH: GO [good]", *each("{}: GO [good]")],
        "blip": ["LAUNCH: HOLD [unproven]", *each("{}: GO [good]", "{}: HOLD [unproven]")],
        "failing": ["LAUNCH: NO-GO [bad]", *each("{}: GO [good]", "{}: NO-GO [bad]")],
        "stricter": ["LAUNCH: NO-GO [bad]", *each("{}: GO [good]", "{}: NO-GO [bad]")],
        "stalled": ["LAUNCH: HOLD [unproven]", *each("{}: GO [good]", "{}: HOLD [unproven]")],
        "killed": ["LAUNCH: HOLD [unproven]", *each("{}: GO [good]", "{}: HOLD [unproven]")],
        # Before readiness was first heard, all five paths were on hold.
        "not_asked": ["LAUNCH: GO [good]", "?billing: NO DATA [nothing]", *each("{}: GO [good]", without=("billing",))],
        **blind(["LAUNCH: HOLD [unproven]", *each("{}: HOLD [unproven]")])},
    "Customers and their devices": CUSTOMERS,
    "What fails now": FAILS,
    "Audience-weighted availability": {"*": each("{}: 100.0%"), "failing": each("{}: 100.0%", "{}: 40.0%"),
                                       "stalled": each("{}: 100.0%", "{}: 0.0%"), "killed": each("{}: 100.0%", "{}: 0.0%"),
                                       "not_asked": ["?billing: NO DATA", *each("{}: 100.0%", without=("billing",))],
                                       **blind(each("{}: 0.0%"))},
    "Error budget left (24 h)": {"*": each(r"~{} \| (100|9\d|8\d)%"),
                                 "not_asked": ["?~" + r"billing \| (100|9\d|8\d)%",
                                               *each(r"~{} \| (100|9\d|8\d)%", without=("billing",))]},
    "Promises": {"*": ["cancel-any-time | NO DATA [nothing]", "picture-shows | KEPT [good]"],
                 "failing": ["cancel-any-time | NO DATA [nothing]", "picture-shows | BROKEN [bad]"], **blind(EMPTY)},
    "Reasons, last 15 minutes": {"*": [" |  | no failure in 15 minutes | 0"],
                                 "failing": [rf"~playback \| {check} \| black \| \d+" for check in ("picture_shows", "sound_heard")],
                                 "waived": [rf"~playback \| {check} \| black \| \d+" for check in ("picture_shows", "sound_heard")],
                                 "nothing": EMPTY},
    "Alerts firing": alerts(PATHS),
    "Burn rate": {"*": each("{}: 0 ×"), "failing": each("{}: 0 ×", "{}: 120 ×"), "stalled": each("{}: 0 ×", "{}: 200 ×"),
                  "killed": each("{}: 0 ×", "{}: 200 ×"), "not_asked": ["?billing: NO DATA", *each("{}: 0 ×", without=("billing",))],
                  **blind(each("{}: 200 ×"))},
    "Check duration, p95 by path": {"*": each("{}: 487.5 ms"), "stalled": each("{}: 487.5 ms", "{}: NO DATA"),
                                    "nothing": NONE},
    "Two verdicts": {"*": ["rules: GO [good]", "readiness: GO [good]"],
                     "blip": ["rules: HOLD [unproven]", "readiness: HOLD [unproven]"],
                     "failing": ["rules: NO-GO [bad]", "readiness: NO-GO [bad]"],
                     "stricter": ["rules: GO [good]", "readiness: NO-GO [bad]"],
                     "stalled": ["rules: HOLD [unproven]", "readiness: HOLD [unproven]"],
                     "killed": ["rules: HOLD [unproven]", "readiness: HOLD [unproven]"],
                     **blind(["rules: HOLD [unproven]", "readiness: NO DATA [nothing]"])},
    "Watchdog": {"*": ["ALIVE [good]"]},
    "Rules last ran": {"*": [r"~\d s"]},
    "Rule failures": {"*": ["0"]},
    "Obligations open": {"*": ["2"], **blind(NONE)},
    "Checks nobody knows": {"*": ["0"], "not_asked": ["3 [unproven]"], **blind(NONE)},
    "Answers its scrape": {"*": processes(UP), "killed": processes(UP, "playback", DOWN),
                           "readiness_dead": processes(UP, "readiness", DOWN), "nothing": [f"~prometheus {ADDRESS}: {UP}"]},
    "Prober heartbeats": {"*": each(r"~{}: -?\d+ (ms|s)"), "stalled": each(r"~{}: -?\d+ (ms|s)", "~{}: [5-7] mins"),
                          "killed": each(r"~{}: -?\d+ (ms|s)", "~{}: NO DATA"), "nothing": NONE},
    "Scrape duration": {"*": processes(r"[\d.]+ (µs|ms|s)"), "nothing": [rf"~prometheus {ADDRESS}: [\d.]+ (µs|ms|s)"]},
    "Memory": {"*": processes("48 MiB", names=(*PATHS, "readiness")),
               "killed": processes("48 MiB", "playback", "NO DATA", names=(*PATHS, "readiness")),
               "readiness_dead": processes("48 MiB", "readiness", "NO DATA", names=(*PATHS, "readiness")), "nothing": NONE},
    "Requests to the target": {"*": each(r"~{}: \d\.\d req/s"), "stalled": each(r"~{}: \d\.\d req/s", r"~{}: 0\.0 req/s"),
                               "nothing": NONE},
    "Versions and plans": {"*": versions(), "killed": versions()[1:], "readiness_dead": versions()[:-1], "nothing": EMPTY},
}


# ---- A path's board

def path_board(path):
    ours = path == "playback"
    any_check, first, second = CHECKS[path]
    checks = sorted(CHECKS[path])
    all_ok = [f"{check}: OK [good]" for check in checks]
    gone = {"readiness_dead": [f"{check}: NO DATA [nothing]" for check in checks], "nothing": NONE}
    quiet = {"*": [" | no failure in 15 minutes | 0"], "nothing": EMPTY}
    black = [rf"~{check} \| black \| \d+" for check in ("picture_shows", "sound_heard")]
    p95 = {"*": [f"{check}: 487.5 ms" for check in checks], "nothing": NONE}
    nobody = [f"{check}: INCONCLUSIVE [unproven]" for check in checks]
    lone = [f"{check} | {customer} | 1.50" for check, customer in
            sorted([(any_check, "any")] + [(check, customer) for check in (first, second)
                                           for customer in ("cabin", "kitchen", "living-room")])]
    silent = {"*": [rf"~{path} silent: \d s"], "nothing": NONE}
    runs = [rf"~{outcome}: 0\.0 /min" for outcome in ("blocked", "failed", "inconclusive", "passed", "skipped")]
    passing = [text.replace(r"0\.0", r"\d+\.\d") if text.startswith("~passed") else text for text in runs]
    board = {
        QUESTIONS[path]: path_tile(path),
        "Audience": AUDIENCE if ours else {"*": ["failing: 0%", "unseen: 0%"], **blind(AUDIENCE["nothing"])},
        "Fresh of expected": {"*": ["7 / 7 fresh"], **blind(NONE)},
        "Prober silence": silent,
        "Firing pages": PAGES if ours else {"*": ["PAGES: 0"], **blind(["PAGES: 1 [bad]"])},
        "Checks": {"*": all_ok, **gone},
        "Customers and their devices": CUSTOMERS if ours else {state: CUSTOMERS[state] for state in ("*", *BLIND)},
        "What fails now": FAILS if ours else {"*": NOTHING_FAILS, **blind(EMPTY)},
        "Reasons, last 15 minutes": quiet,
        "Alerts firing": alerts((path,)),
        "Audience-weighted availability": {"*": [f"{path}: 100.0%"], **blind([f"{path}: 0.0%"])},
        "Error budget left (24 h)": {"*": [rf"~{path} \| (100|[789]\d)%"]},
        "Burn rate": {"*": [f"{path}: 0 ×"], **blind([f"{path}: 200 ×"])},
        "Vantages": {"*": ["1 / 1 vantages"], **blind(NONE)},
        "Check duration, p95 by check": p95,
        "Runs by outcome": {"*": passing, "nothing": NONE},
        "Measured": {"*": lone, "nothing": EMPTY},
        "Requests to the target by answer": {"*": [r"~2xx: \d\.\d req/s", "5xx: 0.0 req/s"], "nothing": NONE},
    }
    if path == "billing":  # left out by the plan, while its prober reports
        none = {"Audience": NONE, "Fresh of expected": NONE, "Checks": NONE, "Customers and their devices": NONE,
                "What fails now": EMPTY, "Vantages": NONE}
        for title, texts in none.items():
            board[title] = board[title] | {"not_asked": texts}
        # These begin before readiness was first heard, when all five paths were judged.
        for title in ("Audience-weighted availability", "Burn rate"):
            board[title] = board[title] | {"not_asked": ["?billing: NO DATA", "?NO DATA [nothing]"]}
    if ours:
        silent |= {state: SILENCE[state] for state in ("stalled", "killed")}
        board["Fresh of expected"] |= {state: ["0 / 7 fresh [unproven]"] for state in ("stalled", "killed")}
        board["Vantages"] |= {state: ["0 / 1 vantages [unproven]"] for state in ("stalled", "killed")}
        board["Checks"] |= {"blip": [all_ok[0], "picture_shows: INCONCLUSIVE [unproven]", all_ok[2]],
                            "failing": [all_ok[0], "picture_shows: FAILED [bad]", "sound_heard: FAILED [bad]"],
                            "stalled": nobody, "killed": nobody}
        quiet |= {"failing": black, "waived": black}
        quiet["killed"] = EMPTY
        board["Audience-weighted availability"] |= {"failing": ["playback: 40.0%"], "stalled": ["playback: 0.0%"],
                                                    "killed": ["playback: 0.0%"]}
        board["Burn rate"] |= {"failing": ["playback: 120 ×"], "stalled": ["playback: 200 ×"], "killed": ["playback: 200 ×"]}
        p95["stalled"] = [f"{check}: NO DATA" for check in checks]
        failing = [text.replace(r"0\.0", r"\d+\.\d") if text.startswith(("~passed", "~failed")) else text for text in runs]
        board["Runs by outcome"] |= {"failing": failing, "waived": failing, "stalled": runs}
        board["Measured"] |= {"killed": EMPTY}
        board["Requests to the target by answer"] |= {"stalled": ["2xx: 0.0 req/s", "5xx: 0.0 req/s"]}
    return board


BOARDS = {"mission-control.json": MISSION, **{f"path-{path}.json": path_board(path) for path in PATHS}}
