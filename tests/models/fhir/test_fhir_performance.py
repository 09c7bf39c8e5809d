"""Performance status in FHIR: every grade and score by its code, and none where two disagree."""

from __future__ import annotations

from typing import Any

import pytest

from models.fhir.performance import score_in

from .conftest import LOINC, SNOMED, concept

LOINC_GRADES = ("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8")
SNOMED_GRADES = ("425389002", "422512005", "422894000", "423053003", "423237006")


@pytest.mark.parametrize("grade", range(5))
def test_an_ecog_grade_is_the_same_by_number_and_by_either_code(grade: int) -> None:
    answers = [concept(LOINC, LOINC_GRADES[grade]), concept(SNOMED, SNOMED_GRADES[grade])]
    told: list[dict[str, Any]] = [{"valueInteger": grade}, {"valueQuantity": {"value": grade}}]
    told += [{"valueCodeableConcept": one} for one in answers]
    assert [score_in(one, "ecog") for one in told] == [grade] * 4


@pytest.mark.parametrize(("code", "score"), [("LA29175-9", 100), ("LA29178-3", 70), ("LA29180-9", 50), ("LA29184-1", 10)])
def test_a_karnofsky_score_is_read_by_its_code(code: str, score: int) -> None:
    assert score_in({"valueCodeableConcept": concept(LOINC, code)}, "karnofsky") == score
    assert score_in({"valueCodeableConcept": concept(LOINC, code)}, "ecog") is None


@pytest.mark.parametrize("code", ["LA9627-6", "423409001"])
def test_death_is_no_score(code: str) -> None:
    for system in (LOINC, SNOMED):
        assert score_in({"valueCodeableConcept": concept(system, code)}, "ecog") is None


def test_a_number_and_an_answer_that_differ_are_no_score() -> None:
    both = {"valueInteger": 1, "valueCodeableConcept": concept(LOINC, "LA9624-3")}
    assert score_in(both, "ecog") is None
    assert score_in(both | {"valueInteger": 2}, "ecog") == 2


@pytest.mark.parametrize("odd", [True, "1", None, float("nan"), float("inf"), 10**400, [1], {"value": 1}])
def test_what_is_no_number_is_no_score(odd: object) -> None:
    assert score_in({"valueInteger": odd, "valueQuantity": {"value": odd}}, "ecog") is None
