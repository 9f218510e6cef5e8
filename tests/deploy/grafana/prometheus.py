"""Debian's Prometheus with deploy/prometheus's own configuration and rules, on a free loopback port, every three seconds."""

import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

DEPLOYED = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "prometheus"


class QueryError(Exception):
    pass


class Api:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def get(self, path, **parameters):
        address = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(error.read().decode(errors="replace")[:500]) from error
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise QueryError(f"{self.url}: {error}") from error

    def instant(self, expression, at):
        """[(labels, value)] as Prometheus gives them."""
        data = self.get("/api/v1/query", query=expression, time=at)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def matrix(self, expression, start, end, step):
        """[(labels, [(time, value)])]."""
        data = self.get("/api/v1/query_range", query=expression, start=start, end=end, step=step)
        return [(series["metric"], [(float(t), float(v)) for t, v in series["values"]]) for series in data["result"]]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def at_pace(rules, seconds):
    """A rule file's text with every group evaluated every so many seconds. The budget's group spends a minute a time, and
    its interval and its 60 belong together."""
    rules, minutes = re.subn(r"(?m)^(\s*interval:) *1m *$", rf"\1 {seconds}s", rules)
    rules, factors = re.subn(r"\* 60 /", f"* {seconds} /", rules)
    if minutes != factors:
        raise RuntimeError("a rule group's minute and the 60 in its expression are no longer found together")
    return re.sub(r"(?m)^(\s*interval:) *5s *$", rf"\1 {seconds}s", rules)


class Prometheus:
    """probers: path to address; readiness: address or None. Everything lives in a temporary folder and ends with `stop`."""

    def __init__(self, probers, readiness, deployed=DEPLOYED, pace=3):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="puckdrop-board-"))
        self._process = None
        try:
            self._configure(probers, readiness, deployed, pace)
        except BaseException:
            self.stop()
            raise

    def _configure(self, probers, readiness, deployed, pace):
        port = free_port()
        self.api = Api(f"http://127.0.0.1:{port}")
        config = (deployed / "prometheus.yml").read_text()
        config = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): *\w+", rf"\1: {pace}s", config)
        config = config.replace("127.0.0.1:9090", f"127.0.0.1:{port}").replace("127.0.0.1:9093", "127.0.0.1:1")
        if re.search(r":90\d\d\b", config):
            raise RuntimeError("deploy/prometheus/prometheus.yml names a port that this test would touch")
        (self.folder / "prometheus.yml").write_text(config)
        (self.folder / "rules").mkdir()
        for file in (deployed / "rules").glob("*.yml"):
            (self.folder / "rules" / file.name).write_text(at_pace(file.read_text(), pace))
        (self.folder / "targets").mkdir()
        groups = [{"targets": [address], "labels": {"path": path, "vantage": "local"}} for path, address in probers.items()]
        (self.folder / "targets" / "probers.yml").write_text(json.dumps(groups))
        (self.folder / "targets" / "readiness.yml").write_text(json.dumps([{"targets": [readiness]}] if readiness else []))
        self._log = (self.folder / "log").open("w")
        self._process = subprocess.Popen(
            # Ends with this process, however that ends.
            ["setpriv", "--pdeathsig", "KILL", "prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={self.folder}/data", "--log.level=warn"],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=self.folder)

    def wait_ready(self, deadline):
        """Until it answers; deadline is of time.monotonic()."""
        while True:
            try:
                with urllib.request.urlopen(self.api.url + "/-/ready", timeout=2):
                    return
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"prometheus did not start: {error}\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if hasattr(self, "_log"):
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
