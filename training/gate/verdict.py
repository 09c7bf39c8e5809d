"""What the gate says of one criterion: whether it holds, the number it was judged by, what was allowed, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.small_cells import masked_sentence

Cell = Mapping[str, Any]
"""An estimate as evidence tells it: value, low, high, and why where one of them is missing."""


@dataclass(frozen=True)
class Verdict:
    """One criterion: `where` it was judged, what was `found` and what is `allowed`; `why` explains what the two do not."""

    criterion: str
    holds: bool
    where: str
    found: str
    allowed: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def at_least(criterion: str, where: str, cell: Cell, least: float) -> Verdict:
    """Whether an estimate reaches `least`."""
    value = cell["value"]
    return Verdict(criterion, value is not None and value >= least, where, shown(cell), f"{least:g} or more", _why(cell))


def above(criterion: str, where: str, cell: Cell, bar: float) -> Verdict:
    """Whether even the lower end of the interval lies above `bar`: a gain that chance would not explain."""
    low = cell["low"]
    return Verdict(criterion, low is not None and low > bar, where, shown(cell, "+"), f"lower end above {bar:+g}", _why(cell))


def within(criterion: str, where: str, cell: Cell, band: tuple[float, float]) -> Verdict:
    """Whether an estimate lies in a band, both ends allowed."""
    low, high = band
    value = cell["value"]
    inside = value is not None and low <= value <= high
    return Verdict(criterion, inside, where, shown(cell), f"{low:g} to {high:g}", _why(cell))


def missing(criterion: str, where: str, why: str) -> Verdict:
    """What cannot be judged does not hold."""
    return Verdict(criterion, False, where, "nothing", "a number", masked_sentence(why))


def shown(cell: Cell, sign: str = "") -> str:
    """A value with its interval."""
    value, low, high = (cell[name] for name in ("value", "low", "high"))
    if value is None:
        return "nothing"
    ends = "" if low is None or high is None else f" ({low:{sign}.3f} to {high:{sign}.3f})"
    return f"{value:{sign}.3f}{ends}"


def _why(cell: Cell) -> str:
    return masked_sentence(str(cell.get("why", "")))


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts for a reader, one a line, those that do not hold marked."""
    width = max((len(f"{one.criterion}, {one.where}") for one in verdicts), default=0)
    lines = []
    for one in verdicts:
        allowed = f"; allowed: {one.allowed}" if one.allowed else ""
        why = f"; {one.why}" if one.why else ""
        mark = "holds" if one.holds else "FAILS"
        lines.append(f"  {mark}  {f'{one.criterion}, {one.where}':<{width}}  {one.found}{allowed}{why}")
    return "\n".join(lines)
