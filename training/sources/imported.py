"""From the plain tables of a source to a cohort on disk: results settled, lines derived, persons chosen, all of it told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from models.fault import Fault
from models.mapping import InvalidCohort
from training.sources.account import Account
from training.sources.database import Work
from training.sources.draws import fates, place_all, remarks, settle
from training.sources.people import Index, choose, flow
from training.sources.spans import make_spans
from training.sources.therapy import Therapy, lines_into
from training.sources.written import write_cohort_file, write_tables

_DOSES = "the same dose of the same drug twice: counted once"


@dataclass(frozen=True)
class Wanted:
    """What an import is asked for. `everybody` keeps persons without a tumour, whom the cohort file then leaves out."""

    out: Path
    name: str
    index: Index = field(default_factory=Index)
    everybody: bool = False
    extracted: date | None = None  # else what the source says, else the last day of anybody's observation


@dataclass(frozen=True)
class Read:
    """What the reading of a source has to tell beside the plain tables."""

    kind: str
    source: str
    rows: Mapping[str, int]
    not_read: tuple[tuple[str, str, int], ...] = ()
    notes: tuple[str, ...] = ()
    extracted: date | None = None


def imported(work: Work, wanted: Wanted, read: Read, say: Callable[[str], None]) -> Account:
    """Write cohort file, tables and report into the folder that was asked for, which appears when it is whole."""
    extracted = _extracted(work, wanted, read)
    say("results are judged and placed")
    place_all(work, extracted)
    say("doses become lines of therapy")
    therapy = lines_into(work, extracted, wanted.everybody)
    say("persons are chosen")
    choose(work, wanted.index, wanted.everybody)
    settle(work)
    make_spans(work)
    say("tables are written")
    account = _account(work, wanted, read, therapy, extracted)
    with _whole(wanted.out) as folder:
        write_tables(work, folder)
        write_cohort_file(folder, read.kind, wanted.name, read.source, str(wanted.index), wanted.everybody)
        (folder / "report.json").write_text(json.dumps(account.as_json(), indent=2) + "\n", encoding="utf-8")
        (folder / "report.txt").write_text(account.text() + "\n", encoding="utf-8")
    return account


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A folder inside `out` whose files take their places in the end, the cohort file last: nothing half-written looks whole."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".import-") as name:
        yield Path(name)
        for path in sorted(Path(name).iterdir(), key=lambda path: path.suffix == ".toml"):
            path.replace(out / path.name)


def require_free(out: Path) -> None:
    """FileExistsError where something lies in the folder already: an import never overwrites a cohort."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty: an import never overwrites a cohort")


def _extracted(work: Work, wanted: Wanted, read: Read) -> date:
    ((last,),) = work.rows("SELECT max(until) FROM observed")
    found = wanted.extracted or read.extracted or last
    if not isinstance(found, date):
        allowed = "the day of extraction: --extracted YYYY-MM-DD, as no observation period tells the last day"
        raise InvalidCohort([Fault(read.source, "no day", allowed)])
    return found


def _account(work: Work, wanted: Wanted, read: Read, therapy: Therapy, extracted: date) -> Account:
    counted = "SELECT {0}, count(*) FROM {1} GROUP BY {0} ORDER BY 2 DESC, 1"
    refused = dict(sorted(therapy.refused.items())) | ({_DOSES: therapy.repeated} if therapy.repeated else {})
    return Account(
        kind=read.kind,
        index=str(wanted.index),
        extracted=extracted.isoformat(),
        read=read.rows,
        results=dict(sorted(fates(work).items())),
        routes=_counts(work, counted.format("route", "placed")),
        remarks=remarks(work),
        not_read=read.not_read,
        diagnoses=_counts(work, counted.format("means", "diagnosed")),
        doses=dict(therapy.used.most_common()),
        doses_refused=refused,
        flow=tuple(flow(work, wanted.everybody)),
        notes=(*read.notes, *_notes(work, therapy)),
        files=_written(work),
    )


def _counts(work: Work, select: str) -> dict[str, int]:
    return {str(name): int(n) for name, n in work.rows(select)}


def _written(work: Work) -> dict[str, int]:
    found = {}
    doses = "courses WHERE person IN (SELECT person FROM chosen)"
    tables = {"patients": "chosen", "measurements": "settled WHERE fate = ''", "treatments": "spans", "doses": doses}
    for name, rows in tables.items():
        ((n,),) = work.rows(f"SELECT count(*) FROM {rows}")
        found[f"{name}.parquet"] = int(n)
    return found


def _notes(work: Work, therapy: Therapy) -> list[str]:
    """What is no fault and should be known."""
    ((made_up, late, at_index, later),) = work.rows("""
        SELECT (SELECT count(*) FROM chosen WHERE born_exact = 0), (SELECT count(*) FROM chosen WHERE late_death = 1),
               (SELECT count(*) FROM settled s JOIN chosen c ON c.person = s.person AND c.index_date = s.day WHERE fate = ''),
               (SELECT count(*) FROM settled s JOIN chosen c ON c.person = s.person AND c.index_date < s.day WHERE fate = '')""")
    said = {
        f"{therapy.lines} lines of therapy derived from doses, not told by the source": therapy.lines,
        f"{made_up} persons without day or month of birth: 1 July or the first of the month, the age may be a year off": made_up,
        f"{late} deaths long after the end of observation: follow-up ends with the observation": late,
        f"{at_index} results of the index date itself: they count as known on it": at_index,
        f"{later} results after the index date: in the tables for histories, in no feature of the index date": later,
    }
    return [note for note, n in said.items() if n]
