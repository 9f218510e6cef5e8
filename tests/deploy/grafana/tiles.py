"""What each panel of a board says, worked out from its JSON and a Prometheus as Grafana works it out: variables, reducer,
value mappings, thresholds, unit, "no value". Only what the boards use; anything else is an error, not a guess.

A text is followed by its colour's meaning in brackets where it has one: `NO-GO [bad]`."""

import math
import re

MEANING = {"#008A64": "good", "#F5B82E": "unproven", "#C84B00": "bad", "#8844DD": "waived", "#BABAC4": "nothing", "text": "",
           "transparent": ""}


class Unknown(Exception):
    pass


# ---- Values to words


def to_fixed(value, decimals):
    if decimals is None:
        decimals = 0 if value == int(value) else max(0, 1 - math.floor(math.log10(abs(value))))
    scale = 10 ** decimals
    rounded = math.floor(value * scale + 0.5) / scale
    return f"{rounded + 0.0:.{decimals}f}"


def clock(seconds):
    if seconds < 0:
        return clock(-seconds) + " ago"
    days, rest = divmod(seconds, 86400)
    text = f"{int(rest // 3600):02}:{int(rest % 3600 // 60):02}:{int(rest % 60):02}"
    return f"{int(days)} d {text}" if days else text


def seconds_text(value, decimals):
    size = abs(value)
    if size == 0:
        return to_fixed(value, decimals) + " s"
    for below, divisor, word in ((1e-3, 1e-6, "µs"), (1, 1e-3, "ms"), (60, 1, "s"), (3600, 60, "min"), (86400, 3600, "hour"),
                                 (604800, 86400, "day"), (math.inf, 604800, "week")):
        if size < below:
            plural = "s" if word in ("min", "hour", "day", "week") and size / divisor > 1 else ""
            return f"{to_fixed(value / divisor, decimals)} {word}{plural}"
    raise Unknown(f"{value} s")


def bytes_text(value, decimals):
    index = 0 if value == 0 else min(4, int(math.log(abs(value), 1024)))
    return f"{to_fixed(value / 1024 ** index, decimals)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[index]}"


def ago(milliseconds, now):
    """moment.js's fromNow."""
    seconds = now - milliseconds / 1000
    for below, text in ((45, "a few seconds ago"), (90, "a minute ago"), (45 * 60, "{m} minutes ago"),
                        (90 * 60, "an hour ago"), (22 * 3600, "{h} hours ago")):
        if seconds < below:
            return text.format(m=round(seconds / 60), h=round(seconds / 3600))
    return "more than a day ago"


def worded(value, unit, decimals, now):
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "none":
        return to_fixed(value, decimals)
    if unit == "percentunit":
        return to_fixed(value * 100, decimals) + "%"
    if unit == "s":
        return seconds_text(value, decimals)
    if unit == "dtdhms":
        return clock(value)
    if unit == "bytes":
        return bytes_text(value, decimals)
    if unit == "reqps":
        return to_fixed(value, decimals) + " req/s"
    if unit == "dateTimeFromNow":
        return ago(value, now)
    if unit.startswith("suffix:"):
        return to_fixed(value, decimals) + unit[len("suffix:"):]
    raise Unknown(f"unit {unit}")


def key_of(value):
    """A number as JavaScript writes it when it is an object's key."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def mapped(value, mappings):
    empty = value is None or (isinstance(value, float) and math.isnan(value))
    for mapping in mappings:
        options = mapping["options"]
        if mapping["type"] == "value":
            if not empty and not (isinstance(value, float) and math.isinf(value)) and key_of(value) in options:
                return options[key_of(value)]
        elif mapping["type"] == "range":
            low = -math.inf if options["from"] is None else options["from"]
            high = math.inf if options["to"] is None else options["to"]
            if not empty and not isinstance(value, str) and low <= value <= high:
                return options["result"]
        elif mapping["type"] == "special":
            if options["match"] != "null+nan":
                raise Unknown(f"special value {options['match']}")
            if empty:
                return options["result"]
        else:
            raise Unknown(f"mapping {mapping['type']}")
    return None


def threshold_color(value, thresholds):
    color = thresholds["steps"][0]["color"]
    for step in thresholds["steps"][1:]:
        if value is not None and not math.isnan(value) and value >= step["value"]:
            color = step["color"]
    return color


def display(value, config, now):
    """(text, colour) of one value under a field configuration."""
    found = mapped(value, config.get("mappings", []))
    text, color = (found.get("text"), found.get("color")) if found else (None, None)
    if isinstance(value, str):
        return text or value, color or "text"
    if value is None or math.isnan(value):
        return text or config.get("noValue", ""), color or threshold_color(None, config["thresholds"])
    return text or worded(value, config["unit"], config.get("decimals"), now), color or threshold_color(value,
                                                                                                       config["thresholds"])


def said(text, color):
    if color not in MEANING:
        raise Unknown(f"colour {color} has no meaning")
    return f"{text} [{MEANING[color]}]" if MEANING[color] else text


# ---- Queries


def seconds_of(duration):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


class Board:
    """A board's JSON against a Prometheus at a time. `picks`: variable to value; all others are All."""

    def __init__(self, board, api, now, span=150, picks=None):
        self.board, self.api, self.now, self.span = board, api, now, span
        self.variables = {}
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                self.variables[variable["name"]] = variable["allValue"]
            elif variable["type"] == "constant":
                self.variables[variable["name"]] = variable["query"]
        self.variables.update(picks or {})

    def expression(self, target, step):
        known = {**self.variables, "__interval": f"{int(step)}s"}

        def value(match):
            name = match.group(1) or match.group(2)
            if name not in known:
                raise Unknown(f"variable ${name}")
            return known[name]
        return re.sub(r"\$\{(\w+)\}|\$([a-z_]\w*)", value, target["expr"])

    def step(self, panel):
        smallest = seconds_of(panel["interval"]) if "interval" in panel else 5
        return max(smallest, math.ceil(self.span / panel.get("maxDataPoints", 1000)))

    def series(self, panel):
        """[(target, labels, name, last value or None)], an instant query's value or a range's last step."""
        found = []
        for target in panel["targets"]:
            if target["instant"]:
                answers = self.api.instant(self.expression(target, 5), self.now)
            else:
                step = self.step(panel)
                end = math.floor(self.now / step) * step
                answers = [(labels, points[-1][1] if points and points[-1][0] >= end else None) for labels, points in
                           self.api.matrix(self.expression(target, step), end - self.span, end, step)]
            for labels, value in answers:
                name = re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match.group(1), ""), target["legendFormat"])
                found.append((target, labels, name, value))
        return found

    def config(self, panel, ref=None, name=None):
        config = dict(panel["fieldConfig"]["defaults"])
        for override in panel["fieldConfig"]["overrides"]:
            matcher = override["matcher"]
            if matcher["options"] == {"byFrameRefID": ref, "byName": name}[matcher["id"]]:
                config.update({item["id"]: item["value"] for item in override["properties"]})
        return config

    def says(self, panel):
        """The panel's texts. stat: one per value (with its name if it shows it); table: one per row, cells joined with
        ` | `; lines and histories: `name: last text`, sorted."""
        kind = panel["type"]
        if kind == "table":
            return self._table(panel)
        found = self.series(panel)
        if not found:
            value, color = display(None, panel["fieldConfig"]["defaults"], self.now)
            return [said(value, color)]
        texts = []
        for target, _, name, value in found:
            text, color = display(value, self.config(panel, target["refId"], name), self.now)
            if kind == "stat":
                show = panel["options"]["textMode"]
                words = {"value": text, "name": name, "value_and_name": f"{name}: {text}"}[show]
                texts.append(said(words, color))
            elif kind in ("state-timeline", "status-history"):
                texts.append(f"{name}: {said(text, color)}")
            elif kind == "timeseries":
                texts.append(f"{name}: {text}")
            else:
                raise Unknown(f"panel type {kind}")
        return texts if kind == "stat" else sorted(texts)

    def _table(self, panel):
        (target,) = panel["targets"]
        arrange = {item["id"]: item["options"] for item in panel["transformations"]}
        columns = arrange["filterFieldsByName"]["include"]["names"]
        headings = arrange["organize"]["renameByName"]
        order = arrange["organize"]["indexByName"]
        columns = sorted(columns, key=lambda name: order[name])
        rows = []
        for labels, value in self.api.instant(self.expression(target, 5), self.now):
            cells = []
            for column in columns:
                config = self.config(panel, target["refId"], headings[column])
                cell = value if column == "Value" else labels.get(column)
                text, color = display(cell, config, self.now) if cell is not None else ("", "text")
                colored = config.get("custom.cellOptions", {}).get("type") == "color-background"
                cells.append(said(text, color) if colored else text)
            rows.append(" | ".join(cells))
        if panel["options"]["sortBy"]:
            rows.sort()
        return rows or [panel["fieldConfig"]["defaults"]["noValue"]]

    def everything(self):
        """Panel title to what it says."""
        return {panel["title"]: self.says(panel) for panel in self.board["panels"] if panel["type"] != "row"}
