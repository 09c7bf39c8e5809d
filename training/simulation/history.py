"""What simulated patients were treated with before the index date, and what their blood showed in the weeks before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.world import LINES, TUMOURS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DAYS_PER_MONTH = 30.4375
OUTCOMES = ("progression", "toxicity", "completed")
_OUTCOME_SHARES = (0.80, 0.12, 0.08)
_MOST_LINES = LINES[-1] - 1
_RADIATED_LATELY_DAYS = 84.0
_LYMPHOCYTES_LEFT_BY_RADIOTHERAPY = 0.6


@dataclass(frozen=True)
class Treatments:
    """Earlier treatment in days relative to the index date, negative before it.

    ``start``, ``end`` and ``outcome`` (an index into OUTCOMES) have shape (n, 5), newest line first, NaN or -1 beyond
    the lines a patient had; ``regimen``, of the same shape, is an index into the tumour's regimens. Radiotherapy has
    shape (n,), NaN where there was none.
    """

    start: FloatArray
    end: FloatArray
    regimen: IntArray
    outcome: IntArray
    radiotherapy_start: FloatArray
    radiotherapy_end: FloatArray

    @property
    def prior_lines(self) -> IntArray:
        """Number of earlier lines of systemic therapy, shape (n,)."""
        lines: IntArray = np.isfinite(self.start).sum(axis=1)
        return lines

    @property
    def last_line_months(self) -> FloatArray:
        """Duration of the last line in months, to a tenth, shape (n,)."""
        return np.round((self.end - self.start)[:, 0] / DAYS_PER_MONTH, 1)

    @property
    def months_on_therapy(self) -> FloatArray:
        """Months on systemic therapy in all earlier lines together, to a tenth, shape (n,)."""
        days: FloatArray = np.nansum(self.end - self.start, axis=1)
        return np.round(days / DAYS_PER_MONTH, 1)

    def had(self, modality: str, tumour: IntArray) -> BoolArray:
        """Whether any earlier line was of this modality, shape (n,); ``tumour`` is an index into TUMOURS."""
        given = np.zeros((len(TUMOURS), max(len(one.regimens) for one in TUMOURS)), dtype=bool)
        for row, one in enumerate(TUMOURS):
            given[row, : len(one.regimens)] = [kind == modality for kind, _ in one.regimens]
        by_line: BoolArray = given[tumour[:, None], self.regimen] & np.isfinite(self.start)
        return np.asarray(by_line.any(axis=1))


def draw_treatments(rng: np.random.Generator, tumour: IntArray, prior_lines: IntArray, burden: FloatArray) -> Treatments:
    """Earlier lines (shorter where the burden is high) and, in some, a course of radiotherapy; all inputs shape (n,)."""
    shape = (len(tumour), _MOST_LINES)
    had = np.arange(_MOST_LINES) < prior_lines[:, None]
    duration = np.maximum(np.round(98 * np.exp(0.6 * rng.standard_normal(shape) - 0.12 * burden[:, None])), 7)
    start = -np.cumsum(duration + rng.integers(7, 36, shape), axis=1)
    regimens = np.array([len(one.regimens) for one in TUMOURS])[tumour]
    number = rng.integers(0, 2, shape[0])[:, None] + prior_lines[:, None] - 1 - np.arange(_MOST_LINES)
    outcome = rng.choice(len(OUTCOMES), size=shape, p=_OUTCOME_SHARES)
    irradiated = rng.random(shape[0]) < np.array([one.irradiated for one in TUMOURS])[tumour]
    radiotherapy_end = np.where(irradiated, -np.round(10 + rng.exponential(200, shape[0])), np.nan)
    return Treatments(
        start=np.where(had, start, np.nan),
        end=np.where(had, start + duration, np.nan),
        regimen=number % regimens[:, None],
        outcome=np.where(had, outcome, -1),
        radiotherapy_start=radiotherapy_end - rng.integers(5, 40, shape[0]),
        radiotherapy_end=radiotherapy_end,
    )


def lymphocytes_left(days_since_radiotherapy: FloatArray) -> FloatArray:
    """Share of the lymphocytes left by radiotherapy: 0.6 within twelve weeks, recovering over a year; 1 where NaN (none)."""
    beyond = np.maximum(days_since_radiotherapy - _RADIATED_LATELY_DAYS, 0.0)
    lost = (1 - _LYMPHOCYTES_LEFT_BY_RADIOTHERAPY) * np.exp(-beyond / 120)
    return 1 - np.where(np.isnan(lost), 0.0, lost)


@dataclass(frozen=True)
class EarlierDraws:
    """Two blood draws 60 to 20 days before the index date, shape (n, 2): day (negative), ALC and ANC in 10*9/L, CA19-9 U/mL."""

    day: FloatArray
    alc: FloatArray
    anc: FloatArray
    ca19_9: FloatArray


def draw_earlier(
    rng: np.random.Generator, alc: FloatArray, anc: FloatArray, ca19_9: FloatArray, secretor: BoolArray
) -> EarlierDraws:
    """Counts and CA19-9 before the index date, on the way to their values at it: ALC was higher, ANC and CA19-9 lower.

    What happened on the way carries no risk of its own: the hazard depends on the values at the index date.
    """
    shape = (len(alc), 2)
    day = -np.stack([rng.integers(41, 61, shape[0]), rng.integers(20, 41, shape[0])], axis=1).astype(float)
    months = -day / DAYS_PER_MONTH

    def before(now: FloatArray, slope: float, slope_sd: float, noise: float) -> FloatArray:
        per_month = slope + slope_sd * rng.standard_normal((shape[0], 1))
        return now[:, None] * np.exp(-per_month * months + noise * rng.standard_normal(shape))

    secreted = before(ca19_9, 0.25, 0.35, 0.15)
    return EarlierDraws(
        day=day,
        alc=np.clip(np.round(before(alc, -0.05, 0.12, 0.15), 2), 0.05, 6),
        anc=np.clip(np.round(before(anc, 0.04, 0.12, 0.18), 2), 0.5, 30),
        ca19_9=round_ca19_9(np.where(secretor[:, None], secreted, ca19_9[:, None])),
    )


def round_ca19_9(units_per_ml: FloatArray) -> FloatArray:
    """CA19-9 as reported: a tenth below 100 U/mL, whole units above."""
    return np.where(units_per_ml < 100, np.round(units_per_ml, 1), np.round(units_per_ml))
