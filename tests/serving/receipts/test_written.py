"""An answer is written down as it says itself, number for number, and no number that is none is ever written."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from serving.answer import Answer
from serving.receipts.written import dumped, written
from serving.score import score
from serving.wire import read_patient

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4) | st.tuples(inner),
    max_leaves=12,
)


def listed(document: Any) -> Any:
    """The document with lists in place of tuples, as JSON gives it back."""
    if isinstance(document, dict):
        return {name: listed(one) for name, one in document.items()}
    return [listed(one) for one in document] if isinstance(document, list | tuple) else document


@given(document=values)
def test_what_is_written_is_what_the_library_would_write_and_is_refused_where_it_would_refuse(document: object) -> None:
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:
        with pytest.raises(ValueError, match="Out of range float"):
            dumped(document)
    else:
        assert repr(json.loads(dumped(document))) == repr(listed(document))


@pytest.fixture
def answer(loaded: Artifact) -> Answer:
    measured = [("alc", 0.8, "10*9/L"), ("anc", 4.1, "10*9/L"), ("albumin", 3.4, "g/dL")]
    labs = [{"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, value, unit in measured]
    given = {"as_of": "2026-03-02", "age_years": 61.5, "sex": "female", "tumour": "pancreatic", "measurements": labs}
    (found,) = score(loaded, [read_patient(given)])
    assert isinstance(found, Answer)
    return found


def test_an_answer_is_written_as_it_says_itself(answer: Answer) -> None:
    for _ in range(2):  # the second time, what recurs is remembered
        assert list(json.loads(written(answer)).items()) == list(json.loads(json.dumps(answer.as_json())).items())


def spoilt(one: Any, name: str, to: float) -> Any:
    return one._replace(**{name: {"albumin": to} if name == "terms" else to})


NUMBERS_OF_A_HORIZON = ("risk", "low", "high", "log_odds", "base", "reference", "died_share", "time_bound", "terms")


@pytest.mark.parametrize("to", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", NUMBERS_OF_A_HORIZON)
def test_no_endless_number_of_a_horizon_is_written(answer: Answer, name: str, to: float) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        written(replace(answer, horizons=(spoilt(answer.horizons[0], name, to), *answer.horizons[1:])))


@pytest.mark.parametrize("name", ["term", "low", "high", "points", "estimated_share"])
def test_no_endless_number_of_a_group_is_written(answer: Answer, name: str) -> None:
    first, *rest = answer.horizons
    group = spoilt(first.groups[0], name, math.nan)
    with pytest.raises(ValueError, match=r"Out of range float|cannot convert float NaN"):
        written(replace(answer, horizons=(first._replace(groups=(group, *first.groups[1:])), *rest)))


def test_no_endless_input_is_written(answer: Answer) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        written(replace(answer, inputs=(answer.inputs[0]._replace(value=math.inf), *answer.inputs[1:])))


def test_no_endless_published_score_is_written(answer: Answer) -> None:
    endless = answer.published["pni"]._replace(value=math.inf)
    with pytest.raises(ValueError, match="Out of range float"):
        written(replace(answer, published={**answer.published, "pni": endless}))
