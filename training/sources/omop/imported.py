"""An OMOP source becomes a cohort: its views are opened, its tables brought to the plain ones, and the shared rules applied."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from training.sources.account import Account
from training.sources.concept_sets import Concept
from training.sources.database import DuckDb, Work, readable
from training.sources.imported import Read, Wanted, imported, require_free
from training.sources.omop.cdm import open_files, open_server
from training.sources.omop.stage import stage_concepts, stage_ignored, stage_persons, stage_results
from training.sources.omop.told import UNCLEAR, stage_diagnoses, stage_treatments

_COUNTED = ("person", "death", "observation_period", "measurement", "observation", "condition_occurrence", "drug_exposure",
            "procedure_occurrence", "episode")
_REPEATED = {
    "persons with several days of death: the first counts":
        "SELECT count(*) FROM (SELECT 1 FROM cdm_death GROUP BY person_id HAVING count(DISTINCT death_date) > 1) AS several",
    "persons with several rows in the table of persons: the latest birth counts, and a sex that differs is unknown":
        "SELECT count(*) FROM (SELECT 1 FROM cdm_person GROUP BY person_id HAVING count(*) > 1) AS several",
}
Say = Callable[[str], None]


def import_files(
    source: Path, wanted: Wanted, concepts: tuple[Concept, ...], threads: int = 2, memory: str = "2GB", say: Say = lambda _: None
) -> Account:
    """The cohort of a zip, a folder or a DuckDB file; the work is done on the disk that `wanted.out` is on."""
    require_free(wanted.out)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        readable(),
        TemporaryDirectory(dir=wanted.out.parent, prefix=".import-") as name,
        closing(DuckDb(Path(name), threads, memory)) as work,
    ):
        missing = open_files(work, source, Path(name))
        return _imported(work, wanted, concepts, missing, say)


def import_server(url: str, schema: str, wanted: Wanted, concepts: tuple[Concept, ...], say: Say = lambda _: None) -> Account:
    """The cohort of a schema on a PostgreSQL server, in one transaction that is rolled back in the end."""
    require_free(wanted.out)
    from training.sources.server import PostgreSql, reachable

    with reachable(), closing(PostgreSql(url)) as work:
        missing = open_server(work, schema)
        return _imported(work, wanted, concepts, missing, say)


def _imported(work: Work, wanted: Wanted, concepts: tuple[Concept, ...], missing: list[str], say: Say) -> Account:
    say("persons, diagnoses and drugs are read")
    stage_concepts(work, concepts)
    stage_persons(work)
    stage_diagnoses(work)
    stage_treatments(work)
    say("results are read")
    stage_results(work)
    stage_ignored(work)
    return imported(work, wanted, _read(work, missing), say)


def _read(work: Work, missing: list[str]) -> Read:
    rows = {}
    for table in _COUNTED:
        ((n,),) = work.rows(f"SELECT count(*) FROM cdm_{table}")
        rows[table] = int(n)
    name, extracted = _told(work)
    not_read = ((f"{code or 'no code'} {title}".strip(), str(why), int(n)) for code, title, why, n in work.rows(
        "SELECT code, name, why, n FROM unread ORDER BY n DESC, code, why"))
    return Read("OMOP CDM", name, rows, tuple(not_read), tuple(_notes(work, rows, missing)), extracted)


def _told(work: Work) -> tuple[str, date | None]:
    """The name of the source, and the day of its extraction, where it says so."""
    for name, source, released in work.rows("SELECT cdm_source_name, source_release_date, cdm_release_date FROM cdm_cdm_source"):
        return f"OMOP CDM {name or ''}".strip(), source or released
    return "OMOP CDM", None


def _notes(work: Work, rows: dict[str, int], missing: list[str]) -> list[str]:
    said = [f"{n} rows of diagnoses: {UNCLEAR}, or without a day" for _, n in work.rows("SELECT 'all', sum(n) FROM unclear") if n]
    for table, key, prefix in (("drug_exposure", "drug_means", "drug"), ("procedure_occurrence", "procedure_means", "procedure")):
        ((n,),) = work.rows(f"""
            SELECT count(*) FROM cdm_{table} m WHERE NOT EXISTS (SELECT 1 FROM {key} k WHERE k.concept = coalesce(
            m.{prefix}_concept_id, 0) AND k.source = coalesce(m.{prefix}_source_concept_id, 0)
            AND k.words = coalesce(m.{prefix}_source_value, ''))""")
        said += [f"{n} rows of {table}: no treatment of a tumour, no steroid and no G-CSF that is known here"] if n else []
    for why, query in _REPEATED.items():
        ((n,),) = work.rows(query)
        said += [f"{n} {why}"] if n else []
    if rows["episode"]:
        said.append(f"{rows['episode']} episodes of the source are not used: lines are derived from doses by the rules below")
    return said + [f"the source has {one}" for one in missing]
