"""What an import tells: what was recognised, converted, refused and ignored, by which rules, and who is in the cohort.

Every recognised row of results has one fate, and the fates add up; no value and no name of a patient is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from models.analytes import ANALYTES
from training.sources.rules import RULES

SHOWN = 20  # codes that are no input, the commonest first
WRITTEN = "written"


@dataclass(frozen=True)
class Account:
    """The account of one import; counts are rows, but for the flow diagram, which counts persons."""

    kind: str
    index: str
    extracted: str
    read: Mapping[str, int]  # rows by table of the source
    results: Mapping[str, Mapping[str, int]]  # analyte -> fate -> rows
    routes: Mapping[str, int]  # by what a result was recognised
    remarks: Mapping[str, int]
    not_read: tuple[tuple[str, str, int], ...]  # code and name, why, rows of results that are no input
    diagnoses: Mapping[str, int]
    doses: Mapping[str, int]  # by drug, or by modality where no drug is named
    doses_refused: Mapping[str, int]
    flow: tuple[tuple[str, int, int], ...]  # reason, left, remaining
    notes: tuple[str, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)  # rows written

    def as_json(self) -> dict[str, Any]:
        """The account, JSON-ready, with the rules."""
        found = asdict(self)
        found["not_read"] = [dict(zip(("what", "why", "rows"), one, strict=True)) for one in self.not_read[:SHOWN]]
        found["not_read_rows"] = sum(rows for *_, rows in self.not_read)
        found["flow"] = [dict(zip(("reason", "left", "remaining"), step, strict=True)) for step in self.flow]
        return found | {"rules": dict(RULES)}

    def text(self) -> str:
        """The same for a reader."""
        parts = [
            f"Import of {self.kind}, extracted {self.extracted}; the index date is {self.index}",
            _section("Read", [f"{name}: {n} rows" for name, n in self.read.items()]),
            _section("Results", [line for analyte, fates in self.results.items() for line in _analyte(analyte, fates)]),
            _section("Recognised by", [f"{route}: {n} rows" for route, n in self.routes.items()]),
            _section("Said of usable results", [f"{remark}: {n} rows" for remark, n in self.remarks.items() if n]),
            _section("Not read", [f"{what}: {n} rows, {why}" for what, why, n in self.not_read[:SHOWN]] + self._rest()),
            _section("Diagnoses", [f"{means}: {n} rows" for means, n in self.diagnoses.items()]),
            _section("Doses", [f"{drug}: {n}" for drug, n in self.doses.items()]),
            _section("Doses that do not count", [f"{why}: {n}" for why, n in self.doses_refused.items() if n]),
            _section("Who is in the cohort", [_step(*step) for step in self.flow]),
            _section("To know", list(self.notes)),
            _section("Written", [f"{name}: {n} rows" for name, n in self.files.items()]),
            _section("Rules", [f"{name}: {rule}" for name, rule in RULES]),
        ]
        return "\n\n".join(part for part in parts if part)

    def _rest(self) -> list[str]:
        rest = self.not_read[SHOWN:]
        return [f"and {sum(n for *_, n in rest)} rows of {len(rest)} other codes"] if rest else []


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _analyte(analyte: str, fates: Mapping[str, int]) -> list[str]:
    label = ANALYTES[analyte].label
    said = [f"{label}: {sum(fates.values())} rows recognised, {fates.get(WRITTEN, 0)} written"]
    return said + [f"  {n} {fate}" for fate, n in sorted(fates.items(), key=lambda one: -one[1]) if fate != WRITTEN]


def _step(reason: str, left: int, remaining: int) -> str:
    return f"{reason}: {remaining}" if not left else f"- {left} left: {reason}; {remaining} remain"
