"""Every fault of a cohort's rows, told once per column and rule, with the rows it was found in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from models.fault import Fault
from models.text_table import in_rows, rows_named

_GIVEN = 3  # values shown


@dataclass
class RowFaults:
    """Collects faults row by row; a column in the wrong unit is one fault with a thousand rows, not a thousand faults."""

    _found: dict[tuple[str, str, str], list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, row: int, fault: Fault) -> None:
        """`fault` was found in `row` of `table`."""
        self._found[table, fault.field, fault.allowed].append((row, fault.given, fault.likely))

    @property
    def places(self) -> set[str]:
        """The places at fault, as the rows name them ("column albumin_g_dl")."""
        return {place for _, place, _ in self._found}

    def faults(self, without: Collection[str] = ()) -> list[Fault]:
        """One fault for each place and rule, in the order in which they were met; none of the places `without`."""
        found = {key: each for key, each in self._found.items() if key[1] not in without}
        return [_gathered(table, place, allowed, each) for (table, place, allowed), each in found.items()]


def _gathered(table: str, place: str, allowed: str, found: Sequence[tuple[int, str, str]]) -> Fault:
    values = list(dict.fromkeys(given for _, given, _ in found))
    given = ", ".join(values[:_GIVEN]) + (", ..." if len(values) > _GIVEN else "")
    return in_rows(table, [row for row, _, _ in found], Fault(place, given, allowed, _causes(found)))


def _causes(found: Sequence[tuple[int, str, str]]) -> str:
    """The likely cause; where rows differ in it, each with its rows, the commonest first."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, _, likely in found:
        rows[likely].append(row)
    told = sorted((cause for cause in rows if cause), key=lambda cause: -len(rows[cause]))
    if len(rows) == 1 or len(told) < 2:
        return "".join(told)
    return ", or ".join(f"{cause} ({rows_named(rows[cause])})" for cause in told)
