#!/usr/bin/env python3
"""Every panel of every board says what it must, in every state of a launch.

For each state a real Prometheus with deploy/prometheus's rules scrapes world.py's processes; all run side by side, and each
board is asked until it says what expected.py holds, or until the time is up and the differences are printed.
usage: states_test.py [--state NAME]… [--board FILE]… [--limit SECONDS]
       states_test.py --state NAME --prometheus URL [--expect FILE]     against what is already scraped"""

import argparse
import json
import pathlib
import re
import runpy
import sys
import time

import prometheus
import tiles
import world

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = HERE.parents[2] / "deploy" / "grafana" / "dashboards"
LIMIT_SECONDS = 75  # for the answers; some seconds more to stop everything
SEEN_WELL = 'puckdrop:verdict == 2 and on () count(rate(puckdrop_check_runs_total{path="playback"}[5m]))'


def fits(said, wanted):
    return bool(re.fullmatch(wanted[1:], said, re.DOTALL)) if wanted.startswith("~") else said == wanted


def all_fit(said, wanted):
    """Each text against each wanted one, in order; a wanted one that begins with ? may be missing."""
    if not wanted:
        return not said
    if wanted[0].startswith("?") and all_fit(said, wanted[1:]):
        return True
    return bool(said) and fits(said[0], wanted[0].removeprefix("?")) and all_fit(said[1:], wanted[1:])


def differences(board, expected, state, deadline):
    """What the board says that is not expected, as lines."""
    lines = []
    titles = [panel["title"] for panel in board.board["panels"] if panel["type"] != "row"]
    for title in sorted(set(titles) ^ set(expected)):
        lines.append(f"{title}: " + ("nothing is expected of it" if title in titles else "is not on the board"))
    for panel in board.board["panels"]:
        wanted = expected.get(panel["title"])
        if wanted is None:
            continue
        if time.monotonic() > deadline + 5:
            return lines + [f"{panel['title']} and what follows it: time is up, this machine is too slow or too busy"]
        wanted = wanted[state] if state in wanted else wanted["*"]
        try:
            said = board.says(panel)
        except (prometheus.QueryError, tiles.Unknown) as error:
            lines.append(f"{panel['title']}: {error}")
            continue
        if not all_fit(said, wanted):
            lines.append("\n".join([f"{panel['title']}: says", *(f"    {text}" for text in said), "  not",
                                    *(f"    {text}" for text in wanted)]))
    return lines


def settle(api, file, expected, state, deadline):
    """Asks until the board is right. The differences that are left."""
    board = json.loads((BOARDS / file).read_text())
    while True:
        left = differences(tiles.Board(board, api, time.time()), expected, state, deadline)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(1)


def wait_until_well(api, deadline):
    """What dies must have been well before, and been scraped often enough for a rate."""
    while not api.instant(SEEN_WELL, time.time()):
        if time.monotonic() > deadline:
            raise RuntimeError("all was never well")
        time.sleep(0.5)


def one_device_leaves_out_the_others(api):
    """With one device picked, the failure of another leaves the table, and the verdict stays."""
    board = json.loads((BOARDS / "mission-control.json").read_text())
    panels = {panel["title"]: panel for panel in board["panels"]}
    for device, first in (("ipad_2021", "OK [good]"), ("samsung_2018_tizen4.0", "FAILED [bad]")):
        picked = tiles.Board(board, api, time.time(), picks={"device": device})
        row = picked.says(panels["What fails now"])[0]
        verdict = picked.says(panels["May the launch go ahead?"])
        if not row.startswith(first) or verdict != ["NO-GO [bad]"]:
            return [f"with device {device}: the table says {row!r}, the launch {verdict}"]
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", action="append", choices=sorted(world.STATES))
    parser.add_argument("--board", action="append")
    parser.add_argument("--prometheus")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds, for a busy machine")
    parser.add_argument("--expect", default=HERE / "expected.py")
    arguments = parser.parse_args()
    states = arguments.state or list(world.STATES)
    expected = runpy.run_path(str(arguments.expect))["BOARDS"]
    boards = arguments.board or sorted(expected)
    if missing := sorted({file.name for file in BOARDS.glob("*.json")} ^ set(expected)):
        print(f"boards and expectations are not the same: {missing}")
        return 1
    if arguments.prometheus and len(states) != 1:
        parser.error("--prometheus needs one --state")
    started, running, wrong = time.monotonic(), {}, 0
    deadline = started + arguments.limit
    try:
        for state in [] if arguments.prometheus else states:
            processes = world.Processes(state)
            running[state] = (processes, prometheus.Prometheus(*processes.addresses()))
        for _, server in running.values():
            server.wait_ready(deadline)
        for processes, server in running.values():
            if processes.world.state in world.DYING:
                wait_until_well(server.api, deadline)
                processes.fall()
        for state in states:
            api = running[state][1].api if running else prometheus.Api(arguments.prometheus)
            for file in boards:
                left = settle(api, file, expected[file], state, deadline)
                wrong += len(left)
                for line in left:
                    print(f"FAILED {state}, {file}: {line}", flush=True)
            if state == "failing" and not arguments.board:
                left = one_device_leaves_out_the_others(api)
                wrong += len(left)
                print("\n".join(left), end="")
            print(f"{time.monotonic() - started:5.1f} s  {state}: {world.STATES[state]}", flush=True)
    finally:
        for processes, server in running.values():
            server.stop()
            processes.stop()
    print(f"{len(states)} states, {len(boards)} boards, {wrong} panels wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
