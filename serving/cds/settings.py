"""Which hospital systems may ask for cards, and by which keys they sign: the table [cds] of access.toml.

    [cds]
    service = "https://risk.hospital.example"      # under which they reach this service, and for which a token must be made out
    [cds.callers.ehr]                              # one table for each system
    issuer = "https://ehr.hospital.example"        # the `iss` of its tokens
    keys_file = "ehr-keys.json"                    # its public keys, a JSON Web Key Set; a relative name is beside access.toml
    unit = "Oncology"                              # whose receipts its answers are
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from models.fault import Fault
from serving.access.settings import InvalidSettings, reachable, read_settings

CALLER_FIELDS = ("issuer", "keys_file", "unit")


@dataclass(frozen=True)
class Caller:
    """One hospital system: its name here, who it says that it is, its keys, and the unit it asks for."""

    name: str
    issuer: str
    keys: KeySet
    unit: str


@dataclass(frozen=True)
class CdsSettings:
    """The service's own address, and who may ask."""

    service: str
    callers: Mapping[str, Caller]  # by issuer


def read_cds(path: Path) -> CdsSettings | None:
    """What access.toml says of hospital systems; None where it names none. InvalidSettings, OSError."""
    given = read_settings(path).get("cds")
    if given is None:
        return None
    if faults := list(_faults(given)):
        raise InvalidSettings("\n".join(f"{path}: {fault}" for fault in faults))
    made = [_caller(name, one, path) for name, one in given["callers"].items()]
    if len({one.issuer for one in made}) != len(made):
        raise InvalidSettings(f"{path}: cds.callers: two of one issuer: allowed is each once")
    return CdsSettings(given["service"], {one.issuer: one for one in made})


def _faults(given: object) -> Iterator[Fault]:
    if not isinstance(given, dict):
        yield Fault("cds", repr(given), "a table")
        return
    unknown = [name for name in given if name not in ("service", "callers")]
    yield from (Fault(f"cds.{name}", "an unknown field", "service, callers") for name in unknown)
    service, callers = given.get("service"), given.get("callers")
    if not isinstance(service, str) or not reachable(service) or service.count("/") != 2 or "?" in service:
        yield Fault("cds.service", repr(service), "https://HOST, without a path (http on this computer alone)")
    if not isinstance(callers, dict) or not callers or not all(isinstance(one, dict) for one in callers.values()):
        yield Fault("cds.callers", "something else", "a table for each hospital system, at least one")
        return
    for name, one in callers.items():
        for field in (*CALLER_FIELDS, *one):
            if field not in CALLER_FIELDS or not isinstance(one.get(field), str) or not one[field].strip():
                yield Fault(f"cds.callers.{name}.{field}", "something else", f"texts: {', '.join(CALLER_FIELDS)}")


def _caller(name: str, given: Mapping[str, Any], path: Path) -> Caller:
    file = path.parent / given["keys_file"]
    try:
        keys = KeySet.import_key_set(json.loads(file.read_text("utf-8")))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidSettings(f"{file}: allowed is a JSON Web Key Set with public keys ({type(error).__name__})") from None
    return Caller(name, given["issuer"], keys, given["unit"])
