"""What is said, to whom, and what never rings. Scraped every 5 s."""
from night import Case, alert, at

SOUND = {"ordering.sign_in anna": "P+", "billing.vat anna": "P+"}
GREEN = {"ordering": [(0, 2)], "billing": [(0, 2)], "all": [(0, 2)]}


def says_no_go(path, sentence):
    return Case(f"says_{path}", "A page says what the customer would, and for how many.", {f"{path}.some anna": "F+"},
                alert("30s", "PathNoGo", ({"severity": "page", "path": path}, f"{sentence}: 60% of the audience",
                                          f"A failure on {path} is proven and not waived. `puckdrop status` names the checks, "
                                          "`puckdrop explain` says for whom, since when and how to reproduce it.")))


def says_inconclusive(path, sentence):
    return Case(f"says_unknown_{path}", "A ticket says what nobody can say.", {f"{path}.some anna": "P+", f"{path}.some bert": ""},
                alert("30s", "PathInconclusive", ({"severity": "ticket", "path": path},
                                                  f"Nobody can say whether {sentence}: 1 of 2 checks report",
                                                  f"Evidence is missing on {path}: a check is silent, too old, failed only "
                                                  "once or could not tell. `puckdrop status` lists which.")))


CASES = [
    says_no_go("ordering", "Customers cannot order and watch"),
    says_no_go("cancellation", "Customers who cancel do not get out, or lose what they paid for"),
    says_no_go("device_support", "Customers' devices cannot play it"),
    says_no_go("playback", "Customers do not see the picture"),
    says_no_go("billing", "Customers are billed wrongly"),
    says_inconclusive("ordering", "customers can order and watch"),
    says_inconclusive("cancellation", "customers who cancel get out"),
    says_inconclusive("device_support", "customers' devices can play it"),
    says_inconclusive("playback", "customers see the picture"),
    says_inconclusive("billing", "customers are billed rightly"),

    Case("says_prober_down", "Who does not answer, and whom nobody watches for.", SOUND,
         alert("30s", "ProberDown", ({"severity": "page", "path": "ordering", "vantage": "local", "job": "puckdrop-prober",
                                      "instance": "10.0.0.1:9471"},
                                     "Nobody watches ordering for the customers from local: its prober does not answer",
                                     "10.0.0.1:9471 does not answer Prometheus. What customers see on this path is not known "
                                     "until it is back.")),
         killed={"ordering": "5s"}),
    Case("says_prober_unplugged", "No target at all.", SOUND,
         alert("30s", "ProberDown", ({"severity": "page", "path": "ordering"},
                                     "Nobody watches ordering for the customers: its prober does not answer",
                                     "No prober of ordering is configured. What customers see on this path is not known until "
                                     "it is back.")),
         unplugged={"ordering": "5s"}),
    Case("says_prober_stalled", "It answers and does not work.", SOUND,
         alert("1m30s", "ProberStalled", ({"severity": "page", "path": "ordering", "vantage": "local", "instance": "10.0.0.1:9471"},
                                          "Nobody watches ordering for the customers from local: its prober answers but does not work",
                                          "10.0.0.1:9471: its loop turned last 1m 20s away from now. If that is hours or it works "
                                          "all the same, its clock was stepped.")), stalled={"ordering": "15s"}),
    Case("says_readiness_absent", "The path is all of them.", SOUND,
         alert("30s", "ReadinessAbsent", ({"severity": "page", "path": "all"},
                                          "Nobody can say whether customers are well, because nobody knows what should be looked at",
                                          "readiness does not answer, or expects nothing. No path can be green without it; the "
                                          "probers go on for as long as their last orders last.")), readiness="5s"),
    Case("stalled_for_a_moment", "Half a minute of silence is forgiven; a dead prober is down, not stalled.", SOUND,
         at("50s", alerts=""), at("1m", alerts=""), at("2m30s", alerts="ProberDown billing@local, PathInconclusive billing"),
         stalled={"ordering": ("10s", "45s")}, killed={"billing": "1m30s"}, lingers=True),
    Case("clock_half_a_minute_ahead", "A clock that is off by more than half a minute is reported, long before results cannot be dated.",
         SOUND, at("30s", verdict=2, alerts="ProberStalled ordering@local"), clock={"ordering": 31, "billing": 30}),
    Case("short_deaths", "One failed scrape rings for nobody.", SOUND, at("35s", alerts=""), at("45s", alerts=""),
         killed={"ordering": ("30s", "40s")}, readiness=("30s", "40s")),
    Case("readiness_has_no_verdict", "A catalogue without a verdict is half a readiness.", SOUND,
         at("10s", verdict=2, alerts="ReadinessAbsent all"), says={"all": [(0, None)]}),

    Case("agree", "The same verdict, or a stricter one of readiness: nothing.", {**SOUND, "playback.black anna": "I+"},
         at("2m", verdict=1, paths="ordering 2, billing 2, playback 1", alerts="PathInconclusive playback"),
         says={"ordering": [(0, 2)], "billing": [(0, 1)], "playback": [(0, 1)], "all": [(0, 1)]}),
    Case("readiness_is_greener", "Greener for a minute rings; of one path, and of the launch.",
         {"ordering.sign_in anna": "PPPI+", "billing.vat anna": "P+"},
         at("1m45s", verdict=1, alerts="PathInconclusive ordering"),
         at("1m50s", alerts="PathInconclusive ordering, VerdictsDisagree ordering, VerdictsDisagree all"),
         alert("2m", "VerdictsDisagree",
               ({"severity": "page", "path": "ordering"}, "The verdict on ordering that people read is better than what customers see",
                "readiness says 2 for ordering; Prometheus finds worse from the same probers (2 GO, 1 INCONCLUSIVE, 0 NO-GO). "
                "Believe the worse one."),
               ({"severity": "page", "path": "all"}, "The verdict on all that people read is better than what customers see",
                "readiness says 2 for all; Prometheus finds worse from the same probers (2 GO, 1 INCONCLUSIVE, 0 NO-GO). "
                "Believe the worse one.")),
         says=GREEN),
    Case("readiness_is_greener_for_the_launch_only", "Paths right, launch wrong.", {"ordering.sign_in anna": "I+"},
         at("1m", alerts="PathInconclusive ordering, VerdictsDisagree all"),
         says={"ordering": [(0, 1)], "all": [(0, 2)]}),
    Case("readiness_holds_where_customers_fail", "Readiness that says 1 for a proven failure is greener too.",
         {"ordering.sign_in anna": "FF", "billing.vat anna": "P+"},
         at("1m10s", verdict=0, alerts="PathNoGo ordering"),
         at("1m20s", alerts="PathNoGo ordering, VerdictsDisagree ordering"),
         says={"ordering": [(0, 1)], "billing": [(0, 2)]}, max_age=90),
    Case("readiness_catches_up", "Greener for less than a minute is only slower.", {"ordering.sign_in anna": "PPPI+"},
         at("1m45s", alerts="PathInconclusive ordering"), at("3m", alerts="PathInconclusive ordering"),
         says={"ordering": [(0, 2), ("1m45s", 1)], "all": [(0, 2), ("1m45s", 1)]}),

    Case("inconclusive_for_a_moment", "Thirty seconds.", {"ordering.sign_in anna": "PPII+"},
         at("1m", alerts=""), at("1m5s", alerts="PathInconclusive ordering")),
    Case("watchdog", "It fires from the first moment, whatever is scraped, to its own receiver.", {},
         alert("0s", "Watchdog", ({"severity": "watchdog", "path": "all"},
                                  "The alarm itself works; if this stops, nobody will be told when customers fail",
                                  "Prometheus and Alertmanager work. No person needs to see this.")),
         mute=True),
]
