"""Whether the patients are enough for the columns of a model: without that no horizon is promotable, however many died."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.cohort import Cohort
from training.diagnosis.analysis import enough
from training.learners.crossfit import CrossFit
from training.learners.plan import Plan
from training.statistics.sample_size import explained


def held_to_riley(plan: Plan, primary: float, r2: float | None) -> Plan:
    """The plan, its primary horizon (days) only evaluable where Riley asks for more patients than there are.

    `r2` is the Cox-Snell R2 that cross-validation found there, None where it is not known: then Riley's default holds.
    """
    one = plan.standings.get(primary)
    if one is None or one.level != "promotable":
        return plan
    found = enough(plan.cohort, primary, len(plan.design.columns), r2)
    if found.verdict == "Pass":
        return plan
    short = replace(one, level="evaluable", why=f"sample size after Riley: {found.why}")
    return replace(plan, standings={**plan.standings, primary: short})


def explained_out_of_fold(cohort: Cohort, cross: CrossFit, learner: str, day: float) -> float | None:
    """The Cox-Snell R2 of a learner's out-of-fold risks at a horizon (days), mean over repeats; None where it is not served."""
    if day not in cross.horizons:
        return None
    place = cross.horizons.index(day)
    return float(np.mean([explained(one.calibrated[learner][:, place], cohort.follow_up, day) for one in cross.repeats]))
