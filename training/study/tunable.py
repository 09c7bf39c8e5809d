"""What a search may change of the learners, and how far.

The stiffness of the calibration is not among them: IPA, by which a search chooses, would buy overall fit with slopes that can no
longer be believed (see `training.learners.recalibrate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both allowed.

    >>> 4 in Range(1, 8), str(Range(0.5, 32))
    (True, '0.5 to 32')
    """

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Tunable:
    """A setting: its default (several where it grows with the cohort), where it is searched, and what nobody may leave.

    `log`: searched by ratios; `whole`: whole numbers only.
    """

    defaults: tuple[float, ...]
    searched: Range
    allowed: Range
    log: bool = True
    whole: bool = False


# Names and defaults are those of LinearSettings and TreeSettings (`training.learners`). Ranges reach as far below a default as
# above it, by ratio, where there is room: a search finds as easily that it was too high as that it was too low. Trees deeper than
# four could not be explained exactly by leaf tables of four columns.
TUNABLE: Mapping[str, Tunable] = MappingProxyType(
    {
        "linear.penalty": Tunable((40.0,), Range(5, 320), Range(0.1, 10_000)),
        "linear.bends": Tunable((10.0,), Range(1, 100), Range(0.1, 1_000)),
        "linear.change": Tunable((4.0,), Range(0.5, 32), Range(0.01, 1_000)),
        "linear.unsigned": Tunable((4.0,), Range(1, 16), Range(0.1, 1_000)),
        "trees.rounds": Tunable((150, 300), Range(50, 600), Range(10, 5_000), whole=True),
        "trees.depth": Tunable((3,), Range(1, 4), Range(1, 4), log=False, whole=True),
        "trees.rate": Tunable((0.05,), Range(0.0125, 0.2), Range(0.001, 1)),
        "trees.least_child_weight": Tunable((15.0,), Range(3, 75), Range(0.1, 10_000)),
        "trees.l2": Tunable((5.0,), Range(0.5, 50), Range(0.01, 10_000)),
        "trees.rows": Tunable((0.8,), Range(0.5, 1), Range(0.1, 1), log=False),
        "trees.columns": Tunable((0.5,), Range(0.25, 1), Range(0.1, 1), log=False),
    }
)
SPACE: Mapping[str, Range] = MappingProxyType({name: one.searched for name, one in TUNABLE.items()})
