"""A launch to look at: five probers and a readiness that speak METRICS.md, in a state. Each process has an address of its own
on loopback and answers /metrics; killing one closes it. Nothing here knows the rules or the boards.

Three customers (living-room 60 %, kitchen 30 %, cabin 10 % of the audience), three checks a path, of which the first is for
nobody in particular. What goes wrong goes wrong on playback, for living-room or for the whole prober."""

import http.server
import threading
import time

PATHS = ("ordering", "cancellation", "device_support", "playback", "billing")
CUSTOMERS = {"living-room": ("samsung_2018_tizen4.0", "FI", 0.6), "kitchen": ("chrome_desktop", "FI", 0.3),
             "cabin": ("ipad_2021", "SE", 0.1)}
CHECKS = {"ordering": ("offer_visible", "order_completes", "sign_in"),
          "cancellation": ("reachable", "takes_effect", "no_charge_after"),
          "device_support": ("profiles_known", "codec_supported", "captions_supported"),
          "playback": ("manifest_valid", "picture_shows", "sound_heard"),
          "billing": ("currency_known", "charged_once", "vat")}
REASONS = ("wrong_answer", "too_slow", "black")
OUTCOMES = ("passed", "failed", "blocked", "inconclusive", "skipped")
MAX_AGE = 20
DYING = ("killed", "readiness_dead")  # states that begin well
STATES = {
    "healthy": "all passes",
    "blip": "one check of one customer failed once",
    "failing": "two checks of one customer fail again and again, and a promise with them",
    "waived": "the same two failures, excused by waivers that hold",
    "stalled": "playback's prober answers and its loop has stood still for five minutes",
    "killed": "playback's prober is gone, after all was well, and puck has dropped",
    "readiness_dead": "readiness is gone, after all was well",
    "not_asked": "the plan leaves billing out, and its prober reports all the same",
    "stricter": "all passes, and readiness says NO_GO for playback for a reason of its own",
    "nothing": "nothing is scraped",
}


def instances(path):
    any_check, *others = CHECKS[path]
    yield any_check, "any", "any", "any"
    for check in others:
        for customer, (device, market, _) in CUSTOMERS.items():
            yield check, customer, device, market


def line(name, value, **labels):
    words = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{words}}} {value}" if words else f"{name} {value}"


class World:
    def __init__(self, state, now=time.time):
        self.state, self.now, self.started, self.fallen = state, now, now(), False
        self.left_out = ("billing",) if state == "not_asked" else ()

    def _ill(self, check, customer):
        """Consecutive failures of an instance of playback."""
        if customer != "living-room" or check not in ("picture_shows", "sound_heard"):
            return 0
        return {"blip": 1 if check == "picture_shows" else 0, "failing": 3, "waived": 3}.get(self.state, 0)

    def process(self, start):
        yield line("process_resident_memory_bytes", 50_000_000)
        yield line("process_start_time_seconds", start)
        yield line("puckdrop_build_info", 1, launch="test", version="1.0", revision="abc", plan="p1")

    def prober(self, path):
        now = self.now()
        stalled = self.state == "stalled" and path == "playback"
        if stalled:
            now = self.started - 300  # its loop stood still five minutes before we came
        ticks = now - self.started + 1000
        yield from self.process(self.started)
        yield line("puckdrop_prober_heartbeat_timestamp_seconds", now, launch="test", path=path)
        yield line("puckdrop_target_requests_total", int(ticks * 4), launch="test", path=path, code_class="2xx")
        yield line("puckdrop_target_requests_total", 3, launch="test", path=path, code_class="5xx")
        for check in CHECKS[path]:
            for bound, share in ((".1", 0.0), (".25", 0.0), (".5", 1.0), ("1", 1.0), ("+Inf", 1.0)):
                yield line("puckdrop_check_duration_seconds_bucket", int(ticks * share), launch="test", path=path, check=check,
                           le=bound)
            ill = path == "playback" and self._ill(check, "living-room")
            for reason in REASONS:
                failures = int(ticks / 2) if ill > 1 and reason == "black" else 0
                yield line("puckdrop_check_failures_total", failures, launch="test", path=path, check=check, reason=reason)
        for check, customer, device, market in instances(path):
            labels = {"launch": "test", "path": path, "check": check, "customer": customer, "device": device, "market": market}
            ill = self._ill(check, customer) if path == "playback" else 0
            yield line("puckdrop_check_success", 0 if ill else 1, **labels)
            yield line("puckdrop_check_consecutive_failures", ill, **labels)
            yield line("puckdrop_check_last_run_timestamp_seconds", now - 1, **labels)
            yield line("puckdrop_check_last_success_timestamp_seconds", now - 1 if not ill else now - 240 if ill > 1 else now - 3,
                       **labels)
            yield line("puckdrop_check_max_age_seconds", MAX_AGE, **labels)
            yield line("puckdrop_check_observed_value", 1.5, **labels)
            for outcome in OUTCOMES:
                counts = outcome == ("failed" if ill > 1 else "passed")
                yield line("puckdrop_check_runs_total", int(ticks / 2) if counts else 0, outcome=outcome, **labels)

    def readiness(self):
        now = self.now()
        yield from self.process(self.started)
        judged = [path for path in PATHS if path not in self.left_out]
        verdict = {"failing": 0, "stricter": 0, "blip": 1, "stalled": 1}.get(self.state, 1 if self.fallen else 2)
        for path in judged:
            yield line("puckdrop_verdict", verdict if path == "playback" else 2, launch="test", path=path)
            yield line("puckdrop_audience_affected_ratio", 0.6 if self.state == "failing" and path == "playback" else 0,
                       launch="test", path=path)
            yield line("puckdrop_vantages_required", 1, launch="test", path=path)
            for check in CHECKS[path]:
                yield line("puckdrop_check_info", 1, launch="test", path=path, check=check, severity="blocking",
                           runbook=f"Look at what {check} needs.")
            for check, customer, device, market in instances(path):
                labels = {"launch": "test", "path": path, "check": check, "customer": customer, "device": device,
                          "market": market}
                yield line("puckdrop_check_expected", 1, **labels)
                if self.state == "waived" and path == "playback" and self._ill(check, customer):
                    yield line("puckdrop_check_waived", 1, **labels)
        yield line("puckdrop_verdict", verdict, launch="test", path="all")
        yield line("puckdrop_audience_affected_ratio", 0.6 if self.state == "failing" else 0, launch="test", path="all")
        for customer, (device, market, share) in CUSTOMERS.items():
            yield line("puckdrop_customer_audience_share", share, launch="test", customer=customer, device=device, market=market)
        yield line("puckdrop_promise_kept", 0 if self.state == "failing" else 1, launch="test", promise="picture-shows")
        yield line("puckdrop_promise_kept", "NaN", launch="test", promise="cancel-any-time")
        held = 2 if self.state == "waived" else 0
        for state, count in (("honoured", held), ("expired", 1 if self.state == "failing" else 0), ("unannounced", 0)):
            yield line("puckdrop_waivers", count, launch="test", state=state)
        yield line("puckdrop_obligations_open", 2, launch="test")
        yield line("puckdrop_puck_drop_timestamp_seconds", self.started + (-600 if self.state == "killed" else 93784),
                   launch="test")


class Process:
    """One /metrics endpoint on a free loopback port, until it is killed."""

    def __init__(self, lines):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = ("\n".join(lines()) + "\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the scrape was given up

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def kill(self):
        self._server.shutdown()
        self._server.server_close()


class Processes:
    """The processes of a world. `fall` makes happen what the state is named after, once all was seen well."""

    def __init__(self, state):
        self.world = World(state)
        self.probers, self.ready = {}, None
        if state == "nothing":
            return
        self.probers = {path: Process(lambda path=path: self.world.prober(path)) for path in PATHS}
        self.ready = Process(self.world.readiness)

    def fall(self):
        self.world.fallen = self.world.state == "killed"
        if self.world.state == "killed":
            self.probers["playback"].kill()
        if self.world.state == "readiness_dead":
            self.ready.kill()

    def addresses(self):
        return {path: process.address for path, process in self.probers.items()}, self.ready and self.ready.address

    def stop(self):
        dead = {"killed": self.probers.get("playback"), "readiness_dead": self.ready}.get(self.world.state)
        for process in [*self.probers.values(), self.ready]:
            if process and process is not dead:
                process.kill()
