"""Which receipts a command of the auditor is about, and their opening; whatever is wrong with the store is said and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.loading import refuse

if TYPE_CHECKING:
    from serving.receipts.finding import Asked, Receipt
    from serving.receipts.keys import ReceiptKeys
    from serving.receipts.store import Store

DAY_FORMAT = ["%Y-%m-%d"]
_ID = "Receipts: a number, or the first 8 or more digits of a digest."
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help=_ID)]
Patient = Annotated[str, typer.Option("--patient", metavar="PSEUDONYM", help="All receipts of one patient.")]
Since = Annotated[datetime | None, typer.Option("--since", formats=DAY_FORMAT, help="From this day on (UTC).")]
Until = Annotated[datetime | None, typer.Option("--until", formats=DAY_FORMAT, help="Up to this day (UTC).")]


@contextmanager
def refusing() -> Iterator[None]:
    """What is wrong with a store, a key or an id is said on standard error, with exit code 1."""
    from models.artifact import InvalidArtifact
    from models.seal import BrokenSeal

    try:
        from sqlalchemy.exc import DBAPIError
    except ModuleNotFoundError as error:
        refuse(f"{error.name} is not installed: the receipts need lymphorisk[serving]")
    try:
        yield
    except DBAPIError as error:
        refuse(f"the receipts cannot be read: {error.orig}")
    except (BrokenSeal, InvalidArtifact, LookupError, ValueError, OSError) as error:
        refuse(str(error))


def opened_store(folder: Path, key: Path | None, heads: Path | None, database: str = "") -> tuple[Store, ReceiptKeys]:
    """The store, and the keys with which its receipts are read; raises what `refusing` says."""
    from serving.receipts.keys import read_keys
    from serving.receipts.store import Store

    return Store.open(folder, heads=heads, database=database), read_keys(key)


def asked_for(ids: list[str] | None, patient: str, since: datetime | None, until: datetime | None) -> Asked:
    """What was asked for on the command line."""
    from serving.receipts.finding import Asked

    if ids and patient:
        raise typer.BadParameter("allowed is either ids or --patient")
    return Asked(tuple(ids or ()), patient, since.date() if since else None, until.date() if until else None)


@contextmanager
def chosen(
    folder: Path,
    key: Path | None,
    heads: Path | None,
    database: str,
    ids: list[str] | None,
    patient: str,
    since: datetime | None,
    until: datetime | None,
    doing: str,
) -> Iterator[Iterator[Receipt]]:
    """The receipts that were asked for, opened one after another under a progress bar."""
    from tqdm import tqdm

    from serving.receipts.finding import found, unaltered

    store, keys = opened_store(folder, key, heads, database)
    bar = partial(tqdm, desc=doing, unit="receipts", disable=None)
    records = found(store, keys, asked_for(ids, patient, since, until), lambda passing, total: bar(passing, total=total))
    yield (unaltered(store, keys, record) for record in records)
