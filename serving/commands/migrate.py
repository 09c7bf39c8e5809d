"""`audit migrate`: the owner of a PostgreSQL database makes the tables of the receipts, for a service that may not."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.commands.options import DATABASE_HELP, DATABASE_VARIABLE
from serving.commands.selection import refusing

_ROLE = "The role as which the service connects: it may add receipts and read them, and nothing else."


def migrate(
    database: Annotated[str, typer.Option("--database", metavar="URL", envvar=DATABASE_VARIABLE, help=DATABASE_HELP)],
    service_role: Annotated[str, typer.Option("--service-role", metavar="NAME", help=_ROLE)],
) -> None:
    """Make the tables of the receipts in PostgreSQL, or bring them up to date; run by their owner. SQLite needs none of this."""
    with refusing():
        from serving.receipts.postgresql_owner import prepare

        prepare(database, service_role)
    typer.echo(f"the tables are there; {service_role} may add receipts and read them, and nothing else", err=True)
