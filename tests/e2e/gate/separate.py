#!/usr/bin/env python3
"""The same gate with every service as a process of its own: GO with all six; never GO while a prober is down; and what the
probers' and readiness's metrics say."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from arena_gate import BINARY, PLAN, Arena, plan_environment, run_gate

PATHS = ("ordering", "cancellation", "device_support", "playback", "billing")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def value(text, start):
    """The value of the first series whose line begins so."""
    for line in text.splitlines():
        if line.startswith(start):
            return float(line.rsplit(" ", 1)[1])
    return None


def main():
    wrong = 0

    def expect(words, good, detail=""):
        nonlocal wrong
        print(f"{'ok   ' if good else 'WRONG'} {words}", flush=True)
        if not good:
            wrong += 1
            print(detail[-2500:], flush=True)

    with Arena() as arena, tempfile.TemporaryDirectory(prefix="puckdrop-serve-") as folder:
        env = plan_environment(arena.url)
        ports = {name: (free_port(), free_port()) for name in ("readiness", *PATHS)}
        processes = {}

        def serve(name, *arguments):
            log = open(pathlib.Path(folder) / f"{name}.log", "ab")
            grpc, http = ports[name]
            command = [BINARY / "puckdrop", "serve", name, "--plan", PLAN, "--listen", f"127.0.0.1:{grpc}", "--metrics",
                       f"127.0.0.1:{http}", *arguments]
            processes[name] = subprocess.Popen([str(part) for part in command], env=env, stdout=log, stderr=log)

        def wait_for_port(name):
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    socket.create_connection(("127.0.0.1", ports[name][0]), 1).close()
                    return True
                except OSError:
                    time.sleep(0.1)
            return False

        try:
            readiness = f"127.0.0.1:{ports['readiness'][0]}"
            serve("readiness", "--state", f"{folder}/state",
                  *[f"--prober={path}=127.0.0.1:{ports[path][0]}" for path in PATHS])
            for path in PATHS:
                serve(path, "--readiness", readiness)
            up = {name: wait_for_port(name) for name in ports}
            expect("six processes listen", all(up.values()), str(up))
            gate = ("--customer", "living-room", "--observe", "8s", "--readiness", readiness)
            run = run_gate(arena.url, *gate)
            expect(f"GO over six processes ({run.seconds:.0f} s)", run.code == 0, run.out + run.err)
            playback = metrics(ports["playback"][1])
            expect("the prober of playback exports a success",
                   value(playback, 'puckdrop_check_success{') == 1 and "puckdrop_prober_heartbeat" in playback, playback)
            own = metrics(ports["readiness"][1])
            expect("readiness exports what it expects and owes nothing",
                   "puckdrop_check_expected{" in own and value(own, "puckdrop_obligations_open") == 0, own)

            processes["playback"].kill()
            processes["playback"].wait()
            run = run_gate(arena.url, *gate)
            expect("a prober that was killed: cannot tell, never GO", run.code == 2, run.out + run.err)
            left = arena.office("/counts")
            expect("nothing is left at the target", left["live_orders"] == 0 and left["live_subscriptions"] == 0, str(left))
            serve("playback", "--readiness", readiness)
            expect("the prober is started again", wait_for_port("playback"))
            run = run_gate(arena.url, *gate)
            expect("and the next gate is GO again", run.code == 0, run.out + run.err)
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            codes = {name: process.wait(20) for name, process in processes.items()}
            expect("every service ends when told", all(code in (0, 143) for code in codes.values()), str(codes))
        finally:
            for process in processes.values():
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if wrong:
                for log in sorted(pathlib.Path(folder).glob("*.log")):
                    print(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}")
    print(f"{8 - wrong if wrong < 8 else 0} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
