"""What the model may learn from: values that were measured, in the unit they say, before the outcome and not of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from models.analytes import ANALYTES
from training.cohort import Cohort
from training.diagnosis.finding import Domain, Finding, Verdict
from training.diagnosis.rows import rows_at
from training.reading.doubt import Doubt, Kind
from training.reading.leakage import told
from training.reading.suspicion import CREDIBLE_MEDIAN, FEWEST, filled_in, newest_of, unit_of

STRONG = 0.90  # AUC for death, ever or by a horizon, or rank correlation with follow-up, that asks for a second look
FEWEST_AT_SITE = 20  # patients of one site with a value, or its median says nothing
_VARIES = "Was every predictor measured, rather than filled in by the source?"
_UNITS = "Are the medians those of adults with advanced solid tumours, overall and at every site?"
_OUTCOME = "Does no predictor tell the outcome under another name?"
_DATED = "Was every predictor known on the index date?"


def predictors(cohort: Cohort) -> list[Finding]:
    """Placeholders, units, the outcome under another name, and what was written down after the index date."""
    return [*placeholders(cohort), *units(cohort), *outcomes(cohort), *dated(cohort)]


def doubted(cohort: Cohort, kind: Kind, item: str, question: str) -> list[Finding]:
    """A Fail for every column about which there is such a doubt, with its rows and the reason of whoever accepted it."""
    domain: Domain = "outcome" if kind == "follow-up" else "predictors"
    return [
        Finding(item, domain, question, "Fail", one.number, _said(one), one.rows, one.accepted, unit=one.unit)
        for one in cohort.doubts
        if one.kind == kind
    ]


def _said(doubt: Doubt) -> str:
    likely = f": likely {doubt.fault.likely}" if doubt.fault.likely else ""
    return f"{doubt.fault.field} has {doubt.fault.given}{likely}"


def placeholders(cohort: Cohort) -> list[Finding]:
    """Columns that never vary fail; one value in a quarter of the patients or more is a question to the source."""
    found = doubted(cohort, "placeholder", "constant column", _VARIES)
    measured = 0
    for name, known in ANALYTES.items():
        newest = newest_of(name, cohort.patients)
        measured += len(newest) >= FEWEST
        if rows := filled_in(newest):
            why = f"{known.label} is {newest[rows[0]].value:.3g} {known.unit} in {len(rows)} of {len(newest)} patients"
            share, rows_there = len(rows) / len(newest), rows_at(cohort, np.array(rows))
            found.append(Finding("shared value", "predictors", _VARIES, "Unknown", share, why, rows_there, unit="share"))
    if found:
        return found
    columns = measured + (len(cohort.file.extra) if cohort.file else 0)
    if not columns:
        why = "no laboratory value, and no column of the site's own"
        return [Finding("constant column", "predictors", _VARIES, "Unknown", 0, why, unit="columns")]
    why = f"{columns} columns vary, and no value is shared by a quarter of the patients"
    return [Finding("constant column", "predictors", _VARIES, "Pass", columns, why, unit="columns")]


def units(cohort: Cohort) -> list[Finding]:
    """A median that no such cohort has, of all patients or of a site, is another unit or another column."""
    found = [*doubted(cohort, "unit", "unit", _UNITS), *_units_at_sites(cohort)]
    if found:
        return found
    judged = [name for name in CREDIBLE_MEDIAN if len(newest_of(name, cohort.patients)) >= FEWEST]
    if not judged:
        return [Finding("unit", "predictors", _UNITS, "Unknown", 0, "no laboratory value has a known range", unit="analytes")]
    why = "; ".join(_median(cohort, name) for name in judged)
    return [Finding("unit", "predictors", _UNITS, "Pass", len(judged), why, unit="analytes")]


def _median(cohort: Cohort, name: str) -> str:
    known, values = ANALYTES[name], [one.value for one in newest_of(name, cohort.patients).values()]
    return f"{known.label} {np.median(values):.3g} {known.unit}".removesuffix(" 1")


def _units_at_sites(cohort: Cohort) -> Iterator[Finding]:
    site_of = np.array([patient.site for patient in cohort.patients])
    doubted_already = any(doubt.kind == "unit" for doubt in cohort.doubts)
    if doubted_already or len({*site_of} - {""}) < 2:
        return
    for name, (low, high) in CREDIBLE_MEDIAN.items():
        newest = newest_of(name, cohort.patients)
        rows, values = np.array([*newest], np.intp), np.array([one.value for one in newest.values()])
        for site in sorted({*site_of[rows].tolist()} - {""}):
            there = site_of[rows] == site
            if there.sum() >= FEWEST_AT_SITE and not low <= (median := float(np.median(values[there]))) <= high:
                known = ANALYTES[name]
                why = f"{known.label} has a median of {median:.3g} {known.unit} at site {site}: credible is {low:g} to {high:g}"
                at_fault = rows_at(cohort, rows[there])
                yield Finding("unit", "predictors", _UNITS, "Fail", median, why, at_fault, unit=unit_of(known))


def outcomes(cohort: Cohort) -> list[Finding]:
    """Nothing known on the index date sorts patients as their deaths do."""
    found = doubted(cohort, "outcome", "outcome under another name", _OUTCOME)
    if found or cohort.file is None:
        return found
    judged = [one for one in told(cohort.file, cohort.patients, cohort.follow_up) if not one.knows]
    item = "outcome under another name"
    if not judged:
        why = "too few patients died, or survived, to hold a column against their deaths"
        return [Finding(item, "predictors", _OUTCOME, "Unknown", None, why)]
    best = max(judged, key=lambda one: one.strength)
    why = f"the most telling of {len(judged)} columns is {best.column}: {best.said}"
    verdict: Verdict = "Unknown" if best.strength >= STRONG else "Pass"
    return [Finding(item, "predictors", _OUTCOME, verdict, best.strength, why, unit=best.measure)]


def dated(cohort: Cohort) -> list[Finding]:
    """Rows after the index date are kept out of every feature, so they are told and pass; a column without a day is unknown."""
    item = "dated after the index date"
    if cohort.file is None:
        return [Finding(item, "predictors", _DATED, "Unknown", None, "the cohort came from no file")]
    if cohort.file.tidy:
        return [_kept_out(item, cohort.later)]
    undated = [lab.column for lab in cohort.file.labs if not lab.day_column]
    undated += [cell.column for cell in cohort.file.history.values() if cell.column]
    undated += [column for column, _ in cohort.file.extra.values()]
    if not undated:
        why = "every measurement has a day, and none is after the index date"
        return [Finding(item, "predictors", _DATED, "Pass", 0, why, unit="columns")]
    why = f"the file names no day for {_some(undated)}: they are taken as known on the index date"
    return [Finding(item, "predictors", _DATED, "Unknown", len(undated), why, unit="columns")]


def _kept_out(item: str, later: Mapping[str, tuple[int, ...]]) -> Finding:
    counts = {name: len(rows) for name, rows in later.items()}
    why = "; ".join(f"{name}: {n} rows after the index date, kept out of every feature" for name, n in counts.items())
    return Finding(item, "predictors", _DATED, "Pass", sum(counts.values()), why, unit="rows")


def _some(columns: list[str]) -> str:
    more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
    return ", ".join(columns[:5]) + more
