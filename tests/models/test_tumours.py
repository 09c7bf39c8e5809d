"""The closed list of tumours, and the usual ways to write them."""

from __future__ import annotations

import pytest

from models.tumours import CA19_9_TUMOURS, HAEMATOLOGICAL, LABELS, TUMOURS, tumour_named


@pytest.mark.parametrize("name", TUMOURS)
def test_every_tumour_is_known_by_its_name_in_any_case(name: str) -> None:
    assert tumour_named(name) == tumour_named(name.upper()) == tumour_named(f"  {name.replace(' ', '_')} ") == name


def test_every_spelling_names_one_tumour() -> None:
    spellings = [word for name, words in TUMOURS.items() for word in (name, *words)]
    assert len(set(spellings)) == len(spellings)
    assert all(tumour_named(word) == name for name, words in TUMOURS.items() for word in words)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Head & Neck", "head and neck"),
        ("Esophageal", "oesophageal"),
        ("Brain", "cns"),
        ("CUP", "unknown primary"),
        ("HCC", "hepatobiliary"),
    ],
)
def test_the_usual_spellings_are_understood(given: str, name: str) -> None:
    assert tumour_named(given) == name


@pytest.mark.parametrize(
    "given", ["Multiple Myeloma", "acute leukemia", "Non-Hodgkin lymphoma", "CNS lymphoma", "haematological", "AML"]
)
def test_a_haematological_malignancy_has_a_name_of_its_own(given: str) -> None:
    assert tumour_named(given) == HAEMATOLOGICAL


@pytest.mark.parametrize("given", ["", "lung", "cancer", "3"])
def test_what_could_be_several_tumours_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="one of nsclc, sclc"):
        tumour_named(given)


def test_the_tumours_that_secrete_ca19_9_and_those_with_a_label_are_on_the_list() -> None:
    assert set(TUMOURS) >= CA19_9_TUMOURS
    assert set(LABELS) <= set(TUMOURS)
