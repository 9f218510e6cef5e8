#!/usr/bin/env python3
"""Readiness as a service, with a schedule of seconds: GO by itself; red when the picture goes black and green again; never green
while a prober is gone; a plan that is broken is refused and one that is changed is taken; killed without warning it goes on
from what it knew."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "gate"))
from arena_gate import BINARY, PLAN, Arena, plan_environment  # noqa: E402

PATHS = ("ordering", "cancellation", "device_support", "playback", "billing")
WATCHED = "watched@example.test"
PASSWORD = "Standing-1-password"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def night_plan():
    """The demo's plan with two customers, one of them with a standing subscription, and a pace of seconds."""
    text = PLAN.read_text()
    text = re.sub(r"  - \{ id: (phone|bedroom|tallinn),.*\n", "", text)
    text = text.replace("id: living-room, audience_share: 0.35", "id: living-room, audience_share: 0.6")
    text = text.replace("id: laptop, audience_share: 0.25", "id: laptop, audience_share: 0.4")
    standing = f"accounts: [{{ username: {WATCHED}, password: {{ env: WATCHED_PASSWORD }}, subscribed: true }}]"
    text = text.replace("app_version: 2.1.0, accounts: new", f"app_version: 2.1.0, {standing}", 1)
    text = text[:text.index("\nschedule:")] + "\nschedule:\n  - { from: -1h, watch_every: 5s, journeys_every: 90s }\n"
    return text.replace("\nchecks:\n", "\nchecks:\n  playback.*: { observe: 4s }\n", 1)


def subscribe(arena):
    """A customer of long ago: an account with a running subscription."""
    def post(path, body, **headers):
        request = urllib.request.Request(arena.url + path, data=json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    account = post("/v1/accounts", {"email": WATCHED, "password": PASSWORD, "name": "Aino", "market": "FI", "language": "fi"},
                   X_Device_Id="tv-1", X_Device_Profile="samsung_2018_tizen4.0")
    signed = {"Authorization": "Bearer " + account["session"]["token"], "X_Device_Id": "tv-1",
              "X_Device_Profile": "samsung_2018_tizen4.0"}
    cart = post("/v1/carts", {"offer_id": "season"}, **signed)["id"]
    post(f"/v1/carts/{cart}/checkout", {}, **signed)
    post(f"/v1/carts/{cart}/pay", {"payment": {"number": "4242424242424242", "expiry": "12/30", "cvc": "123"}},
         Idempotency_Key="standing-1", **signed)


class Night:
    def __init__(self, arena, folder):
        self.folder = pathlib.Path(folder)
        self.plan = self.folder / "plan.yaml"
        self.plan.write_text(night_plan())
        self.env = plan_environment(arena.url)
        self.env["WATCHED_PASSWORD"] = PASSWORD
        self.env["PUCK_DROP"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.ports = {name: (free_port(), free_port()) for name in ("readiness", *PATHS)}
        self.processes = {}

    def serve(self, name):
        log = open(self.folder / f"{name}.log", "ab")
        grpc, http = self.ports[name]
        command = [BINARY / "puckdrop", "--log-level", "info", "serve", name, "--plan", self.plan, "--listen",
                   f"127.0.0.1:{grpc}", "--metrics", f"127.0.0.1:{http}"]
        if name == "readiness":
            command += ["--state", self.folder / "state",
                        *[f"--prober={path}=127.0.0.1:{self.ports[path][0]}" for path in PATHS]]
        else:
            command += ["--readiness", f"127.0.0.1:{self.ports['readiness'][0]}"]
        self.processes[name] = subprocess.Popen([str(part) for part in command], env=self.env, stdout=log, stderr=log)

    def ask(self, *words):
        return subprocess.run([str(word) for word in (BINARY / "puckdrop", *words)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={**self.env, "PUCKDROP_READINESS": f"127.0.0.1:{self.ports['readiness'][0]}"})

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def metrics(self, name="readiness"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name][1]}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def verdict(self, path="all"):
        found = re.search(rf'^puckdrop_verdict{{[^}}]*path="{path}"[^}}]*}} (\S+)', self.metrics(), re.M)
        return int(float(found.group(1))) if found else None

    def digest(self, name="readiness"):
        found = re.search(r'^puckdrop_build_info{[^}]*plan="([^"]*)"', self.metrics(name), re.M)
        return found.group(1) if found else None


def seconds_until(condition, most):
    """How long it took until it was so; None if it was not."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        if condition():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


def main():
    wrong = done = 0

    def expect(words, good, detail=""):
        nonlocal wrong, done
        done += 1
        print(f"{'ok   ' if good else 'WRONG'} {words}", flush=True)
        if not good:
            wrong += 1
            print(str(detail)[-2500:], flush=True)

    def within(words, condition, most):
        took = seconds_until(condition, most)
        expect(f"{words} ({'not' if took is None else f'{took:.1f} s'})", took is not None, f"not within {most} s")

    with Arena() as arena, tempfile.TemporaryDirectory(prefix="puckdrop-night-") as folder:
        subscribe(arena)
        standing = arena.office("/counts")["live_subscriptions"]
        night = Night(arena, folder)
        try:
            for name in ("readiness", *PATHS):
                night.serve(name)
            within("readiness answers, and says that it does not know", lambda: night.verdict() == 1, 60)
            within("GO by itself", lambda: night.verdict() == 2, 300)

            arena.office("/faults", {"on": ["playback.black"]})
            within("a black picture is NO-GO", lambda: night.verdict() == 0, 90)
            expect("and only playback is to blame", night.verdict("playback") == 0 and night.verdict("ordering") == 2,
                   night.metrics())
            status = night.ask("status")
            expect("status says NO-GO, what fails and what to type next", status.returncode == 1 and "NO-GO" in status.stdout
                   and "playback.not_black" in status.stdout and "puckdrop explain playback.not_black" in status.stdout,
                   status.stdout)
            why = night.ask("explain", "playback.not_black")
            expect("explain says since when, for whom, how it is reproduced and what it rests on", why.returncode == 1
                   and all(word in why.stdout for word in ("since", "living-room", "was black", "last green", "evidence")),
                   why.stdout)
            picture = re.search(r"--evidence (evidence/\w+)", why.stdout)
            saved = night.folder / "picture.jpg"
            got = night.ask("explain", "--evidence", picture.group(1), "--to", saved) if picture else None
            expect("and has the picture", got and got.returncode == 0 and saved.read_bytes()[:2] == b"\xff\xd8", why.stdout)
            history = night.ask("history", "--output", "json")
            expect("history knows how the verdict changed", history.returncode == 0
                   and json.loads(history.stdout)["changes"][0]["verdict"]["state"] == "VERDICT_STATE_NO_GO", history.stdout)
            arena.office("/faults", {"set": []})
            within("GO again", lambda: night.verdict() == 2, 240)

            night.kill("playback")
            within("a prober that was killed: never GO", lambda: night.verdict() == 1, 60)
            night.serve("playback")
            within("GO again when it is back", lambda: night.verdict() == 2, 240)

            before = night.digest()
            night.plan.write_text(night_plan().replace("launch:", "lunch:", 1))
            night.processes["readiness"].send_signal(signal.SIGHUP)
            log = night.folder / "readiness.log"
            within("a broken plan is refused with its mistakes",
                   lambda: "the plan stays as it was" in log.read_text() and "lunch" in log.read_text(), 60)
            expect("and the old one stays", night.digest() == before and night.verdict() == 2, night.digest())
            night.plan.write_text(night_plan().replace("{ fail: 30s }", "{ fail: 31s }", 1))
            night.processes["readiness"].send_signal(signal.SIGHUP)
            within("a new one is taken", lambda: night.digest() not in (None, before), 60)
            within("and the probers read it by themselves",
                   lambda: all(night.digest(path) == night.digest() for path in PATHS), 120)
            within("GO by the new plan", lambda: night.verdict() == 2, 240)

            night.kill("readiness")
            expect("killed, it says nothing", night.metrics() == "")
            night.serve("readiness")
            within("it goes on from what it knew", lambda: night.verdict() == 2, 20)
            arena.office("/faults", {"on": ["playback.black"]})
            within("and still sees a black picture", lambda: night.verdict() == 0, 90)
            arena.office("/faults", {"set": []})

            # Paused, all that goes on is undoing, also of what the killed readiness had ordered.
            paused = night.ask("pause", "--reason", "the horn has gone")
            expect("it can be paused", paused.returncode == 0, paused.stdout)
            within("and then everything is undone",
                   lambda: re.search(r"^puckdrop_obligations_open(?:{[^}]*})? 0$", night.metrics(), re.M), 120)
            # Readiness undoes by way of the probers, so it ends first.
            codes = {}
            for name, process in night.processes.items():
                process.send_signal(signal.SIGTERM)
                if name == "readiness":
                    codes[name] = process.wait(30)
            codes |= {name: process.wait(30) for name, process in night.processes.items()}
            expect("every service ends when told", all(code in (0, 143) for code in codes.values()), codes)
            left = arena.office("/counts")
            expect("nothing of ours is left at the target", left["live_subscriptions"] == standing, left)
        finally:
            for process in night.processes.values():
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if wrong:
                for log in sorted(night.folder.glob("*.log")):
                    print(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}")
    print(f"{done - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
