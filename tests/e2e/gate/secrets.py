#!/usr/bin/env python3
"""Plants secrets in plan, cookies, headers and bodies, runs the gate well and badly with every report, and looks for each of
them in everything that was written: output, logs, reports, evidence, databases."""

import base64
import hashlib
import hmac
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

from arena_gate import Arena, gate_command, plan_environment

PILOT = "pilot-Xk29fQ7-planted"
OFFICE = "office-Vb83mZ1-planted"
CARDS = ("4242424242424242", "4000000000000002")


def password(email):
    digest = hmac.new(PILOT.encode(), email.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")[:28] + "aA1!"


def forms(secret):
    raw = secret.encode()
    return {secret, urllib.parse.quote(secret, safe=""), base64.b64encode(raw).decode(),
            base64.urlsafe_b64encode(raw).decode().rstrip("="), raw.hex()}


def main():
    found = []
    looked = 0
    env_office = dict(os.environ, ARENA_OFFICE_TOKEN=OFFICE)
    os.environ["ARENA_OFFICE_TOKEN"] = OFFICE
    for faults in ([], ["ordering.order_fails"], ["playback.manifest_missing", "billing.wrong_vat"]):
        with Arena(faults) as arena, tempfile.TemporaryDirectory(prefix="puckdrop-secret-") as folder:
            env = plan_environment(arena.url)
            env.update(PILOT_KEY=PILOT, ARENA_OFFICE_TOKEN=OFFICE)
            reports = [f"--report={kind}={folder}/report.{kind}" for kind in ("html", "junit", "md")]
            run = subprocess.run(gate_command(folder, "--customer", "living-room", "--observe", "6s", *reports), env=env,
                                 capture_output=True, timeout=300)
            written = {"stdout": run.stdout, "stderr": run.stderr}
            for path in pathlib.Path(folder).rglob("*"):
                if path.is_file():
                    written[str(path.relative_to(folder))] = path.read_bytes()
            everything = b"\n".join(written.values()).decode("utf-8", "replace")
            emails = set(re.findall(r"pd-[a-z0-9-]+@example\.test", everything))
            if not emails or len(written) < 6:
                found.append(f"nothing to look at: {sorted(written)}, {len(emails)} accounts")
            secrets = {PILOT, OFFICE, *CARDS, *(password(email) for email in emails)}
            # Tokens of sessions and of streams, which nobody here knows: by their form in the practice service.
            shapes = [re.compile(rb"arena_session=[A-Za-z0-9_-]{12,}"), re.compile(rb"Bearer [A-Za-z0-9._-]{12,}"),
                      re.compile(rb"/live/(?!<redacted>|%3Credacted)[A-Za-z0-9_-]{16,}/")]
            for name, content in written.items():
                looked += 1
                text = content.decode("utf-8", "replace")
                for secret in secrets:
                    for form in forms(secret):
                        if form in text:
                            found.append(f"{name} (faults {faults}): {secret[:6]}… as {form[:8]}…")
                for shape in shapes:
                    match = shape.search(content)
                    if match:
                        found.append(f"{name} (faults {faults}): {match.group(0)[:24]!r}")
    for line in found:
        print("LEAK", line)
    print(f"looked into {looked} outputs")
    print(f"{1 if not found else 0} passed, {len(found)} failed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
