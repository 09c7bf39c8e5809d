"""What became of the patients: deaths that were recorded, days that are days, and censoring that does not know the outcome."""

from __future__ import annotations

import numpy as np

from training.cohort import Cohort
from training.diagnosis.finding import Finding
from training.diagnosis.informative import informative
from training.diagnosis.predictors import doubted
from training.small_cells import masked_within
from training.statistics.censoring import survival

_LENGTH = "Is the follow-up as long as in cohorts of advanced cancer, in the unit that was given?"
_DEATHS = "Is it recorded both who died and who did not?"


def outcome(cohort: Cohort, primary: float) -> list[Finding]:
    """The length of the follow-up, the deaths in it, and what the reasons for censoring could hide."""
    return [*follow_up_length(cohort), deaths(cohort), informative(cohort, primary)]


def follow_up_length(cohort: Cohort) -> list[Finding]:
    """Months under a heading of days, and the like."""
    if found := doubted(cohort, "follow-up", "follow-up unit", _LENGTH):
        return found
    median = float(np.median(cohort.follow_up.times))
    curve = survival(cohort.follow_up)
    half = curve.days[curve.values[1:] <= 0.5]
    lived = f"median survival {half[0]:.0f} days" if half.size else "half of the patients were not seen to die"
    why = f"median follow-up {median:.0f} days; {lived}"
    return [Finding("follow-up unit", "outcome", _LENGTH, "Pass", median, why, unit="days")]


def deaths(cohort: Cohort) -> Finding:
    """Nobody dead is a death code that was not understood; everybody dead may be a table of the dead alone."""
    died, n = int(cohort.follow_up.deaths.sum()), len(cohort)
    if died == 0:
        why = f"none of the {n} patients died: likely a code for a death that was not named"
        return Finding("deaths", "outcome", _DEATHS, "Fail", 0, why, cohort.rows, unit="patients")
    if died == n:
        why = f"all {n} patients died: right where all were followed to death, wrong where only the dead were recorded"
        return Finding("deaths", "outcome", _DEATHS, "Unknown", died, why, unit="patients")
    said, outside = f"{died} of {n} patients died", f"{masked_within(died, n)} of {n} patients died"
    return Finding("deaths", "outcome", _DEATHS, "Pass", died / n, said, outside=outside, unit="share")
