"""What a model may know of a patient: every feature by name, each one function of a Patient.

Training and serving read the same functions, so a feature cannot mean one thing in the cohort and another at the bedside.
A feature that was not measured is no number at all: its reading says why (`NOT_MEASURED`, `NOT_APPLICABLE` ...), and only
`imputation` may put an estimate in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from models.ca19_9 import BILIRUBIN_ULN, CHOLESTASIS, UNDETECTABLE, cholestasis, undetectable
from models.cells import word_in
from models.early_features import early_features
from models.feature import GROUPS, NOT_APPLICABLE, NOT_INTERPRETABLE, NOT_MEASURED, Feature, Group, Reading, Status
from models.landmark_features import LANDMARK_FEATURES, NLR_FLOOR
from models.neutrophils import NLR_CAP, neutropenic
from models.patient import ALC_FLOOR, Patient
from models.tumours import CA19_9_TUMOURS

__all__ = [
    "BILIRUBIN_ULN",
    "CHOLESTASIS",
    "FEATURES",
    "GROUPS",
    "NLR_CAP",
    "NLR_FLOOR",
    "NOT_APPLICABLE",
    "NOT_INTERPRETABLE",
    "NOT_MEASURED",
    "OF_A_LANDMARK",
    "OF_THE_INDEX_DATE",
    "UNDETECTABLE",
    "Feature",
    "Group",
    "Reading",
    "Status",
    "cholestasis",
    "level_of",
    "site_feature",
    "undetectable",
]


def _lab(analyte: str, floor: float = -math.inf, log: bool = False) -> Callable[[Patient], Reading]:
    def read(patient: Patient) -> Reading:
        found = patient.current(analyte)
        if found is None:
            return NOT_MEASURED
        value = max(found.value, floor)
        return Reading(math.log(value) if log else value)

    return read


def _ln_nlr(patient: Patient) -> Reading:
    found = patient.current("nlr")
    if found is None:
        return NOT_MEASURED
    return NOT_INTERPRETABLE if neutropenic(patient, found) else Reading(math.log(min(found.value, NLR_CAP)))


def _ln_ldh_ratio(patient: Patient) -> Reading:
    found = patient.current("ldh")
    return Reading(math.log(found.value / found.uln)) if found and found.uln else NOT_MEASURED


def _ca19_9_log10(patient: Patient) -> Reading:
    if patient.tumour not in CA19_9_TUMOURS:
        return NOT_APPLICABLE
    found = patient.current("ca19_9")
    if found is None:
        return NOT_MEASURED
    if undetectable(found):
        return NOT_APPLICABLE  # it says nothing of the burden: the stratum has a feature of its own
    return NOT_INTERPRETABLE if cholestasis(patient) else Reading(math.log10(found.value))


def _ca19_9_undetectable(patient: Patient) -> Reading:
    if patient.tumour not in CA19_9_TUMOURS:
        return NOT_APPLICABLE
    found = patient.current("ca19_9")
    return NOT_MEASURED if found is None else Reading(float(undetectable(found)))


def _ca19_9_change(patient: Patient) -> Reading:
    if patient.tumour not in CA19_9_TUMOURS:
        return NOT_APPLICABLE
    now, then = patient.current("ca19_9"), patient.earlier("ca19_9")
    if now is None or then is None or now.method != then.method:
        return NOT_MEASURED  # changes are taken within one assay: platforms differ up to two-fold
    if undetectable(now) or undetectable(then):
        return NOT_APPLICABLE
    if cholestasis(patient) or ">" in (now.limit, then.limit):  # of two "at least" no change can be told
        return NOT_INTERPRETABLE
    return Reading(math.log10(now.value / then.value))


def _ln_change(analyte: str, floor: float) -> Callable[[Patient], Reading]:
    def read(patient: Patient) -> Reading:
        now, then = patient.current(analyte), patient.earlier(analyte)
        if now is None or then is None:
            return NOT_MEASURED
        if analyte == "nlr" and (neutropenic(patient, now) or neutropenic(patient, then)):
            return NOT_INTERPRETABLE
        return Reading(math.log(max(now.value, floor) / max(then.value, floor)))

    return read


def _history(name: str) -> Callable[[Patient], Reading]:
    def read(patient: Patient) -> Reading:
        value = getattr(patient.history, name)
        return NOT_MEASURED if value is None else Reading(value)

    return read


def _treated(name: str) -> Callable[[Patient], Reading]:
    """A number that only somebody with a prior systemic line can have."""
    read = _history(name)
    return lambda patient: NOT_APPLICABLE if patient.history.prior_systemic_therapy == 0 else read(patient)


def _last_line_progressed(patient: Patient) -> Reading:
    outcome = patient.history.last_line_outcome
    if patient.history.prior_systemic_therapy == 0:
        return NOT_APPLICABLE
    return NOT_MEASURED if outcome in (None, "unknown") else Reading(float(outcome == "progression"))


def _ln_days_since_rt(patient: Patient) -> Reading:
    days = patient.history.days_since_radiotherapy
    if patient.history.prior_radiotherapy == 0:
        return NOT_APPLICABLE
    return NOT_MEASURED if days is None else Reading(math.log(days + 1.0))


def _sex(patient: Patient) -> Reading:
    return NOT_MEASURED if patient.sex == "unknown" else Reading(float(patient.sex == "male"))


_BLOOD: Group = "lymphocytes and inflammation"
_BURDEN: Group = "tumour burden"
_HISTORY: Group = "treatment history"
_ORGANS: Group = "nutrition and organ function"
_PATIENT: Group = "patient"

OF_THE_INDEX_DATE: Mapping[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("ln_alc", "absolute lymphocyte count", _BLOOD, "10*9/L", _lab("alc", ALC_FLOOR, True), -1, "ln", "alc"),
        Feature("ln_nlr", "neutrophil-to-lymphocyte ratio", _BLOOD, "1", _ln_nlr, +1, "ln", "nlr"),
        # Signed like the values themselves: what an ALC of today moves must move in one direction, its change included.
        Feature("alc_change", "change of the lymphocyte count", _BLOOD, "1", _ln_change("alc", ALC_FLOOR), -1, "ln", "alc"),
        Feature("nlr_change", "change of the NLR", _BLOOD, "1", _ln_change("nlr", NLR_FLOOR), +1, "ln", "nlr"),
        Feature("ln_crp", "C-reactive protein", _BLOOD, "mg/L", _lab("crp", 0.1, True), +1, "ln", "crp"),
        Feature("steroids_14d", "steroids within 14 days", _BLOOD, "", _history("steroids_14d"), 0, "flag"),
        Feature("gcsf_14d", "G-CSF within 14 days", _BLOOD, "", _history("gcsf_14d"), 0, "flag"),
        Feature("infection_14d", "infection within 14 days", _BLOOD, "", _history("infection_14d"), 0, "flag"),
        Feature("ca19_9_log10", "CA19-9", _BURDEN, "U/mL", _ca19_9_log10, 0, "log10", "ca19_9"),
        Feature("ca19_9_undetectable", "CA19-9 undetectable", _BURDEN, "", _ca19_9_undetectable, 0, "flag", "ca19_9"),
        Feature("ca19_9_change", "change of CA19-9", _BURDEN, "1", _ca19_9_change, 0, "log10", "ca19_9"),
        Feature("ln_ldh_ratio", "LDH over its upper limit of normal", _BURDEN, "1", _ln_ldh_ratio, +1, "ln", "ldh"),
        Feature("liver_metastases", "liver metastases", _BURDEN, "", _history("liver_metastases"), +1, "flag"),
        Feature("metastatic_sites", "number of metastatic sites", _BURDEN, "1", _history("metastatic_sites"), +1),
        Feature("prior_systemic_therapy", "prior systemic therapy", _HISTORY, "", _history("prior_systemic_therapy"), +1, "flag"),
        Feature("prior_lines", "number of prior lines", _HISTORY, "1", _history("prior_lines"), +1),
        Feature("prior_chemotherapy", "prior chemotherapy", _HISTORY, "", _history("prior_chemotherapy"), 0, "flag"),
        Feature("prior_radiotherapy", "prior radiotherapy", _HISTORY, "", _history("prior_radiotherapy"), 0, "flag"),
        Feature("prior_immunotherapy", "prior immunotherapy", _HISTORY, "", _history("prior_immunotherapy"), 0, "flag"),
        Feature("ln_days_since_radiotherapy", "days since radiotherapy (plus 1)", _HISTORY, "d", _ln_days_since_rt, 0, "ln"),
        Feature("months_on_therapy", "months on systemic therapy", _HISTORY, "mo", _treated("months_on_therapy")),
        Feature("last_line_months", "duration of the last line", _HISTORY, "mo", _treated("last_line_months")),
        Feature("last_line_progressed", "last line ended by progression", _HISTORY, "", _last_line_progressed, 0, "flag"),
        Feature("albumin", "albumin", _ORGANS, "g/L", _lab("albumin"), -1, analyte="albumin"),
        Feature("hemoglobin", "haemoglobin", _ORGANS, "g/dL", _lab("hemoglobin"), -1, analyte="hemoglobin"),
        Feature("ln_platelets", "platelets", _ORGANS, "10*9/L", _lab("platelets", 1.0, True), 0, "ln", "platelets"),
        Feature("ln_bilirubin", "bilirubin", _ORGANS, "umol/L", _lab("bilirubin", 1.0, True), 0, "ln", "bilirubin"),
        Feature("bmi", "body mass index", _ORGANS, "kg/m2", _lab("bmi"), analyte="bmi"),
        Feature("age", "age", _PATIENT, "a", lambda patient: Reading(patient.age_years)),
        Feature("sex_male", "male sex", _PATIENT, "", _sex, 0, "flag"),
        Feature("ecog", "ECOG performance status", _PATIENT, "{score}", _lab("ecog"), +1, analyte="ecog"),
        Feature("tumour", "tumour type", _PATIENT, "", lambda patient: NOT_APPLICABLE, 0, "level"),
    )
}
OF_A_LANDMARK = (*LANDMARK_FEATURES, *early_features(OF_THE_INDEX_DATE))
FEATURES: Mapping[str, Feature] = {**OF_THE_INDEX_DATE, **{feature.name: feature for feature in OF_A_LANDMARK}}


def site_feature(name: str, levels: bool) -> Feature:
    """A site's own covariate, from the [extra] table of a cohort file: numeric, or one of named levels."""

    def read(patient: Patient) -> Reading:
        value = patient.extra.get(name)
        return Reading(float(value)) if isinstance(value, int | float) else NOT_MEASURED

    return Feature(f"extra.{name}", name, "site covariates", "", read, 0, "level" if levels else "identity")


def level_of(feature: Feature, patient: Patient) -> str | None:
    """The level of a feature with named levels: the tumour type, or a site's own category; None where it is not known.

    A category given as a number is the word a cohort file would have read: 2 and "2.0" are the level "2".
    """
    if feature.name == "tumour":
        return patient.tumour
    value = patient.extra.get(feature.name.removeprefix("extra."))
    return None if value is None else word_in(value) or None
