"""Small wrong changes to the expressions of a rules file, as somebody might make them. Text in, text out; no YAML needed."""
import re

# An expression is what follows `expr:`: on the line, in quotes, or indented below `|`.
EXPRESSION = re.compile(r'expr: "(?P<quoted>[^"]*)"|expr: \|\n(?P<block>(?:          .*\n)+)|expr: (?P<line>[^|"\n][^\n]*)')
SWAPS = [
    (r"\bmin by\b", "max by"), (r"\bmin\(", "max("), (r"\bmax by\b", "min by"), (r"\bsum by\b", "max by"), (r"\bsum by\b", "min by"),
    (r"\bcount by\b", "sum by"), (r"\bcount by\b", "group by"), (r"\bgroup by\b", "count by"), (r"\bmax\(", "min("), (r"\bcount\(", "sum("),
    (r"\bclamp_min\(", "clamp_max("), (r"\bclamp_max\(", "clamp_min("), (r"\bavg_over_time\(", "max_over_time("),
    (r"\bavg_over_time\(", "min_over_time("), (r"\bsum_over_time\(", "avg_over_time("), (r"\brate\(", "increase("),
    (r"\bincrease\(", "rate("), (r"\babs\(", "ceil("), (r"\babsent\(", "count("),
    (r"\bunless\b", "and"), (r"\band\b", "unless"), (r"\bon\b", "ignoring"), (r"\bignoring\b", "on"),
    (r"==", "!="), (r"!=(?!\")", "=="), (r">=", ">"), (r">=", "<"), (r"(?<![<>=!])>(?!=)", ">="), (r"(?<![<>=!])>(?!=)", "<"),
    (r"(?<![<>=!])<(?!=)", "<="), (r"(?<![<>=!])<(?!=)", ">"), (r" - ", " + "), (r" \+ ", " - "), (r" \* ", " + "), (r"/", "*"),
    (r'="passed"', '="failed"'), (r'="failed"', '="passed"'), (r'="blocked"', '="inconclusive"'), (r'!="skipped"', '="skipped"'),
    (r'="any"', '="none"'), (r'!="any"', '="any"'), (r'="all"', '="none"'), (r'{outcome!="skipped"}', ""), (r'{outcome="[a-z]+"}', ""),
    (r'{customer!?="any"}', ""), (r'{path!?="all"}', ""), (r'{job="puckdrop-[a-z]+"}', ""),
    (r"\[5m\]", "[1m]"), (r"\[5m\]", "[30m]"), (r"\[10m\]", "[2h]"), (r"\[30m\]", "[5m]"), (r"\[30m\]", "[2h]"), (r"\[2h\]", "[10m]"),
    (r"\[24h\]", "[1h]"),
]
OPERATOR = re.compile(r"\b(or|and|unless)\b")


def depths(text):
    """How many parentheses and brackets are open before each character."""
    out, depth = [], 0
    for c in text:
        if c in ")]}":
            depth -= 1
        out.append(depth)
        if c in "([{":
            depth += 1
    return out


def operands(text):
    """For each `or`, `and`, `unless`: where its left and right operands begin and end."""
    depth = depths(text)
    for match in OPERATOR.finditer(text):
        level, word = depth[match.start()], match.group()
        stops = ("or",) if word == "or" else ("or", "and", "unless")
        begin, end = 0, len(text)
        for i in range(match.start() - 1, -1, -1):
            if depth[i] < level or (depth[i] == level and text[i] == ","):
                begin = i + 1
                break
            if depth[i] == level and any(text[i:].startswith(w + " ") and not text[i - 1].isalnum() for w in stops if w == "or"):
                begin = i + 2
                break
        for i in range(match.end(), len(text)):
            if depth[i] < level or (depth[i] == level and text[i] == ","):
                end = i
                break
            after = OPERATOR.match(text, i)
            if depth[i] == level and after and after.group() in stops and not text[i - 1].isalnum():
                end = i
                break
        yield match, begin, end


def of_expression(text):
    """(what was done, where, the new expression), each once."""
    seen = {text}

    def once(what, at, new):
        if new not in seen:
            seen.add(new)
            yield what, at, new

    for match, begin, end in operands(text):
        yield from once(f"drop `{' '.join(text[match.start():end].split())}`", match.start(), text[:match.start()] + text[end:])
        if match.group() == "or":
            yield from once(f"drop `{' '.join(text[begin:match.end()].split())}`", match.start(), text[:begin] + text[match.end():])
    for pattern, new in SWAPS:
        for match in re.finditer(pattern, text):
            yield from once(f"`{match.group()}` becomes `{new}`", match.start(), text[:match.start()] + new + text[match.end():])
    for match in re.finditer(r"(?<![\w.\[\"])(\d+(?:\.\d+)?)(?![\w.\]\"])", text):
        value = float(match.group())
        for new in {f"{value + 1:g}", f"{max(value - 1, 0):g}", f"{value * 2:g}", f"{value / 2:g}"} - {match.group()}:
            yield from once(f"`{match.group()}` becomes `{new}`", match.start(), text[:match.start()] + new + text[match.end():])
    for match in re.finditer(r"\((\w+(?:, \w+)+)\)", text):  # on (...), by (...)
        labels = match.group(1).split(", ")
        for gone in labels:
            # A check's id begins with its path, so that joining on the check joins on the path.
            if gone == "path" and "check" in labels and text[:match.start()].endswith("on "):
                continue
            new = ", ".join(label for label in labels if label != gone)
            yield from once(f"`{gone}` leaves `{match.group()}`", match.start(), text[:match.start(1)] + new + text[match.end(1):])
    for match in re.finditer(r"\b(?:by|on) \(\w+\)", text):
        yield from once(f"`{match.group()}` loses its label", match.start(), text[:match.start()] + match.group().split()[0] + " ()" + text[match.end():])
    depth = depths(text)
    for match in re.finditer(r"\n\s+\* \(", text):  # a factor that gates
        end = next((i for i in range(match.end(), len(text)) if depth[i] == depth[match.end() - 1] and text[i] == ")"), None)
        if end is not None:
            yield from once("drop a factor", match.start(), text[:match.start()] + text[end + 1:])


def of_file(text):
    """(rule, what was done, the new file), for each expression, each `for` and each label that routes."""
    for match in EXPRESSION.finditer(text):
        kind = next(k for k in ("quoted", "block", "line") if match.group(k) is not None)
        start, end = match.span(kind)
        rule = re.findall(r"(?:record|alert): \"?([\w:]+)", text[:start])[-1]
        for what, _, new in of_expression(text[start:end]):
            yield rule, what, text[:start] + new + text[end:]
    for match in re.finditer(r"        for: (\d+)([sm])\n", text):
        rule = re.findall(r"alert: (\w+)", text[:match.start()])[-1]
        yield rule, "drop `for`", text[:match.start()] + text[match.end():]
        longer = f"        for: {int(match.group(1)) * 2}{match.group(2)}\n"
        yield rule, f"`for` becomes {longer.split()[1]}", text[:match.start()] + longer + text[match.end():]
    for match in re.finditer(r"severity: (page|ticket|watchdog)", text):
        rule = re.findall(r"alert: (\w+)", text[:match.start()])[-1]
        other = "ticket" if match.group(1) != "ticket" else "page"
        yield rule, f"{match.group()} becomes {other}", text[:match.start()] + f"severity: {other}" + text[match.end():]
