"""A mapping is held against the header of its table: what is missing is named with the key that wants it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.fault import Fault
from models.mapping import Cell, CohortFile, Exclusion, FollowUpColumns, InvalidCohort, LabColumn

MAPPING = CohortFile(
    path=Path("/data/site.toml"),
    name="site",
    source="",
    patient="id",
    table="t.csv",
    measurement_table="",
    treatment_table="",
    missing=(),
    required=(),
    follow_up=FollowUpColumns("days", 1.0, "status", entered="entry", censor_reason="why"),
    fields={"age_years": Cell("age"), "tumour": Cell(constant="breast")},
    labs=(LabColumn("ldh", "ldh", "U/L", uln_column="ldh_uln", method_column="assay", day_column="ldh_day"),),
    history={"prior_lines": Cell("lines")},
    audit_only=("race",),
    extra={"tmb": ("tmb", "numeric")},
    exclusions=(Exclusion("consent", "equals", 0, "no consent"),),
)
HEADER = ["id", "days", "status", "entry", "why", "age", "ldh", "ldh_uln", "assay", "ldh_day", "lines", "race", "tmb", "consent"]


def test_every_column_is_read_by_one_key() -> None:
    found = MAPPING.columns()
    assert set(found) == set(HEADER)
    assert (found["ldh_uln"], found["race"], found["lines"]) == (
        "measurements.ldh",
        "audit_only",
        "treatment_history.prior_lines",
    )


def test_a_table_with_every_column_has_no_fault() -> None:
    assert MAPPING.missing_columns([*HEADER, "another"]) == []


@pytest.mark.parametrize("column", HEADER)
def test_a_missing_column_is_named_with_file_and_key(column: str) -> None:
    (fault,) = MAPPING.missing_columns([name for name in HEADER if name != column])
    assert fault.field.startswith("site.toml: ")
    assert (fault.given, fault.allowed) == (f"column {column}", "a column of t.csv")


def test_a_column_that_was_likely_meant_is_suggested() -> None:
    (fault,) = MAPPING.missing_columns([name.replace("consent", "consented") for name in HEADER])
    assert fault.likely == "column consented"


def test_to_score_only_what_a_patient_is_made_of_is_needed() -> None:
    assert (
        MAPPING.missing_columns(["id", "age", "ldh", "ldh_uln", "assay", "ldh_day", "lines", "tmb"], follow_up_needed=False) == []
    )


def test_a_measured_column_is_needed_to_score_even_where_a_rule_looks_at_it() -> None:
    looked_at = replace(MAPPING, exclusions=(Exclusion("ldh", "missing", True, "no LDH"),), audit_only=("age",))
    header = [name for name in HEADER if name not in ("ldh", "age")]
    assert [fault.given for fault in looked_at.missing_columns(header, follow_up_needed=False)] == ["column age", "column ldh"]


def test_tables_of_their_own_make_a_tidy_cohort() -> None:
    assert not MAPPING.tidy
    assert replace(MAPPING, measurement_table="m.csv").tidy
    assert replace(MAPPING, treatment_table="t.csv").tidy


def test_an_invalid_cohort_says_every_fault_on_a_line_of_its_own() -> None:
    error = InvalidCohort([Fault("a", "1", "2"), Fault("b", "3", "4")])
    assert str(error) == "a = 1: allowed is 2\nb = 3: allowed is 4"
