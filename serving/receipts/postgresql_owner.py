"""What the owner of a PostgreSQL database does for the service, which may not: make the tables, and grant two rights on them."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection, text

from serving.receipts.migrating import migrate
from serving.receipts.postgresql_session import engine_of, require_url, session_of
from serving.receipts.postgresql_tables import RIGHTS, SCHEMA, differences, powerful

_THERE = text("SELECT to_regnamespace(:schema) IS NOT NULL")
_KNOWN = text("SELECT 1 FROM pg_roles WHERE rolname = :role")


class NotGranted(ValueError):
    """Nothing was made or granted; the message says why, and what to do first."""


def prepare(url: str, role: str) -> None:
    """Make the tables or bring them up to date, and let `role` add to them and read them: no more, and nobody else anything.

    All in one transaction. Raises NotGranted for a role that is not there or could do more than that, and for tables that are
    not as the migrations made them; ValueError for what is no URL; SQLAlchemyError where the server refuses.
    """
    require_url(url)
    engine = engine_of(lambda: session_of(url))
    with engine.begin() as connection:
        if connection.execute(_KNOWN, {"role": role}).first() is None:
            raise NotGranted(f"there is no role {role}: CREATE ROLE {role} LOGIN makes it")
        if not connection.execute(_THERE, {"schema": SCHEMA}).scalar():
            connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        migrate(connection)
        if powerful(connection, role):
            raise NotGranted(f"{role} may do more than add and read: the service needs a role that owns and administers nothing")
        _grant(connection, role)
        if faults := differences(connection):
            raise NotGranted(f"the tables are not as they were made: {'; '.join(faults)}")


def _grant(connection: Connection, role: str) -> None:
    for whom in (sql.SQL("PUBLIC"), sql.Identifier(role)):
        for what in (f"SCHEMA {SCHEMA}", *(f"TABLE {SCHEMA}.{name}" for name in RIGHTS)):
            _do(connection, sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.SQL(what), whom))
    _do(connection, sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.SQL(SCHEMA), sql.Identifier(role)))
    for name, rights in RIGHTS.items():
        table = sql.Identifier(SCHEMA, name)
        _do(connection, sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), table, sql.Identifier(role)))


def _do(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string())
