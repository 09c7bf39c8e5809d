"""Which identity provider vouches for people here, and which of its groups have which role: the table [oidc] of access.toml.

    [oidc]
    issuer = "https://id.hospital.example/realms/staff"   # its discovery document is read from there
    audience = "lymphorisk"                               # whom a program's tokens are made out for
    client_id = "lymphorisk-pages"                        # under which browsers sign in; with `service`
    client_secret_file = "/run/secrets/lymphorisk-oidc"   # where the provider gave one
    service = "https://risk.hospital.example"             # under which browsers reach this service
    roles_claim = "groups"                                # a.b is the b within a
    unit_claim = "department"                             # whose receipts a clinician may see
    name_claim = "sub"                                    # under which people stand in the receipts
    [oidc.roles]
    "oncology-ward" = "clinician"                         # who is in no group named here has no role
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from models.fault import Fault
from models.identity import Role
from serving.hosts import is_loopback

NAME = "access.toml"
_TABLES = ("oidc", "limits", "cds")  # the others are read by `serving.limits` and `serving.cds.settings`
_NEEDED = ("issuer", "audience", "roles_claim")
_TEXTS = (*_NEEDED, "client_id", "client_secret_file", "service", "unit_claim", "name_claim")


class InvalidSettings(ValueError):
    """An access.toml that may not be used as it stands; the message names every fault."""


@dataclass(frozen=True)
class Oidc:
    """What is asked of an identity provider; `client_id` and `service` are "" where no browser signs in there."""

    issuer: str
    audience: str
    roles_claim: str
    roles: Mapping[str, Role]
    unit_claim: str = ""
    name_claim: str = "sub"
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    service: str = ""


def read_oidc(path: Path) -> Oidc | None:
    """What access.toml says of the identity provider; None where it names none. InvalidSettings, OSError."""
    document = read_settings(path)
    faults = [Fault(name, "a table", f"one of {', '.join(_TABLES)}") for name in document if name not in _TABLES]
    given = document.get("oidc")
    if given is not None:
        faults += _faults(given)
    if faults:
        raise InvalidSettings("\n".join(f"{path}: {fault}" for fault in faults))
    return None if given is None else _made(given, path)


def read_settings(path: Path) -> Mapping[str, Any]:
    """Everything that stands in access.toml; nothing where there is none. InvalidSettings, OSError."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is no TOML in UTF-8: {error}") from None


def reachable(url: str) -> bool:
    """Whether a URL may be asked: over HTTPS, or on this computer."""
    found = _parts(url)
    if found is None or not found.hostname or found.username is not None or found.fragment:
        return False
    return found.scheme == "https" or (found.scheme == "http" and is_loopback(found.hostname))


def _parts(url: str) -> SplitResult | None:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return None
    return found if url.isascii() and url.isprintable() and " " not in url else None


def _faults(given: object) -> Iterator[Fault]:
    """Everything that is wrong with the table."""
    if not isinstance(given, dict):
        yield Fault("oidc", repr(given), "a table")
        return
    for name, value in given.items():
        if name not in (*_TEXTS, "roles"):
            yield Fault(f"oidc.{name}", repr(value), f"one of {', '.join((*_TEXTS, 'roles'))}")
        elif name != "roles" and (not isinstance(value, str) or not value.strip()):
            yield Fault(f"oidc.{name}", repr(value), "a text")
    for name in _NEEDED:
        if name not in given:
            yield Fault(f"oidc.{name}", "nothing", "a text")
    yield from _role_faults(given.get("roles"))
    yield from _url_faults(given)


def _role_faults(roles: object) -> Iterator[Fault]:
    if not isinstance(roles, dict) or not roles:
        yield Fault("oidc.roles", repr(roles), '"group of the provider" = "role", at least one')
        return
    for group, role in roles.items():
        if role not in list(Role):
            yield Fault(f'oidc.roles."{group}"', repr(role), f"one of {', '.join(Role)}")


def _url_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    issuer, service = given.get("issuer"), given.get("service")
    if isinstance(issuer, str) and (not reachable(issuer) or "?" in issuer):
        yield Fault("oidc.issuer", repr(issuer), "an https URL without query (http on this computer alone)")
    if isinstance(service, str) and (not reachable(service) or service.count("/") != 2 or "?" in service):
        yield Fault("oidc.service", repr(service), "https://HOST, without a path (http on this computer alone)")
    if ("client_id" in given) != ("service" in given):
        yield Fault("oidc.client_id, oidc.service", "one of them", "both, so that browsers can sign in, or neither")
    if "client_secret_file" in given and "client_id" not in given:
        yield Fault("oidc.client_secret_file", repr(given["client_secret_file"]), "one only beside client_id")


def _made(given: Mapping[str, Any], path: Path) -> Oidc:
    rest = {name: value for name, value in given.items() if name not in ("client_secret_file", "roles")}
    roles = {group: Role(role) for group, role in given["roles"].items()}
    return Oidc(**rest, roles=roles, client_secret=_secret(given.get("client_secret_file", ""), path))


def _secret(file: str, path: Path) -> str:
    """The first line of the file; a relative name is beside access.toml."""
    if not file:
        return ""
    found = (path.parent / file).read_text("utf-8").partition("\n")[0].strip()
    if not found:
        raise InvalidSettings(f"{path}: oidc.client_secret_file is empty: allowed is a file whose first line is the secret")
    return found
