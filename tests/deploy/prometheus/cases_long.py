"""Whole evenings: budgets, obligations, slow journeys. Scraped and run every minute."""
from night import Case, alert, at


def evening(name, why, checks, *expectations, **options):
    options = {"pace": 60, "max_age": 220, **options}
    return Case(name, why, checks, *expectations, **options)


def every(nth, passes_before, times=60, letter="F"):
    """Passes, then one other run in `nth`, for `times` rounds, then passes again."""
    return "P" * passes_before + ("P" * (nth - 1) + letter) * times + "P+"


ANNA, BERT = "ordering.sign_in anna", "ordering.sign_in bert"

CASES = [
    # bert is 0.4 of the audience: one failure in five costs 8 %, 16 times the allowance; never two in a row.
    evening("burns_fast", "8 % for long enough that the last half hour is above 6 %: a page; gone five minutes after the failures.",
            {ANNA: "P+", BERT: every(5, 60, times=9)},
            at("1h", availability="ordering 1", alerts=""),
            at("1h15m", availability="ordering 0.92", alerts=""),
            at("1h20m", alerts=""),
            at("1h30m", availability="ordering 0.92", alerts="BudgetBurnFast ordering, BudgetBurnSlow ordering"),
            alert("1h40m", "BudgetBurnFast",
                  ({"severity": "page", "window": "30m", "path": "ordering"},
                   "Too many customers fail on ordering: 8% of what they tried in the last half hour",
                   "The night's allowance for ordering (99.5 %) is gone within two hours at this pace."), runbook="PuckdropBudgetBurn"),
            at("1h52m", availability="ordering 1", alerts="BudgetBurnSlow ordering")),
    # One failure in five of a customer who is 32 % of the audience costs 6.4 % in every window, and so on.
    evening("just_above_fast", "6.4 %: above 6 %.", {ANNA: "P+", BERT: every(5, 0)}, at("40m", alerts="BudgetBurnFast ordering, BudgetBurnSlow ordering"),
            shares={"anna": 0.68, "bert": 0.32}),
    evening("just_below_fast", "5.6 %: below 6 %.", {ANNA: "P+", BERT: every(5, 0)}, at("40m", alerts="BudgetBurnSlow ordering"),
            shares={"anna": 0.72, "bert": 0.28}),
    evening("just_below_fast_by_now", "It was 20 % and is 5.6 %: the half hour is above, the five minutes are not.",
            {ANNA: every(5, 0, times=4), BERT: every(5, 0)}, at("19m", alerts="BudgetBurnFast ordering, BudgetBurnSlow ordering"),
            at("33m", availability="ordering 0.944", alerts="BudgetBurnSlow ordering"), shares={"anna": 0.72, "bert": 0.28}),
    evening("just_above_slow", "3.2 % for two hours: above 3 %, and never a fast burn.", {ANNA: "P+", BERT: every(5, 0)},
            alert("2h5m", "BudgetBurnSlow",
                  ({"severity": "page", "window": "2h", "path": "ordering"},
                   "More customers than allowed fail on ordering: 3.2% of what they tried in the last two hours",
                   "The night's allowance for ordering (99.5 %) is gone within four hours at this pace."), runbook="PuckdropBudgetBurn"),
            at("2h5m", alerts="BudgetBurnSlow ordering"), shares={"anna": 0.84, "bert": 0.16}),
    evening("just_below_slow", "2.8 % for two hours: above the allowance, below both alerts.", {ANNA: "P+", BERT: every(5, 0)},
            at("2h5m", availability="ordering 0.972", alerts=""), shares={"anna": 0.86, "bert": 0.14}),
    evening("two_unlucky_runs", "Two failures are too few to be a rate, however much they weigh.",
            {"ordering.sign_in any": "PPFPF" + "P+"}, at("4m", alerts=""), at("6m", alerts="")),
    evening("three_unlucky_runs", "Three are enough.",
            {"ordering.sign_in any": "PPFPFPF" + "P+"}, at("6m", alerts=""),
            at("8m", alerts="BudgetBurnFast ordering, BudgetBurnSlow ordering")),
    evening("failures_long_ago", "Failures before the window do not make a rate of what is only silence now.",
            {ANNA: "PFPFPF" + "P" * 110}, at("2h9m", alerts="PathInconclusive ordering")),
    evening("silence_is_no_burn", "A dead prober costs the budget and rings as a dead prober.", {ANNA: "P+", "billing.vat anna": "P+"},
            at("50m", availability="ordering 0, billing 1", alerts="ProberDown ordering@local, PathInconclusive ordering"),
            killed={"ordering": "20m"}),
    evening("waived_is_no_burn", "A waived failure burns nothing; nor does what nobody expects.",
            {ANNA: every(5, 10), BERT: "P+", "ordering.rumour anna": "F+"},
            at("1h", availability="ordering 1", budget="ordering 0.944", alerts=""),  # bert's first minute: 0.4 of 60 s
            waived={ANNA: "0s"}, uncatalogued=["ordering.rumour anna"]),
    evening("waived_and_silent_elsewhere", "Failures that are waived or not expected do not make another's silence a burn.",
            {ANNA: "F+", "ordering.rumour anna": "F+", BERT: "P"},
            at("30m", availability="ordering 0.6", alerts="PathInconclusive ordering"),
            waived={ANNA: "0s"}, uncatalogued=["ordering.rumour anna"]),
    evening("only_this_path_burns", "Each path has its own budget and its own failures.",
            {"ordering.sign_in any": every(4, 0, times=20), "billing.vat any": "P+"},
            at("1h", alerts="BudgetBurnFast ordering, BudgetBurnSlow ordering")),

    # The budget is 432 s in which nobody is served. The first minute, before anything ran, is 60 of them: 0.139.
    # 8 % for 45 minutes (2,700 s) are 216 more, half of it.
    evening("half_the_budget", "What is left of the night's allowance.", {ANNA: "P+", BERT: every(5, 30, times=9)},
            at("0m", budget="ordering 0.861"), at("30m", budget="ordering 0.861"), at("1h25m", budget="ordering 0.361"),
            at("1h50m", budget="ordering 0.361")),
    # Ten minutes dead, one until it has run again and the first: 720 s.
    evening("budget_overspent", "More than the allowance is a number below zero.", {ANNA: "P+", BERT: "P+"},
            at("40m", budget="ordering -0.667"), killed={"ordering": ("20m", "30m")}),

    evening("slow_journeys", "A journey that runs every ten minutes counts as its last run between two runs.",
            {"ordering.order anna": "PPFP+", "ordering.order bert": "P+"},
            at("8m", availability="ordering 1", alerts=""), at("18m", availability="ordering 1"),
            at("28m", availability="ordering 0.4", verdict=1), at("38m", availability="ordering 1", verdict=2),
            pace=600, max_age=1900),
    evening("skipped_is_no_run", "Skipped runs are neither up nor down.", {ANNA: "PS" * 15, BERT: "P+"},
            at("12m", availability="ordering 1"), at("13m", availability="ordering 1")),
    evening("blocked_and_inconclusive_are_runs", "A customer who could not get there was not served.",
            {ANNA: "PPPPB" * 5, BERT: "PPPPI" * 5, "billing.vat anna": "PPPPF" * 5, "billing.vat bert": "P+"},
            at("12m", availability="ordering 0.8, billing 0.88")),
    evening("worst_check_of_a_customer", "A customer is served as well as by the worst check, those for everybody included; not their mean.",
            {ANNA: "PPPPI" * 5, "ordering.a anna": "PIPIP" * 5, BERT: "P+", "ordering.a bert": "P+",
             "billing.vat anna": "P+", "billing.vat bert": "PPIII" * 5, "billing.runs any": "PIPIP" * 5,
             "playback.black any": "PPPIP" * 5, "playback.sound any": "PPPPP" * 5},
            # ordering: .6*.6 + .4*1; billing: .6*.6 + .4*.4; playback: .8
            at("12m", availability="ordering 0.76, billing 0.52, playback 0.8")),
    evening("all_vantages_make_the_rate", "Runs of all vantages count together.",
            {ANNA + " @helsinki": "PPPPI" * 5, ANNA + " @stockholm": "P" * 25},
            at("12m", availability="ordering 0.9"), needed={"ordering": 1}),

    evening("owed", "What is owed for a quarter of an hour is not being undone; a journey that settles owes nothing.", {ANNA: "P+"},
            at("24m", alerts=""), at("38m", alerts=""),
            at("39m", alerts="ObligationsOpen all"),
            alert("40m", "ObligationsOpen", ({"severity": "ticket", "path": "all"},
                                             "2 things that we ordered at the service are not undone, and may be charged or counted as customers",
                                             "`puckdrop obligations` lists them with what a person must do.")),
            at("45m", alerts=""),
            owed=[(0, 0), ("10m", 3), ("23m", 0), ("24m", 1), ("30m", 2), ("44m", 0)]),

    evening("clock_an_hour_behind", "Results that look an hour old are too old.", {ANNA: "P+", "billing.vat anna": "P+"},
            at("65m", verdict=1, paths="ordering 1, billing 2", alerts="ProberStalled ordering@local, PathInconclusive ordering"),
            clock={"ordering": -3600}),
]
