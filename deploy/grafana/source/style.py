"""Colours, words and units of the boards. One meaning per colour; a colour never says what its text does not say as well.

Chosen so that people with any common colour blindness tell them apart and the text that Grafana puts on them (white, or
black from a brightness of 180) has a contrast of 4 or more; tests/deploy/grafana/lint_test.py measures both. Paths have
hues of their own and dashes, so that a line's colour is never taken for a verdict.
"""

GOOD = "#008A64"      # proven good for the customer
UNPROVEN = "#F5B82E"  # evidence is missing, late, or from something that does not answer
BAD = "#C84B00"       # proven bad for the customer
WAIVED = "#8844DD"    # known, accepted by its owner, announced to customers
NOTHING = "#BABAC4"   # nothing is measured here; the text says why (NO DATA, NOT ASKED)
NEUTRAL = "text"      # a number that is not a judgement

PATHS = ("ordering", "cancellation", "device_support", "playback", "billing")
PATH_WORDS = {"ordering": "Ordering", "cancellation": "Cancellation", "device_support": "Devices", "playback": "Playback",
              "billing": "Billing"}
PATH_LINES = {"ordering": ("#7FB3FF", []), "cancellation": ("#7FB3FF", [10, 6]), "device_support": ("#F06FB5", [10, 6]),
              "playback": ("#F06FB5", []), "billing": ("#62D0E0", [])}

# What the launch asks, in the customer's place.
QUESTIONS = {"ordering": "Can they order?", "cancellation": "Can they leave?", "device_support": "On their device?",
             "playback": "Does the picture show?", "billing": "Is the bill right?"}
OUTCOMES = {"passed": GOOD, "failed": BAD, "blocked": UNPROVEN, "inconclusive": UNPROVEN, "skipped": NOTHING}
SHADES = {"mode": "shades", "fixedColor": "#8FB7FF"}  # lines that are neither a path nor a judgement

OBJECTIVE = 0.995  # METRICS.md: 99.5 % over 24 h
SILENCE_SECONDS = 30  # half of what PuckdropProberStalled pages at


def special(text, color, match="null+nan"):
    return {"type": "special", "options": {"match": match, "result": {"text": text, "color": color, "index": 90}}}


def values(*rows):
    """rows of (value, text, colour) as one value mapping, with NO DATA for null and NaN."""
    options = {str(value): {"text": text, "color": color, "index": index} for index, (value, text, color) in enumerate(rows)}
    return [{"type": "value", "options": options}, special("NO DATA", NOTHING)]


NO_DATA = [special("NO DATA", NOTHING)]
VERDICT = values((0, "NO-GO", BAD), (1, "HOLD", UNPROVEN), (2, "GO", GOOD), ("2.5", "GO · WAIVED", WAIVED),
                 (3, "NOT ASKED", NOTHING))
STATE = values((0, "FAILED", BAD), (1, "INCONCLUSIVE", UNPROVEN), (2, "OK", GOOD))
STATE_WORDS = values(("FAILED", "FAILED", BAD), ("INCONCLUSIVE", "INCONCLUSIVE", UNPROVEN), ("WAIVED", "WAIVED", WAIVED),
                     ("OK", "OK", GOOD))
SCRAPE = values((0, "DOWN", UNPROVEN), (1, "UP", GOOD))
PROMISE = values((0, "BROKEN", BAD), (1, "KEPT", GOOD))
WATCHDOG = values((1, "ALIVE", GOOD))
SILENCE = [{"type": "range", "options": {"from": 1e8, "to": None, "result": {"text": "NEVER HEARD", "color": UNPROVEN,
                                                                             "index": 0}}}] + NO_DATA
LAST_PASS = values((0, "never passed", BAD), (-1, "none in the last hour", UNPROVEN))


def steps(base, *above):
    """Thresholds: base colour, then (from value, colour) upwards."""
    return {"mode": "absolute", "steps": [{"color": base, "value": None}] +
            [{"color": color, "value": value} for value, color in above]}
