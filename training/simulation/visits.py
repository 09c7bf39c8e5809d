"""When simulated patients are seen after the index date, what they are given, and what the laboratory finds at each visit."""

from dataclasses import dataclass

import numpy as np

from training.simulation.history import BoolArray, FloatArray, IntArray, lymphocytes_left, round_ca19_9
from training.simulation.over_time import Lymphocytes, Moving
from training.simulation.patients import GCSF_ANC, STEROID_ALC, STEROID_ANC, Covariates
from training.simulation.truth import counts_at_rest
from training.simulation.world import LINES, SITES, TUMOURS

SEEN_UNTIL = 364  # days; later visits would tell nothing of a landmark
CYCLE = 21.0  # days of a cycle of chemotherapy
_DIP_ALC, _DIP_ANC = 0.25, 0.45  # of a count lost at the nadir
_SCATTER = {"alc": 0.20, "anc": 0.16, "ca19_9": 0.12, "ldh": 0.08, "crp": 0.35, "platelets": 0.12}  # SD of a natural logarithm
_LINES_AFTER = 4
_OTHER_ASSAY = 1.4  # what another platform reads of the same blood: they differ up to two-fold


@dataclass(frozen=True)
class TreatedAfter:
    """Treatment after the index date in days from it; infinite where there was none.

    Of lines shape (n, 4): `start`, `end`, `regimen` (an index into the tumour's regimens), `progressed`. Of radiotherapy, of a
    course of steroids and of one of G-CSF `start` and `end`, shape (n, 2).
    """

    start: FloatArray
    end: FloatArray
    regimen: IntArray
    progressed: BoolArray
    radiotherapy: FloatArray
    steroids: FloatArray
    gcsf: FloatArray

    def line_on(self, day: FloatArray) -> IntArray:
        """Which of the lines runs on days (n, k), -1 for none."""
        runs = (self.start[:, None, :] <= day[:, :, None]) & (day[:, :, None] < self.end[:, None, :])
        line: IntArray = np.where(runs.any(axis=2), runs.argmax(axis=2), -1)
        return line


def draw_treated(rng: np.random.Generator, p: Covariates) -> TreatedAfter:
    """The line that begins at the index date and up to three more; radiotherapy, steroids and G-CSF in some."""
    n = len(p)
    start, end = np.full((n, _LINES_AFTER), np.inf), np.full((n, _LINES_AFTER), np.inf)
    reached, goes_on = rng.integers(0, 8, n).astype(float), np.ones(n, bool)
    for line in range(_LINES_AFTER):
        duration = np.maximum(np.round(80 * np.exp(0.55 * rng.standard_normal(n))), 14)
        start[goes_on, line], end[goes_on, line] = reached[goes_on], (reached + duration)[goes_on]
        reached = reached + duration + rng.integers(10, 36, n)
        goes_on = goes_on & (rng.random(n) < 0.6) & (p.treatments.prior_lines + line + 2 <= LINES[-1])
    regimens = np.array([len(one.regimens) for one in TUMOURS])[p.tumour]
    number = p.treatments.prior_lines[:, None] + np.arange(_LINES_AFTER)
    return TreatedAfter(
        start=start,
        end=end,
        regimen=number % regimens[:, None],
        progressed=rng.random((n, _LINES_AFTER)) < 0.8,
        radiotherapy=_course(rng, rng.random(n) < 0.10, (10, 150), (5, 20)),
        steroids=_course(rng, rng.random(n) < 0.15, (3, 200), (7, 29)),
        gcsf=_course(rng, rng.random(n) < 0.15, (2, 120), (4, 8)),
    )


def _course(rng: np.random.Generator, has: BoolArray, begins: tuple[int, int], lasts: tuple[int, int]) -> FloatArray:
    start = rng.integers(*begins, len(has)).astype(float)
    course = np.stack([start, start + rng.integers(*lasts, len(has))], axis=1)
    return np.where(has[:, None], course, np.inf)


@dataclass(frozen=True)
class Visits:
    """What was found: `day` of each visit (n, k), infinite where there was none, and values of each analyte (n, k), NaN where
    it was not measured; units as in Covariates. `method` (n, k): the assay of CA19-9, 0 or 1.
    """

    day: FloatArray
    found: dict[str, FloatArray]
    method: IntArray

    @property
    def counts(self) -> FloatArray:
        """ALC as reported, shape (n, k)."""
        return self.found["alc"]


def draw_visits(
    rng: np.random.Generator,
    p: Covariates,
    treated: TreatedAfter,
    lymphocytes: Lymphocytes,
    moving: Moving,
    missing: dict[str, BoolArray],
) -> Visits:
    """Visits every one to three weeks for a year, as if nobody died: what comes after death is left out by the caller."""
    day = _days(rng, len(p))
    there = np.isfinite(day)
    on = np.where(there, day, 0.0)
    burden, inflammation = moving.on(on)
    ln_anc = np.log(counts_at_rest(p)[1])[:, None] + 0.30 * inflammation + 0.08 * burden
    ln_alc = lymphocytes.on(on)
    lost, grown = _drugs(p, treated, on)
    scatter = {name: sd * rng.standard_normal(day.shape) for name, sd in _SCATTER.items()}
    alc: FloatArray = np.clip(np.round(np.exp(ln_alc + lost + scatter["alc"]), 2), 0.05, 6)
    anc: FloatArray = np.clip(np.round(np.exp(ln_anc + grown + scatter["anc"]), 2), 0.5, 30)
    found: dict[str, FloatArray] = {
        "alc": alc,
        "anc": anc,
        "wbc": np.round(anc + alc + rng.uniform(0.3, 1.2, day.shape), 1),
        "ca19_9": _ca19_9(p, burden, scatter["ca19_9"]),
        **_chemistry(rng, p, burden, inflammation, scatter),
    }
    seen, method = _measured(rng, found, there, missing), _assays(rng, p, on)
    reads = np.where((method == 1) & p.secretor[:, None], _OTHER_ASSAY, 1.0)
    return Visits(day, seen | {"ca19_9": round_ca19_9(seen["ca19_9"] * reads)}, method)


def _days(rng: np.random.Generator, n: int) -> FloatArray:
    """Every 7, 14 or 21 days by the habit of the patient's clinic, give or take two; one visit of twelve is missed."""
    every = rng.choice([7, 14, 21], size=n, p=[0.30, 0.50, 0.20])
    k = SEEN_UNTIL // 7
    day = every[:, None] * (1 + np.arange(k)) + rng.integers(-2, 3, (n, k))
    kept = (day <= SEEN_UNTIL) & (rng.random((n, k)) >= 1 / 12)
    return np.where(kept, day.astype(float), np.inf)


def _drugs(p: Covariates, treated: TreatedAfter, day: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What drugs and radiotherapy add to ln ALC and to ln ANC on days (n, k)."""
    line = treated.line_on(day)
    chemo = _is_chemotherapy(p, treated)
    inside = np.maximum(line, 0)
    begun = np.take_along_axis(treated.start, inside, 1)
    nadir = np.exp(-(((np.where(line >= 0, day - begun, 0.0) % CYCLE) - 10) ** 2) / 18)  # lowest on day 10, gone by day 17
    dips = np.where((line >= 0) & np.take_along_axis(chemo, inside, 1), nadir, 0.0)
    since = day - treated.radiotherapy[:, 1:]
    irradiated = np.where(since >= 0, lymphocytes_left(np.maximum(since, 0.0)), 1.0)
    steroids, gcsf = (_runs(course, day, after) for course, after in ((treated.steroids, 3.0), (treated.gcsf, 7.0)))
    ln_alc = np.log(1 - _DIP_ALC * dips) + np.log(irradiated) + np.log(STEROID_ALC) * steroids
    ln_anc = np.log(1 - _DIP_ANC * dips) + np.log(STEROID_ANC) * steroids + np.log(GCSF_ANC) * gcsf
    return ln_alc, ln_anc


def _is_chemotherapy(p: Covariates, treated: TreatedAfter) -> BoolArray:
    kinds = np.zeros((len(TUMOURS), max(len(one.regimens) for one in TUMOURS)), bool)
    for row, one in enumerate(TUMOURS):
        kinds[row, : len(one.regimens)] = [modality == "chemotherapy" for modality, _ in one.regimens]
    return np.asarray(kinds[p.tumour[:, None], treated.regimen])


def _runs(course: FloatArray, day: FloatArray, after: float) -> BoolArray:
    """Whether a course runs on days (n, k), or ended no more than `after` days before."""
    return np.asarray((course[:, :1] <= day) & (day <= course[:, 1:] + after))


def _ca19_9(p: Covariates, burden: FloatArray, scatter: FloatArray) -> FloatArray:
    """Half a decade for a unit of burden; of non-secretors it stays where it was."""
    moved = p.ca19_9[:, None] * 10 ** (0.5 * burden) * np.exp(scatter)
    return round_ca19_9(np.where(p.secretor[:, None], np.clip(moved, 0.1, 2.5e6), p.ca19_9[:, None]))


def _chemistry(
    rng: np.random.Generator, p: Covariates, burden: FloatArray, inflammation: FloatArray, scatter: dict[str, FloatArray]
) -> dict[str, FloatArray]:
    """The rest of the blood, about where it stood on the index date and moved as burden and inflammation move it."""
    albumin = p.albumin[:, None] - 0.30 * inflammation - 0.30 * burden + 0.10 * rng.standard_normal(burden.shape)
    hemoglobin = p.hemoglobin[:, None] - 0.4 * inflammation + 0.5 * rng.standard_normal(burden.shape)
    return {
        "albumin": np.clip(np.round(albumin, 1), 1.5, 5.2),
        "ldh": np.clip(np.round(p.ldh[:, None] * np.exp(0.40 * burden + 0.08 * inflammation + scatter["ldh"])), 60, 9000),
        "crp": np.clip(np.round(p.crp[:, None] * np.exp(inflammation + 0.15 * burden + scatter["crp"]), 1), 0.3, 450),
        "hemoglobin": np.clip(np.round(hemoglobin, 1), 5.5, 18),
        "platelets": np.clip(np.round(p.platelets[:, None] * np.exp(0.12 * inflammation + scatter["platelets"])), 15, 1200),
    }


def _measured(
    rng: np.random.Generator, found: dict[str, FloatArray], there: BoolArray, missing: dict[str, BoolArray]
) -> dict[str, FloatArray]:
    """What was asked for: what the hospital never measured on the index date is not measured later, CA19-9 four times of five."""
    never = np.zeros(len(there), bool)
    seen = {name: there & ~missing.get(name, never)[:, None] for name in found}
    seen["ca19_9"] &= rng.random(there.shape) < 0.8
    seen["alc"] = seen["anc"] = there  # a count without its differential is rare after the index date
    return {name: np.where(seen[name], values, np.nan) for name, values in found.items()}


def _assays(rng: np.random.Generator, p: Covariates, day: FloatArray) -> IntArray:
    """One hospital in four changes its assay of CA19-9 on some day of the year."""
    changed = np.where(np.arange(len(SITES)) % 4 == 3, rng.integers(60, 300, len(SITES)), np.inf)
    later: IntArray = (day >= changed[p.site][:, None]).astype(int)
    return later
