"""A patient as understood, written down so that the very same patient can be read again years later.

Every field is there, in days before the index date and in canonical units; numbers keep every bit. Reading is strict: what is
not of its kind, or has no place here, is refused. Fields that were added to a patient after a document was written take the
value they have for a patient of whom nothing is known there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from inspect import Parameter, signature
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from models.analytes import ANALYTES
from models.courses import Treatment
from models.fault import Fault
from models.history import History
from models.measurements import Measurement
from models.patient import SEXES, InvalidPatient, Patient

FORMAT = 1
_Part = TypeVar("_Part", Measurement, Treatment, History)


class _Kind(NamedTuple):
    """What may stand in a field: the types that JSON gives, and the words where only some are understood."""

    types: frozenset[type]
    words: frozenset[object] | None


def _kind(declared: Any, words: Iterable[str] | None = None) -> _Kind:
    """The kind of a field by its declaration: a simple type, several of them, texts, or words of a list."""
    if get_origin(declared) is Literal:
        return _Kind(frozenset({str}), frozenset(get_args(declared)))
    if get_origin(declared) is tuple:
        return _Kind(frozenset({list}), None)
    parts = get_args(declared) or (declared,)
    whole = {int} if float in parts else set()  # a float may have been written as a whole number
    return _Kind(frozenset({*parts, *whole}), None if words is None else frozenset(words))


_WORDS = {"analyte": ANALYTES, "sex": SEXES}  # a patient of other words is none
_KINDS = {
    part: {name: _kind(declared, _WORDS.get(name)) for name, declared in get_type_hints(part).items()}
    for part in (Measurement, Treatment, History)
}
_VALUES = {part: attrgetter(*kinds) for part, kinds in _KINDS.items()}
_REQUIRED = {
    part: [name for name, one in signature(part).parameters.items() if one.default is Parameter.empty] for part in _KINDS
}
_DECLARED = get_type_hints(Patient)
_SIMPLE = {name: _kind(_DECLARED[name], _WORDS.get(name)) for name in ("id", "age_years", "sex", "tumour", "site")}
_MAPS = {name: _kind(get_args(_DECLARED[name])[1]) for name in ("extra", "audit")}
_TEXTS = _kind(tuple[str, ...])
_FIELDS = ("format", *_SIMPLE, "measurements", "treatments", "history", *_MAPS)


def patient_document(patient: Patient) -> dict[str, object]:
    """The patient as JSON-ready values, every field of him."""
    return {
        "format": FORMAT,
        **{name: getattr(patient, name) for name in _SIMPLE},
        "measurements": [_written(one) for one in patient.measurements],
        "treatments": [_written(one) for one in patient.treatments],
        "history": _written(patient.history),
        **{name: dict(getattr(patient, name)) for name in _MAPS},
        "doubts": list(patient.doubts),
    } | ({} if patient.landmark is None else {"landmark": patient.landmark})


def patient_from(document: object) -> Patient:
    """The patient of `patient_document`; InvalidPatient names every place that is not as that wrote it, and no value."""
    faults: list[Fault] = []
    given = _object(document, "", faults)
    if type(given.get("format")) is not int or given["format"] != FORMAT:
        faults = faults or [Fault("/format", "another", f"{FORMAT}", "written by a later version")]
        raise InvalidPatient(faults)
    _require_names(given, (*_FIELDS, "doubts", "landmark"), _FIELDS, "", faults)
    if faults:
        raise InvalidPatient(faults)
    read: dict[str, Any] = {name: _value(given[name], kind, f"/{name}", faults) for name, kind in _SIMPLE.items()}
    read |= {name: _map(given[name], kind, f"/{name}", faults) for name, kind in _MAPS.items()}
    read["measurements"] = _parts(given["measurements"], Measurement, "/measurements", faults)
    read["treatments"] = _parts(given["treatments"], Treatment, "/treatments", faults)
    read["history"] = _part(given["history"], History, "/history", faults)
    read["doubts"] = _value(given.get("doubts", []), _TEXTS, "/doubts", faults)
    read["landmark"] = _value(given.get("landmark"), _kind(_DECLARED["landmark"]), "/landmark", faults)
    if faults:
        raise InvalidPatient(faults)
    return Patient(**read)


def _written(part: Measurement | Treatment | History) -> dict[str, object]:
    return dict(zip(_KINDS[type(part)], _VALUES[type(part)](part), strict=True))


def _parts(given: object, kind: type[_Part], at: str, faults: list[Fault]) -> tuple[_Part, ...]:
    if not isinstance(given, list):
        faults.append(Fault(at, "another kind", "a list"))
        return ()
    read = [_part(one, kind, f"{at}/{place}", faults) for place, one in enumerate(given)]
    return tuple(one for one in read if one is not None)


def _part(given: object, kind: type[_Part], at: str, faults: list[Fault]) -> _Part | None:
    before, kinds, found = len(faults), _KINDS[kind], _object(given, at, faults)
    if isinstance(given, dict):
        _require_names(found, kinds, _REQUIRED[kind], at, faults)
    read = {name: _value(found[name], kind, f"{at}/{name}", faults) for name, kind in kinds.items() if name in found}
    return kind(**read) if len(faults) == before else None


def _object(given: object, at: str, faults: list[Fault]) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    faults.append(Fault(at or "patient", "another kind", "an object"))
    return {}


def _require_names(
    given: Mapping[str, object], known: Iterable[str], required: Iterable[str], at: str, faults: list[Fault]
) -> None:
    if set(given) - set(known):
        faults.append(Fault(at or "patient", "an unknown field", "only " + ", ".join(known)))
    faults += [Fault(f"{at}/{name}", "nothing", "a value") for name in required if name not in given]


def _map(given: object, kind: _Kind, at: str, faults: list[Fault]) -> dict[str, Any]:
    return {name: _value(one, kind, at, faults) for name, one in _object(given, at, faults).items()}


def _value(given: Any, kind: _Kind, at: str, faults: list[Fault]) -> Any:
    """The value, if it is of the kind; tuples of texts are lists in JSON."""
    if type(given) in kind.types and (kind.words is None or given in kind.words):
        if type(given) is list and all(type(one) is str for one in given):
            return tuple(given)
        if type(given) is not list and (type(given) is not float or math.isfinite(given)):
            return given
    faults.append(Fault(at, "another kind", "a value as it was written"))
    return None
