"""Pseudonyms and labels: nobody is named by them, and nothing runs because of them; and which names an error may repeat."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.field_names import FIELDS, repeatable
from serving.plain_words import is_label, is_pseudonym


@given(st.uuids().map(str) | st.from_regex(r"\A[0-9a-f]{64}\Z") | st.from_regex(r"\A(?:p|PT|S|sub)-?[0-9]{1,6}\Z"))
def test_what_studies_use_as_pseudonyms_is_taken(id: str) -> None:
    assert is_pseudonym(id)


@given(st.from_regex(r"\A[0-9]{3}-[0-9]{2}-[0-9]{4}\Z") | st.from_regex(r"\A[0-9]{7,12}\Z") | st.dates().map(str) | st.emails())
def test_numbers_and_addresses_of_persons_are_not_taken(id: str) -> None:
    assert not is_pseudonym(id)


@given(st.text(max_size=200))
def test_a_pseudonym_is_plain_ascii_and_a_label_begins_no_formula(text: str) -> None:
    if is_pseudonym(text):
        assert re.fullmatch(r"[A-Za-z0-9._:-]+", text)
    if is_label(text):
        assert text[0] not in "=+-@\t\r\n"
        assert len(text) <= 64


@pytest.mark.parametrize("read", [is_pseudonym, is_label])
def test_no_pattern_takes_long_over_any_text(read: Callable[[str], bool]) -> None:
    for piece in ("1.", "a", "1-", "A.a", "<", "$", "../"):
        assert read(piece * 100_000) in (True, False)


@pytest.mark.parametrize("name", ["Jane", "JanePlantagenet", "jane_plantagenet", "Smith", "p-100", "id 7", "4711", "", "'"])
def test_a_name_that_may_be_somebodys_is_not_repeated(name: str) -> None:
    assert not repeatable(name)


def test_our_own_names_are_repeated() -> None:
    assert all(map(repeatable, FIELDS))
    assert all(map(repeatable, ("ageYears", "AgeYears", "AGE_YEARS", "risk_score", "__proto__", "$ref", "tumor", "birthDate")))
