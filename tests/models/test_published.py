"""Published scores say what their papers say: worked cases, both sides of every cut, every missing input by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models.analytes import ANALYTES
from models.history import HISTORY_FIELDS
from models.patient import GivenMeasurement, Patient, assemble
from models.published import PUBLISHED

FILES = sorted(Path(__file__).with_name("published").glob("*.json"))
CONFORMANCE = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
CASES = [(name, case) for name, file in CONFORMANCE.items() for case in file["cases"]]
ids = pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case['what']}" for name, case in CASES])


def patient_of(inputs: Mapping[str, Any], units: Mapping[str, str]) -> Patient:
    """The patient of a conformance case: its measurements, history, extra covariates and fields, by name; None is not known."""
    known = {name: value for name, value in inputs.items() if value is not None}
    return assemble(
        id="p",
        age_years=known.get("age_years", 61),
        sex="female",
        tumour=known.get("tumour", "nsclc"),
        measurements=[_measured(name, given, units) for name, given in known.items() if name in ANALYTES],
        history={name: value for name, value in known.items() if name in HISTORY_FIELDS},
        extra={name: value for name, value in known.items() if name == "tmb"},
    )


def _measured(name: str, given: Any, units: Mapping[str, str]) -> GivenMeasurement:
    if not isinstance(given, dict):
        given = {"value": given}
    return GivenMeasurement(name, given["value"], given.get("unit") or units[name], given.get("day", 0.0), given.get("uln"))


def merged(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The usual inputs with what a case gives; a measurement keeps the upper limit of the usual one unless it has its own."""
    dicts = [name for name in given if isinstance(given[name], dict) and isinstance(usual.get(name), dict)]
    return {**usual, **given, **{name: usual[name] | given[name] for name in dicts}}


def test_every_score_has_its_conformance_file() -> None:
    assert set(CONFORMANCE) == set(PUBLISHED)
    assert len(PUBLISHED) == 14


@ids
def test_a_score_says_what_its_paper_says(name: str, case: dict[str, Any]) -> None:
    file = CONFORMANCE[name]
    found = PUBLISHED[name].of(patient_of(merged(file["usual"], case["given"]), file["units"]))
    if case["value"] is None:
        assert (found.value, found.band) == (None, "")
        assert found.why == "not available: " + "; ".join(case["why"])
    else:
        assert found.why == ""
        assert found.value == pytest.approx(case["value"], abs=5e-5)
        assert found.band == case.get("band", found.band)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_conformance_file_tells_where_it_was_read_and_works_both_ways(name: str) -> None:
    file, score = CONFORMANCE[name], PUBLISHED[name]
    assert file["score"] == name
    assert file["source"]
    assert file["read_in"]
    assert any(case["value"] is None for case in file["cases"])
    assert {found["value"] for found in file["cases"] if score.whole} >= ({0, score.most} if score.whole else set())
