"""Vantages, quorums, replicas and waivers."""
from night import Case, at


def seen(helsinki, stockholm, oslo=None):
    checks = {"ordering.sign_in anna @helsinki": helsinki, "ordering.sign_in anna @stockholm": stockholm}
    if oslo is not None:
        checks["ordering.sign_in anna @oslo"] = oslo
    return checks


def waived(runs, *expectations, name, why, **options):
    return Case(name, why, {"ordering.sign_in anna": runs, "ordering.sign_in bert": "P+"}, *expectations,
                waived={"ordering.sign_in anna": "0s"}, **options)


ALL, ONE, TWO = {"ordering": 2}, {"ordering": 1}, {"ordering": 2}

CASES = [
    Case("both_must_pass", "Two of two pass.", seen("P+", "P+"),
         at("25s", verdict=2, reporting="ordering 1",
            fresh="ordering.sign_in anna@helsinki 1, ordering.sign_in anna@stockholm 1"), needed=ALL),
    Case("one_of_both_fails", "Two must pass, one fails for certain: 0. Counted once, though two series tell of it.", seen("P+", "F+"),
         at("10s", verdict=1), at("25s", verdict=0, failing="ordering 0.6", expected="ordering 1", reporting="ordering 1"), needed=ALL),
    Case("one_fails_the_other_is_silent", "Two must pass: one proven failure is enough, whatever the silent one would say.",
         seen("F+", "P+"), at("55s", verdict=0),
         at("1m", verdict=0, failing="ordering 0.6", reporting="ordering 0"),
         at("1m10s", alerts="PathNoGo ordering, ProberDown ordering@stockholm, BudgetBurnFast ordering, BudgetBurnSlow ordering"),
         needed=ALL, killed={"ordering@stockholm": "1m"}),
    Case("one_fails_the_other_is_silent_and_one_is_enough", "One of two must pass: the silent one might, so nothing is proven.",
         seen("F+", "P+"), at("55s", verdict=2),
         at("1m", verdict=1, failing="ordering 0", unobserved="ordering 0.6", reporting="ordering 1"),
         needed=ONE, killed={"ordering@stockholm": "1m"}),
    Case("the_other_never_answered", "A vantage that never answered counts as one that might have passed.",
         seen("F+", "P+"), at("1m", verdict=1, failing="ordering 0"), needed=ONE, killed={"ordering@stockholm": "0s"}),
    Case("one_is_enough_both_fail", "One of two must pass and both fail.", seen("F+", "F+"),
         at("25s", verdict=0, failing="ordering 0.6"), needed=ONE),
    Case("one_passes_the_other_is_silent", "Two must pass, one is silent: 1; enough where one must.", seen("P+", "P+"),
         at("1m", verdict=1, failing="ordering 0", unobserved="ordering 0.6", reporting="ordering 0", availability="ordering 0"),
         needed=ALL, killed={"ordering@stockholm": "1m"}),
    Case("one_is_enough_the_other_is_silent", "One must pass and does; the dead one is reported all the same.", seen("P+", "P+"),
         at("1m20s", verdict=2, reporting="ordering 1", alerts="ProberDown ordering@stockholm", availability="ordering 1"),
         needed=ONE, killed={"ordering@stockholm": "1m"}),
    Case("one_blips_the_other_passes", "Two must pass: one unlucky run is 1, not 0 and not 2.", seen("PFP+", "P+"),
         at("20s", verdict=1, failing="ordering 0"), at("35s", verdict=2), needed=ALL),
    Case("quorum_holds", "Two of three: one failure is outvoted.", seen("F+", "P+", "P+"),
         at("25s", verdict=2, failing="ordering 0", reporting="ordering 1"), needed=TWO),
    Case("quorum_lost", "Two of three: two failures are proof.", seen("F+", "F+", "P+"),
         at("10s", verdict=1), at("25s", verdict=0), needed=TWO),
    Case("quorum_open", "Two of three: one fails, one passes, one is silent: nobody knows.", seen("F+", "P+", "P+"),
         at("55s", verdict=2), at("1m", verdict=1, failing="ordering 0", reporting="ordering 1"),
         needed=TWO, killed={"ordering@oslo": "1m"}),
    Case("more_needed_than_there_are", "Three must pass and two are watched: never green, and a failure is a failure.",
         {**seen("P+", "P+"), "ordering.activation anna @helsinki": "F+", "ordering.activation anna @stockholm": "P+"},
         at("25s", states="ordering.sign_in anna 1, ordering.activation anna 0", reporting="ordering 0"), needed={"ordering": 3}),

    Case("replica_takes_over", "Of two replicas at one vantage the one that looked last speaks, whatever the other still remembers.",
         {"ordering.sign_in anna @local/a": "PPFF", "ordering.sign_in anna @local/b": "....P+"},
         at("50s", verdict=0), at("1m", verdict=0, failing="ordering 0.6"), at("1m5s", verdict=2, failing="ordering 0", reporting="ordering 1"),
         at("1m30s", verdict=2), needed=ONE),
    Case("replica_fails_later", "And so for the worse.",
         {"ordering.sign_in anna @local/a": "PP", "ordering.sign_in anna @local/b": "..FF+"},
         at("20s", verdict=2), at("35s", verdict=1), at("50s", verdict=0), needed=ONE),
    Case("replica_killed", "The replica that looked last dies: what the other saw counts, as long as it is fresh.",
         {"ordering.sign_in anna @local/a": "PPP", "ordering.sign_in anna @local/b": "...I+"},
         at("55s", verdict=1), at("1m", verdict=2), at("1m25s", verdict=2), at("1m30s", verdict=1),
         needed=ONE, killed={"ordering@local/b": "1m"}),
    Case("replica_killed_while_prometheus_restarts", "The same where its last samples linger.",
         {"ordering.sign_in anna @local/a": "PPP", "ordering.sign_in anna @local/b": "...I+"},
         at("55s", verdict=1), at("1m", verdict=2),
         needed=ONE, killed={"ordering@local/b": "1m"}, lingers=True),
    Case("replicas_are_one_vantage", "Two replicas at one place do not make two vantages, for better or worse.",
         {"ordering.sign_in anna @local/a": "P+", "ordering.sign_in anna @local/b": "P+",
          "ordering.activation anna @local/a": "F+", "ordering.activation anna @local/b": "",
          "billing.vat anna @local/a": "P+", "billing.vat anna @local/b": "P+"},
         at("25s", states="ordering.sign_in anna 2, ordering.activation anna 0, billing.vat anna 1", reporting="ordering 2, billing 0"),
         needed={"ordering": 1, "billing": 2}),
    Case("replicas_at_the_same_instant", "Two that looked at the same instant and differ: the worse speaks.",
         {"ordering.sign_in anna @local/a": "P+", "ordering.sign_in anna @local/b": "F+"}, at("25s", verdict=0), needed=ONE),

    waived("FF+", at("10s", verdict=2), at("1m", verdict=2, paths="ordering 2", failing="ordering 0", unobserved="ordering 0", alerts="",
                                           states="ordering.sign_in anna 2, ordering.sign_in bert 2", availability="ordering 1"),
           at("1m30s", verdict=2, alerts=""), name="waived_failure",
           why="A known failure that customers were told of: GO, no page, and the budget is not spent on it."),
    waived("P+", at("25s", verdict=2), name="waived_and_passing", why="A waiver takes nothing from what passes."),
    waived("B+", at("25s", verdict=2, failing="ordering 0"), name="waived_root", why="Blocked by a failure that is waived: waived with it."),
    waived("I+", at("25s", verdict=1, unobserved="ordering 0.6"), name="waived_could_not_tell", why="A waiver never covers what could not be told."),
    waived("S+", at("25s", verdict=1), name="waived_and_skipped", why="A waiver never covers what was not looked at."),
    waived("FFS+", at("35s", verdict=1), name="waived_failure_then_skipped", why="Nor what was skipped after it failed."),
    waived("F+", at("55s", verdict=2), at("1m", verdict=1, unobserved="ordering 1"), at("1m10s", alerts="ProberDown ordering@local"),
           name="waived_and_killed", why="A waiver never covers silence.", killed={"ordering": "1m"}),
    waived("FF", at("1m10s", verdict=2), at("1m15s", verdict=1), name="waived_and_too_old", why="A waived failure ages as all do."),
    Case("waiver_expires", "What it covered counts from the scrape on that shows it gone.",
         {"ordering.sign_in anna": "F+", "ordering.sign_in bert": "P+"},
         at("1m55s", verdict=2, alerts=""), at("2m", verdict=0, failing="ordering 0.6"),
         at("2m10s", alerts="PathNoGo ordering, BudgetBurnFast ordering, BudgetBurnSlow ordering"), waived={"ordering.sign_in anna": ("0s", "2m")}),
    Case("waiver_for_another", "It covers the customer and check it names, nobody else.",
         {"ordering.sign_in anna": "F+", "ordering.sign_in bert": "F+", "ordering.activation anna": "F+"},
         at("25s", verdict=0, states="ordering.sign_in anna 2, ordering.sign_in bert 0, ordering.activation anna 0", failing="ordering 1"),
         waived={"ordering.sign_in anna": "0s"}),
    Case("waived_at_two_vantages", "Two must pass, one failed for certain and one is silent: it would be 0, so the waiver counts.",
         seen("F+", "P+"), at("1m", verdict=2), needed=ALL, killed={"ordering@stockholm": "1m"}, waived={"ordering.sign_in anna": "0s"}),
    Case("waived_where_one_is_enough", "One must pass, one failed, one is silent: it would be 1, and a waiver changes nothing.",
         seen("F+", "P+"), at("55s", verdict=2), at("1m", verdict=1), needed=ONE, killed={"ordering@stockholm": "1m"},
         waived={"ordering.sign_in anna": "0s"}),
]
