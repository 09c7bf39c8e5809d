"""One patient's chart as a published score reads it: an answer to each question, or a note of why there is none.

A question that cannot be answered counts as "no" for the moment and leaves a gap; a score with a gap is never shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.measurements import ALC_FLOOR, STALE_DAYS, Measurement
from models.neutrophils import neutropenic
from models.patient import Patient

NAMES: Mapping[str, str] = {
    "alc": "the lymphocyte count",
    "anc": "the neutrophil count",
    "wbc": "the white cell count",
    "nlr": "the neutrophil-to-lymphocyte ratio",
    "albumin": "albumin",
    "ldh": "LDH",
    "crp": "C-reactive protein",
    "sodium": "sodium",
    "platelets": "the platelet count",
    "ecog": "the ECOG performance status",
    "metastatic_sites": "the number of metastatic sites",
    "liver_metastases": "whether there are liver metastases",
    "prior_systemic_therapy": "whether there was systemic therapy before",
}
_NEUTROPENIC = "{} is not interpretable: neutrophils are below 1.0 10*9/L, or possibly so"
_DIGITS = 9  # a ratio is compared as rounded: 1.05 / .35 is 3, whatever its last binary digit says


class Chart:
    """What a score asks of a patient; `gaps` says, in words, what could not be answered."""

    def __init__(self, patient: Patient):
        self.patient = patient
        self.gaps: list[str] = []
        self._labs: dict[str, Measurement | str] = {}  # what was found of each, or why there is none

    def above(self, analyte: str, cut: float) -> bool:
        """Whether it lies above `cut` (canonical unit); with a limit, only if the limit decides it."""
        found = self.lab(analyte)
        if found is None:
            return False
        return self._decided(analyte, exceeds(found, cut)) if found.limit else found.value > cut

    def below(self, analyte: str, cut: float) -> bool:
        """Whether it lies below `cut` (canonical unit); with a limit, only if the limit decides it."""
        found = self.lab(analyte)
        if found is None:
            return False
        return self._decided(analyte, falls_short(found, cut)) if found.limit else found.value < cut

    def above_normal(self, analyte: str) -> bool:
        """Whether it lies above the laboratory's own upper limit of normal, which must be given."""
        found = self.lab(analyte)
        if found is None:
            return False
        if found.uln is None:
            self.gaps.append(f"the upper limit of normal of {NAMES[analyte]} was not given")
            return False
        return self._decided(analyte, exceeds(found, found.uln))

    def number(self, analyte: str, most: float = math.inf) -> float:
        """Its value, no more than `most`; NaN where it is missing, or known only as a limit below `most`."""
        found = self.lab(analyte)
        if found is None:
            return math.nan
        if not found.limit or (found.limit == ">" and found.value >= most):
            return min(found.value, most)
        self.gaps.append(f"{NAMES[analyte]} is known only as a limit")
        return math.nan

    def derived_ratio_above(self, cut: float) -> bool:
        """Whether neutrophils over the white cells that are none exceed `cut`, both of one draw."""
        count, cells = self.lab("anc"), self.lab("wbc")
        if count is None or cells is None:
            return False
        cells = self.patient.on_day("wbc", count.days_before_index)
        if cells is None:
            return self._gap("the white cell count is of another day than the neutrophil count")
        if neutropenic(self.patient, self.patient.current("nlr")):
            return self._gap(_NEUTROPENIC.format("the derived neutrophil-to-lymphocyte ratio"))
        return self._derived_above(count, cells, cut)

    def history(self, name: str) -> float:
        """A flag or number of the history; NaN where it is not known."""
        value: float | None = getattr(self.patient.history, name)
        if value is None:
            self.gaps.append(f"{NAMES[name]} is not known")
            return math.nan
        return value

    def extra(self, name: str, words: str) -> float:
        """A site covariate that cannot be negative; NaN where it was not given as such a number."""
        value = self.patient.extra.get(name)
        if value is None:
            self.gaps.append(f"{words} was not given (extra.{name})")
        elif isinstance(value, str) or not (math.isfinite(value) and value >= 0):
            self.gaps.append(f"{words} is not a number of 0 or more (extra.{name})")
        else:
            return float(value)
        return math.nan

    def _derived_above(self, count: Measurement, cells: Measurement, cut: float) -> bool:
        others = cells.value - count.value
        if count.limit or cells.limit:
            return self._gap("the neutrophil count or the white cell count is known only as a limit")
        if others <= 0:
            return self._gap("the white cells are not more than the neutrophils")
        return round(count.value / others, _DIGITS) > cut

    def _decided(self, analyte: str, answer: bool | None) -> bool:
        return self._gap(f"{NAMES[analyte]} is known only as a limit") if answer is None else answer

    def _gap(self, why: str) -> bool:
        self.gaps.append(why)
        return False

    def lab(self, analyte: str) -> Measurement | None:
        """The measurement of at most 28 days; an NLR only if there are neutrophils enough to read it."""
        found = self._labs.get(analyte)
        if found is None:
            found = self._labs[analyte] = _looked_up(self.patient, analyte)
        if isinstance(found, str):
            self.gaps.append(found)
            return None
        return found


def exceeds(found: Measurement, cut: float) -> bool | None:
    """Whether the true value lies above `cut`; None where a limit does not say."""
    if found.limit == ">":
        return True if found.value >= cut else None
    if found.limit == "<":
        return False if found.value <= cut else None
    return found.value > cut


def falls_short(found: Measurement, cut: float) -> bool | None:
    """Whether the true value lies below `cut`; None where a limit does not say."""
    if found.limit == "<":
        return True if found.value <= cut else None
    if found.limit == ">":
        return False if found.value >= cut else None
    return found.value < cut


def _looked_up(patient: Patient, analyte: str) -> Measurement | str:
    found = patient.current(analyte)
    if found is None:
        return f"{NAMES[analyte]} " + (f"is older than {STALE_DAYS:g} days" if analyte in patient.series else "was not measured")
    if analyte != "nlr":
        return found
    return _NEUTROPENIC.format(NAMES["nlr"]) if neutropenic(patient, found) else _as_compared(patient, found)


def _as_compared(patient: Patient, ratio: Measurement) -> Measurement:
    """The ratio rounded; over no lymphocytes at all it is "at least"."""
    lymphocytes = patient.on_day("alc", ratio.days_before_index)
    floored = lymphocytes is not None and not ratio.limit and lymphocytes.value < ALC_FLOOR
    return ratio._replace(value=round(ratio.value, _DIGITS), limit=">" if floored else ratio.limit)
