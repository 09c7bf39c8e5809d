"""The day that is asked about is told in one way only: what could be read as another, or passed over, is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from serving.fhir.asked import asked_of
from serving.strict_json import InvalidRequest

TODAY, DAY, OTHER = date(2026, 11, 23), "2026-05-20", "2026-05-21"
BUNDLE = {"resourceType": "Bundle"}


def parameters(*every: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "bundle", "resource": BUNDLE}, *every]}


def day(value: str, kind: str = "valueDate", name: str = "asOf") -> dict[str, str]:
    return {"name": name, kind: value}


@pytest.mark.parametrize(
    ("document", "query", "expected"),
    [
        (BUNDLE, [], TODAY),
        (BUNDLE, [("asOf", DAY)], date(2026, 5, 20)),
        (BUNDLE, [("_format", "json"), ("asOf", DAY), ("_pretty", "true")], date(2026, 5, 20)),
        (parameters(), [], TODAY),
        (parameters(day(DAY)), [], date(2026, 5, 20)),
        (parameters(), [("asOf", DAY)], date(2026, 5, 20)),
        (parameters(day(DAY)), [("asOf", DAY)], date(2026, 5, 20)),
    ],
)
def test_a_day_told_in_one_way_is_taken_and_none_is_today(document: object, query: list[tuple[str, str]], expected: date) -> None:
    asked = asked_of(document, query, "digest", TODAY)
    assert (asked.document, asked.as_of, asked.sha256) == (BUNDLE, expected, "digest")


@pytest.mark.parametrize(
    ("document", "query", "why"),
    [
        (BUNDLE, [("asof", DAY)], "misspelt"),
        (BUNDLE, [("as_of", DAY)], "misspelt"),
        (BUNDLE, [("asOf", DAY), ("asOf", OTHER)], "more than one place"),
        (BUNDLE, [("asOf", "2026-05")], "YYYY-MM-DD"),
        (BUNDLE, [("asOf", f"{DAY}T10:00:00Z")], "YYYY-MM-DD"),
        (parameters(day(DAY)), [("asOf", OTHER)], "more than one place"),
        (parameters(day(DAY, "valueDateTime")), [], "valueDate"),
        (parameters(day(DAY, "valueString")), [], "valueDate"),
        (parameters(day(DAY, name="asof")), [], "misspelt"),
        (parameters(day(DAY), day(OTHER)), [], "each parameter once"),
        (parameters({"name": "bundle", "resource": {}}), [], "each parameter once"),
        (parameters(None), [], "misspelt"),
        (parameters({"name": ["asOf"]}), [], "misspelt"),
        ({"resourceType": "Parameters"}, [], "a Parameters with bundle"),
    ],
)
def test_a_day_that_could_be_passed_over_is_refused(document: object, query: list[tuple[str, str]], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        asked_of(document, query, "digest", TODAY)
    assert DAY not in str(refused.value)
