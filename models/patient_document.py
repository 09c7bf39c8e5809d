"""A patient as understood, written down so that the very same patient can be read again years later.

Every field is there, in days before the index date and in canonical units; numbers keep every bit. Reading is strict: what is
not of its kind, or has no place here, is refused. Fields that were added to a patient after a document was written take the
value they have for a patient of whom nothing is known there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from models.analytes import ANALYTES
from models.courses import Treatment
from models.fault import Fault
from models.history import History
from models.measurements import Measurement
from models.patient import SEXES, InvalidPatient, Patient

FORMAT = 1
_Part = TypeVar("_Part", Measurement, Treatment, History)
_SIMPLE: Mapping[str, type] = {"id": str, "age_years": float, "sex": str, "tumour": str, "site": str}
_MAPS = ("extra", "audit")
_FIELDS = ("format", *_SIMPLE, "measurements", "treatments", "history", *_MAPS)
_KINDS: Mapping[type, Mapping[str, Any]] = {kind: get_type_hints(kind) for kind in (Measurement, Treatment, History)}
_REQUIRED = {kind: [one.name for one in fields(kind) if one.default is MISSING] for kind in (Measurement, Treatment, History)}
_WORDS = {"analyte": frozenset(ANALYTES), "sex": frozenset(SEXES)}  # a patient of other words is none


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
    }


def patient_from(document: object) -> Patient:
    """The patient of `patient_document`; InvalidPatient names every place that is not as that wrote it, and no value."""
    faults: list[Fault] = []
    given = _object(document, "", faults)
    if type(given.get("format")) is not int or given["format"] != FORMAT:
        faults = faults or [Fault("/format", "another", f"{FORMAT}", "written by a later version")]
        raise InvalidPatient(faults)
    _require_names(given, (*_FIELDS, "doubts"), _FIELDS, "", faults)
    if faults:
        raise InvalidPatient(faults)
    read: dict[str, Any] = {name: _value(given[name], kind, name, f"/{name}", faults) for name, kind in _SIMPLE.items()}
    read |= {"extra": _map(given["extra"], float | str, "/extra", faults), "audit": _map(given["audit"], str, "/audit", faults)}
    read["measurements"] = _parts(given["measurements"], Measurement, "/measurements", faults)
    read["treatments"] = _parts(given["treatments"], Treatment, "/treatments", faults)
    read["history"] = _part(given["history"], History, "/history", faults)
    read["doubts"] = _value(given.get("doubts", []), tuple[str, ...], "doubts", "/doubts", faults)
    if faults:
        raise InvalidPatient(faults)
    return Patient(**read)


def _written(part: Measurement | Treatment | History) -> dict[str, object]:
    return {name: getattr(part, name) for name in _KINDS[type(part)]}


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
    read = {name: _value(found[name], kinds[name], name, f"{at}/{name}", faults) for name in kinds if name in found}
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


def _map(given: object, kind: Any, at: str, faults: list[Fault]) -> dict[str, Any]:
    return {name: _value(one, kind, "", at, faults) for name, one in _object(given, at, faults).items()}


def _value(given: object, kind: Any, name: str, at: str, faults: list[Fault]) -> Any:
    """The value, if it is of the kind that the field is declared with; tuples are lists in JSON."""
    if get_origin(kind) is tuple:
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return tuple(given)
    elif any(_is(given, one) for one in (get_args(kind) if isinstance(kind, UnionType) else (kind,))) and (
        name not in _WORDS or given in _WORDS[name]
    ):
        return given
    faults.append(Fault(at, "another kind", "a value as it was written"))
    return None


_IS: Mapping[Any, Callable[[object], bool]] = {
    NoneType: lambda given: given is None,
    bool: lambda given: isinstance(given, bool),
    str: lambda given: isinstance(given, str),
    int: lambda given: isinstance(given, int) and not isinstance(given, bool),
    float: lambda given: isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given),
}


def _is(given: object, kind: Any) -> bool:
    return given in get_args(kind) if get_origin(kind) is Literal else _IS[kind](given)
