"""A mark: what an exam found, and the bar it was set before anyone looked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.statistics.estimates import Estimate


@dataclass(frozen=True)
class Mark:
    """One figure against its bar; without a bar it is told and judged by nobody."""

    what: str
    value: float
    least: float = -math.inf
    most: float = math.inf
    note: str = ""

    @property
    def falls_short(self) -> bool:
        """Whether the bar is missed; a figure that could not be had misses every bar."""
        return not self.least <= self.value <= self.most and self.bar != ""

    @property
    def bar(self) -> str:
        """The bar in words."""
        low, high = math.isfinite(self.least), math.isfinite(self.most)
        if low and high:
            return f"{self.least:g} to {self.most:g}"
        return f">= {self.least:g}" if low else f"<= {self.most:g}" if high else ""

    @property
    def verdict(self) -> str:
        return "" if not self.bar else "FALLS SHORT" if self.falls_short else "holds"


def table(marks: Sequence[Mark]) -> str:
    """The marks as a reader likes them."""
    rows = [(one.what, f"{one.value:.4g}", one.bar, one.verdict, one.note) for one in marks]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def found(estimate: Estimate) -> float:
    """The value of an estimate, NaN where it could not be had."""
    return math.nan if estimate.value is None else estimate.value
