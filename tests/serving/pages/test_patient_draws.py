"""Draws as they are pasted: each line a measurement or named by its number; no quantity is taken for one it resembles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.analytes import ANALYTES
from serving.pages.patient_draws import DRAWS, MOST_DRAWS, draws_of
from serving.pages.patient_fields import ONE_UNIT

UNITS = [(name, unit) for name, known in ANALYTES.items() for unit in known.units]
LINES = st.tuples(st.dates(), st.sampled_from(UNITS), st.sampled_from(["0.8", "<2.0", ">120000", "1200", "3e2"]))


@given(st.lists(LINES, max_size=20), st.sampled_from([" ", "\t", ";", " ; ", "   "]), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_lines_are_read_whatever_parts_them(lines: list[tuple[object, tuple[str, str], str]], apart: str, end: str) -> None:
    text = end.join(apart.join((f"{day}", name, value, unit)) for day, (name, unit), value in lines)
    found = draws_of(text)
    assert found.faults == ()
    assert [(one.measurement["date"], one.measurement["analyte"]) for one in found.read] == [
        (f"{day}", name) for day, (name, _), _ in lines
    ]
    assert [one.measurement["unit"].split() for one in found.read] == [unit.split() for _, (_, unit), _ in lines]
    assert [str(one.measurement["value"]).lstrip("<>") for one in found.read] == [
        str(float(value) if "e" in value else value).lstrip("<>") for *_, value in lines
    ]


@pytest.mark.parametrize(
    ("line", "analyte", "value", "unit"),
    [
        ("2026-05-01 CA 19-9 37 U/mL", "ca19_9", 37, "U/mL"),
        ("2026-05-01\tCA 19-9\t< 2.0\tU/mL", "ca19_9", "<2.0", "U/mL"),
        ("2026-05-01; Absolute lymphocyte count; 0.8; 10*9/L", "alc", 0.8, "10*9/L"),
        ("2026-05-01 731-0 800 cells/uL", "alc", 800, "cells/uL"),
        ("2026-05-01 C-reactive protein 5 mg/L", "crp", 5, "mg/L"),
        ("2026-05-01 NLR 4.5", "nlr", 4.5, ONE_UNIT["nlr"]),
        ("2026-05-01 Hb 9.1 g/dL", "hemoglobin", 9.1, "g/dL"),
    ],
)
def test_a_quantity_goes_by_its_name_its_label_its_code_or_what_charts_call_it(
    line: str, analyte: str, value: object, unit: str
) -> None:
    (draw,) = draws_of(line).read
    assert draw.measurement == {"analyte": analyte, "value": value, "unit": unit, "date": "2026-05-01"}


@pytest.mark.parametrize("name", ["ALT", "AST", "LDL", "AMC", "creatine", "CEA", "albumine", "sodum", "4711-2"])
def test_a_quantity_that_is_merely_spelt_like_another_is_not_taken_for_it(name: str) -> None:
    found = draws_of(f"2026-05-01 {name} 35 U/L")
    assert found.read == ()
    assert [one.field for one in found.faults] == [DRAWS]


@pytest.mark.parametrize("line", ["01.05.2026 ALC 0.7 10*9/L", "2026-5-1 ALC 0.7", "a day, a count", "ALC 7", "2026-07-07 ALC"])
def test_a_line_that_is_something_else_is_named_by_its_number_and_costs_no_other(line: str) -> None:
    found = draws_of(f"2026-04-01 ALC 0.9 10*9/L\n\n{line}\n2026-03-01 ALC 1.1 10*9/L")
    assert [one.line for one in found.read] == [1, 4]
    (fault,) = found.faults
    assert "line 3" in fault.allowed
    assert line not in str(fault)


def test_a_unit_that_is_not_given_is_not_made_up() -> None:
    (draw,) = draws_of("2026-05-01 ALC 0.8").read
    assert "unit" not in draw.measurement


def test_a_comma_is_asked_about_with_its_line() -> None:
    found = draws_of("2026-05-01 ALC 0.8 10*9/L\n2026-05-02 ALC 0,8 10*9/L")
    assert len(found.read) == 1
    assert "in line 2" in found.faults[0].allowed
    assert "comma" in found.faults[0].likely


def test_more_lines_than_allowed_are_said_to_be_too_many() -> None:
    found = draws_of("2026-05-01 ALC 0.8 10*9/L\n" * (MOST_DRAWS + 1))
    assert len(found.read) == MOST_DRAWS
    assert [one.allowed for one in found.faults] == [f"at most {MOST_DRAWS} lines"]


@given(st.text())
def test_no_text_is_more_than_lines_at_fault(text: str) -> None:
    found = draws_of(text)
    assert len(found.read) + len(found.faults) <= len(text.splitlines()) + 1
