"""Receipts in PostgreSQL for those who tamper with them, each manipulation with a database of its own; and who finds it out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from looking import outsider_says
from manipulations import Manipulation
from postgres import Server, receipts_database
from scenes import KEYS, Scene, scene

from serving.receipts.heads import HEADS
from serving.receipts.record import FIELDS, BrokenReceipt
from serving.receipts.sealed import export_sealed
from serving.receipts.store import Store
from serving.receipts.verify import verify

_NUMBERS = count(1)
_TABLES = ("records", "data_keys", "store")
_COLUMNS = ", ".join(FIELDS)
# what else a server says is a mistake of whoever wrote the manipulation
_REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException, psycopg.errors.UniqueViolation)
_SCHEMA = "-c search_path=lymphorisk"
_TRIGGERS = """SELECT tgname, relname FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid
               WHERE relnamespace = 'lymphorisk'::regnamespace AND NOT tgisinternal"""


class Translating:
    """Runs what was written for SQLite."""

    def __init__(self, connection: psycopg.Connection[Any]):
        self._connection = connection

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        return self._connection.execute(_translated(sql), parameters or None)

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        self._connection.cursor().executemany(_translated(sql), parameters)


@dataclass(frozen=True)
class Served(Scene):
    """Receipts whose records lie in a database of a server: its name, and what its tables held before the last groups."""

    server: Server
    database_name: str
    older_rows: Mapping[str, Sequence[tuple[Any, ...]]]

    def url(self, role: str) -> str:
        return self.server.url(self.database_name, role)

    @contextmanager
    def altering(self) -> Iterator[Translating]:
        """As the owner, without the triggers, which are put back as they were."""
        with self.owner() as connection:
            for table in _TABLES:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield Translating(connection)
            for (name, table) in connection.execute(_TRIGGERS).fetchall():
                connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the owner's, one transaction."""
        with psycopg.connect(self.url("owner"), options=_SCHEMA) as connection:
            yield connection

    def elsewhere(self, to: Path) -> Served:
        """The same scene with another database, to be tampered with."""
        name = f"tampered_{next(_NUMBERS)}"
        self.server.does(f"CREATE DATABASE {name} TEMPLATE {self.database_name} OWNER owner")
        shutil.copytree(self.folder, to)
        return replace(self, folder=to, database_name=name)

    def gone(self) -> None:
        """Remove its database again."""
        self.server.does(f"DROP DATABASE {self.database_name}")


def _translated(sql: str) -> str:
    sql = sql.replace("?", "%s").replace("zeroblob(60)", "decode(repeat('00', 60), 'hex')")
    return re.sub("x'([0-9a-f]*)'", r"'\\x\1'::bytea", sql)


def served(postgres: Server, root: Path, name: str = "honest") -> Served:
    """An honest scene in a database of the server."""
    service, owner = receipts_database(postgres, name)
    made = scene(root, service, owner)
    with psycopg.connect(service, options=_SCHEMA) as connection:
        older = len((made.older / HEADS).read_bytes().splitlines())
        last = _number((made.older / HEADS).read_bytes().splitlines()[older - 1])
        rows = {"records": connection.execute(f"SELECT {_COLUMNS} FROM records WHERE sequence <= {last}").fetchall()}
        rows["data_keys"] = connection.execute(
            f"SELECT * FROM data_keys WHERE key IN (SELECT key FROM records WHERE sequence <= {last})"
        ).fetchall()
    return Served(made.folder, made.witness, made.receipt, made.older, made.live, postgres, name, rows)


def _number(line: bytes) -> int:
    found = re.search(rb'"sequence":(\d+)', line)
    return int(found[1]) if found else 0


def put_back(made: Scene) -> None:
    """The tables as they were before the last groups."""
    assert isinstance(made, Served)
    with made.altering() as connection:
        for table, rows in made.older_rows.items():
            connection.execute(f"DELETE FROM {table}")
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def all_put_back(made: Scene) -> None:
    """The same, and their heads."""
    put_back(made)
    shutil.copyfile(made.older / HEADS, made.heads)


def as_owner(*statements: str) -> Callable[[Scene], None]:
    """These statements, with all that keeps them from it still there."""

    def done_to(made: Scene) -> None:
        assert isinstance(made, Served)
        with made.owner() as connection:
            for one in statements:
                connection.execute(one)

    return done_to


def missed_as_owner(one: Manipulation, made: Served) -> list[str]:
    """Who does not find out what the owner did: the operator; the outsider, by an export."""
    one.done_to(made)
    kept = {"witness": {"witnesses": [made.witness]}, "receipt": {"answers": [made.receipt]}}.get(one.kept, {})
    looks: dict[str, object] = {"operator": operator_says(made, **kept)}
    if one.outside:
        looks["outsider, of an export"] = export_says(made, **kept)
    return [who for who, said in looks.items() if not said]


def missed_as_service(statements: Sequence[str], made: Served) -> list[str]:
    """Whether what the service's role did was neither refused nor found out."""
    return [] if refused(statements, made) or operator_says(made) else ["operator"]


def refused(statements: Sequence[str], made: Served) -> bool:
    """Whether the server refused one of the statements, and with it all."""
    try:
        with psycopg.connect(made.url("service"), options=_SCHEMA) as connection:
            for one in statements:
                connection.execute(one)
    except _REFUSALS:
        return True
    return False


def operator_says(made: Served, witnesses: Sequence[Path] = (), answers: Sequence[Path] = ()) -> tuple[str, ...]:
    """What `audit verify` finds wrong, with the service's role."""
    try:
        store = Store.open(made.folder, database=made.url("service"))
        return verify(store, KEYS, witnesses=witnesses, answers=answers).faults
    except BrokenReceipt as error:
        return (str(error),)


def export_says(made: Served, witnesses: Sequence[Path] = (), answers: Sequence[Path] = ()) -> str:
    """What is wrong with an export, or why there is none."""
    out = made.folder.with_name(f"{made.folder.name}-export")
    try:
        export_sealed(Store.open(made.folder, database=made.url("service")), out)
    except BrokenReceipt as error:
        return str(error)
    return outsider_says(out, witnesses, answers)
