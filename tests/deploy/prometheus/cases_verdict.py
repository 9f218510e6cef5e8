"""What the verdict, its states and counts must be. Expected values are written by hand; see night.py for the notation."""
from night import Case, at

SOUND = {"ordering.sign_in anna": "P+", "ordering.sign_in bert": "P+",
         "billing.vat anna": "P+", "billing.vat bert": "P+"}
ALL_FIVE = "ordering {0}, cancellation {0}, device_support {0}, playback {0}, billing {0}".format


def with_(**changes):
    """SOUND with one path's runs changed: with_(ordering_anna="PF+")."""
    checks = dict(SOUND)
    for word, runs in changes.items():
        path, customer = word.split("_")
        checks[f"{'ordering.sign_in' if path == 'ordering' else 'billing.vat'} {customer}"] = runs
    return checks


CASES = [
    Case("all_pass", "Everything expected passed and is fresh: GO, and nobody is told anything.", SOUND,
         at("0s", verdict=1, paths="ordering 1, billing 1", reporting="ordering 0, billing 0"),
         at("5s", verdict=2, paths="ordering 2, billing 2"),
         at("2m", verdict=2, paths="ordering 2, billing 2", alerts="",
            states="ordering.sign_in anna 2, ordering.sign_in bert 2, billing.vat anna 2, billing.vat bert 2",
            fresh="ordering.sign_in anna 1, ordering.sign_in bert 1, billing.vat anna 1, billing.vat bert 1",
            failing="ordering 0, billing 0", unobserved="ordering 0, billing 0",
            expected="ordering 2, billing 2", reporting="ordering 2, billing 2",
            availability="ordering 1, billing 1")),

    Case("one_blip", "One failed run proves nothing: 1 until it passes again; nobody is called.",
         with_(ordering_anna="PPPFP+"),
         at("45s", verdict=2),
         at("50s", verdict=1, paths="ordering 1, billing 2", failing="ordering 0, billing 0",
            unobserved="ordering 0.6, billing 0", reporting="ordering 2, billing 2",
            states="ordering.sign_in anna 1, ordering.sign_in bert 2, billing.vat anna 2, billing.vat bert 2"),
         at("1m", verdict=1, alerts=""),
         at("1m5s", verdict=2, paths="ordering 2, billing 2", alerts=""),
         at("1m40s", verdict=2, alerts="")),

    Case("two_failures", "Two in a row prove it: 0 at the scrape that shows the second, a page 10 s later, 2 at the next pass.",
         with_(ordering_anna="PPPFFFP+"),
         at("1m", verdict=1),
         at("1m5s", verdict=0, paths="ordering 0, billing 2", failing="ordering 0.6, billing 0",
            unobserved="ordering 0, billing 0", reporting="ordering 2, billing 2", alerts="",
            states="ordering.sign_in anna 0, ordering.sign_in bert 2, billing.vat anna 2, billing.vat bert 2"),
         at("1m10s", alerts=""),
         at("1m15s", verdict=0, alerts="PathNoGo ordering"),
         at("1m30s", verdict=0),
         at("1m35s", verdict=2, paths="ordering 2, billing 2", failing="ordering 0, billing 0")),

    Case("all_customers_fail", "Who fails adds up, and a path weighs what its own customers weigh.",
         {"ordering.sign_in anna": "FF+", "ordering.sign_in bert": "FF+", "ordering.activation anna": "FF+",
          "ordering.activation bert": "P+", "billing.vat anna": "P+", "billing.vat bert": "FF+"},
         at("25s", verdict=0, failing="ordering 1, billing 0.4", unobserved="ordering 0, billing 0",
            expected="ordering 4, billing 2", reporting="ordering 4, billing 2")),

    Case("for_everybody", "A check that is not per customer weighs the whole audience, alone and beside others.",
         {"playback.black any": "FF+", "ordering.shop_open any": "FF+", "ordering.sign_in anna": "FF+",
          "ordering.sign_in bert": "P+", "billing.invoices_run any": "I+", "billing.vat bert": "I+", "billing.vat anna": "P+"},
         at("25s", verdict=0, failing="playback 1, ordering 1, billing 0", unobserved="playback 0, ordering 0, billing 1")),

    Case("worst_counts", "A path is its worst check, the launch its worst path: 0 before 1 before 2.",
         {"ordering.sign_in anna": "FF+", "ordering.activation anna": "I+", "billing.vat anna": "I+",
          "billing.refund anna": "P+", "playback.black anna": "P+"},
         at("25s", verdict=0, paths="ordering 0, billing 1, playback 2",
            states="ordering.sign_in anna 0, ordering.activation anna 1, billing.vat anna 1, billing.refund anna 2, playback.black anna 2")),

    Case("in_a_row", "Only a pass ends a row of failures: what could not tell or was skipped between and after does not.",
         {"ordering.a anna": "FIF+", "ordering.b anna": "FFI+", "ordering.c anna": "FFS+", "ordering.d anna": "FPFP+",
          "ordering.e anna": "FI+", "ordering.f anna": "FFB+"},
         at("20s", states="ordering.a anna 1, ordering.b anna 0, ordering.c anna 0, ordering.d anna 2, ordering.e anna 1, ordering.f anna 0"),
         at("35s", states="ordering.a anna 0, ordering.b anna 0, ordering.c anna 0, ordering.d anna 1, ordering.e anna 1, ordering.f anna 0",
            failing="ordering 0.6")),

    Case("could_not_tell", "Blocked, inconclusive and skipped are never green and never red.",
         {"ordering.a anna": "PB+", "ordering.b anna": "PI+", "ordering.c anna": "PS+", "ordering.d anna": "PBP+"},
         at("5s", verdict=2),
         at("25s", verdict=1, states="ordering.a anna 1, ordering.b anna 1, ordering.c anna 1, ordering.d anna 1",
            failing="ordering 0", unobserved="ordering 0.6", reporting="ordering 4", expected="ordering 4"),
         at("35s", states="ordering.a anna 1, ordering.b anna 1, ordering.c anna 1, ordering.d anna 2"),
         at("45s", alerts=""), at("50s", alerts="PathInconclusive ordering")),

    Case("prober_killed", "A killed prober is 1 at the first scrape that fails, not the green it died with; its return is green after a run.",
         SOUND,
         at("55s", verdict=2),
         at("1m", verdict=1, paths="ordering 1, billing 2", failing="ordering 0, billing 0",
            unobserved="ordering 1, billing 0", expected="ordering 2, billing 2", reporting="ordering 0, billing 2",
            states="ordering.sign_in anna 1, ordering.sign_in bert 1, billing.vat anna 2, billing.vat bert 2",
            fresh="billing.vat anna 1, billing.vat bert 1", availability="ordering 0, billing 1"),
         at("1m5s", alerts=""),
         at("1m10s", alerts="ProberDown ordering@local"),
         at("1m25s", alerts="ProberDown ordering@local"),
         at("1m30s", alerts="ProberDown ordering@local, PathInconclusive ordering"),
         at("2m", verdict=1), at("2m5s", verdict=2, alerts="", availability="ordering 1, billing 1"),
         killed={"ordering": ("1m", "2m")}),

    Case("prober_killed_while_prometheus_restarts", "The same where no stale marker was written and the last samples linger.", SOUND,
         at("1m", verdict=1, paths="ordering 1, billing 2", reporting="ordering 0, billing 2", unobserved="ordering 1, billing 0"),
         at("1m40s", verdict=1, paths="ordering 1, billing 2", alerts="ProberDown ordering@local, PathInconclusive ordering"),
         killed={"ordering": "1m"}, lingers=True),

    Case("prober_killed_while_failing", "What a dead prober proved is no proof any more: nobody is at risk for certain, nobody is safe.",
         with_(ordering_anna="PPFF+"),
         at("55s", verdict=0, failing="ordering 0.6, billing 0"),
         at("1m", verdict=1, failing="ordering 0, billing 0", unobserved="ordering 1, billing 0"),
         at("2m", verdict=1, alerts="ProberDown ordering@local, PathInconclusive ordering"),
         killed={"ordering": "1m"}),

    Case("prober_stalled", "It answers the scrape and does not work: 2 until its last results are too old, then 1.", SOUND,
         at("1m25s", alerts=""),
         at("1m35s", alerts=""),
         at("1m40s", verdict=2, alerts="ProberStalled ordering@local", reporting="ordering 2, billing 2"),
         at("1m45s", verdict=1, paths="ordering 1, billing 2", reporting="ordering 0, billing 2", unobserved="ordering 1, billing 0",
            fresh="ordering.sign_in anna 0, ordering.sign_in bert 0, billing.vat anna 1, billing.vat bert 1",
            availability="ordering 0, billing 1"),
         at("2m10s", alerts="ProberStalled ordering@local"),
         at("2m15s", alerts="ProberStalled ordering@local, PathInconclusive ordering"),
         stalled={"ordering": "1m"}),

    Case("stalled_while_failing", "A proven failure that nobody looks at any more is too old as well.", with_(ordering_anna="PFF+"),
         at("1m40s", verdict=0), at("1m45s", verdict=1, failing="ordering 0, billing 0"), stalled={"ordering": "1m"}),

    Case("paused", "Probing stops for all: every path is 1 once the results are too old; the probers are well.",
         {"ordering.sign_in anna": "PPPP", "billing.vat anna": "PPPP"},
         at("1m40s", verdict=2),
         at("1m45s", verdict=1, paths="ordering 1, billing 1", unobserved="ordering 0.6, billing 0.6"),
         at("2m15s", alerts="PathInconclusive ordering, PathInconclusive billing")),

    Case("exactly_max_age", "Younger than its max age, not as old.", {"ordering.sign_in anna": "PPPP"},
         at("1m40s", verdict=2), at("1m45s", verdict=1, fresh="ordering.sign_in anna 0"), max_age=58),

    Case("never_ran", "Known to a prober and never run, or known to none: 1, never nothing.",
         {"ordering.sign_in anna": "P+", "ordering.sign_in bert": "", "billing.vat anna": "P+"},
         at("30s", verdict=1, paths="ordering 1, billing 1", unobserved="ordering 0.4, billing 0.4",
            expected="ordering 2, billing 2", reporting="ordering 1, billing 1", fresh="ordering.sign_in anna 1, ordering.sign_in bert 0, billing.vat anna 1",
            states="ordering.sign_in anna 2, ordering.sign_in bert 1, billing.vat anna 2, billing.vat bert 1",
            availability="ordering 0.6, billing 0.6"),
         at("35s", alerts="PathInconclusive ordering, PathInconclusive billing"),
         unseen=["billing.vat bert"]),

    Case("readiness_dead", "Without the catalogue nothing is known of any path; with it back, at once what the probers say.", SOUND,
         at("55s", verdict=2),
         at("1m", verdict=1, paths=ALL_FIVE(1), states="", failing=ALL_FIVE(0), unobserved=ALL_FIVE(1), expected=ALL_FIVE(0),
            reporting=ALL_FIVE(0), availability=ALL_FIVE(0)),
         at("1m5s", alerts=""),
         at("1m10s", alerts="ReadinessAbsent all"),
         at("1m30s", alerts="ReadinessAbsent all, " + ", ".join(
             f"PathInconclusive {p}" for p in ("ordering", "cancellation", "device_support", "playback", "billing"))),
         at("2m", verdict=2, paths="ordering 2, billing 2", alerts="", expected="ordering 2, billing 2"),
         readiness=("1m", "2m")),

    Case("readiness_dead_while_prometheus_restarts", "The same where its last samples linger.", SOUND,
         at("1m", verdict=1, paths=ALL_FIVE(1), states=""), at("1m10s", alerts="ReadinessAbsent all"),
         readiness="1m", lingers=True),

    Case("readiness_never_was", "Probers without a catalogue prove nothing.", SOUND,
         at("10s", verdict=1, paths=ALL_FIVE(1), states="", alerts="ReadinessAbsent all"), mute=True),

    Case("readiness_expects_nothing", "A readiness without a plan's checks is as good as none.", {},
         at("10s", verdict=1, paths=ALL_FIVE(1), alerts="ReadinessAbsent all")),

    Case("nothing_scraped", "Nothing answers at all: 1, and the alarm goes.", {},
         at("0s", verdict=1, paths=ALL_FIVE(1), failing=ALL_FIVE(0), unobserved=ALL_FIVE(1), alerts=""),
         at("10s", verdict=1, alerts="ReadinessAbsent all"),
         at("30s", alerts="ReadinessAbsent all, " + ", ".join(
             f"PathInconclusive {p}" for p in ("ordering", "cancellation", "device_support", "playback", "billing"))), mute=True),

    Case("readiness_twice", "Readiness scraped under two names is still one catalogue, one audience and one number of vantages.",
         {"ordering.sign_in anna": "FF+", "billing.vat anna": ""},
         at("25s", verdict=0, paths="ordering 0, billing 1", failing="ordering 0.6, billing 0", unobserved="ordering 0, billing 0.6",
            expected="ordering 1, billing 1", reporting="ordering 1, billing 0"), twins=True),

    Case("path_left_out", "A path of which nothing is asked has no verdict and no part in the launch's.", {"ordering.sign_in anna": "P+"},
         at("1m", verdict=2, paths="ordering 2", expected="ordering 1", alerts="")),

    Case("uncatalogued", "What readiness does not expect (advisory, filtered, another plan's) counts for nothing, also for pages.",
         {**SOUND, "ordering.rumour anna": "F+", "playback.black any": "F+"},
         at("1m30s", verdict=2, paths="ordering 2, billing 2", failing="ordering 0, billing 0", expected="ordering 2, billing 2",
            reporting="ordering 2, billing 2", availability="ordering 1, billing 1", alerts="",
            states="ordering.sign_in anna 2, ordering.sign_in bert 2, billing.vat anna 2, billing.vat bert 2"),
         uncatalogued=["ordering.rumour anna", "playback.black any"]),

    Case("another_launch", "A prober that works for another launch says nothing about this one.", SOUND,
         at("1m", verdict=1, paths="ordering 1, billing 2", reporting="ordering 0, billing 2"), foreign={"ordering": "semifinal"}),

    Case("unplugged", "A target that leaves the configuration takes `up` with it: still 1, still a page.", SOUND,
         at("1m", verdict=1, paths="ordering 1, billing 2"),
         at("1m5s", alerts=""), at("1m10s", alerts="ProberDown ordering"), unplugged={"ordering": "1m"}),

    Case("clock_an_hour_ahead", "Results from the future are no results, however green: 1, and the clock is reported.", SOUND,
         at("1m", verdict=1, paths="ordering 1, billing 2", alerts="ProberStalled ordering@local, PathInconclusive ordering"),
         clock={"ordering": 3600}),
    Case("clock_a_little_ahead", "A minute is forgiven, not more.", {"ordering.sign_in anna": "P"},
         at("5s", verdict=1), at("10s", verdict=2), clock={"ordering": 63}),
    Case("clock_just_within_a_minute", "59 s ahead.", {"ordering.sign_in anna": "P"}, at("5s", verdict=2), clock={"ordering": 62}),
]
