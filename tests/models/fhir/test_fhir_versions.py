"""Versions of a resource: the newest holds, what was taken back is not read, and what nobody can order is not either."""

from __future__ import annotations

import time
from itertools import permutations
from typing import Any

import pytest

from models.fhir.reading import understood
from models.fhir.versions import OLDER, UNTOLD

from .conftest import AS_OF, lab, pancreas, patient


def version(value: float, status: str = "final", **meta: str) -> dict[str, Any]:
    return lab("a", "731-0", value, "10*9/L", status=status, meta=meta)


@pytest.mark.parametrize("field", ["lastUpdated", "versionId"])
def test_the_newest_version_holds_in_whatever_order_they_come(field: str) -> None:
    instants = ("2026-05-18T22:30:00-02:00", "2026-05-19T01:00:00Z", "2026-05-19T04:00:00+02:00")  # 00:30, 01:00, 02:00 UTC
    told = instants if field == "lastUpdated" else ("2", "1", "10")
    sent = [version(0.7 + place, **{field: when}) for place, when in enumerate(told)]
    for order in permutations(sent):
        found = understood([patient(), pancreas(), *order], AS_OF)
        assert [one["value"] for one in found.document["measurements"]] == [2.7]
        assert [(one.reference, one.why, one.times) for one in found.listed] == [("Observation/a", OLDER, 2)]


def test_a_result_that_was_taken_back_later_is_not_read() -> None:
    back = version(0.7, "entered-in-error", lastUpdated="2026-05-19T12:00:00Z")
    found = understood([patient(), pancreas(), version(0.7, lastUpdated="2026-05-18T12:00:00Z"), back], AS_OF)
    assert found.document["measurements"] == []


@pytest.mark.parametrize("meta", [({}, {}), ({"versionId": "1"}, {"versionId": "1"}), ({"versionId": "1"}, {"versionId": "b"})])
def test_where_nothing_tells_which_is_newer_none_is_read(meta: tuple[dict[str, str], dict[str, str]]) -> None:
    found = understood([patient(), pancreas(), version(0.7, **meta[0]), version(0.8, **meta[1])], AS_OF)
    assert found.document["measurements"] == []
    assert [(one.reference, one.why, one.times) for one in found.listed] == [("Observation/a", UNTOLD, 2)]


def test_the_same_resource_sent_twice_is_one() -> None:
    found = understood([patient(), pancreas(), patient(), version(0.7), version(0.7)], AS_OF)
    assert len(found.document["measurements"]) == 1
    assert (found.listed, found.faults) == ((), ())


def test_thousands_of_versions_are_ordered_in_time_that_grows_with_their_number() -> None:
    sent = [version(0.5 + n / 10000, versionId=str(n)) for n in range(20_000)]
    begun = time.perf_counter()
    found = understood([patient(), pancreas(), *sent, *sent], AS_OF)
    assert time.perf_counter() - begun < 5  # half a second
    assert [one["value"] for one in found.document["measurements"]] == [0.5 + 19_999 / 10000]
