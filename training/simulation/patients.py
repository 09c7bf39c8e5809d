"""Simulated patients as they stand on the index date: what each has, what each was given, and what the laboratory would find.

Latent burden, inflammation, marrow reserve and fitness are standard normal and are shared by the measurements, which is
why these go together. Nothing is missing here, and every value is rounded as a laboratory would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from training.simulation.history import (
    BoolArray,
    FloatArray,
    IntArray,
    Treatments,
    draw_treatments,
    lymphocytes_left,
    round_ca19_9,
)
from training.simulation.world import LINE_SHARES, LINES, SETTINGS, SITES, TUMOURS

STEROID_ALC, STEROID_ANC, GCSF_ANC = 0.6, 1.5, 2.5
BILIRUBIN_ULN = 20.5  # umol/L
_LEWIS_NEGATIVE = 0.07


@dataclass(frozen=True)
class Covariates:
    """All that is known of n patients on the index date; every array has shape (n,).

    ``tumour`` and ``site`` are indices into TUMOURS and SITES. Units: ALC, ANC, WBC and platelets 10*9/L; CA19-9 U/mL
    (NaN where not applicable); albumin and haemoglobin g/dL; LDH U/L; CRP mg/L; bilirubin and creatinine umol/L; sodium
    mmol/L; BMI kg/m2.
    """

    age: FloatArray
    male: BoolArray
    tumour: IntArray
    site: IntArray
    treatments: Treatments
    steroids: BoolArray
    gcsf: BoolArray
    infection: BoolArray
    secretor: BoolArray
    liver_metastases: BoolArray
    metastatic_sites: FloatArray
    ecog: FloatArray
    alc: FloatArray
    anc: FloatArray
    wbc: FloatArray
    ca19_9: FloatArray
    albumin: FloatArray
    ldh: FloatArray
    ldh_uln: FloatArray
    crp: FloatArray
    hemoglobin: FloatArray
    platelets: FloatArray
    bilirubin: FloatArray
    creatinine: FloatArray
    sodium: FloatArray
    bmi: FloatArray

    def __len__(self) -> int:
        return len(self.age)


@dataclass(frozen=True)
class _Latent:
    """Standard normal burden, inflammation and marrow reserve, and the setting (an index into SETTINGS); shape (n,)."""

    burden: FloatArray
    inflammation: FloatArray
    reserve: FloatArray
    setting: IntArray


def draw_patients(rng: np.random.Generator, n: int) -> tuple[Covariates, FloatArray]:
    """Draw ``n`` patients; returns them and their tumour burden (latent, shape (n,))."""
    tumour = rng.choice(len(TUMOURS), size=n, p=[one.share for one in TUMOURS])
    site = rng.choice(len(SITES), size=n, p=[one.share for one in SITES])
    line = rng.choice(LINES, size=n, p=LINE_SHARES)
    infection = rng.random(n) < 0.06
    latent = _draw_latent(rng, np.where(tumour > 0, 2, np.minimum(line - 2, 1)), infection)
    treatments = draw_treatments(rng, tumour, line - 1, latent.burden)
    steroids = rng.random(n) < 0.10
    gcsf = (rng.random(n) < 0.07) & treatments.had("chemotherapy", tumour)
    secretor = rng.random(n) >= _LEWIS_NEGATIVE
    alc, anc = _draw_counts(rng, latent, site, treatments, steroids, gcsf)
    bilirubin = _draw_bilirubin(rng, tumour)
    covariates = Covariates(
        age=np.clip(np.round(_of(TUMOURS, "age")[tumour] + 10 * rng.standard_normal(n)), 18, 92),
        male=rng.random(n) < _of(TUMOURS, "male")[tumour],
        tumour=tumour,
        site=site,
        treatments=treatments,
        steroids=steroids,
        gcsf=gcsf,
        infection=infection,
        secretor=secretor,
        liver_metastases=_draw_liver_metastases(rng, latent),
        metastatic_sites=np.minimum(1.0 + rng.poisson(np.exp(0.1 + 0.35 * latent.burden)), 6.0),
        ecog=_draw_ecog(rng, latent),
        alc=alc,
        anc=anc,
        wbc=np.round(anc + alc + rng.uniform(0.3, 1.2, n), 1),
        ca19_9=_draw_ca19_9(rng, latent, tumour, line, secretor, bilirubin),
        bilirubin=bilirubin,
        **_draw_chemistry(rng, latent, site),
    )
    return covariates, latent.burden


def _of(rows: Sequence[object], field: str) -> FloatArray:
    """One field of every row of a table of the simulated world, as numbers; None becomes NaN."""
    return np.array([getattr(row, field) for row in rows], dtype=float)


def _quantile(shares: FloatArray) -> FloatArray:
    """Standard normal quantiles of an array of shares."""
    return np.reshape([NormalDist().inv_cdf(share) for share in shares.flat], shares.shape)


def _draw_latent(rng: np.random.Generator, setting: IntArray, infection: BoolArray) -> _Latent:
    burden, other, reserve = rng.standard_normal((3, len(setting)))
    return _Latent(burden, 0.4 * burden + np.sqrt(0.84) * other + 0.8 * infection, reserve, setting)


def _draw_counts(
    rng: np.random.Generator, latent: _Latent, site: IntArray, treatments: Treatments, steroids: BoolArray, gcsf: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """ALC and ANC, together: reserve raises both, inflammation parts them, drugs and radiotherapy move them afterwards."""
    b, i, r = latent.burden, latent.inflammation, latent.reserve
    noise = rng.standard_normal((2, len(site)))
    # What drugs and radiotherapy add to the variance, and take from or give to the median, is allowed for here.
    alc_sd = np.sqrt(_of(SETTINGS, "alc_sd") ** 2 - 0.33**2 - 0.15**2 - 0.04)[latent.setting]
    anc_sd = np.sqrt(_of(SETTINGS, "anc_sd") ** 2 - 0.25**2 - 0.075 - 0.045)[latent.setting]
    ln_alc = np.log(1.09 * _of(SETTINGS, "alc"))[latent.setting] + _of(SITES, "alc")[site] + alc_sd * noise[0]
    ln_anc = np.log(0.93 * _of(SETTINGS, "anc"))[latent.setting] + _of(SITES, "anc")[site] + anc_sd * noise[1]
    ln_alc += 0.33 * r - 0.15 * i
    ln_anc += 0.25 * r + 0.22 * i + 0.06 * b
    ln_alc += np.log(lymphocytes_left(-treatments.radiotherapy_end)) + np.log(STEROID_ALC) * steroids
    ln_anc += np.log(STEROID_ANC) * steroids + np.log(GCSF_ANC) * gcsf
    return np.clip(np.round(np.exp(ln_alc), 2), 0.05, 6), np.clip(np.round(np.exp(ln_anc), 2), 0.5, 30)


def _draw_chemistry(rng: np.random.Generator, latent: _Latent, site: IntArray) -> dict[str, FloatArray]:
    """What burden and inflammation do to the rest of the blood, and to weight."""
    b, i, noise = latent.burden, latent.inflammation, rng.standard_normal((8, len(site)))
    albumin = _albumin(latent, site, noise[0])
    uln = _of(SITES, "ldh_uln")[site]
    return {
        "albumin": albumin,
        "ldh": np.clip(np.round(uln * np.exp(-0.15 + 0.28 * b + 0.08 * i + 0.33 * noise[1])), 60, 9000),
        "ldh_uln": uln,
        "crp": np.clip(np.round(12 * np.exp(0.75 * i + 0.15 * b + 0.9 * noise[2]), 1), 0.3, 450),
        "hemoglobin": np.clip(np.round(11.5 + 1.65 * (albumin - 3.7) + 1.5 * noise[3], 1), 5.5, 18),
        "platelets": np.clip(np.round(250 * np.exp(0.12 * i + 0.05 * latent.reserve + 0.38 * noise[4])), 15, 1200),
        "creatinine": np.clip(np.round(75 * np.exp(0.28 * noise[5])), 30, 600),
        "sodium": np.clip(np.round(138.5 - 0.8 * i + 2.8 * noise[6]), 118, 152),
        "bmi": np.clip(np.round(25.5 - 0.6 * b + 4.6 * noise[7], 1), 14, 55),
    }


def _albumin(latent: _Latent, site: IntArray, noise: FloatArray) -> FloatArray:
    # 0.085 is the variance that inflammation and burden bring to the standard deviation of the setting.
    mean, sd = _of(SETTINGS, "albumin")[latent.setting], np.sqrt(_of(SETTINGS, "albumin_sd") ** 2 - 0.085)[latent.setting]
    shared = -0.26 * latent.inflammation - 0.05 * latent.burden
    return np.clip(np.round(mean + _of(SITES, "albumin")[site] + shared + sd * noise, 1), 1.5, 5.2)


def _draw_bilirubin(rng: np.random.Generator, tumour: IntArray) -> FloatArray:
    """Bilirubin; in one pancreatic patient of twelve the bile duct is blocked."""
    n = len(tumour)
    usual = np.clip(9 * np.exp(0.45 * rng.standard_normal(n)), 2, 40)
    blocked = (tumour == 0) & (rng.random(n) < 0.08)
    return np.where(blocked, np.round(rng.uniform(2.1, 8, n) * BILIRUBIN_ULN), np.round(usual))


def _draw_liver_metastases(rng: np.random.Generator, latent: _Latent) -> BoolArray:
    """Liver metastases, in the share of the setting: more often where the burden is high."""
    scarcity = np.sqrt(0.75) * rng.standard_normal(len(latent.burden)) - 0.5 * latent.burden
    return np.asarray(scarcity < _quantile(_of(SETTINGS, "liver"))[latent.setting])


def _draw_ecog(rng: np.random.Generator, latent: _Latent) -> FloatArray:
    """ECOG 0 to 3: worse with burden and inflammation, in the shares of the setting."""
    fitness = 0.5 * latent.inflammation + 0.3 * latent.burden + np.sqrt(0.54) * rng.standard_normal(len(latent.burden))
    cuts = _quantile(np.cumsum([one.ecog for one in SETTINGS], axis=1)[:, :3])[latent.setting]
    worse: FloatArray = (fitness[:, None] > cuts).sum(axis=1).astype(float)
    return worse


def _draw_ca19_9(
    rng: np.random.Generator, latent: _Latent, tumour: IntArray, line: IntArray, secretor: BoolArray, bilirubin: FloatArray
) -> FloatArray:
    """CA19-9: threefold per standard deviation of burden; about 1 U/mL in Lewis-negative patients; NaN where not applicable."""
    n = len(tumour)
    mean = _of(TUMOURS, "ca19_9")[tumour] + 0.3 * (line > 2)
    secreted = 10 ** (mean + 0.5 * latent.burden + np.sqrt(0.75) * rng.standard_normal(n))
    # Bile that cannot leave raises CA19-9 two- to tenfold.
    secreted *= np.where(bilirubin > 2 * BILIRUBIN_ULN, rng.uniform(2, 10, n), 1.0)
    silent = rng.uniform(0.6, 1.9, n)
    return round_ca19_9(np.where(np.isnan(mean), np.nan, np.where(secretor, np.clip(secreted, 0.1, 2.5e6), silent)))
