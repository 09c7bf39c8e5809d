"""Which questions a follow-up can answer: at which horizons a risk may be stated, checked or promoted, and what is short."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.censoring import Array, FollowUp, effective_size, known_by, observation, sums, weights

Level = Literal["not identifiable", "not evaluable", "evaluable", "promotable"]
IDENTIFIABLE_G, PROMOTABLE_G = 0.10, 0.30
EVALUABLE_PATIENTS, PROMOTABLE_PATIENTS = 20, 100


@dataclass(frozen=True)
class Standing:
    """What may be believed at one horizon (days), the numbers that says, and `why` it is not more: the one that is short.

    Counts are patients. `min_g` is the smallest probability of still being followed that a weight needs.
    """

    horizon: float
    level: Level
    deaths: int
    survivors: int
    censored_before: int
    min_g: float
    effective_deaths: float
    effective_survivors: float
    why: str

    @property
    def evaluable(self) -> bool:
        """Whether a number may be reported at this horizon at all."""
        return self.level in ("evaluable", "promotable")


def standing(follow_up: FollowUp, horizon: float, *, groups: ArrayLike | None = None) -> Standing:
    """What may be believed at a horizon (days): not identifiable, not evaluable, evaluable or promotable.

    Identifiable: G(t-) >= .10, and somebody is known to be alive at t unless all are known to have died. Evaluable: at least
    20 deaths and 20 known survivors. Promotable: at least 100 of each by effective size, G >= .30; a model needs the sample size
    after Riley beside it (`sample_size`). `groups` (n,) names the patient of each row where a patient has several.

    >>> trial = FollowUp(times=np.repeat([20.0, 200.0], [9, 138]), deaths=np.ones(147, bool))
    >>> standing(trial, 30).level, standing(trial, 30).why
    ('not evaluable', '9 deaths by day 30: at least 20 are needed')
    """
    patients = numbered(groups, len(follow_up))
    known, each = known_by(follow_up, horizon), weights(follow_up, [horizon])
    deaths, survivors, lost = (np.unique(patients[flag]).size for flag in (known.dead, known.alive, known.censored))
    dead, alive = (_effective(patients, each.weight[:, 0] * flag) for flag in (known.dead, known.alive))
    g, day = float(each.min_g[0]), f"{horizon:g}"
    obstacles: dict[Level, list[str]] = {
        "not identifiable": _unidentifiable(follow_up, horizon, survivors, lost, g),
        "not evaluable": _short(f"deaths by day {day}", deaths, f"patients known to be alive on day {day}", survivors),
        "evaluable": _unpromotable(follow_up, horizon, dead, alive, g),
    }
    level: Level = next((name for name, reasons in obstacles.items() if reasons), "promotable")
    return Standing(horizon, level, deaths, survivors, lost, g, dead, alive, "; ".join(obstacles.get(level, [])))


def numbered(groups: ArrayLike | None, rows: int) -> NDArray[np.intp]:
    """The patient of each row (n,), numbered from 0: `groups` names them, None means one row per patient."""
    if groups is None:
        return np.arange(rows)
    names = np.asarray(groups)
    if names.shape != (rows,):
        raise ValueError(f"groups of shape {names.shape}: allowed is the patient of each of the {rows} rows")
    return np.unique(names, return_inverse=True)[1]


def _effective(patients: NDArray[np.intp], weight: Array) -> float:
    return float(effective_size(sums(patients, weight, patients.max() + 1)))


def _unidentifiable(follow_up: FollowUp, horizon: float, survivors: int, lost: int, g: float) -> list[str]:
    entry = 0.0 if follow_up.entries is None else float(np.median(follow_up.entries))
    if entry >= horizon:
        return [f"half of the patients came under observation on day {entry:g} or later: day {horizon:g} lies before that"]
    if survivors == 0 and lost > 0:
        longest = f"the longest follow-up is {follow_up.times.max():g} days"
        return [f"nobody is known to be alive on day {horizon:g} and {lost} patients were censored before: {longest}"]
    if g < IDENTIFIABLE_G:
        if late := entered_late(follow_up, horizon):
            then = f"the probability of being under observation was {g:.3f} then"
            return [f"{late}: {then}, at least {IDENTIFIABLE_G:.2f} is needed"]
        return [f"the probability of being followed to day {horizon:g} falls to {g:.3f}: at least {IDENTIFIABLE_G:.2f} is needed"]
    return []


def entered_late(follow_up: FollowUp, horizon: float) -> str:
    """Where few had yet come under observation on the day a weight for the horizon (days) is largest: which day, and how few.

    "" where more than half had: then those who are missing were lost.
    """
    if follow_up.entries is None:
        return ""
    deaths = follow_up.times[follow_up.deaths & (follow_up.times <= horizon)]
    days = np.unique(np.append(deaths, horizon))
    worst = float(days[np.argmin(observation(follow_up).before(days))])
    entered, n = int((follow_up.entries < worst).sum()), len(follow_up)
    if entered > n / 2:
        return ""
    return f"on day {worst:g} only {entered} of {n} patients had come under observation"


def _short(first: str, deaths: int, second: str, survivors: int) -> list[str]:
    counts = ((first, deaths), (second, survivors))
    return [f"{count} {what}: at least {EVALUABLE_PATIENTS} are needed" for what, count in counts if count < EVALUABLE_PATIENTS]


def _unpromotable(follow_up: FollowUp, horizon: float, deaths: float, survivors: float, g: float) -> list[str]:
    day = f"{horizon:g}"
    sizes = ((f"deaths by day {day}", deaths), (f"patients known to be alive on day {day}", survivors))
    reasons = [
        f"{size:.0f} {what} by effective size: at least {PROMOTABLE_PATIENTS} are needed to promote a model"
        for what, size in sizes
        if size < PROMOTABLE_PATIENTS
    ]
    if g < PROMOTABLE_G and (late := entered_late(follow_up, horizon)):
        reasons.append(f"{late}: the probability of being under observation was {g:.2f} then, promotion needs {PROMOTABLE_G:.2f}")
    elif g < PROMOTABLE_G:
        reasons.append(f"the probability of being followed to day {day} falls to {g:.2f}: promotion needs {PROMOTABLE_G:.2f}")
    return reasons
