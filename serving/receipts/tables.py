"""The tables of the receipts: what is written once, and the keys of patients, which alone may be erased.

Made by the migrations; here is what a query needs of them. Nothing in this module is of one database only.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
STORE = Table(
    "store",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("created", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("format", Integer, nullable=False),
)
RECORDS = Table(
    "records",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("time", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("head", Integer, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("subject", Text, nullable=False, index=True),
    Column("wrapped", LargeBinary, nullable=False),
)
