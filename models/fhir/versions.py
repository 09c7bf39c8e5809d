"""Which version of a resource holds, where several were sent: the newest, since an older one may have been taken back.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Resource.meta (versionId, lastUpdated), Bundle of type history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.fhir.days import instant
from models.fhir.resources import Resource, object_in, text_in

_Age = tuple[float | None, float | None]  # lastUpdated, versionId
UNTOLD = "several versions of it, and nothing tells which is the newest"
OLDER = "an older version of it"


def versions(resources: Iterable[Resource]) -> tuple[list[Resource], list[tuple[Resource, str]]]:
    """Each resource once, in the order of their first versions, and those that do not hold, with the reason.

    The same resource sent twice is one. Of versions that differ the newest holds, by `lastUpdated`, else by a whole `versionId`;
    where neither tells, none does.
    """
    named: dict[str, dict[_Age, list[Resource]]] = {}
    for place, one in enumerate(resources):
        of_an_age = named.setdefault(one.reference if one.id else f"#{place}", {}).setdefault((_updated(one), _numbered(one)), [])
        if not of_an_age or one.body != of_an_age[0].body:
            of_an_age.append(one)
    kept, left = [], []
    for ages in named.values():
        newest = _newest(ages)
        if newest is not None:
            kept.append(newest)
        left += [(one, OLDER if newest else UNTOLD) for same in ages.values() for one in same if one is not newest]
    return kept, left


def _newest(ages: Mapping[_Age, list[Resource]]) -> Resource | None:
    """Of versions with different ages the newest by the first field that orders them all; of one age, only the one there is."""
    if len(ages) == 1:
        (same,) = ages.values()
        return same[0] if len(same) == 1 else None
    for field in (0, 1):
        told = {known: age for age in ages if (known := age[field]) is not None}
        if len(told) == len(ages):
            same = ages[told[max(told)]]
            return same[0] if len(same) == 1 else None
    return None


def _updated(one: Resource) -> float | None:
    return instant(text_in(object_in(one.body, "meta"), "lastUpdated"))


def _numbered(one: Resource) -> float | None:
    number = text_in(object_in(one.body, "meta"), "versionId")
    return float(number) if number.isascii() and number.isdecimal() and len(number) < 16 else None
