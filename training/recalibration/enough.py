"""Whether a hospital has seen enough deaths to move a model's risks by them."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from training.refused import NotSupported
from training.statistics.censoring import FollowUp
from training.statistics.standing import EVALUABLE_PATIENTS, Standing, standing

# With 50 patients, about four deaths, shifting the intercept made the risks 8.7 times wrong on average, and with 50 patients
# intercept and slope together do harm (method.md section 5).
LEAST_DEATHS = EVALUABLE_PATIENTS  # by the primary horizon
LEAST_SLOPE_PATIENTS, LEAST_SLOPE_DEATHS = 200, 60


def enough(
    follow_up: FollowUp, days: Sequence[float], primary: float, *, slope: bool, groups: ArrayLike | None = None
) -> tuple[float, ...]:
    """The horizons among `days` that this follow-up can answer: those from which a shift, or with `slope` a slope, is learned.

    `groups` (n,) names the patient of each row where a patient has several. Raises NotSupported with what is short: the primary
    horizon must be evaluable, which takes 20 deaths by it; a slope takes 200 patients and 60 deaths by it.
    """
    asked = standing(follow_up, primary, groups=groups)
    if not asked.evaluable:
        least = f"recalibration needs {LEAST_DEATHS} deaths by day {primary:g}, and as many known to be alive"
        raise NotSupported(f"{least}; here day {primary:g} is {asked.level}: {asked.why}")
    if slope and (short := _short_of_slope(asked)):
        raise NotSupported(short)
    return tuple(day for day in days if standing(follow_up, day, groups=groups).evaluable)


def _short_of_slope(asked: Standing) -> str:
    patients = asked.deaths + asked.survivors + asked.censored_before
    if patients >= LEAST_SLOPE_PATIENTS and asked.deaths >= LEAST_SLOPE_DEATHS:
        return ""
    least = f"a slope needs {LEAST_SLOPE_PATIENTS} patients and {LEAST_SLOPE_DEATHS} deaths"
    return f"{least}, here are {patients} patients and {asked.deaths} deaths by day {asked.horizon:g}; a shift alone may do"
