"""By which names the service may be asked: those of this computer, and those it was given.

A page somewhere else can make its own name stand for this computer's address (DNS rebinding), and then ask in the name of whoever
looks at it; its requests carry that name, and are refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_HOST = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d*)?|([^:\[\]]*)(?::\d*)?")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def is_loopback(name: str) -> bool:
    """Whether a name or address without a port is this computer's own; another name may stand for anything."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def asked_here(host: str) -> bool:
    """Whether a Host header names this computer."""
    return is_loopback(_named(host))


class Hosts:
    """The names by which the service may be asked: `names`, and with `loopback` those of this computer."""

    def __init__(self, names: Iterable[str] = (), *, loopback: bool = True):
        """ValueError for a name that can be none of a computer."""
        self.names, self.loopback = frozenset(map(_checked, names)), loopback
        self._known: set[bytes] = set()  # headers that were allowed before: nobody can make it longer than there are spellings

    def allows(self, header: bytes) -> bool:
        """Whether a Host header names one of them, whatever the port."""
        if header in self._known:
            return True
        name = _named(header.decode("latin-1")).lower()
        if not (name in self.names or (self.loopback and is_loopback(name))):
            return False
        if len(self._known) < 64:
            self._known.add(header)
        return True

    def __str__(self) -> str:
        """In words, for whoever asked by another name."""
        own = ["localhost and loopback addresses"] if self.loopback else []
        return " and ".join([*sorted(self.names), *own]) or "no name"


def _named(host: str) -> str:
    """The name or address of a Host header (RFC 9110, 2022, section 7.2) without its port; nothing where it is not one."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1] or found[2] or ""


def _checked(name: str) -> str:
    small = name.lower()
    if not _NAME.fullmatch(small) and not _is_address(small):
        raise ValueError(f"{name!r} names no computer: allowed is a name like scores.hospital.example, without scheme or port")
    return small


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
