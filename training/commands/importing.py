"""A hospital's own tables become a cohort file with its three tables, and a report of what was left out."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.commands.answering import answer, refuse, refusing
from training.commands.options import AsJson

if TYPE_CHECKING:
    from training.sources.account import Account
    from training.sources.imported import Wanted

_SCHEMA = "The schema of the tables, on a PostgreSQL server."
app = typer.Typer(no_args_is_help=True, help="A source (OMOP CDM, FHIR, mCODE CSVs) becomes a cohort file and its tables.")
Out = Annotated[Path, typer.Option("--out", help="Folder for cohort file, tables and report; must not exist or be empty.")]
LineNumber = Annotated[
    int | None,
    typer.Option("--line", min=1, max=30, show_default="2", help="The index date is the day on which this line began."),
]
Day = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="One index date for everybody, in place of a line.")]
Everybody = Annotated[bool, typer.Option("--everybody", help="Persons without a tumour too; the cohort file leaves them out.")]
Extracted = Annotated[str, typer.Option("--extracted", metavar="YYYY-MM-DD", help="The day of extraction, where none is told.")]
Concepts = Annotated[list[Path] | None, typer.Option("--concepts", help="A site's own codes, in the columns of the product's.")]
Name = Annotated[str, typer.Option("--name", help="The name of the cohort.")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads of DuckDB.")]
Memory = Annotated[str, typer.Option("--memory", help="What DuckDB may hold before it moves to the disk.")]


@app.command()
def omop(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A zip or folder of CSV or Parquet, DuckDB, postgresql://...")],
    out: Out,
    line: LineNumber = None,
    on: Day = "",
    everybody: Everybody = False,
    extracted: Extracted = "",
    concepts: Concepts = None,
    name: Name = "",
    schema: Annotated[str, typer.Option("--schema", help=_SCHEMA, show_default="cdm")] = "",
    threads: Threads = 2,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """An OMOP common data model, 5.3 or 5.4: results, lines of therapy derived by written rules, follow-up."""
    with refusing(as_json):
        from training.sources.concept_sets import concepts as concept_sets
        from training.sources.omop.imported import import_files, import_server

        wanted, known = _wanted(out, line, on, everybody, extracted, name, as_json), concept_sets(*(concepts or ()))
        if source.startswith(("postgresql://", "postgres://")):
            account = import_server(source, schema or "cdm", wanted, known, _say)
        elif schema:
            refuse([f"--schema = {schema}: allowed is a schema of a PostgreSQL server, and {source} is none"], as_json)
        else:
            account = import_files(Path(source), wanted, known, threads, _memory(memory, as_json), _say)
    _answer(account, out, as_json)


@app.command()
def fhir(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A file or folder: .json (Bundles) or .ndjson (bulk export).")],
    out: Out,
    line: LineNumber = None,
    on: Day = "",
    everybody: Everybody = False,
    extracted: Extracted = "",
    name: Name = "",
    threads: Threads = 2,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """FHIR R4 resources of many patients: read as for a score, with lines of therapy derived by written rules."""
    with refusing(as_json):
        from training.sources.fhir.imported import import_resources

        wanted = _wanted(out, line, on, everybody, extracted, name, as_json)
        account = import_resources(source, wanted, threads, _memory(memory, as_json), _say)
    _answer(account, out, as_json)


@app.command()
def mcode(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="The CSVs of the mCODE extraction framework.")],
    out: Out,
    line: LineNumber = None,
    on: Day = "",
    everybody: Everybody = False,
    extracted: Extracted = "",
    name: Name = "",
    as_json: AsJson = False,
) -> None:
    """CSVs that a centre fills for the mCODE extraction framework: made FHIR resources, and read as those are."""
    with refusing(as_json):
        from training.sources.mcode.imported import import_csvs

        account = import_csvs(source, _wanted(out, line, on, everybody, extracted, name, as_json), say=_say)
    _answer(account, out, as_json)


def _answer(account: Account, out: Path, as_json: bool) -> None:
    answer(account.as_json() | {"cohort": str(out / "cohort.toml")}, f"{account.text()}\n\n{_next(out)}", as_json)
    if not account.flow[-1][-1]:
        refuse(["nobody is left: the report says who was left out and why"], as_json=False)


def _wanted(out: Path, line: int | None, on: str, everybody: bool, extracted: str, name: str, as_json: bool) -> Wanted:
    from training.sources.imported import Wanted
    from training.sources.people import Index

    if line is not None and on:
        refuse([f"--line = {line} and --date = {on}: allowed is one of the two: each says which day is the index date"], as_json)
    index = Index(line or Index.line, _day("--date", on, as_json))
    return Wanted(out, name or out.name, index, everybody, _day("--extracted", extracted, as_json))


def _day(option: str, text: str, as_json: bool) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse([f"{option} = {text}: allowed is a day as YYYY-MM-DD"], as_json)


def _memory(text: str, as_json: bool) -> str:
    if re.fullmatch(r"\d+(\.\d+)? ?[KMGT]i?B", text):
        return text
    refuse([f"--memory = {text}: allowed is a number of KB, MB, GB or TB, as 2GB"], as_json)


def _say(step: str) -> None:
    typer.echo(step, err=True)


def _next(out: Path) -> str:
    return f"{out / 'cohort.toml'}: lymphorisk check {out / 'cohort.toml'}"
