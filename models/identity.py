"""Who somebody is, as far as it was proved, and in which roles they may act.

A name alone is a claim. An identity was shown by an API key, by a token that an identity provider signed, or by nothing but being
at this computer; `by` says which, and stands in every record of what was done in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for; one person may be here for several things."""

    CLINICIAN = "clinician"
    DATA_SCIENTIST = "data scientist"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whose name was proved.

    `name` is unique among those that `by` vouches for: "key:<prefix>" (an API key), an issuer's URL (OpenID Connect), or "this
    computer". `unit` is the part of the hospital whose receipts a clinician may see; who has none ("") sees what they asked for
    themselves.
    """

    name: str
    roles: frozenset[Role]
    unit: str
    by: str

    def as_json(self) -> Mapping[str, object]:
        """As it is kept with what was done."""
        return {"name": self.name, "roles": sorted(self.roles), "unit": self.unit, "by": self.by}
