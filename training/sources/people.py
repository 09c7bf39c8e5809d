"""Who is in the cohort: an index date, a tumour known by then, follow-up from then on; whoever is left out is counted once.

The index date is the day on which the line of a given number began, the decision to start it being the time origin of the models,
or one calendar day for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from training.sources.concept_sets import NO_CANCER, OF_THE_LIVER, SECONDARY
from training.sources.database import Work
from training.sources.rules import DEATH_DAYS

NO_LINE, NO_TUMOUR = "no line of therapy of that number", "no malignant primary tumour recorded by the index date"
_SEVERAL, _UNCLEAR = "several malignant primaries recorded by the index date", "lung cancer whose histology is not told"
LUNG_UNCLEAR = "lung"
_REASONS = (
    ("o.index_date IS NULL", NO_LINE),
    ("o.born IS NULL", "no date of birth"),
    ("o.died < o.index_date", "dead before the index date"),
    ("o.until IS NULL", "not under observation on the index date"),
)
_NEVER = (("o.ever IS NULL", "no malignant primary tumour recorded at any time"),)
_OF_THE_TUMOUR = (
    ("o.tumours = 0 AND o.lungs = 1", _UNCLEAR),
    ("o.tumours = 0", NO_TUMOUR),
    ("o.tumours > 1", _SEVERAL),
)


@dataclass(frozen=True)
class Index:
    """The index date: the first day of the line of this number, or a calendar day for everybody."""

    line: int = 2
    day: date | None = None

    def __str__(self) -> str:
        return f"the day {self.day}" if self.day else f"the day on which line {self.line} of systemic therapy began"


def choose(work: Work, index: Index, everybody: bool) -> None:
    """Make `candidates`, every person with the reason why it is `gone`, and `chosen`, the rows of the table of patients."""
    work.keep("indexed", _indexed(index))
    of_a_tumour = f"means NOT IN ('{SECONDARY}', '{OF_THE_LIVER}', '{NO_CANCER}')"
    tumours = f"{of_a_tumour} AND means <> '{LUNG_UNCLEAR}'"
    work.keep("known", f"""
        SELECT i.person, count(DISTINCT CASE WHEN {tumours} THEN means END) AS tumours,
               min(CASE WHEN {tumours} THEN means END) AS tumour,
               max(CASE WHEN means = '{LUNG_UNCLEAR}' THEN 1 ELSE 0 END) AS lungs,
               max(CASE WHEN means = '{OF_THE_LIVER}' THEN 1 ELSE 0 END) AS liver
        FROM indexed i JOIN diagnosed d ON d.person = i.person AND d.day <= i.index_date GROUP BY i.person""")
    work.keep("followed", """
        SELECT i.person, max(o.until) AS until FROM indexed i
        JOIN observed o ON o.person = i.person AND o.since <= i.index_date AND o.until >= i.index_date GROUP BY i.person""")
    work.keep("origins", f"""
        SELECT p.*, v.person AS ever, i.index_date, coalesce(k.tumours, 0) AS tumours, k.tumour, coalesce(k.lungs, 0) AS lungs,
               coalesce(k.liver, 0) AS liver, f.until
        FROM persons p LEFT JOIN indexed i ON i.person = p.person LEFT JOIN known k ON k.person = p.person
        LEFT JOIN followed f ON f.person = p.person
        LEFT JOIN (SELECT DISTINCT person FROM diagnosed WHERE {of_a_tumour}) AS v ON v.person = p.person""")
    reasons = _reasons(everybody)
    gone = " ".join(f"WHEN {wrong} THEN '{reason}'" for wrong, reason in reasons)
    work.keep("candidates", f"SELECT o.*, CASE {gone} ELSE '' END AS gone FROM origins o")
    work.keep("chosen", f"SELECT c.*, {_ended()} FROM candidates c WHERE gone = ''")


def _reasons(everybody: bool) -> tuple[tuple[str, str], ...]:
    return _REASONS if everybody else (*_NEVER, *_REASONS, *_OF_THE_TUMOUR)


def _indexed(index: Index) -> str:
    if index.day is not None:
        return f"SELECT person, DATE '{index.day:%Y-%m-%d}' AS index_date FROM persons"
    return f"SELECT person, min(since) AS index_date FROM courses WHERE line = {index.line:d} GROUP BY person"


def _ended() -> str:
    """Death where it was observed, else the end of the period."""
    seen = f"c.died IS NOT NULL AND c.died <= c.until + {DEATH_DAYS:d}"
    return f"""CASE WHEN {seen} THEN 1 ELSE 0 END AS is_dead,
        CASE WHEN {seen} THEN c.died ELSE c.until END - c.index_date AS days,
        CASE WHEN c.died > c.until + {DEATH_DAYS:d} THEN 1 ELSE 0 END AS late_death"""


def flow(work: Work, everybody: bool) -> list[tuple[str, int, int]]:
    """The flow diagram: the reason, how many left for it, how many remained."""
    counted = dict(work.rows("SELECT gone, count(*) FROM candidates GROUP BY gone"))
    remaining = int(sum(counted.values()))
    steps = [("persons read", 0, remaining)]
    for _, reason in _reasons(everybody):
        if left := int(counted.get(reason, 0)):
            remaining -= left
            steps.append((reason, left, remaining))
    return steps
