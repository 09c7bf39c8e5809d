"""Every question that is asked of a cohort before a model learns from it or is judged on it, in the order of PROBAST+AI."""

from __future__ import annotations

from collections.abc import Sequence

from training.cohort import Cohort
from training.diagnosis.analysis import enough, horizons, own_patients
from training.diagnosis.finding import Diagnosis
from training.diagnosis.outcome import outcome
from training.diagnosis.overlap import overlap, unknown_development
from training.diagnosis.participants import participants
from training.diagnosis.predictors import predictors


def diagnose(
    cohort: Cohort,
    *,
    days: Sequence[float],
    primary: float,
    parameters: int | None = None,
    r2: float | None = None,
    against: Cohort | None = None,
    developed_on: str | None = None,
) -> Diagnosis:
    """The diagnosis of a cohort for the horizons `days` (days), `primary` being the one by which a model is promoted.

    To develop a model: `parameters` is the number of candidate columns of its design, `r2` the Cox-Snell R2 that cross-validation
    found, where it is known. To judge one: `developed_on` is the digest of the cohort it learned from, and no sample size is
    asked but that of the horizons. `against` is another cohort with which no patient may be shared: the development cohort where
    this one is to judge a model.
    """
    found = participants(cohort, primary)
    if against is not None:
        found += overlap(against, cohort)
    elif developed_on is not None:
        found.append(unknown_development())
    found += [*predictors(cohort), *outcome(cohort, primary), *horizons(cohort, days, primary)]
    found.append(enough(cohort, primary, parameters, r2) if developed_on is None else own_patients(cohort, developed_on))
    return Diagnosis(cohort.name, tuple(found), "" if against is None else against.name)
