#!/usr/bin/env python3
"""Breaks the practice service in every way it knows, one at a time, and asks whether the gate says NO-GO for exactly that
reason: exit code 1, the first broken check is the right one, and no other root is broken. Prints the table.

usage: faults.py [--jobs N] [--observe 8s] [fault…]
"""

import argparse
import concurrent.futures
import subprocess
import sys

from arena_gate import BINARY, Arena, run_gate

# What breaks the whole target breaks more than one thing: the roots that may be named, the first of them first.
TARGET_ROOTS = {
    "target.html_error_200": {"ordering.offer_visible", "ordering.sign_up", "device_support.app_minimum_version"},
    "target.json_error_200": {"ordering.offer_visible", "ordering.sign_up", "device_support.app_minimum_version"},
    "target.slow": {"ordering.offer_visible", "ordering.sign_up", "device_support.app_minimum_version"},
    "target.resets": {"ordering.offer_visible", "ordering.sign_up", "ordering.sign_in", "ordering.order_completes",
                      "ordering.retry_safe", "ordering.unentitled_refused", "ordering.offer_truthful",
                      "ordering.declined_payment_leaves_no_trace", "ordering.order_to_watch",
                      "device_support.app_minimum_version", "playback.cold_start", "playback.live_edge_fresh",
                      "billing.charged_once"},
    "target.sessions_expire": {"ordering.sign_up"},
    "target.unavailable": {"ordering.offer_visible", "ordering.sign_up", "device_support.app_minimum_version"},
}


def known_faults():
    """[(name, check)] as `arena fault list` prints them: name first, then what it does -> the check that must notice."""
    lines = subprocess.run([str(BINARY / "arena"), "fault", "list"], capture_output=True, text=True, check=True).stdout
    faults = []
    for line in lines.splitlines():
        if "." in line.split(" ")[0]:
            faults.append((line.split()[0], line.rpartition("-> ")[2].strip()))
    return faults


def judge(fault, check, observe):
    with Arena([fault]) as arena:
        run = run_gate(arena.url, "--customer", "living-room", "--observe", observe)
        left = arena.office("/counts")
    roots = run.broken
    if fault in TARGET_ROOTS:
        right = run.code == 1 and bool(roots) and set(roots) <= TARGET_ROOTS[fault]
    else:
        right = run.code == 1 and roots == [check]
    finding = ""
    if run.report and run.report["broken"]:
        findings = run.report["broken"][0]["findings"]
        finding = findings[0]["text"] if findings else ""
    detail = "" if right else (run.out[-1800:] + run.err[-600:])
    return fault, check, run.code, roots, finding, run.seconds, left, right, detail


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--observe", default="8s")
    parser.add_argument("faults", nargs="*")
    options = parser.parse_args()
    faults = known_faults()
    if len(faults) < 30:
        sys.exit(f"the arena lists {len(faults)} faults, fewer than the 30 it must know")
    if options.faults:
        faults = [(name, check) for name, check in faults if name in options.faults]
    # Encodes what the streams need before several arenas ask for it at once.
    with Arena():
        pass
    wrong = []
    print(f"{'fault':<38} {'expected':<42} exit  first broken check")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, check, code, roots, finding, seconds, left, right, detail in pool.map(
                lambda pair: judge(*pair, options.observe), faults):
            print(f"{name:<38} {check:<42} {code:<4}  {', '.join(roots) or '-'}"
                  f"{'' if right else '   <-- WRONG'}  ({seconds:.0f} s) {finding}", flush=True)
            if not right:
                wrong.append((name, check))
                print(detail, flush=True)
    # Several at once on a small machine can be slow enough to break a promise of seconds: what was wrong is tried once
    # more, alone, and both answers stay in the table.
    again = [judge(name, check, options.observe) for name, check in wrong]
    failed = 0
    for name, check, code, roots, finding, seconds, left, right, detail in again:
        print(f"{name:<38} {check:<42} {code:<4}  {', '.join(roots) or '-'}"
              f"{'   right when alone' if right else '   <-- WRONG again'}  ({seconds:.0f} s) {finding}", flush=True)
        if not right:
            failed += 1
            print(detail, flush=True)
    print(f"{len(faults) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not faults else 0)


if __name__ == "__main__":
    main()
