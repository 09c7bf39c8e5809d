"""Where two documents differ is told by place and weight, to the last bit, and never with a value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.receipts.difference import CLOSE, Difference, differences
from serving.receipts.payload import dumped, plain

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(value=values)
def test_a_document_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, plain(value))) == []


@given(was=values, now=values)
def test_documents_differ_exactly_where_their_bytes_do(was: Any, now: Any) -> None:
    assert bool(list(differences(was, now))) == (dumped(was) != dumped(now))


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        ({"a": 0.0}, {"a": -0.0}, Difference("/a", True, 0.0)),
        ({"a": 1}, {"a": 1.0}, Difference("/a", True, 0.0)),
        ({"a": True}, {"a": 1}, Difference("/a", False, 0.0)),
        ({"a": 200.0}, {"a": 201.0}, Difference("/a", True, 1 / 201)),
        ({"a": 0.25}, {"a": 0.5}, Difference("/a", True, 0.25)),
        ({"text": ["old"]}, {"text": ["new"]}, Difference("/text/0", False, 0.0)),
        ({"text": ["old"]}, {"text": []}, Difference("/text", False, 0.0)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, Difference("", False, 0.0)),
        ({"risks": {"30": 0.1}}, {"risks": {}}, Difference("/risks/30", False, math.inf)),
        ({"risks": {"30": 0.1}}, {"risks": {"30": None}}, Difference("/risks/30", False, math.inf)),
        ({"estimates": [1, 2]}, {"estimates": [1]}, Difference("/estimates", False, math.inf)),
        ({"estimates": [1]}, {"estimates": [1, 2]}, Difference("/estimates", False, 0.0)),
        ({}, {"risks": {"30": 0.1}}, Difference("/risks", False, 0.0)),
    ],
)
def test_every_kind_of_difference_has_its_place_and_weight(was: Any, now: Any, found: Difference) -> None:
    assert list(differences(was, now)) == [found]


def test_a_number_that_moved_by_less_than_the_bound_is_a_slight_difference() -> None:
    slight, more = differences([0.3, 0.3], [math.nextafter(0.3, 1), 0.3 + 2 * CLOSE])
    assert slight.slight
    assert not more.slight
