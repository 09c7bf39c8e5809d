"""A simulated cohort as tables, as a hospital hands them over: one row per patient, or patients, measurements and treatments.

Columns carry their unit in their name. What was not measured is empty, a drug nobody asked about is "unknown", and
CA19-9 beyond what the assay can tell is a limit ("<2", ">12000").
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.simulation.history import OUTCOMES, BoolArray, FloatArray
from training.simulation.simulate import SimulatedCohort
from training.simulation.truth import HORIZONS
from training.simulation.world import SITES, TUMOURS

Columns = dict[str, pd.Series]

LABS: Mapping[str, tuple[str, str]] = {  # analyte -> its column in the table of one row per patient, its unit
    "alc": ("alc_10e9_l", "10*9/L"),
    "anc": ("anc_10e9_l", "10*9/L"),
    "wbc": ("wbc_10e9_l", "10*9/L"),
    "ca19_9": ("ca19_9_u_ml", "U/mL"),
    "albumin": ("albumin_g_dl", "g/dL"),
    "ldh": ("ldh_u_l", "U/L"),
    "crp": ("crp_mg_l", "mg/L"),
    "hemoglobin": ("hemoglobin_g_dl", "g/dL"),
    "platelets": ("platelets_10e9_l", "10*9/L"),
    "bilirubin": ("bilirubin_umol_l", "umol/L"),
    "creatinine": ("creatinine_umol_l", "umol/L"),
    "sodium": ("sodium_mmol_l", "mmol/L"),
    "ecog": ("ecog", "{score}"),
    "bmi": ("bmi_kg_m2", "kg/m2"),
}
WHOLE = frozenset({"ldh", "platelets", "bilirubin", "creatinine", "sodium", "ecog"})
_CA19_9_FLOOR = 2.0
_FIRST_YEAR = 2020.0  # the first simulated patient enters at its beginning


def one_row(cohort: SimulatedCohort) -> pd.DataFrame:
    """One row per patient: who it is, labs at the index date, treatment history in summary, follow-up."""
    labs = {column: _reported(cohort, analyte, _at_index(cohort, analyte)) for analyte, (column, _) in LABS.items()}
    limit = {"ldh_uln_u_l": pd.Series(cohort.patients.ldh_uln)}
    return pd.DataFrame(_person(cohort) | labs | limit | _summarised(cohort) | _stated(cohort) | _follow_up(cohort))


def tidy(cohort: SimulatedCohort) -> dict[str, pd.DataFrame]:
    """Three tables, days relative to the index date: patients, measurements (earlier draws too), treatments."""
    return {
        "patients": pd.DataFrame(_person(cohort) | _stated(cohort) | _follow_up(cohort)),
        "measurements": _measurements(cohort),
        "treatments": _treatments(cohort),
    }


def truth(cohort: SimulatedCohort) -> pd.DataFrame:
    """Both true risks of every patient at every horizon: ``risk_given_frailty_30d``, ..., ``risk_given_covariates_365d``."""
    risks = {"risk_given_frailty": cohort.risk_given_frailty, "risk_given_covariates": cohort.risk_given_covariates}
    columns = {f"{name}_{day}d": risk[:, place] for name, risk in risks.items() for place, day in enumerate(HORIZONS)}
    return pd.DataFrame({"patient": cohort.ids} | columns)


def _person(cohort: SimulatedCohort) -> Columns:
    p = cohort.patients
    return {
        "patient": pd.Series(cohort.ids),
        "age_years": whole(p.age),
        "sex": pd.Series(np.where(p.male, "M", "F")),
        "tumour": pd.Series(np.array([one.name for one in TUMOURS])[p.tumour]),
        "site": pd.Series(np.array([one.name for one in SITES])[p.site]),
    }


def _stated(cohort: SimulatedCohort) -> Columns:
    """What a form asks about and no list of systemic lines tells."""
    p, missing = cohort.patients, cohort.missing
    return {
        "prior_radiotherapy": _yes_no(np.isfinite(p.treatments.radiotherapy_end)),
        "steroids_14d": _yes_no(p.steroids, missing["steroids"]),
        "gcsf_14d": _yes_no(p.gcsf, missing["gcsf"]),
        "infection_14d": _yes_no(p.infection, missing["infection"]),
        "liver_metastases": _yes_no(p.liver_metastases, missing["liver_metastases"]),
        "metastatic_sites": whole(np.where(missing["metastatic_sites"], np.nan, p.metastatic_sites)),
    }


def _summarised(cohort: SimulatedCohort) -> Columns:
    """What the table of treatments says, in summary."""
    treatments, tumour = cohort.patients.treatments, cohort.patients.tumour
    return {
        "prior_lines": pd.Series(treatments.prior_lines),
        "prior_chemotherapy": _yes_no(treatments.had("chemotherapy", tumour)),
        "prior_immunotherapy": _yes_no(treatments.had("immunotherapy", tumour)),
        "days_since_radiotherapy": whole(-treatments.radiotherapy_end),
        "months_on_therapy": pd.Series(treatments.months_on_therapy),
        "last_line_months": pd.Series(treatments.last_line_months),
        "last_line_outcome": pd.Series(np.array(OUTCOMES)[treatments.outcome[:, 0]]),
    }


def _follow_up(cohort: SimulatedCohort) -> Columns:
    unknown = cohort.missing["times"]
    return {
        "os_days": whole(np.where(unknown, np.nan, cohort.times)),
        "died": whole(np.where(unknown, np.nan, cohort.deaths)),
        "censor_reason": pd.Series(_censor_reasons(cohort), dtype="str"),
        "index_year": pd.Series(np.round(_FIRST_YEAR + cohort.entered / 365.25, 3)),
    }


def _censor_reasons(cohort: SimulatedCohort) -> list[str | None]:
    """Why follow-up ended without a death; empty where it ended in one, or is not known."""
    ended = np.where(cohort.lost, "lost to follow-up", "end of study").tolist()
    told = ~cohort.deaths & ~cohort.missing["times"]
    return [why if tell else None for why, tell in zip(ended, told.tolist(), strict=True)]


def _measurements(cohort: SimulatedCohort) -> pd.DataFrame:
    """The draw at the index date and, of ALC, ANC and CA19-9 where measured at it, the two draws before."""
    earlier = {"alc": cohort.earlier.alc, "anc": cohort.earlier.anc, "ca19_9": cohort.earlier.ca19_9}
    draws = [_draw(cohort, analyte, _at_index(cohort, analyte), cohort.drawn) for analyte in LABS]
    draws += [
        _draw(cohort, analyte, values[:, which], cohort.earlier.day[:, which])
        for analyte, values in earlier.items()
        for which in range(2)
    ]
    order = ["patient", "day", "analyte"]
    return pd.concat(draws).dropna(subset="value").sort_values(order, ignore_index=True)


def _draw(cohort: SimulatedCohort, analyte: str, values: FloatArray, day: FloatArray) -> pd.DataFrame:
    uln = cohort.patients.ldh_uln if analyte == "ldh" else np.full(len(values), np.nan)
    return pd.DataFrame(
        {
            "patient": cohort.ids,
            "day": day.astype(int),
            "analyte": analyte,
            "value": _reported(cohort, analyte, values).astype("str"),
            "unit": LABS[analyte][1],
            "uln": uln,
        }
    )


def _treatments(cohort: SimulatedCohort) -> pd.DataFrame:
    """One row per systemic line and one per course of radiotherapy (which is no line), oldest first."""
    both = pd.concat([_systemic_lines(cohort), _radiotherapy(cohort)])
    return both.sort_values(["patient", "start"], ignore_index=True)


def _systemic_lines(cohort: SimulatedCohort) -> pd.DataFrame:
    treatments, tumour = cohort.patients.treatments, cohort.patients.tumour
    row, newest = np.nonzero(np.isfinite(treatments.start))
    given = [TUMOURS[tumour[r]].regimens[treatments.regimen[r, k]] for r, k in zip(row, newest, strict=True)]
    return pd.DataFrame(
        {
            "patient": np.array(cohort.ids)[row],
            "line": whole(treatments.prior_lines[row] - newest),
            "modality": [modality for modality, _ in given],
            "agents": [agents for _, agents in given],
            "start": whole(treatments.start[row, newest]),
            "end": whole(treatments.end[row, newest]),
            "outcome": np.array(OUTCOMES)[treatments.outcome[row, newest]],
        }
    )


def _radiotherapy(cohort: SimulatedCohort) -> pd.DataFrame:
    treatments = cohort.patients.treatments
    irradiated = np.isfinite(treatments.radiotherapy_end)
    return pd.DataFrame(
        {
            "patient": np.array(cohort.ids)[irradiated],
            "modality": "radiotherapy",
            "agents": "external beam",
            "start": whole(treatments.radiotherapy_start[irradiated]),
            "end": whole(treatments.radiotherapy_end[irradiated]),
            "outcome": "completed",
        }
    )


def _at_index(cohort: SimulatedCohort, analyte: str) -> FloatArray:
    values: FloatArray = getattr(cohort.patients, analyte)
    return values


def _reported(cohort: SimulatedCohort, analyte: str, values: FloatArray) -> pd.Series:
    """Values as the laboratory writes them, empty where the analyte was not measured at the index date."""
    seen = np.where(cohort.missing.get(analyte, False), np.nan, values)
    if analyte == "ca19_9":
        cap = np.array([one.ca19_9_cap for one in SITES])[cohort.patients.site]
        return pd.Series([within_limits(value, most) for value, most in zip(seen, cap, strict=True)], dtype="str")
    return whole(seen) if analyte in WHOLE else pd.Series(seen)


def within_limits(units_per_ml: float, cap: float) -> str | None:
    """CA19-9 (U/mL) as an assay reports it that tells nothing below 2 and nothing above ``cap``; None where it is NaN."""
    if np.isnan(units_per_ml):
        return None
    if units_per_ml < _CA19_9_FLOOR:
        return f"<{_CA19_9_FLOOR:g}"
    return f">{cap:.0f}" if units_per_ml > cap else f"{units_per_ml:.10g}"


def whole(values: FloatArray | NDArray[np.int64]) -> pd.Series:
    """Whole numbers, empty where NaN."""
    return pd.Series(values).astype("Int64")


def _yes_no(values: BoolArray, unknown: BoolArray | bool = False) -> pd.Series:
    return pd.Series(np.where(unknown, "unknown", np.where(values, "yes", "no")))
