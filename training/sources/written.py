"""What an import leaves behind: a cohort file, its three tidy tables, and the single doses for histories."""

from __future__ import annotations

import json
from pathlib import Path

from training.sources.database import Work
from training.sources.people import NO_TUMOUR

TABLES = ("patients", "measurements", "treatments")
_FILE = """\
# Made by lymphorisk import {kind}; the index date is {index}.
# report.json and report.txt beside it say what was recognised, converted, refused and ignored, and by which rules.
name = {name}
source = {source}
patient = "patient"

[tables]
patients = "patients.parquet"
measurements = "measurements.parquet"
treatments = "treatments.parquet"

[index]
rule = "given"
date = "index_date"

[follow_up]
time = {{ column = "os_days", unit = "d" }}
died = {{ column = "died" }}
censor_reason = "censor_reason"

[patient_fields]
age_years = "age_years"
sex = {{ column = "sex" }}
tumour = {{ column = "tumour" }}
site = "site"

[treatment_history]
liver_metastases = "liver_metastases"           # yes where it is recorded; that nothing is recorded says nothing
"""
_NO_TUMOUR = """
[[exclude]]
where = {{ column = "tumour", missing = true }}
reason = {reason}
"""


def write_tables(work: Work, out: Path) -> None:
    """Write the tables into `out`; days are dates in text, so that CSV and Parquet are read alike."""
    born = "CASE WHEN {m} THEN 1 ELSE 0 END".format(
        m="extract(month FROM index_date) * 100 + extract(day FROM index_date) "
        "< extract(month FROM born) * 100 + extract(day FROM born)"
    )
    age = f"CAST(extract(year FROM index_date) - extract(year FROM born) - {born} AS INTEGER)"
    one_tumour = "CASE WHEN tumours = 1 THEN tumour ELSE '' END"
    reason = "CASE WHEN is_dead = 1 THEN '' ELSE 'end of observation' END"
    work.save(f"""
        SELECT person AS patient, {age} AS age_years, sex, {one_tumour} AS tumour, site,
               CAST(index_date AS VARCHAR) AS index_date, CAST(days AS INTEGER) AS os_days, is_dead AS died,
               {reason} AS censor_reason, CASE WHEN liver = 1 THEN 'yes' ELSE '' END AS liver_metastases
        FROM chosen ORDER BY person""", out / "patients.parquet")
    work.save("""
        SELECT person AS patient, CAST(day AS VARCHAR) AS date, analyte, value, in_unit AS unit, limit_high AS uln
        FROM settled WHERE fate = '' ORDER BY person, day, analyte""", out / "measurements.parquet")
    dated = """CAST(since AS VARCHAR) AS start, CAST(until AS VARCHAR) AS "end\""""
    ordered = "ORDER BY person, since, modality, agents"
    told = f"SELECT person AS patient, line, modality, agents, {dated}"
    work.save(f"{told}, outcome FROM spans {ordered}", out / "treatments.parquet")
    theirs = "WHERE person IN (SELECT person FROM chosen)"
    work.save(f"{told} FROM courses {theirs} {ordered}, until", out / "doses.parquet")


def write_cohort_file(out: Path, kind: str, name: str, source: str, index: str, everybody: bool) -> Path:
    """Write `cohort.toml` beside the tables."""
    text = _FILE.format(kind=kind, index=index, name=_quoted(name), source=_quoted(source))
    if everybody:
        text += _NO_TUMOUR.format(reason=_quoted(NO_TUMOUR))
    path = out / "cohort.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
