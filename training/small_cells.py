"""Groups of fewer than ten patients are never counted out in anything that leaves the training computer.

A hidden count must not come back by subtraction either: beside one among several that add up to a known total, the largest
of them is rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

SMALLEST = 10  # patients; a group of one to nine is "<10"
_FEW = re.compile(r"(?<![\d.,])[1-9](?= (?:of \d+ patients|patients?\b|development deaths|deaths?\b|rows?\b))")

_EFFECTIVE = re.compile(r"(?<![\d.,])(?<!day )\d+(?= [^:;()]*(?:by effective size|\(effective size\)))")


def small(count: float) -> bool:
    """Whether a count is above 0 and below ten."""
    return 0 < count < SMALLEST


def masked(count: float) -> int | str:
    """The count, or "<10".

    >>> masked(0), masked(9), masked(10)
    (0, '<10', 10)
    """
    return f"<{SMALLEST}" if small(count) else round(count)


def about(count: float) -> int | str:
    """The count to the nearest ten, said as such."""
    return masked(count) if count < SMALLEST else f"about {round(count / SMALLEST) * SMALLEST}"


def masked_parts(counts: Sequence[float]) -> list[int | str]:
    """Counts that add up to a known total: small ones hidden and, beside any, the largest rounded.

    Two hidden ones are not safe either: what is left of the total says that both are 1 where it is 2, and both 9 where it is 18.

    >>> masked_parts([138, 9, 0, 60])
    ['about 140', '<10', 0, 60]
    >>> masked_parts([50, 1, 1]), masked_parts([60, 20])
    (['about 50', '<10', '<10'], [60, 20])
    """
    shown = [masked(count) for count in counts]
    if any(map(small, counts)):
        largest = max(range(len(counts)), key=lambda place: counts[place])
        shown[largest] = about(counts[largest])
    return shown


def masked_within(count: float, whole: float) -> int | str:
    """The count of a part, rounded where the rest of the `whole` is small.

    >>> masked_within(43, 51), masked_within(43, 60)
    ('about 40', 43)
    """
    return about(count) if small(whole - count) else masked(count)


def masked_by_name(counts: Mapping[str, float]) -> dict[str, int | str]:
    """The same for counts with names."""
    return dict(zip(counts, masked_parts(list(counts.values())), strict=True))


def without_small(counts: Mapping[str, int]) -> dict[str, int]:
    """Whole numbers for a model that travels: those of small groups left out and, beside any, the largest rounded down.

    Down, because no group may be said to have more behind it than it has.

    >>> without_small({"pancreatic": 138, "renal": 9, "sarcoma": 24}), without_small({"yes": 97, "no": 0})
    ({'pancreatic': 130, 'sarcoma': 24}, {'yes': 97, 'no': 0})
    """
    kept = {name: count for name, count in counts.items() if not small(count)}
    if len(counts) > len(kept) > 0:
        largest = max(kept, key=lambda name: kept[name])
        kept[largest] -= kept[largest] % SMALLEST
    return kept


def masked_sentence(text: str) -> str:
    """A sentence of ours in which a small count of patients, deaths or rows is said as "fewer than 10".

    An effective size is said in tens: with few lost from view it is a count, and tells by subtraction how few.

    >>> masked_sentence("9 deaths by day 30: at least 20 are needed")
    'fewer than 10 deaths by day 30: at least 20 are needed'
    >>> masked_sentence("954 patients known by day 90 (effective size) for 22 columns")
    'about 950 patients known by day 90 (effective size) for 22 columns'
    """
    return _EFFECTIVE.sub(_in_tens, _FEW.sub(f"fewer than {SMALLEST}", text))


def _in_tens(found: re.Match[str]) -> str:
    """Down, so that no size is said to reach the bar it misses."""
    size = int(found[0])
    return str(masked(size)) if size < SMALLEST else f"about {size - size % SMALLEST}"
