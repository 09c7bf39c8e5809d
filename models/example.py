"""What every output of every kind begins with when the patients behind it were simulated."""

SIMULATED = "simulated"  # the source of a cohort, and what a model was trained on; every child of a model inherits it
EXAMPLE = "EXAMPLE: simulated patients, not a real risk"
