"""Who was in a cohort is told by groups of ten or more, and values by the quartiles of those in whom they are known."""

from typing import Any

import numpy as np

from models.history import History
from models.measurements import Measurement
from models.patient import Patient
from training.telling.baseline import baseline


def _patient(number: int, albumin: float | None, race: str = "") -> Patient:
    measured = () if albumin is None else (Measurement("albumin", albumin, 0.0),)
    history = History(prior_lines=float(number % 5), prior_systemic_therapy=1.0 if number % 5 else 0.0)
    tumour = "sarcoma" if number < 4 else "nsclc"
    return Patient(str(number), 40.0 + number, "female", tumour, measured, history=history, audit={"race": race} if race else {})


def _groups(told: dict[str, object], of: str) -> dict[str, object]:
    groups: Any = told["groups"]
    return {row["level"]: row["patients"] for row in groups if row["of"] == of}


def _number(told: dict[str, object], of: str) -> dict[str, Any]:
    numbers: Any = told["numbers"]
    return next(row for row in numbers if row["of"] == of)


def test_small_groups_are_hidden_and_not_to_be_had_by_subtraction() -> None:
    told = baseline([_patient(number, None) for number in range(60)])
    assert _groups(told, "tumour") == {"non-small cell lung": "about 60", "sarcoma": "<10"}
    assert _groups(told, "prior lines") == {"0": 12, "1": 12, "2": 12, "3 or more": 24}
    assert _groups(told, "age") == {"75 years or older": 25, "under 75 years": 35}
    assert _groups(told, "site") == {}, "nobody has one"


def test_a_value_is_told_by_the_quartiles_of_those_who_have_it() -> None:
    values = np.linspace(30.0, 45.0, 40)
    told = baseline([_patient(number, values[number] if number < 40 else None) for number in range(60)])
    found = _number(told, "Albumin")
    assert (found["measured"], found["missing"], found["missing_share"], found["unit"]) == (40, 20, 0.333, "g/L")
    assert found["median"] == float(f"{np.median(values):.3g}")
    assert _number(told, "age")["missing"] == 0


def test_what_few_have_or_few_lack_gives_nothing_away() -> None:
    rare = _number(baseline([_patient(number, 38.0 if number < 7 else None) for number in range(60)]), "Albumin")
    assert (rare["measured"], rare["missing"]) == ("<10", "about 50")
    assert not {"median", "missing_share"} & set(rare)
    usual = _number(baseline([_patient(number, 38.0 if number < 55 else None) for number in range(60)]), "Albumin")
    assert (usual["measured"], usual["missing"]) == ("about 60", "<10")
    assert "missing_share" not in usual


def test_what_is_kept_for_audit_is_a_group_of_its_own() -> None:
    told = baseline([_patient(number, None, "a" if number < 30 else "b") for number in range(60)])
    assert _groups(told, "race (for audit only)") == {"a": 30, "b": 30}
