"""The history in summary: yes, no and unknown are three things, and what follows from one field is known."""

from __future__ import annotations

import pytest

from models.fault import Fault
from models.history import FLAGS, NUMBERS, History, read_history


def read(**given: object) -> History:
    faults: list[Fault] = []
    found = read_history(given, {}, faults)
    assert not faults, faults
    return found


def faults_of(**given: object) -> list[Fault]:
    faults: list[Fault] = []
    read_history(given, {name: f"column {name}" for name in given}, faults)
    return faults


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("yes", 1),
        ("Y", 1),
        (True, 1),
        (1, 1),
        (1.0, 1),
        ("1.0", 1),
        ("no", 0),
        (False, 0),
        (0, 0),
        ("unknown", None),
        (None, None),
        ("", None),
    ],
)
def test_a_flag_is_yes_no_or_unknown(given: object, read_as: float | None) -> None:
    assert read(steroids_14d=given).steroids_14d == read_as


@pytest.mark.parametrize("given", ["maybe", 2, 0.5, -1])
def test_another_word_for_a_flag_is_refused(given: object) -> None:
    (fault,) = faults_of(gcsf_14d=given)
    assert (fault.field, fault.given, fault.allowed) == ("column gcsf_14d", str(given), "yes, no or unknown")


@pytest.mark.parametrize("given", [-1, 31, 1.5, "two", "1_0", "<3", float("nan"), float("inf"), True])
def test_a_number_of_lines_is_a_whole_number_in_its_range(given: object) -> None:
    faults = faults_of(prior_lines=given)
    assert given != given or [fault.allowed for fault in faults] == ["a whole number from 0 to 30"]


def test_months_need_not_be_whole() -> None:
    assert read(last_line_months="3.5").last_line_months == 3.5
    assert read(last_line_months="unknown").last_line_months is None


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ("PD", "progression"),
        ("partial response", "response"),
        ("SD", "stable"),
        ("toxicity", "toxicity"),
        ("Unknown", None),
        (None, None),
    ],
)
def test_the_outcome_of_a_line_is_read_in_the_usual_words(given: object, outcome: str | None) -> None:
    assert read(last_line_outcome=given).last_line_outcome == outcome


def test_another_outcome_and_another_field_are_refused() -> None:
    assert [fault.field for fault in faults_of(last_line_outcome="fine", prior_surgery="yes")] == [
        "column last_line_outcome",
        "column prior_surgery",
    ]


def test_what_follows_from_the_number_of_lines_is_known() -> None:
    assert read(prior_lines=2).prior_systemic_therapy == 1.0
    assert read(prior_lines=0).prior_systemic_therapy == 0.0
    assert read(prior_systemic_therapy="no").prior_lines == 0.0
    assert read(prior_systemic_therapy="yes").prior_lines is None
    assert read(days_since_radiotherapy=30).prior_radiotherapy == 1.0


@pytest.mark.parametrize(("lines", "therapy"), [(0, "yes"), (2, "no")])
def test_lines_and_therapy_that_contradict_each_other_are_refused(lines: int, therapy: str) -> None:
    (fault,) = faults_of(prior_lines=lines, prior_systemic_therapy=therapy)
    assert fault.allowed == "what prior_lines says"


def test_what_is_known_is_only_what_was_said() -> None:
    assert read().known() == {}
    assert read(gcsf_14d="no").known() == {"gcsf_14d": 0.0}
    assert History(prior_lines=1.0, gcsf_14d=0.0).filled_by(History(prior_lines=2.0)) == History(prior_lines=2.0, gcsf_14d=0.0)


def test_every_field_is_read_as_one_kind() -> None:
    assert {*FLAGS, *NUMBERS, "last_line_outcome"} == set(History.__annotations__)
    assert len(FLAGS) + len(NUMBERS) + 1 == len(History.__annotations__)
