"""An export of FHIR resources becomes a cohort: sorted by patient, brought to the plain tables, and the shared rules applied."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from training.sources.account import Account
from training.sources.database import DuckDb, Work, readable
from training.sources.fhir.files import Sorted, sort_files
from training.sources.fhir.stage import stage_bundles
from training.sources.imported import Read, Wanted, imported, require_free

Say = Callable[[str], None]
UNOBSERVED = (
    "no period of observation is told: follow-up of those not recorded dead ends with their last record of any kind, which is no "
    "proof that they were under observation until then"
)


def import_resources(
    source: Path, wanted: Wanted, threads: int = 2, memory: str = "2GB", say: Say = lambda _: None
) -> Account:
    """The cohort of a file or folder of FHIR R4 resources: .json (Bundles, lists) or .ndjson (bulk export)."""
    require_free(wanted.out)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        readable(),
        TemporaryDirectory(dir=wanted.out.parent, prefix=".import-") as name,
        closing(DuckDb(Path(name), threads, memory)) as work,
    ):
        say("resources are sorted by patient")
        found = sort_files(work, source)
        return of_sorted(work, found, wanted, "FHIR R4", say)


def of_sorted(work: Work, found: Sorted, wanted: Wanted, kind: str, say: Say) -> Account:
    """The cohort of resources that lie in `sorted`."""
    extracted = wanted.extracted or today()
    say("resources are read")
    stage_bundles(work, found, extracted)
    rows = work.rows("SELECT what, why, n FROM listed ORDER BY n DESC, what, why")
    listed = [(str(what), _as_of_extraction(str(why)), int(n)) for what, why, n in rows]
    listed += [(*one.split(": ", 1), n) for one, n in found.unread.most_common()]  # type: ignore[misc]
    return imported(work, wanted, Read(kind, kind, dict(found.kinds), tuple(listed), (UNOBSERVED,), extracted), say)


def _as_of_extraction(why: str) -> str:
    """The reader is the one of a request, for which a day after the last one is after the index date."""
    return why.replace("after the index date", "after the day of extraction")


def today() -> date:
    """The day on which nothing later can have been extracted."""
    return datetime.now(UTC).date()
