#!/usr/bin/env python3
"""Asks Alertmanager who hears what: its configuration, its routes, and one that runs. usage: alertmanager_check.py FILE

The one that runs listens on a free port of loopback, and its receivers are a small server here.
"""
import datetime
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROUTES = [  # labels, receiver
    ({"severity": "page", "alertname": "PuckdropPathNoGo", "path": "ordering"}, "pager"),
    ({"severity": "page", "alertname": "PuckdropProberDown", "path": "billing"}, "pager"),
    ({"severity": "page", "alertname": "PuckdropReadinessAbsent", "path": "all"}, "pager"),
    ({"severity": "ticket", "alertname": "PuckdropPathInconclusive", "path": "ordering"}, "tickets"),
    ({"severity": "ticket", "alertname": "PuckdropObligationsOpen", "path": "all"}, "tickets"),
    ({"severity": "watchdog", "alertname": "PuckdropWatchdog", "path": "all"}, "watchdog"),
    ({"alertname": "SomebodyElses"}, "tickets"),
]
failures = []


def expect(condition, text):
    if not condition:
        failures.append(text)


def names_of_severities(rules):
    """Each alert of the rules has a route of its own, not the one for what nobody thought of."""
    with open(rules, encoding="utf-8") as file:
        return set(re.findall(r"severity: (\w+)", file.read()))


def check_static(config):
    done = subprocess.run(["amtool", "check-config", config], capture_output=True, text=True, timeout=30)
    expect(done.returncode == 0, f"amtool check-config: {done.stdout}{done.stderr}")
    for labels, receiver in ROUTES:
        done = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}",
                               *(f"{k}={v}" for k, v in labels.items())], capture_output=True, text=True, timeout=30)
        expect(done.returncode == 0, f"{labels} goes to {done.stdout.strip()!r}, not to {receiver}")
    rules = os.path.join(os.path.dirname(config), "..", "prometheus", "rules", "alerts.yml")
    expect(names_of_severities(rules) == {labels["severity"] for labels, _ in ROUTES if "severity" in labels},
           "the rules have a severity that no route was tested for")


class Receivers(http.server.BaseHTTPRequestHandler):
    heard = []  # (path of the address, status, alert, path)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            self.heard.append((self.path, alert["status"], alert["labels"]["alertname"], alert["labels"].get("path")))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def until(condition, what, limit=60):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            failures.append(f"not within {limit} s: {what}")
            return False
        time.sleep(0.1)
    return True


def check_running(config):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receivers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(config, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("http://127.0.0.1:9099/", f"http://127.0.0.1:{server.server_port}/")
    text = text.replace("group_wait: 30s", "group_wait: 1s").replace("group_interval: 5m", "group_interval: 1s")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "alertmanager.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        log = os.path.join(folder, "log")
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={path}", f"--storage.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="], stdout=out, stderr=out)
        try:
            def address():
                with open(log, encoding="utf-8") as file:
                    return re.search(r'msg="Listening on" address=(127\.0\.0\.1:\d+)', file.read())
            if not until(address, "Alertmanager listens"):
                return
            base = f"http://{address().group(1)}/api/v2/alerts"

            def post(*alerts):
                now = datetime.datetime.now(datetime.timezone.utc)
                body = [{"labels": labels, "startsAt": now.isoformat(), "endsAt": (now + datetime.timedelta(hours=1)).isoformat()}
                        for labels in alerts]
                request = urllib.request.Request(base, json.dumps(body).encode(), {"Content-Type": "application/json"})
                urllib.request.urlopen(request, timeout=10).close()

            def label(name, severity, path):
                return {"alertname": f"Puckdrop{name}", "severity": severity, "path": path}

            # The dead prober first, so that what it explains is never sent.
            post(label("ProberDown", "page", "ordering"), label("Watchdog", "watchdog", "all"))
            until(lambda: ("/page", "firing", "PuckdropProberDown", "ordering") in Receivers.heard, "a page for the prober")
            until(lambda: ("/watchdog", "firing", "PuckdropWatchdog", "all") in Receivers.heard, "the watchdog")
            post(label("PathInconclusive", "ticket", "ordering"), label("PathNoGo", "page", "ordering"))
            post(label("PathInconclusive", "ticket", "billing"))
            until(lambda: ("/page", "firing", "PuckdropPathNoGo", "ordering") in Receivers.heard, "a page for the failure beside it")
            until(lambda: ("/ticket", "firing", "PuckdropPathInconclusive", "billing") in Receivers.heard, "a ticket for another path")
            with urllib.request.urlopen(base, timeout=10) as answer:
                states = {(a["labels"]["alertname"], a["labels"]["path"]): a["status"]["state"] for a in json.load(answer)}
            expect(states.get(("PuckdropPathInconclusive", "ordering")) == "suppressed", f"the ticket is not inhibited: {states}")
            for name, path in (("PathNoGo", "ordering"), ("PathInconclusive", "billing"), ("Watchdog", "all"), ("ProberDown", "ordering")):
                expect(states.get((f"Puckdrop{name}", path)) == "active", f"{name} of {path} is not active: {states}")
            expect(not [h for h in Receivers.heard if h[2:] == ("PuckdropPathInconclusive", "ordering")], "the inhibited ticket was sent")
            expect({h[2] for h in Receivers.heard if h[0] == "/watchdog"} == {"PuckdropWatchdog"}, "the watchdog's receiver hears others")
            expect(not [h for h in Receivers.heard if h[0] != "/watchdog" and h[2] == "PuckdropWatchdog"], "people hear the watchdog")
        finally:
            process.terminate()
            process.wait(timeout=20)
            server.shutdown()


def main():
    config = os.path.abspath(sys.argv[1])
    check_static(config)
    if not failures:
        check_running(config)
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(ROUTES)} routes, one running Alertmanager: {'FAILED' if failures else 'all as they should be'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
