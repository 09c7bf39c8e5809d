"""The two people of a promotion, as they proved who they are: each by an API key of their own, of the role that it takes.

Whoever holds both keys is both of them; that nobody does is for the hospital to see to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from models.api_keys import ApiKey, KeyRing, read_keys
from models.fault import Fault
from models.identity import Role
from models.seal_key import ACCESS, read_key
from training.gate.promote import Claim
from training.refused import NotSupported

PROMOTES = frozenset({Role.DATA_SCIENTIST})
APPROVES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
_LONGEST = 200  # characters of a file that holds a key


def proved_claim(
    by: Path | None,
    approved_by: Path | None,
    reason: str,
    folder: Path,
    access_key: Path | None,
    does: frozenset[Role] = PROMOTES,
    one_is: Role | None = None,
) -> Claim:
    """The claim of whoever holds the key in the file `by` (of a role that `does` it), approved by the holder of the other.

    With `one_is`, one of the two has that role, whichever it is.
    Raises NotSupported naming everything that is missing or wrong, and BrokenSeal where the keys in `folder` do not verify.
    """
    ring = KeyRing.of(read_keys(folder, read_key(access_key, ACCESS)))
    found = {"--by-key": _holder(by, ring), "--approved-by-key": _holder(approved_by, ring)}
    if faults := [*_faults(found, {"--by-key": does, "--approved-by-key": APPROVES})]:
        raise NotSupported("; ".join(fault.without_value() for fault in faults))
    one, other = (key for key in found.values() if isinstance(key, ApiKey))
    if one_is is not None and one_is not in one.roles | other.roles:
        raise NotSupported(f"--by-key, --approved-by-key: one of the two has to be of an {one_is}")
    proofs = {"by": one.identity.as_json(), "approved_by": other.identity.as_json()}
    return Claim(one.name, other.name, reason, {name: dict(told) for name, told in proofs.items()})


def _holder(path: Path | None, ring: KeyRing) -> ApiKey | str:
    """The key in the file, if it is good; why not, else."""
    if path is None:
        return "nothing"
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            written = file.read(_LONGEST).strip()
    except OSError as error:
        return os.strerror(error.errno or 0)
    return ring.find(written, datetime.now(UTC)) or "no good key"


def _faults(found: dict[str, ApiKey | str], wanted: dict[str, frozenset[Role]]) -> Iterator[Fault]:
    for option, key in found.items():
        roles = " or ".join(sorted(wanted[option]))
        if isinstance(key, str):
            yield Fault(option, key, f"a file that holds a good API key of one who is {roles}", "lymphorisk keys add makes one")
        elif key.roles.isdisjoint(wanted[option]):
            yield Fault(option, ", ".join(sorted(key.roles)), f"the key of one who is {roles}")
    prefixes = [key.prefix for key in found.values() if isinstance(key, ApiKey)]
    if len(prefixes) > len(set(prefixes)):
        yield Fault("--approved-by-key", "the same key", "another person's key: whoever promotes does not approve")
