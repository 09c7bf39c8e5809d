"""By which names the service may be asked: those of this computer.

A page somewhere else can make its own name stand for this computer's address (DNS rebinding), and then ask in the name of whoever
looks at it; its requests carry that name, and are refused.
"""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d*)?|([^:\[\]]*)(?::\d*)?")


def is_loopback(name: str) -> bool:
    """Whether a name or address without a port is this computer's own; another name may stand for anything."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def asked_here(host: str) -> bool:
    """Whether a Host header (RFC 9110, 2022, section 7.2) names this computer."""
    found = _HOST.fullmatch(host)
    return found is not None and is_loopback(found[1] or found[2] or "")
