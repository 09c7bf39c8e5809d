"""Diagnoses, drugs, procedures and disease statuses of an OMOP source: each different one is judged once, by its codes and names.

The reviewed codes go first; then ICD-10 categories and the names that the vocabularies give to SNOMED CT and RxNorm, by the same
tables as resources of FHIR are read by. A drug is told by its ingredients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from models.fhir.drugs import Drug, drugs_named
from models.fhir.tumour_codes import (
    LUNG,
    LUNG_CANCERS,
    MORPHOLOGY,
    cancerous,
    icd_10_liver,
    icd_10_secondary,
    icd_10_tumour,
    named_secondary,
    named_tumours,
    names_liver,
)
from training.sources.concept_sets import NO_CANCER, OF_THE_LIVER, SECONDARY
from training.sources.database import Work
from training.sources.people import LUNG_UNCLEAR

_ICD = re.compile(r"[CD]\d\d(\.?[0-9A-Z]{1,4})?", re.ASCII)
_ICD_O_3 = re.compile(r"(\d{4}/\d)-(C\d\d(?:\.\d)?)", re.ASCII)
_RADIATION = re.compile(r"radiotherapy|radiation therapy|brachytherapy|teletherapy|irradiation|radiosurgery")
_CHEMOTHERAPY = re.compile(r"chemotherapy|antineoplastic")
_NOT_GIVEN = re.compile(r"planning|consult|education|history|simulation|refus|declin|verification|evaluation")
UNCLEAR = "a neoplasm that is no tumour of the list, or of which codes and names differ"


def diagnosis(means: str, code: str, names: tuple[str, ...]) -> str:
    """A tumour, a word of concept_sets, LUNG_UNCLEAR, UNCLEAR, or "" for what is about no tumour.

    `means` is that of a reviewed code, `code` one of ICD-10 or ICD-O-3, `names` those of its concepts.

    >>> diagnosis("", "C25.9", ()), diagnosis("", "", ("Secondary malignant neoplasm of liver",)), diagnosis("", "C34.1", ())
    ('pancreatic', 'secondary of the liver', 'lung')
    >>> diagnosis("", "8140/3-C34.1", ()), diagnosis("", "", ("Essential hypertension",))
    ('nsclc', '')
    """
    if means:
        return means
    morphology = _ICD_O_3.fullmatch(code)
    site = morphology[2] if morphology else code
    if icd_10_secondary(site) or any(map(named_secondary, names)):
        liver = icd_10_liver(site) or any(map(names_liver, names))
        return OF_THE_LIVER if liver else SECONDARY
    if morphology and not morphology[1].endswith("/3"):
        return NO_CANCER
    kind = MORPHOLOGY.get(morphology[1], "") if morphology else ""
    told = [found for found in ({icd_10_tumour(site)} - {""}, *map(named_tumours, names)) if found]
    meant = [{*found, *(LUNG_CANCERS if LUNG in found else ())} for found in told]
    possible: set[str] = set.intersection(*meant) if meant else set()
    possible &= {kind} if kind in possible else possible
    if LUNG in possible:
        return LUNG_UNCLEAR
    if len(possible) == 1:
        return possible.pop()
    return UNCLEAR if told or any(map(cancerous, names)) else ""


def procedure(means: str, name: str) -> str:
    """The modality of a procedure, "" for what treats no tumour.

    >>> procedure("", "Brachytherapy (procedure)"), procedure("", "Radiotherapy planning")
    ('radiotherapy', '')
    """
    plain = name.lower()
    if means or _NOT_GIVEN.search(plain):
        return means
    return "radiotherapy" if _RADIATION.search(plain) else "chemotherapy" if _CHEMOTHERAPY.search(plain) else ""


def stage_diagnoses(work: Work) -> None:
    """Make `diagnosed`, and `unclear`: neoplasms that are none of the list, by code."""
    keys = _keyed(work, "condition_occurrence", "condition", "condition_keys")
    columns = {"concept": "BIGINT", "source": "BIGINT", "words": "TEXT", "means": "TEXT"}
    work.fill("condition_means", columns, _diagnoses(keys))
    work.keep("diagnosed", f"""
        SELECT CAST(m.person_id AS VARCHAR) AS person, m.condition_start_date AS day, k.means
        FROM cdm_condition_occurrence m JOIN condition_means k ON {_same('condition')}
        WHERE k.means <> '{UNCLEAR}' AND m.condition_start_date IS NOT NULL""")
    work.keep("unclear", f"""
        SELECT k.means, count(*) AS n FROM cdm_condition_occurrence m JOIN condition_means k ON {_same('condition')}
        WHERE k.means = '{UNCLEAR}' OR m.condition_start_date IS NULL GROUP BY k.means""")


def _diagnoses(keys: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for concept, source, words, means, code, vocabulary, name, source_name in keys:
        is_icd = vocabulary.startswith(("ICD10", "ICDO3"))
        read = code if is_icd else words.strip().upper() if not source and _ICD.fullmatch(words.strip().upper()) else ""
        if found := diagnosis(means, read, tuple(one for one in (name, source_name) if one)):
            yield concept, source, words, found


def _keyed(work: Work, table: str, prefix: str, name: str) -> list[tuple[Any, ...]]:
    """Each different concept of a table with its reviewed meaning, the code and vocabulary of its source, and its names."""
    work.keep(name, f"""
        SELECT DISTINCT coalesce(m.{prefix}_concept_id, 0) AS concept, coalesce(m.{prefix}_source_concept_id, 0) AS source,
               coalesce(m.{prefix}_source_value, '') AS words FROM cdm_{table} m""")
    kind = {"drug_exposure": "drug", "procedure_occurrence": "procedure"}.get(table, "condition")
    return list(work.rows(f"""
        SELECT k.concept, k.source, k.words, coalesce(a.means, s.means, t.means, ''),
               coalesce(sc.concept_code, c.concept_code, ''), coalesce(sc.vocabulary_id, c.vocabulary_id, ''),
               coalesce(c.concept_name, ''), coalesce(sc.concept_name, '')
        FROM {name} k
        LEFT JOIN meanings a ON a.kind = '{kind}' AND a.concept_id = k.concept
        LEFT JOIN meanings s ON s.kind = '{kind}' AND s.concept_id = k.source
        LEFT JOIN texts t ON t.kind = '{kind}' AND t.code = k.words AND k.concept = 0
        LEFT JOIN cdm_concept c ON c.concept_id = k.concept AND k.concept <> 0
        LEFT JOIN cdm_concept sc ON sc.concept_id = k.source AND k.source <> 0"""))


def _same(prefix: str) -> str:
    return (f"k.concept = coalesce(m.{prefix}_concept_id, 0) AND k.source = coalesce(m.{prefix}_source_concept_id, 0) "
            f"AND k.words = coalesce(m.{prefix}_source_value, '')")


def stage_treatments(work: Work) -> None:
    """Make `dosed` of drugs and procedures, and `statuses`."""
    columns = {"concept": "BIGINT", "source": "BIGINT", "words": "TEXT", "modality": "TEXT", "agent": "TEXT"}
    ingredients = _ingredients(work)
    work.fill("drug_means", columns, _drugs(_keyed(work, "drug_exposure", "drug", "drug_keys"), ingredients))
    procedures = _keyed(work, "procedure_occurrence", "procedure", "procedure_keys")
    kinds = ((*row[:3], procedure(row[3], row[6] or row[7])) for row in procedures)
    work.fill("procedure_means", columns, ((*row, "") for row in kinds if row[3]))
    supplied = "m.drug_exposure_start_date + CAST(greatest(coalesce(m.days_supply, 1), 1) - 1 AS INTEGER)"
    work.keep("dosed", f"""
        SELECT CAST(m.person_id AS VARCHAR) AS person, k.modality, k.agent, m.drug_exposure_start_date AS since,
               coalesce(m.drug_exposure_end_date, {supplied}) AS until
        FROM cdm_drug_exposure m JOIN drug_means k ON {_same('drug')}
        UNION ALL
        SELECT CAST(m.person_id AS VARCHAR), k.modality, k.agent, m.procedure_date,
               coalesce(m.procedure_end_date, m.procedure_date)
        FROM cdm_procedure_occurrence m JOIN procedure_means k ON {_same('procedure')}""")
    work.keep("statuses", """
        SELECT CAST(m.person_id AS VARCHAR) AS person, m.observation_date AS day, k.means AS outcome FROM cdm_observation m
        JOIN meanings k ON k.kind = 'status' AND k.concept_id = m.value_as_concept_id
        UNION SELECT CAST(m.person_id AS VARCHAR), m.observation_date, k.means FROM cdm_observation m
        JOIN meanings k ON k.kind = 'status' AND k.concept_id = m.observation_concept_id
        UNION SELECT CAST(m.person_id AS VARCHAR), m.measurement_date, k.means FROM cdm_measurement m
        JOIN meanings k ON k.kind = 'status' AND k.concept_id = m.value_as_concept_id""")


def _ingredients(work: Work) -> dict[int, list[str]]:
    """The names of the ingredients of each drug, where the source has its vocabularies' ancestors."""
    found: dict[int, list[str]] = {}
    for concept, name in work.rows("""
        SELECT DISTINCT a.descendant_concept_id, c.concept_name FROM cdm_concept_ancestor a
        JOIN cdm_concept c ON c.concept_id = a.ancestor_concept_id AND c.concept_class_id = 'Ingredient'
        JOIN (SELECT DISTINCT drug_concept_id FROM cdm_drug_exposure) AS d ON d.drug_concept_id = a.descendant_concept_id"""):
        found.setdefault(int(concept), []).append(str(name))
    return found


def _drugs(keys: list[tuple[Any, ...]], ingredients: dict[int, list[str]]) -> Iterator[tuple[Any, ...]]:
    for concept, source, words, means, _, _, name, source_name in keys:
        product = name or source_name or words
        told = [means] if means else [product, *ingredients.get(int(concept), ())]
        yield from ((concept, source, words, drug.modality, drug.name) for drug in _of_product(product, told))


def _of_product(product: str, told: list[str]) -> list[Drug]:
    """The drugs of a product; none of one that stays on the surface, and none that is told more exactly by another name."""
    found: list[Drug] = []
    for one in told:
        for drug in drugs_named(one if one == product else f"{one} {product}"):
            if not any(drug.name in other.name for other in found):
                found.append(drug)
    return found
