#!/usr/bin/env python3
"""What deploy/ holds for other people's machines and CI servers, read by the tools that read it there: systemd-analyze, docker-compose,
shellcheck, and from npm action-validator, dockerfilelint and gitlab-ci-local. The steps of the action and of the GitLab job are run.

usage: check.py units|container|scripts|github|gitlab|packages
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

SOURCE = pathlib.Path(os.environ.get("PUCKDROP_SOURCE", pathlib.Path(__file__).resolve().parents[3]))
BINARY = pathlib.Path(os.environ.get("PUCKDROP_BINARY", SOURCE / "build" / "release"))
DEPLOY = SOURCE / "deploy"
PLAN = DEPLOY / "examples" / "arena" / "plan.yaml"
# Nothing listens on port 9: the gate cannot tell, and must say so.
NOBODY = {"ARENA": "http://127.0.0.1:9", "PILOT_KEY": "key", "ARENA_OFFICE_TOKEN": "token", "EARLY_BIRD_FI": "2027-01-01",
          "EARLY_BIRD_SE": "2027-01-01"}


def run(command, expect=0, **more):
    ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **more)
    if ended.returncode != expect:
        sys.exit(f"{' '.join(map(str, command))} ended {ended.returncode}, not {expect}:\n{ended.stdout[-4000:]}")
    return ended.stdout


def need(condition, words):
    if not condition:
        sys.exit(words)


def npm():
    ended = subprocess.run([SOURCE / "tests" / "npm_install", pathlib.Path(__file__).parent], stdout=subprocess.PIPE, text=True)
    if ended.returncode == 77:
        sys.exit(77)
    need(ended.returncode == 0, "npm_install failed")
    return pathlib.Path(ended.stdout.strip()) / "node_modules" / ".bin"


def units():
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for unit in sorted((DEPLOY / "systemd").glob("*.*")):
            if unit.suffix not in (".service", ".target"):
                continue
            text = unit.read_text().replace("/usr/local/bin/puckdrop", str(BINARY / "puckdrop"))
            text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
            name = unit.name.replace("@.", "@playback.")
            (pathlib.Path(folder) / name).write_text(text)
            names.append(name)
        need(len(names) == 3, f"units: {names}")
        said = run(["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in names)], cwd=folder)
        need("puckdrop" not in said, f"systemd-analyze verify says:\n{said}")
        for name in names:
            if name.endswith(".service"):
                # 20: an exposure of 2.0 of 10.
                run(["systemd-analyze", "security", "--offline=true", "--threshold=20", f"./{name}"], cwd=folder)
        # Trust comes from seeing it fail.
        bad = pathlib.Path(folder) / "bad.service"
        bad.write_text("[Service]\nExecStart=/bin/true\n")
        run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "./bad.service"], expect=1, cwd=folder)
    # Every path of the product has its prober in the target.
    target = (DEPLOY / "systemd" / "puckdrop.target").read_text()
    for path in ("ordering", "cancellation", "device_support", "playback", "billing"):
        need(f"puckdrop-prober@{path}.service" in target, f"puckdrop.target does not start {path}")


def container():
    said = run([npm() / "dockerfilelint", DEPLOY / "container" / "Containerfile"])
    need("None found" in said, said)
    with tempfile.TemporaryDirectory() as folder:
        secrets = pathlib.Path(folder) / "secrets.env"
        secrets.write_text("PILOT_KEY=key\n")
        config = run(["docker-compose", "-f", DEPLOY / "container" / "compose.yaml", "config"],
                     env={**os.environ, "PUCKDROP_SECRETS": str(secrets)})
    services = yaml.safe_load(config)["services"]
    need(set(services) == {"readiness", "ordering", "cancellation", "device_support", "playback", "billing", "prometheus",
                           "alertmanager"}, f"services: {sorted(services)}")
    for name, service in services.items():
        need(name == "readiness" or service["network_mode"] == "service:readiness", f"{name} has a network of its own")
        for port in service.get("ports", []):
            need(str(port).startswith("127.0.0.1:") or (isinstance(port, dict) and port.get("host_ip") == "127.0.0.1"),
                 f"{name} is published beyond loopback: {port}")


def scripts():
    files = [path for folder in ("deploy", "tests", ".ci") for path in (SOURCE / folder).rglob("*")
             if path.is_file() and path.stat().st_size < 100_000 and path.suffix in ("", ".sh") and path.read_bytes()[:2] == b"#!"
             and b"bash" in path.read_bytes()[:30]]
    need(len(files) >= 6, f"scripts: {files}")
    # SC2317: functions that a trap calls.
    run(["shellcheck", "-e", "SC2317", *files])


def github():
    tool = npm() / "action-validator"
    for name in ("action.yml", "workflow.example.yml"):
        run([tool, DEPLOY / "github" / name])
    action = yaml.safe_load((DEPLOY / "github" / "action.yml").read_text())
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "gate")
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "step.sh"
        script.write_text("#!/usr/bin/env bash\n" + step["run"])
        run(["shellcheck", script])
        env = {**os.environ, **NOBODY, "PLAN": str(PLAN), "ARGUMENTS": "--check ordering.offer_visible --customer laptop",
               "PUCKDROP": str(BINARY / "puckdrop"), "RUNNER_TEMP": folder, "GITHUB_STEP_SUMMARY": f"{folder}/summary",
               "GITHUB_OUTPUT": f"{folder}/output", "GITHUB_ACTIONS": "true", "CI": "true"}
        run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], expect=2, cwd=folder, env=env)
        summary = pathlib.Path(folder, "summary").read_text()
        need("INCONCLUSIVE" in summary, f"the summary page says:\n{summary}")
        need(pathlib.Path(folder, "output").read_text() == "exit-code=2\n", "the output exit-code is not 2")
        need(pathlib.Path(folder, "puckdrop-report", "report.html").stat().st_size > 1000, "no HTML report")
        need(json.loads(pathlib.Path(folder, "puckdrop-report", "report.json").read_text()), "no JSON report")


def gitlab():
    tool = npm() / "gitlab-ci-local"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(DEPLOY / "gitlab" / "puckdrop.gitlab-ci.yml", folder)
        shutil.copy(PLAN, pathlib.Path(folder) / "plan.yaml")
        # The same script once more without an image, to be run here.
        pathlib.Path(folder, ".gitlab-ci.yml").write_text(
            "include:\n  - local: puckdrop.gitlab-ci.yml\nlaunch-gate:\n  extends: .puckdrop-gate\n"
            "here:\n  script: !reference [.puckdrop-gate, script]\n"
            "  variables: { PUCKDROP_PLAN: plan.yaml, PUCKDROP_ARGUMENTS: --check ordering.offer_visible --customer laptop }\n")
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.test", "-c", "init.defaultBranch=main"]
        run([*git, "init", "-q", "."], cwd=folder)
        run([*git, "remote", "add", "origin", "https://example.test/launch/plan.git"], cwd=folder)
        run([*git, "add", "."], cwd=folder)
        run([*git, "commit", "-qm", "plan"], cwd=folder)
        run([tool, "--preview"], cwd=folder)
        env = {**os.environ, **NOBODY, "PATH": f"{BINARY}:{os.environ['PATH']}", "HOME": folder}
        said = run([tool, "here"], expect=1, cwd=folder, env=env)
        need("INCONCLUSIVE" in said, f"the job says:\n{said}")


def packages():
    """`install-deps serve` names what the binaries are linked with, no less."""
    linked = set()
    for name in ("puckdrop", "puckdrop-jq-worker"):
        needed = set(re.findall(r"NEEDED.*\[(.*?)\]", run(["readelf", "-d", BINARY / name])))
        places = dict(re.findall(r"^\s*(\S+) => (/\S+)", run(["ldd", BINARY / name]), flags=re.M))
        for library in needed & set(places):
            real = pathlib.Path(places[library]).resolve()
            # /lib is /usr/lib, and dpkg knows a file by the name it was packed with.
            for place in (str(real), str(real).removeprefix("/usr")):
                owner = subprocess.run(["dpkg", "-S", place], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split(":")[0]
                if owner:
                    linked.add(owner)
    need(len(linked) > 10, f"linked: {linked}")
    text = (DEPLOY / "install-deps").read_text()
    named = set(re.search(r"^serve=\((.*?)\)", text, flags=re.M | re.S).group(1).split())
    # The C library and the compiler's own are of every Debian system; sanitizers are linked in tests only.
    missing = {package for package in linked - named if not package.startswith(("libc6", "libgcc", "libclang"))}
    need(not missing, f"install-deps serve lacks {sorted(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        run(["cmake", "--install", BINARY, "--prefix", folder])
        installed = sorted(path.name for path in pathlib.Path(folder).rglob("*") if path.is_file())
        need(installed == ["puckdrop", "puckdrop-jq-worker"], f"installed: {installed}")
        run([pathlib.Path(folder) / "bin" / "puckdrop", "plan", "check", "--plan", PLAN], env={**os.environ, **NOBODY})


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("units", "container", "scripts", "github", "gitlab", "packages"):
        sys.exit(__doc__)
    globals()[sys.argv[1]]()
    print(f"{sys.argv[1]}: as they should be")
