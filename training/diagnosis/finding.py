"""One question asked of a cohort, and its answer: Pass, Fail or Unknown, the number behind it, and the rows at fault.

The questions are sorted by the domains of PROBAST+AI. A question that the cohort cannot answer is Unknown, never Pass.

References
----------
Moons, Damen, Kaul et al. PROBAST+AI. BMJ 2025;388:e082505. doi:10.1136/bmj-2024-082505
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.text_table import rows_named
from training.small_cells import masked, masked_sentence

Domain = Literal["participants", "predictors", "outcome", "analysis"]
Verdict = Literal["Fail", "Unknown", "Pass"]
ORDER: tuple[Verdict, ...] = ("Fail", "Unknown", "Pass")
NAMED = 20  # rows named in JSON; the rest are counted

# whole numbers that count no patients of the cohort, and need not be hidden where they are small; any other is
_OF_NO_PATIENT = ("analytes", "columns", "horizons", "index dates of a patient", "patients needed", "statistics")


@dataclass(frozen=True)
class Finding:
    """One answer. `number` is what decided it, in its `unit`, `rows` are those of the cohort's table that are at fault."""

    item: str
    domain: Domain
    question: str
    verdict: Verdict
    number: float | None
    why: str
    rows: tuple[int, ...] = ()
    accepted: str = ""  # the reason for which a person took a Fail as it is: it stays a Fail
    outside: str = ""  # said instead of `why` where small counts could come back by subtraction
    unit: str = ""  # of the number, such as "patients", "columns", "AUC", "days"

    def as_json(self) -> dict[str, Any]:
        """As in `check --json`: at most NAMED rows, and how many there are."""
        return {**self._told(), "number": self.number, "rows": list(self.rows[:NAMED]), "rows_at_fault": len(self.rows)}

    def filed(self) -> dict[str, Any]:
        """As it may leave the hospital: no rows, counts of fewer than ten patients hidden, measures to two digits."""
        why = self.outside or masked_sentence(self.why)
        return {**self._told(), "why": why, "number": self._hidden(), "rows": [], "rows_at_fault": masked(len(self.rows))}

    def _told(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("item", "domain", "question", "verdict", "unit", "why", "accepted")}

    def _hidden(self) -> float | str | None:
        if isinstance(self.number, int):
            return self.number if self.unit in _OF_NO_PATIENT else masked(self.number)
        return None if self.number is None else float(f"{self.number:.2g}")


@dataclass(frozen=True)
class Diagnosis:
    """Every finding of a cohort, and against which other one it was held."""

    cohort: str
    findings: tuple[Finding, ...]
    against: str = ""

    @property
    def fails(self) -> tuple[Finding, ...]:
        """What failed, accepted or not."""
        return tuple(one for one in self.findings if one.verdict == "Fail")

    def count(self, verdict: Verdict) -> int:
        """How many findings have this verdict."""
        return sum(one.verdict == verdict for one in self.findings)

    def and_also(self, further: Sequence[Finding]) -> Diagnosis:
        """The same with what became known later, such as an evaluation that says nothing."""
        return Diagnosis(self.cohort, (*self.findings, *further), self.against)

    def as_json(self) -> dict[str, Any]:
        """The findings in the order in which they were asked, with their rows: for whoever has the tables."""
        return self._counted([one.as_json() for one in self.findings])

    def filed(self) -> dict[str, Any]:
        """The same as it may leave the hospital: `diagnosis.json` of an artifact."""
        return self._counted([one.filed() for one in self.findings])

    def _counted(self, findings: list[dict[str, Any]]) -> dict[str, Any]:
        counts = {"fails": self.count("Fail"), "unknown": self.count("Unknown"), "passes": self.count("Pass")}
        return {"cohort": self.cohort, "against": self.against, **counts, "findings": findings}


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """The same for a reader: Fails first, then what is unknown, then what passed."""
    counts = ", ".join(f"{diagnosis.count(verdict)} {verdict}" for verdict in ORDER)
    against = f" against {diagnosis.against}" if diagnosis.against else ""
    return "\n".join([f"May it be believed{against}? {counts}", *_lines(diagnosis)])


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    for verdict in ORDER:
        for one in diagnosis.findings:
            if one.verdict == verdict:
                number = "" if one.number is None or not one.unit else f" [{_written(one.number)} {one.unit}]"
                rows = f" ({rows_named(one.rows)})" if one.rows else ""
                accepted = f" (accepted: {one.accepted})" if one.accepted else ""
                yield f"  {verdict:<7}  {one.item}: {one.why}{number}{rows}{accepted}"


def _written(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.3g}"
