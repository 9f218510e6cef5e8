#!/usr/bin/env python3
"""What holds for every board whatever the data: current with its source, no reducer that hides a death, no average of
verdicts, a unit and a description on every panel, expressions that parse, names that exist, colours that people can tell
apart. Needs promtool."""

import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import prometheus
import tiles
import world

GRAFANA = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "grafana"
BOARDS = {file.name: json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}
VERDICT = r"verdict|check_state|check_success|promise_kept|check_fresh"
PATH_LINES = {"#7FB3FF", "#F06FB5", "#62D0E0"}
SHADE = "#8FB7FF"
PROMETHEUS_OWN = {"up", "scrape_duration_seconds", "ALERTS", "ALERTS_FOR_STATE", "process_resident_memory_bytes",
                  "prometheus_rule_group_last_evaluation_timestamp_seconds", "prometheus_rule_evaluation_failures_total"}
TOP_STRIP = ["May the launch go ahead?", "Countdown", "Audience", "Firing pages", "Can they order?", "Can they leave?",
             "On their device?", "Does the picture show?", "Is the bill right?", "Fresh of expected", "Prober silence", "Waivers"]


def panels(board, rows=False):
    return [panel for panel in board["panels"] if rows or panel["type"] != "row"]


def every(value, key):
    """All values of a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from every(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, key)


def expressions(board):
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def substituted(expression):
    return re.sub(r"\$(path|device|market)\b", ".*", expression.replace("$__interval", "10s"))


def linear(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(color):
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(color)))


def lab(rgb):
    x, y, z = (sum(weight * part for weight, part in zip(row, rgb)) for row in
               ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    f = [part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x / 0.9505, y, z / 1.089)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


# Machado, Oliveira and Fernandes 2009, severity 1.
SIGHTS = {"all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
          "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
          "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
          "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))}


def on_every_board(test):
    def run(self):
        for name, board in BOARDS.items():
            with self.subTest(board=name):
                test(self, board)
    return run


def on_every_panel(test):
    def run(self):
        for name, board in BOARDS.items():
            for panel in panels(board):
                with self.subTest(board=name, panel=panel["title"]):
                    test(self, panel)
    return run


class Boards(unittest.TestCase):
    def test_committed_boards_are_what_the_source_says(self):
        answer = subprocess.run([GRAFANA / "generate", "--check"], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_there_is_a_board_for_the_launch_and_one_for_each_path_with_fixed_uids(self):
        self.assertEqual({name: board["uid"] for name, board in BOARDS.items()},
                         {"mission-control.json": "puckdrop-mission-control",
                          **{f"path-{path}.json": f"puckdrop-path-{path}" for path in world.PATHS}})

    @on_every_board
    def test_boards_are_classic_json_of_schema_39_without_an_id(self, board):
        self.assertEqual((board["schemaVersion"], board["id"]), (39, None))

    @on_every_board
    def test_variables_are_datasource_path_device_market(self, board):
        self.assertEqual([variable["name"] for variable in board["templating"]["list"]],
                         ["datasource", "path", "device", "market"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                self.assertEqual(variable["allValue"], ".*")

    @on_every_board
    def test_every_panel_has_a_title_of_its_own(self, board):
        titles = [panel["title"] for panel in panels(board, rows=True)]
        self.assertEqual(len(titles), len(set(titles)))
        self.assertNotIn("", titles)

    @on_every_panel
    def test_every_panel_has_a_unit_and_a_description_and_asks_something(self, panel):
        self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
        self.assertGreaterEqual(len(panel["description"]), 40)
        self.assertTrue(panel["targets"])

    @on_every_board
    def test_every_data_source_is_the_variable(self, board):
        found = [source for source in every(board, "datasource")]
        self.assertTrue(found)
        for source in found:
            self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"})

    @on_every_panel
    def test_every_reducer_is_last(self, panel):
        for name, board in BOARDS.items():
            self.assertNotIn("NotNull", json.dumps(board), name)
        for reduce in every(panel, "reduceOptions"):
            self.assertEqual(reduce["calcs"], ["last"])
        if panel["type"] == "stat":
            self.assertIn("reduceOptions", panel["options"])
        for calculations in every(panel.get("options", {}).get("legend", {}), "calcs"):
            self.assertIn(calculations, ([], ["last"]))

    @on_every_panel
    def test_nothing_joins_gaps(self, panel):
        for joined in every(panel, "spanNulls"):
            self.assertIs(joined, False)

    @on_every_panel
    def test_null_and_nan_and_nothing_are_no_data(self, panel):
        defaults = panel["fieldConfig"]["defaults"]
        self.assertEqual(defaults["noValue"], "NO DATA")
        for mappings in every(panel["fieldConfig"], "mappings"):
            for nothing in (None, float("nan")):
                self.assertEqual(tiles.mapped(nothing, mappings)["text"], "NO DATA")
        for override in panel["fieldConfig"]["overrides"]:
            for item in override["properties"]:
                if item["id"] == "mappings":
                    self.assertEqual(tiles.mapped(None, item["value"])["text"], "NO DATA")

    @on_every_panel
    def test_verdicts_say_their_words_and_one_colour_has_one_meaning(self, panel):
        words = {"GO": "good", "HOLD": "unproven", "NO-GO": "bad", "GO · WAIVED": "waived", "NOT ASKED": "nothing",
                 "NO DATA": "nothing", "OK": "good", "INCONCLUSIVE": "unproven", "FAILED": "bad", "WAIVED": "waived",
                 "UP": "good", "DOWN": "unproven", "KEPT": "good", "BROKEN": "bad", "ALIVE": "good",
                 "NEVER HEARD": "unproven", "never passed": "bad", "none in the last hour": "unproven"}
        found = [result for mapping in itertools.chain(*every(panel["fieldConfig"], "mappings"), *(
            item["value"] for override in panel["fieldConfig"]["overrides"] for item in override["properties"]
            if item["id"] == "mappings")) for result in ([mapping["options"]["result"]] if "result" in mapping["options"]
                                                         else mapping["options"].values())]
        for result in found:
            self.assertEqual(tiles.MEANING[result["color"]], words[result["text"]])
        if re.search(r"verdict", " ".join(target["expr"] for target in panel["targets"])) and panel["type"] != "table":
            texts = [tiles.mapped(value, panel["fieldConfig"]["defaults"]["mappings"])["text"] for value in (0.0, 1.0, 2.0)]
            self.assertEqual(texts, ["NO-GO", "HOLD", "GO"])

    @on_every_board
    def test_only_colours_with_a_meaning_are_used(self, board):
        colors = set(re.findall(r'"(?:color|fixedColor|iconColor)": "([^"]+)"', json.dumps(board)))
        self.assertEqual(colors - set(tiles.MEANING) - PATH_LINES - {SHADE}, set())

    def test_colours_are_told_apart_by_the_colour_blind_and_text_on_them_is_readable(self):
        meanings = {color: word for color, word in tiles.MEANING.items() if word}
        for color, word in meanings.items():
            red, green, blue = (int(color[i:i + 2], 16) for i in (1, 3, 5))
            on_it = 0 if (299 * red + 587 * green + 114 * blue) / 1000 > 180 else 1  # as Grafana chooses
            light, dark = max(luminance(color), on_it), min(luminance(color), on_it)
            self.assertGreaterEqual((light + 0.05) / (dark + 0.05), 4, word)
        for sight, matrix in SIGHTS.items():
            for one, other in itertools.combinations(meanings, 2):
                seen = [lab([max(0, min(1, sum(a * b for a, b in zip(row, linear(color))))) for row in matrix])
                        for color in (one, other)]
                distance = sum((a - b) ** 2 for a, b in zip(*seen)) ** 0.5
                self.assertGreater(distance, 20, f"{meanings[one]} and {meanings[other]} in {sight}")

    @on_every_board
    def test_verdicts_are_joined_by_the_worst_never_averaged(self, board):
        averages = r"\b(avg|quantile|stddev|stdvar|avg_over_time|quantile_over_time|sum_over_time)\b"
        kindly = (r"\b(max|sum|topk|max_over_time|last_over_time)\b(?:\s*(?:by|without)\s*\([^)]*\))?\s*\(\s*(?:\d+,\s*)?(?:\w+\()?"
                  rf"puckdrop[:_]\w*(?:{VERDICT})\b")
        for title, expression in expressions(board):
            if re.search(VERDICT, expression):
                self.assertIsNone(re.search(averages, expression), title)
                self.assertIsNone(re.search(kindly, expression), title)
        for panel in panels(board):
            for transformation in panel.get("transformations", []):
                self.assertIn(transformation["id"], ("filterFieldsByName", "organize"))

    def test_top_strip_comes_first_and_listens_to_no_filter(self):
        board = BOARDS["mission-control.json"]
        strip = list(itertools.takewhile(lambda panel: panel["type"] != "row", board["panels"]))
        self.assertEqual([panel["title"] for panel in strip], TOP_STRIP)
        for panel in strip:
            self.assertLessEqual(panel["gridPos"]["y"] + panel["gridPos"]["h"], 16, "one screen of 1080 lines")
            self.assertFalse([target for target in panel["targets"] if re.search(r"\$[a-z_{]", target["expr"])], panel["title"])

    @on_every_board
    def test_each_path_tile_leads_to_its_board_and_every_link_to_a_board_that_exists(self, board):
        tiles_of = {panel["title"]: panel for panel in BOARDS["mission-control.json"]["panels"]}
        for path, title in zip(world.PATHS, TOP_STRIP[4:9]):
            links = tiles_of[title]["fieldConfig"]["defaults"]["links"]
            self.assertEqual([link["url"].split("?")[0] for link in links], [f"/d/puckdrop-path-{path}"])
        uids = {board["uid"] for board in BOARDS.values()}
        for address in every(board, "url"):
            self.assertIn(re.fullmatch(r"/d/([\w-]+)\?.*", address).group(1), uids)

    @on_every_board
    def test_panels_do_not_overlap_and_ids_are_unique(self, board):
        taken, ids = set(), set()
        for panel in panels(board, rows=True):
            grid = panel["gridPos"]
            cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(grid["x"] + grid["w"], 24)
            self.assertNotIn(panel["id"], ids)
            taken |= cells
            ids.add(panel["id"])

    def test_every_expression_parses(self):
        rules = [{"record": f"x:{i}", "expr": substituted(expression)} for i, (_, expression) in enumerate(
            (title, expression) for board in BOARDS.values() for title, expression in expressions(board))]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "boards", "rules": rules}]}, file)
            file.flush()
            answer = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn(f"{len(rules)} rules found", answer.stdout)

    @on_every_board
    def test_every_metric_exists(self, board):
        known = set(PROMETHEUS_OWN)
        for file in (prometheus.DEPLOYED / "rules").glob("*.yml"):
            known |= set(re.findall(r"record: *\"?([\w:]+)", file.read_text()))
        served = world.World("failing")
        for lines in [served.readiness()] + [served.prober(path) for path in world.PATHS]:
            known |= {re.match(r"[\w:]+", line).group() for line in lines}
        known |= {"puckdrop_check_waived"}
        for title, expression in expressions(board):
            bare = re.sub(r'"[^"]*"', '""', expression)
            for name in re.findall(r"\b(?:puckdrop[:_]|prometheus_|process_|scrape_|ALERTS)[\w:]*", bare):
                self.assertIn(name, known, title)

    @on_every_board
    def test_provisioning_points_to_the_boards_and_names_the_data_source_they_expect(self, board):
        source = (GRAFANA / "provisioning" / "datasources" / "puckdrop.yaml").read_text()
        provider = (GRAFANA / "provisioning" / "dashboards" / "puckdrop.yaml").read_text()
        self.assertIn(f"uid: {board['templating']['list'][0]['current']['value']}\n", source)
        self.assertIn("type: prometheus\n", source)
        self.assertIn("type: file\n", provider)
        self.assertIn("disableDeletion: true\n", provider)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
