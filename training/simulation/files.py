"""A simulated cohort on disk: its tables, the cohort file that says what they mean, and the truth apart from both."""

from pathlib import Path
from typing import Literal

import pandas as pd

from training.simulation.simulate import SimulatedCohort
from training.simulation.tables import LABS, one_row, tidy, truth

Form = Literal["one-row", "tidy"]
Tables = Literal["csv", "parquet"]

_STATED = ("prior_radiotherapy", "steroids_14d", "gcsf_14d", "infection_14d", "liver_metastases", "metastatic_sites")
_SUMMARISED = (
    "prior_lines",
    "prior_chemotherapy",
    "prior_immunotherapy",
    "days_since_radiotherapy",
    "months_on_therapy",
    "last_line_months",
    "last_line_outcome",
)
_YEAR = 'year = "index_year"\n'  # when each patient entered, for a split in time; never a feature
_PEOPLE = """\
[follow_up]
time = { column = "os_days", unit = "d" }
died = { column = "died" }
censor_reason = "censor_reason"

[patient_fields]
age_years = "age_years"
sex = { column = "sex", map = { M = "male", F = "female" } }
tumour = { column = "tumour" }
site = "site"
"""


def write(cohort: SimulatedCohort, folder: Path, form: Form = "one-row", tables: Tables = "csv") -> Path:
    """Write the tables, ``cohort.toml`` and ``truth.csv`` into ``folder``; returns the path of the cohort file.

    "one-row" is one table of one row per patient, with the treatment history in summary; "tidy" is three tables
    (patients, measurements, treatments), which also hold earlier blood draws. The cohort file does not mention
    ``truth.csv``: no reader of the cohort can come upon the truth.

    Raises
    ------
    ValueError
        For another ``form`` or another kind of ``tables``.
    """
    if form not in ("one-row", "tidy"):
        raise ValueError(f"form = {form!r}: allowed is 'one-row' or 'tidy'")
    if tables not in ("csv", "parquet"):
        raise ValueError(f"tables = {tables!r}: allowed is 'csv' or 'parquet'")
    folder.mkdir(parents=True, exist_ok=True)
    frames = {"patients": one_row(cohort)} if form == "one-row" else tidy(cohort)
    for name, frame in frames.items():
        save(frame, folder / f"{name}.{tables}")
    truth(cohort).to_csv(folder / "truth.csv", index=False)
    path = folder / "cohort.toml"
    text = _one_row_file(cohort.name, tables) if form == "one-row" else tidy_file(cohort.name, tables)
    path.write_text(text, encoding="utf-8")
    return path


def save(frame: pd.DataFrame, path: Path) -> None:
    """One table, as CSV or Parquet by the name of its file."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def _one_row_file(name: str, tables: Tables) -> str:
    head = f'name = "{name}"\nsource = "simulated"\ntable = "patients.{tables}"\npatient = "patient"\n'
    return "\n".join([head, f"[index]\n{_YEAR}", _PEOPLE, _measurements(), _history((*_SUMMARISED, *_STATED))])


def tidy_file(name: str, tables: Tables) -> str:
    """The cohort file of three tidy tables."""
    head = f'name = "{name}"\nsource = "simulated"\npatient = "patient"\n'
    names = "".join(f'{table} = "{table}.{tables}"\n' for table in ("patients", "measurements", "treatments"))
    return "\n".join([head, f"[tables]\n{names}", f'[index]\nrule = "given"\n{_YEAR}', _PEOPLE, _history(_STATED)])


def _measurements() -> str:
    lines = []
    for analyte, (column, unit) in LABS.items():
        limit = ', uln_column = "ldh_uln_u_l"' if analyte == "ldh" else ""
        lines.append(f'{analyte} = {{ column = "{column}", unit = "{unit}"{limit} }}')
    return "\n".join(["[measurements]", *lines, ""])


def _history(fields: tuple[str, ...]) -> str:
    return "\n".join(["[treatment_history]", *(f'{field} = "{field}"' for field in fields), ""])
