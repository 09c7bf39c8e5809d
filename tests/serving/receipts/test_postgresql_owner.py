"""The owner of a database makes the tables; the service may add and read, and whoever could do more is not let in."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from postgres import Server

from serving.receipts import postgresql
from serving.receipts.keys import ReceiptKeys
from serving.receipts.postgresql_owner import NotGranted, prepare
from serving.receipts.record import NoReceipt
from serving.receipts.store import NoStore, Store
from serving.receipts.writer import open_writer

Urls = tuple[str, str]


def done(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What the last of the statements says, each a transaction."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=lymphorisk") as connection:
        for one in statements:
            found = connection.execute(one)
        return found.fetchall() if found.description else []


def test_a_database_without_tables_names_what_its_owner_has_to_run(postgres: Server, folder: Path, keys: ReceiptKeys) -> None:
    postgres.does("CREATE DATABASE bare")
    way = "there are no tables for receipts in it; its owner makes them with: lymphorisk audit migrate --database URL"
    with pytest.raises(NoReceipt, match=way):
        open_writer(folder, keys, database=postgres.url("bare"))
    with pytest.raises(NoStore, match=way):
        Store.open(folder, database=postgres.url("bare"))


def test_tables_of_another_version_are_refused(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    done(urls[1], "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(NoReceipt, match="its tables are of version 0999, and this program's of 0001"):
        open_writer(folder, keys, database=urls[0])


def test_tables_are_made_once_and_rights_are_put_right_again(urls: Urls) -> None:
    done(urls[1], "GRANT UPDATE, DELETE ON records TO service", "GRANT SELECT ON store TO PUBLIC")
    prepare(urls[1], "service")
    rights = done(urls[1], "SELECT DISTINCT privilege_type FROM information_schema.table_privileges WHERE grantee = 'service'")
    assert sorted(rights) == [("INSERT",), ("SELECT",)]


@pytest.mark.parametrize(
    ("role", "made", "why"),
    [
        ("nobody_knows", "", "there is no role nobody_knows"),
        ("owner", "", "owner may do more than add and read"),
        ("mighty", "CREATE ROLE mighty SUPERUSER", "mighty may do more than add and read"),
        ("member", "CREATE ROLE member IN ROLE owner", "member may do more than add and read"),
        ("writes", "CREATE ROLE writes IN ROLE pg_write_all_data", "writes may do more than add and read"),
    ],
)
def test_a_role_that_could_do_more_is_granted_nothing(postgres: Server, urls: Urls, role: str, made: str, why: str) -> None:
    if made:
        postgres.does(made)
    with pytest.raises(NotGranted, match=why):
        prepare(urls[1], role)


def test_tables_that_were_altered_are_not_handed_to_a_service(urls: Urls) -> None:
    done(urls[1], "DROP TRIGGER no_alteration_of_records ON records")
    with pytest.raises(NotGranted, match="not as they were made: it should have the trigger no_alteration_of_records"):
        prepare(urls[1], "service")


def test_the_owner_is_no_role_to_serve_with(urls: Urls) -> None:
    postgresql.require_no_owner(urls[0])
    with pytest.raises(NoReceipt, match="owner could alter receipts: give the service a role of its own"):
        postgresql.require_no_owner(urls[1])
