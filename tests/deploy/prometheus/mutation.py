#!/usr/bin/env python3
"""Breaks the rules in small ways and counts how many of the breaks the cases notice.

usage: mutation.py RULES_DIR [--seed N] [--count N | --all] [--least 0.9] [--jobs N] [--only TEXT]

A mutant that promtool does not even parse is not counted. The cases run in chunks until one notices; the chunk that noticed
last for the same rule goes first. Mutants known to mean the same as the rule are in EQUIVALENT, with the reason; they are
counted apart, and it is a failure if one of them is noticed after all.
"""
import argparse
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import cases
import mutate
import night
from equivalent import EQUIVALENT

CHUNK = 3


def chunks(folder, rules):
    """The cases in small promtool files, the quick ones first."""
    paths = []
    for name, (all_cases, scrape) in cases.FILES.items():
        for start in range(0, len(all_cases), CHUNK):
            path = os.path.join(folder, f"{name}_{start:03}_test.yml")
            night.write(path, rules, all_cases[start:start + CHUNK], scrape)
            paths.append(path)
    return paths


class Judge:
    def __init__(self, rules_dir, folder):
        self.folder, self.rules_dir = folder, rules_dir
        self.favourites, self.lock = {}, threading.Lock()
        # Chunks name the rules relative to themselves, so each worker gets a folder with both.
        self.template = os.path.join(folder, "template")
        os.makedirs(self.template)
        self.chunks = [os.path.basename(p) for p in chunks(self.template, ["recording.yml", "alerts.yml"])]
        for name in ("recording.yml", "alerts.yml"):
            shutil.copy(os.path.join(rules_dir, name), self.template)

    def order(self, rule):
        with self.lock:
            favourites = list(self.favourites.get(rule, []))
        # Before anything is known of a rule: alerts are told apart by the alerts' cases, rates by the long ones.
        likely = "alerts" if rule.startswith("Puckdrop") else "verdict"
        if any(word in rule for word in ("Burn", "availability", "budget", "Obligations")):
            likely = "long"
        favourites += [chunk for chunk in self.chunks if chunk.startswith(likely) and chunk not in favourites]
        return favourites + [chunk for chunk in self.chunks if chunk not in favourites]

    def noticed_by(self, mutant):
        """The chunk that noticed, None if none did, "unparsable" if it is no rule at all."""
        file, rule, _, text = mutant
        place = tempfile.mkdtemp(dir=self.folder)
        try:
            for name in os.listdir(self.template):
                os.symlink(os.path.join(self.template, name), os.path.join(place, name))
            os.unlink(os.path.join(place, file))
            with open(os.path.join(place, file), "w", encoding="utf-8") as out:
                out.write(text)
            if self.run(["promtool", "check", "rules", os.path.join(place, file)]):
                return "unparsable"
            for chunk in self.order(rule):
                if self.run(["promtool", "test", "rules", os.path.join(place, chunk)]):
                    with self.lock:
                        known = self.favourites.setdefault(rule, [])
                        if chunk in known:
                            known.remove(chunk)
                        known.insert(0, chunk)
                    return chunk
            return None
        finally:
            shutil.rmtree(place)

    @staticmethod
    def run(command):
        # promtool makes garbage by the storage: collecting it costs more than the rules do.
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600,
                              env={**os.environ, "GOGC": "off", "GOMEMLIMIT": "400MiB"}).returncode


def mutants_of(rules_dir):
    found = []
    for file in ("recording.yml", "alerts.yml"):
        with open(os.path.join(rules_dir, file), encoding="utf-8") as source:
            text = source.read()
        found += [(file, rule, what, new) for rule, what, new in mutate.of_file(text)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=300, help="no new mutant after that, if 30 were judged")
    parser.add_argument("--least", type=float, default=0.9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="rules whose name contains this")
    parser.add_argument("-v", action="store_true")
    arguments = parser.parse_args()

    started = time.monotonic()
    every = mutants_of(arguments.rules)
    chosen = [m for m in every if arguments.only in m[1]]
    random.Random(arguments.seed).shuffle(chosen)
    caught, survived, equivalent, wrong, unparsable = 0, [], 0, [], 0
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(arguments.rules, folder)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            failed = list(pool.map(lambda c: judge.run(["promtool", "test", "rules", os.path.join(judge.template, c)]), judge.chunks))
        unsound = [chunk for chunk, code in zip(judge.chunks, failed) if code]
        if unsound:
            print(f"mutation.py: the rules as they are fail in {', '.join(unsound)}; run cases.py", file=sys.stderr)
            return 1
        remaining = iter(chosen)

        def enough():
            judged = caught + len(survived) + equivalent + len(wrong)
            late = time.monotonic() - started > arguments.seconds and judged >= 30
            return not arguments.all and (judged >= arguments.count or late)

        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            running = {}
            while True:
                while len(running) < arguments.jobs and not enough():
                    mutant = next(remaining, None)
                    if mutant is None:
                        break
                    running[pool.submit(judge.noticed_by, mutant)] = mutant
                if not running:
                    break
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    _, rule, what, _ = running.pop(future)
                    by, known = future.result(), EQUIVALENT.get((rule, what))
                    if by == "unparsable":
                        unparsable += 1
                    elif by and known:
                        wrong.append(f"{rule}: {what}")
                    elif by:
                        caught += 1
                    elif known:
                        equivalent += 1
                    else:
                        survived.append(f"{rule}: {what}")
                    if arguments.v and by != "unparsable":
                        print(f"{by or ('equivalent' if known else 'SURVIVED')}: {rule}: {what}", flush=True)
    for line in survived:
        print(f"survived: {line}")
    for line in wrong:
        print(f"listed as equivalent and noticed all the same: {line}")
    judged = caught + len(survived)
    score = caught / judged if judged else 0
    print(f"{caught} of {judged} mutants caught ({score:.0%}), {equivalent} more mean the same, {unparsable} do not parse; "
          f"seed {arguments.seed}, {len(every)} possible, {time.monotonic() - started:.0f} s")
    return 0 if judged and score >= arguments.least and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
