"""How well the patient gets about: the ECOG grade or the Karnofsky score, told as a number or as an answer of a list.

References
----------
LOINC answer lists LL529-9 (ECOG) and LL4986-7 (Karnofsky). HL7 mCODE (STU 4, 2024): ECOGPerformanceStatus and
KarnofskyPerformanceStatus with their value sets, whose earlier release has the grades of SNOMED CT.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.fhir.resources import LOINC, SNOMED, Object, codings, number_in, object_in

SCORES = ("ecog", "karnofsky")
UNIT = "{score}"
_ECOG: Mapping[tuple[str, str], int] = {
    **{(LOINC, code): grade for grade, code in enumerate(("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8"))},
    **{(SNOMED, code): grade for grade, code in enumerate(("425389002", "422512005", "422894000", "423053003", "423237006"))},
}
# from 100 down to 10
_KARNOFSKY_CODES = (
    *("LA29175-9", "LA29176-7", "LA29177-5", "LA29178-3", "LA29179-1", "LA29180-9", "LA29181-7", "LA29182-5", "LA29183-3"),
    "LA29184-1",
)
_ANSWERS: Mapping[str, Mapping[tuple[str, str], int]] = {
    "ecog": _ECOG,
    "karnofsky": {(LOINC, code): 100 - 10 * place for place, code in enumerate(_KARNOFSKY_CODES)},
}


def score_in(part: Object, name: str) -> float | None:
    """The score of an observation or a component: a whole number, a quantity in whatever unit, or an answer of its list.

    Where a number and an answer stand beside each other and differ, none.
    """
    answers = codings(object_in(part, "valueCodeableConcept"))
    told: list[float] = [known for one in answers if (known := _ANSWERS[name].get((one.system, one.code))) is not None]
    for given in (number_in(part, "valueInteger"), number_in(object_in(part, "valueQuantity"), "value")):
        if given is not None:
            told.append(given)
    return told[0] if len(set(told)) == 1 else None
