"""Which tumour a Condition tells: by code, by name, by histology; what is unclear stays unknown, and is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.fhir.tumour_codes import LUNG, icd_10_tumour, named_tumours
from models.fhir.understood import Understood
from models.tumours import TUMOURS

from .conftest import SNOMED, concept, of_patient, pancreas, patient

Read = Callable[..., Understood]
ICD, MORPHOLOGY = "http://hl7.org/fhir/sid/icd-10-cm", "http://terminology.hl7.org/CodeSystem/icd-o-3"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"


def condition(id: str, code: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return of_patient("Condition", id, code=code) | fields


@pytest.mark.parametrize(
    ("code", "tumour"),
    [
        *[("C25.0", "pancreatic"), ("C18.7", "colorectal"), ("C20", "colorectal"), ("C67.9", "bladder")],
        *[("C83.3", "haematological"), ("C50.911", "breast"), ("C64.9", "renal"), ("C15.5", "oesophageal")],
        *[("C34.90", ""), ("D12.6", ""), ("I10", ""), ("C25.4", "other"), ("C7A.8", "other"), ("C7B.03", "")],
    ],
)
def test_icd_10_tells_the_tumour(read: Read, code: str, tumour: str) -> None:
    found = read(patient(), condition("x", concept(ICD, code)), bare=True)
    assert found.document.get("tumour", "") == tumour
    assert bool(found.listed) is not bool(tumour)


def test_every_category_of_icd_10_has_at_most_one_tumour_of_the_list() -> None:
    told = {icd_10_tumour(f"C{number:02d}") for number in range(98)} - {""}
    assert told <= {*TUMOURS, "haematological", LUNG}
    assert {icd_10_tumour(f"{letter}25") for letter in "ABDEFGZ"} == {""}


@pytest.mark.parametrize(
    ("name", "tumour"),
    [
        ("Malignant tumor of pancreas (disorder)", "pancreatic"),
        ("Infiltrating duct carcinoma of breast (disorder)", "breast"),
        ("Non-small cell lung cancer (disorder)", "nsclc"),
        ("Primary malignant neoplasm of colon", "colorectal"),
        ("Malignant neoplasm of lung", LUNG),
        ("Carcinoma in situ of prostate (disorder)", ""),
        ("Neoplasm of prostate", ""),
        ("Family history of malignant neoplasm of breast", ""),
        ("Suspected lung cancer (situation)", ""),
        ("Fatty liver", ""),
        ("Adenocarcinoma, lung", "nsclc"),
        ("Lung adenocarcinoma", "nsclc"),
        ("Large cell neuroendocrine carcinoma of lung", "other"),
        ("Small cell neuroendocrine carcinoma of lung", "sclc"),
        ("Malignant neoplasm of gallbladder", "hepatobiliary"),
        ("Malignant neoplasm of urinary bladder", "bladder"),
        ("Malignant neoplasm of head of pancreas", "pancreatic"),
        ("Malignant neuroendocrine tumor of pancreas", "other"),
        ("Carcinosarcoma of endometrium", "endometrial"),
        ("Malignant melanoma of rectum", "melanoma"),
        ("Malignant neoplasm of skin of breast", "other"),
    ],
)
def test_a_name_tells_the_tumour_only_where_it_is_a_malignant_primary(name: str, tumour: str) -> None:
    assert named_tumours(name) == ({tumour} - {""})


def test_lung_cancer_needs_its_histology(read: Read) -> None:
    organ = condition("l", concept(ICD, "C34.1", "Malignant neoplasm of upper lobe, bronchus or lung"))
    found = read(patient(), organ, bare=True)
    assert "tumour" not in found.document
    assert found.listed[0].why == "lung cancer without a histology: small-cell or not is never guessed"
    url = f"{MCODE}mcode-histology-morphology-behavior"
    told = organ | {"extension": [{"url": url, "valueCodeableConcept": concept(MORPHOLOGY, "8041/3")}]}
    assert read(patient(), told, bare=True).document["tumour"] == "sclc"
    named = condition("l", {"coding": [{"system": ICD, "code": "C34.1"}], "text": "Adenocarcinoma of the lung"})
    assert read(patient(), named, bare=True).document["tumour"] == "nsclc"


def test_a_code_and_its_words_must_not_name_different_tumours(read: Read) -> None:
    found = read(patient(), condition("x", concept(ICD, "C25.9", "Malignant neoplasm of breast")), bare=True)
    assert "tumour" not in found.document
    assert found.listed[0].why == "its code and its words name different tumours"


@pytest.mark.parametrize(
    "changes",
    [
        {"verificationStatus": concept("x", "refuted")},
        {"verificationStatus": concept("x", "entered-in-error")},
        {"verificationStatus": concept("x", "differential")},
        {"verificationStatus": concept("x", "provisional")},
        {"verificationStatus": concept("x", "unconfirmed")},
        {"abatementDateTime": "2026-05-01"},
        {"clinicalStatus": concept("x", "resolved")},
        {"clinicalStatus": concept("x", "remission")},
        {"onsetDateTime": "2026-06-01"},
        {"recordedDate": "2026-06-01"},
    ],
)
def test_what_is_not_so_on_the_index_date_does_not_count(read: Read, changes: dict[str, Any]) -> None:
    found = read(patient(), pancreas(**changes), bare=True)
    assert "tumour" not in found.document
    assert [one.reference for one in found.listed] == ["Condition/c1"]


def test_of_several_primaries_none_is_chosen_unless_one_claims_to_be_it(read: Read) -> None:
    other = condition("c2", concept(ICD, "C61", "Malignant neoplasm of prostate"))
    found = read(patient(), pancreas(), other, bare=True)
    assert "tumour" not in found.document
    assert {one.reference for one in found.listed} == {"Condition/c1", "Condition/c2"}
    claims = other | {"meta": {"profile": [f"{MCODE}mcode-primary-cancer-condition"]}}
    chosen = read(patient(), pancreas(), claims, bare=True)
    assert chosen.document["tumour"] == "prostate"
    assert [one.why for one in chosen.listed] == ["another primary is read, prostate"]


@pytest.mark.parametrize(
    ("code", "liver"),
    [
        (concept(ICD, "C78.7"), True),
        (concept(SNOMED, "94381002", "Secondary malignant neoplasm of liver (disorder)"), True),
        (concept(SNOMED, "94222008", "Secondary malignant neoplasm of bone (disorder)"), False),
    ],
)
def test_metastases_of_the_liver_are_told_and_their_absence_never(read: Read, code: dict[str, Any], liver: bool) -> None:
    found = read(condition("m", code))
    assert found.document.get("history") == ({"liver_metastases": "yes"} if liver else None)
    assert found.document["tumour"] == "pancreatic"
    assert bool(found.listed) is not liver


def test_what_ended_after_the_index_date_was_so_on_it(read: Read) -> None:
    found = read(patient(), pancreas(clinicalStatus=concept("x", "resolved"), abatementDateTime="2026-08-01"), bare=True)
    assert found.document["tumour"] == "pancreatic"


def test_the_places_lead_to_the_conditions(read: Read) -> None:
    liver = condition("m", concept(ICD, "C78.7"))
    found = read(patient(), pancreas(), liver, bare=True)
    assert (found.places["/tumour"], found.places["/history/liver_metastases"]) == ("Condition/c1", "Condition/m")


@pytest.mark.parametrize(
    ("code", "tumour"), [("372003004", "pancreatic"), ("363418001", "pancreatic"), ("254637007", "nsclc"), ("93880001", None)]
)
def test_a_code_without_words_is_read_by_its_known_name(read: Read, code: str, tumour: str | None) -> None:
    found = read(patient(), condition("c", concept(SNOMED, code)), bare=True)
    assert found.document.get("tumour") == tumour


def test_icd_10_cm_is_known_by_its_object_identifier_too(read: Read) -> None:
    found = read(patient(), condition("c", concept("urn:oid:2.16.840.1.113883.6.90", "C25.0")), bare=True)
    assert found.document["tumour"] == "pancreatic"


def test_words_that_name_two_organs_are_decided_by_the_code_or_not_at_all(read: Read) -> None:
    words = "Malignant neoplasm of esophagogastric junction"
    assert read(patient(), condition("x", concept(ICD, "C16.0", words)), bare=True).document["tumour"] == "gastric"
    found = read(patient(), condition("x", {"text": words}), bare=True)
    assert "tumour" not in found.document
    assert found.listed[0].why == "its words name several organs"


def test_a_code_of_the_lung_and_words_of_another_organ_contradict_each_other(read: Read) -> None:
    found = read(patient(), condition("x", concept(ICD, "C34.1", "Malignant neoplasm of breast")), bare=True)
    assert "tumour" not in found.document
    assert found.listed[0].why == "its code and its words name different tumours"


def test_a_neuroendocrine_tumour_of_the_pancreas_is_no_carcinoma_of_it(read: Read) -> None:
    url = f"{MCODE}mcode-histology-morphology-behavior"
    for morphology, tumour in (("8246/3", "other"), ("8500/3", "pancreatic"), ("8140/3", "pancreatic")):
        told = pancreas(extension=[{"url": url, "valueCodeableConcept": concept(MORPHOLOGY, morphology)}])
        assert read(patient(), told, bare=True).document["tumour"] == tumour


@pytest.mark.parametrize(("letter", "tumour"), [("G", "pancreatic"), ("A", None), ("V", None), ("Z", None)])
def test_the_german_letter_beside_a_code_says_how_sure_it_is(read: Read, letter: str, tumour: str | None) -> None:
    told = {"url": "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit", "valueCoding": {"code": letter}}
    coded = {"coding": [{"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "C25.1", "extension": [told]}]}
    found = read(patient(), condition("c", coded), bare=True)
    assert found.document.get("tumour") == tumour
    assert len(found.listed) == (tumour is None)
