"""A source names one value and a pattern all of its kind; what is not there is said to be absent, never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.telling.pointers import at, matching

EVIDENCE = {
    "a.json": {
        "n": 12,
        "by day": {"30": {"auc": {"value": 0.7}}, "90": {"auc": {"value": 0.8}}},
        "found": [{"by": "sex", "level": "female", "auc": 0.7}, {"by": "age", "level": "old", "auc": 0.6}],
        "a/b~c": 1,
    }
}


def test_a_source_names_a_value() -> None:
    assert at(EVIDENCE, "a.json#/n") == 12
    assert at(EVIDENCE, "a.json#/found/1/level") == "old"
    assert at(EVIDENCE, "a.json#/a~1b~0c") == 1
    assert at(EVIDENCE, "a.json#") == EVIDENCE["a.json"]


@pytest.mark.parametrize("source", ["a.json#/m", "a.json#/found/2", "a.json#/found/x", "a.json#/n/x", "a.json#/found/-1"])
def test_a_place_that_is_not_there_is_named(source: str) -> None:
    with pytest.raises(LookupError, match=r"a\.json has nothing there"):
        at(EVIDENCE, source)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match=r"there is no b\.json"):
        at(EVIDENCE, "b.json#/n")


def test_a_pattern_finds_every_member_in_order_with_its_names() -> None:
    found = matching(EVIDENCE, "a.json#/by day/*/auc")
    assert [(one.source, one.value["value"], one.members) for one in found] == [
        ("a.json#/by day/30/auc", 0.7, ("30",)),
        ("a.json#/by day/90/auc", 0.8, ("90",)),
    ]
    assert found[0].labelled("AUC by day {0}") == "AUC by day 30"


def test_a_pattern_may_ask_for_a_field() -> None:
    (found,) = matching(EVIDENCE, "a.json#/found/[by=sex]/auc")
    assert (found.source, found.value) == ("a.json#/found/0/auc", 0.7)
    assert found.labelled("{by}: {level}{why}") == "sex: female", "a field that is not there leaves nothing"


def test_a_label_may_name_what_lies_further_out() -> None:
    evidence = {"a.json": {"rules": [{"label": "albumin alone", "days": {"90": {"auc": 0.7}}}]}}
    (found,) = matching(evidence, "a.json#/rules/*/days/*/auc")
    assert found.labelled("over {label}, day {1}") == "over albumin alone, day 90"


def test_what_is_absent_matches_nothing() -> None:
    assert matching(EVIDENCE, "b.json#/n") == []
    assert matching(EVIDENCE, "a.json#/strata/*/auc") == []


_documents = st.recursive(
    st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), _documents, min_size=1, max_size=4))
def test_whatever_a_pattern_finds_is_found_again_at_its_source(document: dict[str, object]) -> None:
    for pattern in ("x.json#/*", "x.json#/*/*", "x.json#/*/*/*"):
        for found in matching({"x.json": document}, pattern):
            assert at({"x.json": document}, found.source) == found.value
