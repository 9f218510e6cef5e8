#!/usr/bin/env python3
"""Kills the gate without warning between an order and its cancellation, at several moments; after the next start nothing may
be owed and nothing left at the target."""

import os
import subprocess
import sys
import tempfile
import time

from arena_gate import Arena, gate_command, plan_environment, run_gate


def wait_for(condition, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return False


def main():
    wrong = 0
    moments = [("as soon as an order is there", 0.0), ("0.3 s later", 0.3), ("1 s later", 1.0), ("3 s later", 3.0),
               ("8 s later", 8.0)]
    with Arena() as arena:
        for words, delay in moments:
            with tempfile.TemporaryDirectory(prefix="puckdrop-kill-") as folder:
                gate = subprocess.Popen(gate_command(folder, "--customer", "living-room", "--observe", "6s", report=False),
                                        env=plan_environment(arena.url), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
                try:
                    seen = wait_for(lambda: arena.office("/counts")["live_orders"] > 0, 60)
                    time.sleep(delay)
                    alive = gate.poll() is None
                finally:
                    gate.kill()
                    gate.wait()
                before = arena.office("/counts")
                # The next start settles first; what it judges itself is short.
                run = run_gate(arena.url, "--customer", "living-room", "--check", "ordering.offer_visible", folder=folder)
                after = arena.office("/counts")
                good = seen and alive and run.code == 0 and after["live_orders"] == 0 and after["live_subscriptions"] == 0
                print(f"{'ok   ' if good else 'WRONG'} killed {words}: {before['live_orders']} live orders before, "
                      f"{after['live_orders']} after the next start, exit {run.code}", flush=True)
                if not good:
                    wrong += 1
                    print(f"  seen {seen}, alive {alive}\n{run.out[-1500:]}\n{run.err[-1500:]}", flush=True)
        # Two at once on one target and one state: neither undoes the other's live order.
        with tempfile.TemporaryDirectory(prefix="puckdrop-two-") as folder:
            command = gate_command(folder, "--customer", "living-room", "--observe", "6s", report=False)
            env = plan_environment(arena.url)
            two = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
            outs = [gate.communicate(timeout=300)[0].decode(errors="replace") for gate in two]
            codes = [gate.returncode for gate in two]
            after = arena.office("/counts")
            good = codes == [0, 0] and after["live_orders"] == 0
            print(f"{'ok   ' if good else 'WRONG'} two gates at once: exit {codes}, {after['live_orders']} live orders after")
            if not good:
                wrong += 1
                print("\n---\n".join(out[-1500:] for out in outs))
    print(f"{len(moments) + 1 - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
