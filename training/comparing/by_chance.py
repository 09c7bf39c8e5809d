"""In how many groups are the deaths not those expected, and in how many would that be so by chance alone?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CHANCE = 0.05  # of 95 % intervals of a true value leave it out

Stratum = Mapping[str, Any]


def off_by_chance(strata: Sequence[Stratum]) -> tuple[list[Stratum], str]:
    """The strata (their JSON) whose interval of observed over expected leaves 1 out, and how many they are, in words.

    >>> one = {"observed_expected": {"value": 1.2, "low": 1.1, "high": 1.3}}
    >>> off_by_chance([one] * 20)[1]
    'O:E differs from 1 in 20 of 20 groups with an interval (by chance alone about 1, 5 % of them)'
    """
    judged = [one for one in strata if (one.get("observed_expected") or {}).get("low") is not None]
    off = [one for one in judged if not one["observed_expected"]["low"] <= 1.0 <= one["observed_expected"]["high"]]
    expected = CHANCE * len(judged)
    chance = f"about {expected:.0f}" if expected >= 1 else "less than one"
    among = f"{len(off)} of {len(judged)} groups with an interval"
    return off, f"O:E differs from 1 in {among} (by chance alone {chance}, 5 % of them)"
