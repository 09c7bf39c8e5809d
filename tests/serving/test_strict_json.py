"""Requests are read at a glance where nothing can be wrong with them, and then as they would be read slowly, to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lymphorisk import EXAMPLE_PATIENT
from serving.strict_json import InvalidRequest, ordinary, read_json, read_slowly

JSON_TEXTS = st.sampled_from(
    ["", "a", "{", "}]", "[[", "x" * 64, "x" * 65, "x" * 300, "\u00e9", "\u202e", "\x00", "\x7f", "\\", '"', "1e9", "NaN"]
)  # fmt: skip
JSON_NUMBERS = st.sampled_from(
    ["0", "-0", "1.5", "1e5", "1E-400", "0.000000000001", "999999999999999", "1e15", "1000000000000001", "-1e16",
     "1.00000000000000000000000001", "NaN", "-Infinity", "12345678901234567890123", "01", "+1", "true", "false", "null", "nul"]
)  # fmt: skip


@st.composite
def json_like(draw: st.DrawFn, depth: int = 0) -> str:
    """Texts that are JSON, or nearly, or that break one rule of the strict reader."""
    kind = draw(st.sampled_from(["text", "raw", "number", "list", "object", "deep"] if depth < 3 else ["text", "number"]))
    if kind in ("text", "raw"):
        text = draw(JSON_TEXTS)
        return json.dumps(text, ensure_ascii=draw(st.booleans())) if kind == "text" else f'"{text}"'
    if kind == "number":
        return draw(JSON_NUMBERS)
    if kind == "deep":
        levels = draw(st.sampled_from([3, 6, 7, 31, 32, 33, 40]))
        return "[" * levels + draw(json_like(depth + 2)) + "]" * levels
    within = draw(st.lists(json_like(depth + 1), max_size=3))
    if kind == "list":
        return "[" + ",".join(within) + draw(st.sampled_from(["", "", ",", "}"])) + "]"
    keys = draw(st.lists(st.sampled_from(["a", "b", "value", "y" * 70, "}"]), min_size=len(within), max_size=len(within)))
    return "{ " + ", ".join(f'"{key}": {one}' for key, one in zip(keys, within, strict=True)) + "}"


def understood(read: Callable[[], object]) -> object:
    """What is read, to the bit and with its kinds; or every fault."""
    try:
        return repr(read())
    except InvalidRequest as error:
        return error.faults


@given(text=json_like())
@example(text='{"a": 1, "a": 2}')
@example(text='["]", ["]", [1]]]')
def test_what_is_read_at_a_glance_is_read_as_slowly(text: str) -> None:
    assert understood(lambda: read_json(text.encode())) == understood(lambda: read_slowly(text))


@pytest.mark.parametrize("indent", [None, 2])
def test_an_ordinary_request_is_read_at_a_glance(indent: int | None) -> None:
    assert ordinary(json.dumps(EXAMPLE_PATIENT, indent=indent))


@pytest.mark.parametrize(
    "text",
    ['"\\u0041"', '"\u00e9"', '"\x7f"', f'"{"x" * 65}"', "1e5", "NaN", "-Infinity", "1000000000000001", "[" * 9 + "]" * 9, "[}"],
)
def test_what_may_be_at_fault_is_not(text: str) -> None:
    assert not ordinary(text)
