#!/usr/bin/env python3
"""Checks Prometheus's files as they are. usage: rules_check.py DEPLOY_PROMETHEUS_DIR"""
import os
import re
import subprocess
import sys

# METRICS names them; boards and other people's alerts build on them.
RECORDED = """puckdrop:check_fresh:bool puckdrop:check_state puckdrop:path_verdict puckdrop:verdict puckdrop:audience_failing:ratio
puckdrop:audience_unobserved:ratio puckdrop:checks_expected:count puckdrop:checks_reporting:count
puckdrop:audience_weighted_availability:ratio_rate5m puckdrop:error_budget_remaining:ratio""".split()
ALERTS = """PathNoGo PathInconclusive ProberDown ProberStalled ReadinessAbsent BudgetBurnFast BudgetBurnSlow VerdictsDisagree
ObligationsOpen Watchdog""".split()


def main():
    folder = sys.argv[1]
    failures = []
    for command in (["promtool", "check", "config", os.path.join(folder, "prometheus.yml")],
                    ["promtool", "check", "rules", "--lint-fatal", os.path.join(folder, "rules/recording.yml"),
                     os.path.join(folder, "rules/alerts.yml")]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode:
            failures.append(f"{' '.join(command[:3])}: {done.stdout}{done.stderr}")

    def read(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()

    recording, alerts, runbooks = read("rules/recording.yml"), read("rules/alerts.yml"), read("consoles/runbooks.html")
    config = read("prometheus.yml")
    recorded = set(re.findall(r'record: "?([\w:]+)', recording))
    failures += [f"{name} is not recorded" for name in RECORDED if name not in recorded]
    failures += [f"{name} is used and not recorded" for name in
                 set(re.findall(r"puckdrop:\w+(?::\w+)?", recording + alerts)) - recorded]
    blocks = {re.match(r"\w+", block).group(): block for block in alerts.split("- alert: ")[1:]}
    failures += [f"Puckdrop{name} is missing" for name in ALERTS if f"Puckdrop{name}" not in blocks]
    for name, block in blocks.items():
        if not re.search(r"severity: (page|ticket|watchdog)", block):
            failures.append(f"{name} has no severity")
        for word in ("summary:", "description:", "runbook_url:"):
            if word not in block:
                failures.append(f"{name} has no {word}")
        anchor = re.search(r"runbooks\.html#(\w+)", block)
        if anchor is None or f'id="{anchor.group(1)}"' not in runbooks:
            failures.append(f"{name}: its runbook is not written")
    for job in set(re.findall(r'job="([\w-]+)"', recording + alerts)):
        if f"job_name: {job}\n" not in config:
            failures.append(f"the rules speak of the job {job}, which prometheus.yml does not have")
    targets = read("targets/probers.yml")
    for path in ("ordering", "cancellation", "device_support", "playback", "billing"):
        if not re.search(rf"path: {path}, vantage: \w+", targets):
            failures.append(f"no target for {path}")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(recorded)} recorded rules, {len(blocks)} alerts: {'FAILED' if failures else 'sound'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
