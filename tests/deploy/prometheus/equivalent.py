"""Mutants that no case can notice, because they mean the same: (rule, what was done): why."""
EQUIVALENT = {
    ("puckdrop:verdict", "drop `or vector(1)`"):
        "puckdrop:path_verdict is never absent while its rule can be evaluated; this is for when it cannot, which promtool cannot play",
    ("puckdrop:path_judged", "`group by` becomes `count by`"):
        "the value is used only where there is no catalogue, and then it is path_known's",
    ("puckdrop:customer_share", "`max by` becomes `min by`"): "the same plan gives a customer one share",
    ("puckdrop:vantages_required", "`max by` becomes `min by`"): "the same plan gives a path one number",
    ("puckdrop:vantages_spare", "`group by` becomes `count by`"): "only the number of groups is used",
    ("PuckdropProberDown", "`group by` becomes `count by`"): "an alert's value is not its state, and unless looks at labels only",
    ("PuckdropBudgetBurnSlow", "`>` becomes `>=`"): "both sides are averages of fractions, and are never exactly equal",
    ("puckdrop:check_fresh:bool", "`0` becomes `1`"): "no check ran in the first second of 1970",
}
