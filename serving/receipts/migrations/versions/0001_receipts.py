"""The first tables: the store, its records, the keys of patients, and the triggers that keep them as they were written."""

import sqlalchemy as sa
from alembic import op

from serving.receipts.postgresql_tables import FUNCTIONS, ONE_STORE, SCHEMA, TRIGGERS

revision = "0001"
down_revision = None

# what may never be done to which table; a record is never altered, a key may only go
FORBIDDEN = (("UPDATE", "store"), ("DELETE", "store"), ("UPDATE", "records"), ("DELETE", "records"), ("UPDATE", "data_keys"))
# "insert or replace" deletes without a word to the triggers of deletion: what would replace anything may not come in
REPLACING = {
    "store": "EXISTS (SELECT 1 FROM store)",
    "records": "new.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM records)",
    "data_keys": "EXISTS (SELECT 1 FROM data_keys WHERE key = new.key)",
}


# a number of a record: in SQLite every INTEGER holds 64 bits, and only one of that name is the row's own number
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and what keeps them as they were written, which each database says in its own words."""
    _tables()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _tables() -> None:
    op.create_table(
        "store",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("format", sa.Integer, nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("head", NUMBER, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )
    op.create_index("ix_records_subject", "records", ["subject"])
    op.create_table(
        "data_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_data_keys_subject", "data_keys", ["subject"])


def _guard_sqlite() -> None:
    for what, table in FORBIDDEN:
        op.execute(
            f"CREATE TRIGGER no_{what.lower()}_of_{table} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'a receipt is never altered'); END"
        )
    for table, condition in REPLACING.items():
        op.execute(
            f"CREATE TRIGGER no_replacement_of_{table} BEFORE INSERT ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, 'a receipt is never altered'); END"
        )


def _guard_postgresql() -> None:
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {SCHEMA}.{name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        op.execute(f"REVOKE ALL ON FUNCTION {SCHEMA}.{name}() FROM PUBLIC")
    for name, (what, table, each, calls) in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH {each} EXECUTE FUNCTION {SCHEMA}.{calls}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    op.execute(ONE_STORE)
