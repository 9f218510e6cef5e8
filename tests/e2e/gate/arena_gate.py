"""What the end-to-end tests of the gate share: an arena on a free port, and the gate run against it."""

import datetime
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request
import zoneinfo

SOURCE = pathlib.Path(os.environ.get("PUCKDROP_SOURCE", pathlib.Path(__file__).resolve().parents[3]))
BINARY = pathlib.Path(os.environ.get("PUCKDROP_BINARY", SOURCE / "build" / "release"))
PLAN = SOURCE / "deploy" / "examples" / "arena" / "plan.yaml"
OFFICE_TOKEN = "office-demo-token"


def plan_environment(arena_url):
    """The variables that the demo's plan asks for."""
    env = dict(os.environ)
    env.pop("CI", None)  # its warning is tested by itself
    env["PILOT_KEY"] = "practice-pilot-key"
    env["ARENA_OFFICE_TOKEN"] = OFFICE_TOKEN
    env["ARENA"] = arena_url
    for name, zone in (("EARLY_BIRD_FI", "Europe/Helsinki"), ("EARLY_BIRD_SE", "Europe/Stockholm")):
        day = datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date() + datetime.timedelta(days=7)
        env[name] = day.isoformat()
    return env


class Arena:
    """`with Arena(["billing.wrong_vat"]) as arena: arena.url`"""

    def __init__(self, faults=(), arguments=(), timeout=300):
        self.faults, self.arguments, self.timeout = list(faults), list(arguments), timeout

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="puckdrop-e2e-")
        ready = pathlib.Path(self.folder.name) / "ready"
        self.log = open(pathlib.Path(self.folder.name) / "arena.log", "wb")
        command = [BINARY / "arena", "serve", "--port", "0", "--ready-file", ready, *self.arguments]
        if self.faults:
            command += ["--fault", ",".join(self.faults)]
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + self.timeout
        while not (ready.exists() and ready.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None, keep_log=True)
                raise RuntimeError("the arena did not become ready; its last words:\n" + self.words)
            time.sleep(0.1)
        self.url = ready.read_text().strip()
        return self

    def __exit__(self, *_, keep_log=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        if keep_log:
            self.words = (pathlib.Path(self.folder.name) / "arena.log").read_text(errors="replace")[-3000:]
        self.folder.cleanup()

    def office(self, path, body=None, method=None):
        request = urllib.request.Request(self.url + "/admin" + path, method=method)
        request.add_header("Authorization", "Bearer " + OFFICE_TOKEN)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class GateRun:
    def __init__(self, code, out, err, report, seconds):
        self.code, self.out, self.err, self.report, self.seconds = code, out, err, report, seconds

    @property
    def broken(self):
        return [problem["check"] for problem in self.report["broken"]] if self.report else []


def gate_command(folder, *arguments, plan=PLAN, report=True):
    command = [BINARY / "puckdrop", "gate", "--plan", plan, "--state", pathlib.Path(folder) / "state"]
    if report:
        command += ["--report", f"json={pathlib.Path(folder) / 'report.json'}"]
    return [str(part) for part in [*command, *arguments]]


def run_gate(url, *arguments, plan=PLAN, env=None, timeout=400, folder=None):
    with tempfile.TemporaryDirectory(prefix="puckdrop-gate-") as own:
        folder = folder or own
        began = time.monotonic()
        done = subprocess.run(gate_command(folder, *arguments, plan=plan), env=env or plan_environment(url),
                              capture_output=True, timeout=timeout)
        seconds = time.monotonic() - began
        report_file = pathlib.Path(folder) / "report.json"
        report = json.loads(report_file.read_text()) if report_file.exists() else None
        return GateRun(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"),
                       report, seconds)


def owed(folder):
    """How many obligations the state in `folder` still holds."""
    done = subprocess.run([str(BINARY / "puckdrop"), "obligations", "--state", str(pathlib.Path(folder) / "state"),
                           "--output", "json"], capture_output=True, timeout=60)
    return done
