"""`audit erase`: what the receipts of a patient say is made unreadable on request; that and when they were given stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_RECEIPTS, AsJson, Database, Heads, Receipts, ReceiptsKey
from serving.commands.selection import refusing
from serving.loading import refuse

if TYPE_CHECKING:
    from serving.receipts.record import Record
    from serving.receipts.store import Store

_PATIENT = "The patient's pseudonym: everything that was recorded under it."
_RECEIPT = "A receipt, by number or the beginning of its digest; with it go the others of its patient, whose key they share."
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who erases; recorded.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded. Name no patient in it.")]


def erase(
    by: By,
    reason: Reason,
    patient: Annotated[str, typer.Option("--patient", metavar="PSEUDONYM", help=_PATIENT)] = "",
    receipt: Annotated[str, typer.Option("--receipt", metavar="ID", help=_RECEIPT)] = "",
    receipts: Receipts = DEFAULT_RECEIPTS,
    receipts_key: ReceiptsKey = None,
    heads: Heads = None,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """Erase what a patient's receipts say, for ever: their places in the chain stay. The service must be stopped meanwhile.

    Not where they lie in PostgreSQL: there the owner of the tables may erase beside it.
    """
    if bool(patient) == bool(receipt):
        raise typer.BadParameter("allowed is either --patient PSEUDONYM or --receipt ID")
    if not by.strip() or not reason.strip():
        raise typer.BadParameter("allowed is a name, and a reason: both are recorded", param_hint="--by, --reason")
    with refusing():
        from serving.commands.selection import opened_store
        from serving.receipts.finding import named
        from serving.receipts.record import NoReceipt
        from serving.receipts.writer import open_writer

        store, keys = opened_store(receipts, receipts_key, heads, database)
        asked = named(store, receipt) if receipt else None
        concerned = _sharing(store, asked) if asked else _kept(store, keys.subject(patient))
        if not concerned:
            refuse("nothing to erase: nothing is kept under that name, or it was erased before")
        try:
            with open_writer(receipts, keys, heads=heads, database=database, say=_say) as writer:
                (event,) = writer.erase(by=by, reason=reason, sequence=concerned[0].sequence)
        except NoReceipt as error:
            way = "Only the owner of the tables may" if database else "A service that is running must be stopped first"
            refuse(f"nothing was erased: {error}. {way}")
    _report(concerned, event.sequence, as_json)


def _kept(store: Store, subject: str) -> list[Record]:
    """The records of a patient that can still be read: they share one key, since an erased one is followed by another."""
    return [record for record in store.of_subject(subject) if store.wrapped(record.key)]


def _sharing(store: Store, asked: Record) -> list[Record]:
    """The records that are encrypted with the key of this one, if it is still there."""
    if not asked.key or store.wrapped(asked.key) is None:
        return []
    return [record for record in store.of_subject(asked.subject) if record.key == asked.key]


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _report(erased: list[Record], event: int, as_json: bool) -> None:
    numbers = [record.sequence for record in erased]
    if as_json:
        typer.echo(json.dumps({"erased": numbers, "event": event}))
    typer.echo(f"{len(numbers):,} receipts can be read by nobody any more; record {event} tells of it. {_COPIES}", err=True)


_COPIES = "Backups and exports of them are copies that only you can find"
