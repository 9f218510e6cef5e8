#!/usr/bin/env python3
"""Runs the gate against a healthy practice service again and again: every run must be GO, nothing flaky, nothing left.

usage: clean.py [--runs N] [--customer ID] [--observe 8s]     (without --customer all five)
"""

import argparse
import sys

from arena_gate import Arena, run_gate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--customer")
    parser.add_argument("--observe", default="8s")
    options = parser.parse_args()
    selection = ("--customer", options.customer) if options.customer else ()
    wrong = 0
    with Arena() as arena:
        for number in range(1, options.runs + 1):
            run = run_gate(arena.url, "--observe", options.observe, *selection)
            left = arena.office("/counts")
            verdict = run.report["verdict"] if run.report else {}
            flaky = run.report["flaky"] if run.report else []
            expected = 30 if options.customer else 150
            good = (run.code == 0 and verdict.get("state") == "GO" and not flaky and verdict.get("ok") == expected
                    and left["live_orders"] == 0 and left["live_subscriptions"] == 0 and left["open_playback_sessions"] == 0
                    and not run.report["obligations_open"])
            print(f"{'ok   ' if good else 'WRONG'} run {number}: exit {run.code}, {verdict.get('state')}, {verdict.get('ok')} ok, "
                  f"{len(flaky)} flaky, {left['live_orders']} orders left, {run.seconds:.0f} s", flush=True)
            if not good:
                wrong += 1
                print(run.out[-2500:], run.err[-800:], left, flush=True)
    print(f"{options.runs - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
