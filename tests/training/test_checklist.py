"""Every question a reviewer asks is answered from the evidence, or is said to be not available and why."""

from importlib.resources import files
from typing import Any

import pytest

from training.telling.checklist import CHECKLISTS, NOT_AVAILABLE, answers, checklist, require_known

Evidence = dict[str, dict[str, Any]]


def test_the_lists_are_complete() -> None:
    assert len(checklist("tripod_ai").items) == 52
    assert len({item.id.removeprefix("tripod_").rstrip("abcdefg") for item in checklist("tripod_ai").items}) == 27
    assert len(checklist("source_attributes").items) == 31
    parts = [item.domain.split(",")[0] for item in checklist("probast_ai").items if "judgement" not in item.id]
    assert (parts.count("quality of the development"), parts.count("risk of bias of the evaluation")) == (16, 18)


def test_no_two_items_share_an_id() -> None:
    ids = [item.id for name in CHECKLISTS for item in checklist(name).items]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_item_is_answered_or_not_available_with_a_reason(name: str, small_evidence: Evidence) -> None:
    told = answers(name, small_evidence, {})
    assert list(told) == [item.id for item in checklist(name).items]
    for item in told.values():
        answered = bool(item.get("says") or item.get("facts"))
        assert answered != bool(item.get(NOT_AVAILABLE)), item


def test_without_any_evidence_every_item_still_answers() -> None:
    told = answers("source_attributes", {}, {})
    assert len(told) == 31
    assert told["validity_in_training_source"]["says"][0]["by"] == "the product"
    assert told["intended_use"] == {"title": "Intended use", NOT_AVAILABLE: "nothing in the evidence of this run says it"}


def test_a_person_may_say_what_no_run_can_know(small_evidence: Evidence) -> None:
    told = answers("source_attributes", small_evidence, {"developer_and_contact": "  The unit, unit@hospital.example "})
    said = {"prose": "The unit, unit@hospital.example", "by": "a person, in the study file"}
    assert told["developer_and_contact"]["says"] == [said]
    assert NOT_AVAILABLE in told["funding_of_implementation"]


def test_an_answer_to_a_question_nobody_asks_is_refused_before_training() -> None:
    require_known({"developer_and_contact": "x", "tripod_18a": "y"})
    with pytest.raises(ValueError, match=r"developer_and_contacts.*likely developer_and_contact"):
        require_known({"developer_and_contacts": "x"})


def test_every_file_of_questions_is_one_of_the_lists() -> None:
    there = {path.name for path in (files("training.telling") / "checklists").iterdir()}
    assert there == {f"{name}.toml" for name in CHECKLISTS}


def test_what_is_said_of_patients_kept_for_the_end_depends_on_whether_there_are_any(small_evidence: Evidence) -> None:
    evaluation = small_evidence["evaluation.json"]["evaluations"]
    one = {"cohort": "later", "digest": "cd", "look": 1, "population": {"inside": 480, "outside": 0}, "evaluations": evaluation}
    for there in (False, True):
        evidence = small_evidence | ({"test.json": {"cohorts": [one]}} if there else {})
        told = answers("tripod_ai", evidence, {}) | answers("source_attributes", evidence, {})
        (prose,) = (said["prose"] for said in told["tripod_16"]["says"])
        assert ("test.json" in prose) == there
        assert prose.startswith("No patients were kept for the end") != there
        for name in ("external_party", "external_representativeness", "external_data", "validity_in_external_data"):
            assert (NOT_AVAILABLE in told[name]) != there, name
        assert not there or told["external_party"]["says"][0]["prose"].count("[card]") == 1
        assert "no external cohort" not in str(told)


def test_every_document_on_which_words_depend_is_one_of_the_evidence() -> None:
    asked = {document for name in CHECKLISTS for item in checklist(name).items for document in item.prose_with}
    assert asked == {"test.json"}


def test_what_a_split_cannot_promise_is_in_the_card(small_evidence: Evidence) -> None:
    how = {"temporal": {"how": "trained on earlier ones", "n": 100}, "leave one site out": {"how": "each by the others", "n": 90}}
    evidence = small_evidence | {"evaluation.json": small_evidence["evaluation.json"] | {"splits": how}}
    told = answers("tripod_ai", evidence, {})["tripod_12a"]["facts"]
    assert [one["value"] for one in told[2:4]] == ["trained on earlier ones", "each by the others"], "among the four on the page"
