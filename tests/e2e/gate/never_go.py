#!/usr/bin/env python3
"""Whatever is missing, broken or ours must never come out GO: each case with its exit code and the words that explain it."""

import os
import pathlib
import sys
import tempfile

from arena_gate import PLAN, Arena, plan_environment, run_gate

FAST = ("--customer", "living-room", "--observe", "6s")


def overlay(folder, text):
    path = pathlib.Path(folder) / f"overlay-{abs(hash(text))}.yaml"
    path.write_text(text)
    return ("--overlay", str(path))


def main():
    failures = 0

    def expect(name, run, code, *words):
        nonlocal failures
        everything = run.out + run.err
        missing = [word for word in words if word not in everything]
        right = run.code == code and not missing and run.code != 0
        print(f"{'ok   ' if right else 'WRONG'} {name}: exit {run.code} ({run.seconds:.0f} s)", flush=True)
        if not right:
            failures += 1
            print(f"  expected exit {code}, missing words {missing}\n{run.out[-1500:]}\n{run.err[-1500:]}", flush=True)

    with Arena() as arena, tempfile.TemporaryDirectory() as folder:
        url = arena.url
        expect("a check that does not exist", run_gate(url, "--check", "billing.nothing"), 3)
        expect("a customer that does not exist", run_gate(url, "--customer", "nobody"), 3)
        expect("everything skipped",
               run_gate(url, "--check", "device_support.app_minimum_version", *FAST,
                        *overlay(folder, "claims: { minimum_app_version: null }\n")), 2)
        expect("all advisory",
               run_gate(url, "--check", "ordering.offer_visible", *FAST,
                        *overlay(folder, 'checks: { "*": { severity: ADVISORY } }\n')), 2)
        expect("a path with nothing mapped",
               run_gate(url, "--path", "device_support", *FAST,
                        *overlay(folder, "operations: { device_support.check_device: null, playback.start_playback: null }\n")), 2)
        expect("too little time", run_gate(url, *FAST, "--timeout", "2s"), 2)
        expect("a typo in a mapping",
               run_gate(url, "--check", "ordering.offer_visible", *FAST,
                        *overlay(folder, "operations:\n  ordering.list_offers:\n    returns:\n      offers:\n        each: .items[]\n"
                                         "        offer_id: .id\n        purchasable: .purchasable\n        price:\n"
                                         "          gross: .price.grosss | minor(\"EUR\")\n")), 1, "overlay-")
        nothing = pathlib.Path(folder) / "nothing.yaml"
        nothing.write_text("\n".join(line for line in PLAN.read_text().split("\noperations:\n")[0].splitlines()) + "\n")
        run = run_gate(url, *FAST, plan=nothing)
        expect("a plan without operations", run, run.code if run.code in (2, 3) else 2)
        broken = pathlib.Path(folder) / "broken.yaml"
        broken.write_text(PLAN.read_text().replace("audience_share: 0.35", "audience_share: lots"))
        expect("a broken plan", run_gate(url, *FAST, plan=broken), 3, "broken.yaml:")
        env = plan_environment("http://127.0.0.1:9")
        expect("a target that cannot be reached", run_gate("", *FAST, env=env), 2, "unreachable from here")
        env = plan_environment(url)
        del env["ARENA_OFFICE_TOKEN"]
        kept = pathlib.Path(folder) / "kept"
        kept.mkdir()
        expect("a secret that is not there",
               run_gate(url, *FAST, "--check", "cancellation.no_charge_after", env=env, folder=kept), 2, "ARENA_OFFICE_TOKEN")
        # It could not be undone without the secret; it was written down, and the next start with it settles.
        run_gate(url, *FAST, "--check", "ordering.offer_visible", folder=kept)
        left = arena.office("/counts")
        print("left at the target:", left)
        if left["live_orders"] or left["live_subscriptions"]:
            print("WRONG something was left behind")
            failures += 1
    print(f"{12 - failures} passed, {failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
