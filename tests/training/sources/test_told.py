"""What a diagnosis of a common data model is: by its reviewed code, its ICD code and its names, which must agree."""

from __future__ import annotations

import pytest

from training.sources.omop.told import UNCLEAR, diagnosis, procedure


@pytest.mark.parametrize(("means", "code", "names", "is_"), [
    ("colorectal", "", ("Anything",), "colorectal"),
    ("", "C25.9", ("Malignant tumor of pancreas",), "pancreatic"),
    ("", "C25.9", ("Malignant neoplasm of colon",), UNCLEAR),
    ("", "C34.1", ("Malignant neoplasm of lung",), "lung"),
    ("", "C34.1", ("Small cell carcinoma of lung",), "sclc"),
    ("", "", ("Non-small cell lung cancer",), "nsclc"),
    ("", "8041/3-C34.1", (), "sclc"),
    ("", "8140/2-C18.0", (), "no cancer"),
    ("", "C78.7", (), "secondary of the liver"),
    ("", "", ("Secondary malignant neoplasm of bone",), "secondary"),
    ("", "C92.0", ("Acute myeloid leukemia",), "haematological"),
    ("", "", ("Malignant neoplasm of esophagogastric junction",), UNCLEAR),
    ("", "", ("Neoplasm of uncertain behaviour of ovary",), UNCLEAR),
    ("", "I10", ("Essential hypertension",), ""),
])
def test_a_diagnosis_is_what_code_and_names_agree_on(means: str, code: str, names: tuple[str, ...], is_: str) -> None:
    assert diagnosis(means, code, names) == is_


@pytest.mark.parametrize(("name", "modality"), [
    ("External beam radiation therapy procedure", "radiotherapy"),
    ("Administration of antineoplastic agent", "chemotherapy"),
    ("Radiotherapy planning", ""),
    ("Chemotherapy education", ""),
    ("Total colonoscopy", ""),
])
def test_a_procedure_is_told_by_its_name(name: str, modality: str) -> None:
    assert procedure("", name) == modality
