#!/usr/bin/env python3
"""Runs every case against rules with promtool. usage: cases.py RULES_DIR [--only NAME]... [--keep DIR] [--list]"""
import argparse
import os
import subprocess
import sys
import tempfile

import cases_alerts
import cases_long
import cases_vantages
import cases_verdict
import night

# name: cases, seconds between scrapes
FILES = {
    "verdict": (cases_verdict.CASES, 5),
    "vantages": (cases_vantages.CASES, 5),
    "alerts": (cases_alerts.CASES, 5),
    "long": (cases_long.CASES, 60),
}


def write_all(folder, rules, only=()):
    """Writes one promtool file per group of cases into `folder`; returns their paths. `rules` are paths from there."""
    names = [case.name for cases, _ in FILES.values() for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    written = []
    for name, (cases, scrape) in FILES.items():
        cases = [case for case in cases if not only or case.name in only]
        if cases:
            path = os.path.join(folder, f"{name}_test.yml")
            night.write(path, rules, cases, scrape)
            written.append(path)
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rules")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--keep", help="write promtool's files there and leave them")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for cases, _ in FILES.values():
            for case in cases:
                print(f"{case.name}: {case.why}")
        return 0
    rules = [os.path.abspath(os.path.join(arguments.rules, name)) for name in ("recording.yml", "alerts.yml")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or temporary
        os.makedirs(folder, exist_ok=True)
        files = write_all(folder, rules, arguments.only)
        if not files:
            print(f"cases.py: no case is called {arguments.only}", file=sys.stderr)
            return 64
        result = subprocess.run(["promtool", "test", "rules", *files], timeout=500, env={**os.environ, "GOGC": "400"})
    count = sum(1 for cases, _ in FILES.values() for case in cases if not arguments.only or case.name in arguments.only)
    print(f"{count} cases: {'all hold' if result.returncode == 0 else 'FAILED'}")
    return 1 if result.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
