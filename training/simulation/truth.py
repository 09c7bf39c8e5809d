"""How simulated patients truly die: the hazard, the days of death drawn from it, and the two true risks of every patient.

The hazard is baseline(t) * exp(lasting + weight(t) * fading + frailty). What blood and bedside show (``fading``) says
most about the first months: its log hazard ratios on day 0 are 2.5 times those after a year, as in patients on
checkpoint inhibitors, where they were two to five times as large before day 180 as after it. Who the patient is, the
line and the hospital last. All is piecewise in time, so that risks are exact, not simulated.

References
----------
Chang et al., Nature Cancer 5 (2024), doi:10.1038/s43018-024-00772-7: the effects of NLR, albumin and prior therapy.
Templeton et al., JNCI 106 (2014), doi:10.1093/jnci/dju124: the neutrophil-to-lymphocyte ratio.
"""

from dataclasses import dataclass

import numpy as np

from training.simulation.history import DAYS_PER_MONTH, FloatArray
from training.simulation.patients import BILIRUBIN_ULN, GCSF_ANC, STEROID_ALC, STEROID_ANC, Covariates
from training.simulation.world import SITES, TUMOURS

HORIZONS = (30, 60, 90, 180, 270, 365)
FRAILTY_SD = 0.30
WEIBULL_SHAPE, WEIBULL_SCALE = 1.15, 9.2 * DAYS_PER_MONTH
EDGES = (0.0, 90.0, 180.0, 365.0)
WEIGHTS = (1.0, 0.75, 0.5, 0.4)
"""Weight of the fading part of the log hazard from each edge (days) on."""


@dataclass(frozen=True)
class Hazard:
    """The log hazard relative to baseline, but for frailty: the part that lasts and the part that fades; both shape (n,)."""

    lasting: FloatArray
    fading: FloatArray

    def cumulative(self, days: float) -> FloatArray:
        """Cumulative hazard at ``days`` for frailty 0, shape (n,)."""
        reached = np.zeros_like(self.fading)
        for weight, start, end in zip(WEIGHTS, EDGES, (*EDGES[1:], np.inf), strict=True):
            if start < days:
                reached += np.exp(self.lasting + weight * self.fading) * (_baseline(min(days, end)) - _baseline(start))
        return reached

    def risk(self, days: float, frailty: FloatArray) -> FloatArray:
        """Probability of death by ``days`` when ``frailty`` is known, shape (n,)."""
        return -np.expm1(-self.cumulative(days) * np.exp(frailty))

    def risk_whatever_frailty(self, days: float) -> FloatArray:
        """Probability of death by ``days`` with normal frailty integrated out (Gauss-Hermite, 20 nodes), shape (n,)."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(20)
        at_node = -np.expm1(-self.cumulative(days)[:, None] * np.exp(FRAILTY_SD * nodes))
        risk: FloatArray = (at_node * weights).sum(axis=1) / weights.sum()
        return risk

    def draw(self, rng: np.random.Generator, frailty: FloatArray) -> FloatArray:
        """Days from the index date to death, by inverting the cumulative hazard, shape (n,)."""
        due = rng.exponential(size=len(self.lasting)) * np.exp(-frailty)
        reached = np.stack([self.cumulative(edge) for edge in EDGES])
        piece = (due >= reached).sum(axis=0) - 1
        ratio = np.exp(self.lasting + np.array(WEIGHTS)[piece] * self.fading)
        left = (due - np.take_along_axis(reached, piece[None], axis=0)[0]) / ratio
        days: FloatArray = WEIBULL_SCALE * (_baseline(np.array(EDGES)[piece]) + left) ** (1 / WEIBULL_SHAPE)
        return days


def hazard(patients: Covariates) -> Hazard:
    """The true hazard of complete covariates and site; centred, so that 0 is about a typical pancreatic patient in third line."""
    return Hazard(lasting=_lasting(patients), fading=_blood(patients) + _bedside(patients))


def _baseline(days: FloatArray | float) -> FloatArray:
    cumulative: FloatArray = (np.asarray(days, dtype=np.float64) / WEIBULL_SCALE) ** WEIBULL_SHAPE
    return cumulative


def _lasting(p: Covariates) -> FloatArray:
    tumour = np.array([one.hazard for one in TUMOURS])[p.tumour]
    site = np.array([one.hazard for one in SITES])[p.site]
    lasting: FloatArray = tumour + site + 0.18 * (p.treatments.prior_lines - 2) + 0.01 * (p.age - 64) + 0.10 * p.male
    return lasting


def counts_at_rest(patients: Covariates) -> tuple[FloatArray, FloatArray]:
    """ALC and ANC as they would be without the steroids and G-CSF of the last 14 days, 10*9/L."""
    p = patients
    return p.alc / STEROID_ALC**p.steroids, p.anc / (STEROID_ANC**p.steroids * GCSF_ANC**p.gcsf)


def _blood(p: Covariates) -> FloatArray:
    """Counts count at rest: what a drug did to NLR says nothing about the disease."""
    ln_alc, ln_anc = map(np.log, counts_at_rest(p))
    ln_nlr = ln_anc - ln_alc - np.log(5)
    blood: FloatArray = (
        -0.40 * ln_alc
        + 0.60 * np.maximum(np.log(0.5) - ln_alc, 0)
        + 0.45 * ln_nlr
        - 0.85 * (p.albumin - 3.7)
        + 0.15 * np.maximum(ln_nlr, 0) * (p.albumin < 3.5)
        + 0.10 * _ln_ca19_9(p)
        + 0.15 * np.log(p.ldh / p.ldh_uln)
        + 0.06 * np.log(p.crp / 12)
        - 0.03 * (p.hemoglobin - 11.5)
    )
    return blood


def _bedside(p: Covariates) -> FloatArray:
    """Steroids are given for symptoms; a short last line is a disease that did not respond."""
    bedside: FloatArray = (
        0.18 * (p.ecog - 1)
        + 0.20 * p.liver_metastases
        + 0.05 * (p.metastatic_sites - 2)
        + 0.50 * p.steroids
        + 0.20 * p.infection
        - 0.10 * np.log(np.maximum(p.treatments.last_line_months, 0.2) / 3)
    )
    return bedside


def _ln_ca19_9(p: Covariates) -> FloatArray:
    """ln of CA19-9 over 1,000 U/mL; 0 where it says nothing of burden: undetectable, bile duct blocked, not applicable."""
    silent = ~(p.ca19_9 > 2) | (p.bilirubin > 2 * BILIRUBIN_ULN)
    return np.asarray(np.log(np.where(silent, 1000, p.ca19_9) / 1000))
