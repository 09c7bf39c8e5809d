"""Resources of whatever was sent: references found without a search, the sender's words kept out, and nothing lost unseen."""

from __future__ import annotations

import time
from typing import Any

import pytest

from models.fhir.code_names import NAMES
from models.fhir.drugs import drugs_named
from models.fhir.reading import understood
from models.fhir.resources import RXNORM, resources_of
from models.fhir.tumour_codes import named_secondary, named_tumours

from .conftest import AS_OF, lab, pancreas, patient


def bundle(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | more


def test_a_further_page_is_missed_and_said() -> None:
    links = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]
    whole = bundle({"resource": patient()}, {"resource": pancreas()})
    assert understood(whole | {"link": links[:1]}, AS_OF).listed == ()
    found = understood(whole | {"link": links}, AS_OF)
    assert [str(one) for one in found.listed] == [
        "Bundle: another page: only this page was sent: what the next one holds is not known"
    ]


def test_an_entry_without_a_resource_is_counted() -> None:
    found = understood(bundle({"resource": patient()}, {"response": {"status": "404"}}, None, {"resource": {"id": "x"}}), AS_OF)
    assert [one.times for one in found.listed] == [3]
    assert found.listed[0].why == "an entry without a resource, or without a resourceType"


@pytest.mark.parametrize("id", ["<script>", "a b", "x\u202ey", "é", "a" * 65, "\r\nX-Header: 1", ""])
def test_an_id_that_is_none_in_fhir_is_not_repeated(id: str) -> None:
    found = understood([patient(), pancreas(), lab(id, "999-9", 1, "1")], AS_OF)
    assert [one.reference for one in found.listed] == ["Observation"]


@pytest.mark.parametrize(
    ("code", "told"),
    [("999-9", "999-9"), ("1\r\n\u202e2", "that is none"), ("7<img src=x>", "that is none"), ("[a](http://x)", "that is none")],
)
def test_a_code_is_repeated_only_where_it_is_made_as_codes_are(code: str, told: str) -> None:
    found = understood([patient(), pancreas(), lab("x", code, 1, "1")], AS_OF)
    assert found.listed[0].what == f"LOINC {told}"


def test_a_large_record_is_read_in_time_that_grows_with_its_length() -> None:
    rows = [lab(f"o{n}", "751-8", 1 + n % 7, "10*9/L", effectiveDateTime=f"{2000 + n // 300}-01-01") for n in range(6000)]
    sent = bundle(*({"fullUrl": f"urn:uuid:o{n}", "resource": row} for n, row in enumerate(rows)), {"resource": patient()})
    begun = time.perf_counter()
    found = understood(sent, AS_OF)
    assert found.faults == ()
    assert time.perf_counter() - begun < 3  # 0.15 s: no reference is searched for among all the others


def test_references_within_lists_and_bundles_are_found_by_each_name() -> None:
    sent = bundle({"fullUrl": "https://ehr.example/fhir/Patient/p1", "resource": patient()}, {"resource": pancreas()})
    every = resources_of(sent)
    person, disease = every.all
    for name in ("https://ehr.example/fhir/Patient/p1", "Patient/p1", "urn:uuid:p1", "Patient/p1/_history/2"):
        assert every.found({"reference": name}, disease) is person
    for name in ("", "Patient/", "Patient/p2", "#p1", "p1"):
        assert every.found({"reference": name}, disease) is None


def test_every_known_name_is_one_that_is_understood() -> None:
    for (system, code), name in NAMES.items():
        if system == RXNORM:
            assert len(drugs_named(name)) == 1, code
        elif "neoplasm" in name or "cancer" in name or "tumor" in name or "arcinoma" in name:
            assert named_tumours(name) or named_secondary(name), code


@pytest.mark.parametrize("document", [None, "x", 3, {}, [], [None], {"id": "x"}, bundle(), bundle({"response": {}})])
def test_what_is_no_resource_is_none(document: object) -> None:
    assert resources_of(document).all == ()
