"""Mutants that no case can notice, because they mean the same: (rule, what was done): why."""
EQUIVALENT = {}
