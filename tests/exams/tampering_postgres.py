"""What somebody does to receipts in PostgreSQL: as the service, to whom nearly all is refused; as the owner, who is found out.

The owner can take away the triggers, alter what they guard and put them back; what was altered bears no seal. Whoever has the
service's password can add what looks like a record, and that bears none either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from manipulated import MANIPULATIONS
from manipulations import Manipulation
from marks import Mark
from postgres import programs, server
from served import (
    all_put_back,
    as_owner,
    export_says,
    missed_as_owner,
    missed_as_service,
    operator_says,
    put_back,
    refused,
    served,
)

from serving.receipts.record import FIELDS

# these are done to files of SQLite; what comes of them in PostgreSQL stands below
_OF_SQLITE = (
    "the table dropped",
    "a trigger dropped",
    "a trigger added",
    "the database put back to an older copy",
    "database and heads put back, before a witness",
    "database and heads put back, before a receipt",
    "the database removed",
    "the database emptied",
    "the log beside the database removed",
    "two stores in one",  # the index that forbids it would have to be dropped: below
)


_NOTHING = "BEGIN RETURN NULL; END"
OWNER: Mapping[str, Manipulation] = {name: one for name, one in MANIPULATIONS.items() if name not in _OF_SQLITE} | {
    "the table dropped": Manipulation(as_owner("DROP TABLE records"), outside=False),
    "a trigger dropped": Manipulation(as_owner("DROP TRIGGER no_alteration_of_records ON records"), outside=False),
    "a trigger disabled": Manipulation(as_owner("ALTER TABLE records DISABLE TRIGGER no_alteration_of_records"), outside=False),
    "a trigger that a replica leaves out": Manipulation(
        as_owner("ALTER TABLE records ENABLE TRIGGER no_alteration_of_records"), outside=False
    ),
    "a trigger of other events": Manipulation(
        as_owner(
            "DROP TRIGGER no_alteration_of_data_keys ON data_keys",
            "CREATE TRIGGER no_alteration_of_data_keys BEFORE TRUNCATE ON data_keys FOR EACH STATEMENT EXECUTE FUNCTION never()",
            "ALTER TABLE data_keys ENABLE ALWAYS TRIGGER no_alteration_of_data_keys",
        ),
        outside=False,
    ),
    "a trigger added": Manipulation(
        as_owner("CREATE TRIGGER t AFTER INSERT ON records FOR EACH ROW EXECUTE FUNCTION never()"), outside=False
    ),
    "what the triggers do": Manipulation(
        as_owner(f"CREATE OR REPLACE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $${_NOTHING}$$"), outside=False
    ),
    "rows hidden from the service": Manipulation(as_owner("ALTER TABLE records ENABLE ROW LEVEL SECURITY"), outside=False),
    "a table that the next crash empties": Manipulation(as_owner("ALTER TABLE data_keys SET UNLOGGED"), outside=False),
    "an index of a part": Manipulation(
        as_owner(
            "DROP INDEX ix_records_subject", "CREATE INDEX ix_records_subject ON records (subject) WHERE sequence <> 9"
        ),
        outside=False,
    ),
    "a rule": Manipulation(as_owner("CREATE RULE r AS ON INSERT TO store DO INSTEAD NOTHING"), outside=False),
    "rows in a table that inherits": Manipulation(
        as_owner("CREATE TABLE more () INHERITS (records)", "INSERT INTO more SELECT * FROM records WHERE sequence = 9"),
        outside=False,
    ),
    "a right for the service": Manipulation(as_owner("GRANT UPDATE ON records TO service"), outside=False),
    "a right on a column": Manipulation(as_owner("GRANT UPDATE (payload) ON records TO service"), outside=False),
    "a right for everybody": Manipulation(as_owner("GRANT SELECT ON records TO PUBLIC"), outside=False),
    "a right to make tables": Manipulation(as_owner("GRANT CREATE ON SCHEMA lymphorisk TO service"), outside=False),
    "the database put back to an older copy": Manipulation(put_back),
    "database and heads put back, before a witness": Manipulation(all_put_back, kept="witness"),
    "database and heads put back, before a receipt": Manipulation(all_put_back, kept="receipt"),
    "the tables removed": Manipulation(as_owner("DROP SCHEMA lymphorisk CASCADE"), outside=False),
    "the tables emptied": Manipulation(as_owner("DROP TRIGGER no_alteration_of_records ON records", "TRUNCATE records")),
    "two stores in one": Manipulation(
        as_owner("DROP INDEX one_store", "INSERT INTO store SELECT 'another', created, public_key, format FROM store")
    ),
}
_LAST = "(SELECT max(sequence) FROM records)"
_FIELDS = f"time, kind, subject, key, payload, {_LAST}, digest, digest, seal"
_FORGED = f"SELECT {_LAST} + 1, {_FIELDS} FROM records WHERE sequence = {_LAST}"
# as the service: what is refused by the server, and what is not and must be found
REFUSED: Mapping[str, Sequence[str]] = {
    **{f"the {column} of a record": [f"UPDATE records SET {column} = {column}"] for column in FIELDS},
    "a record deleted": ["DELETE FROM records WHERE sequence = 9"],
    "all records deleted": ["TRUNCATE records"],
    "a record put in the place of another": [
        "INSERT INTO records SELECT * FROM records WHERE sequence = 9 ON CONFLICT (sequence) DO UPDATE SET payload = ''"
    ],
    "a record twice": ["INSERT INTO records SELECT * FROM records WHERE sequence = 9"],
    "a record with a gap before it": [_FORGED.replace("+ 1", "+ 2", 1).join(("INSERT INTO records ", ""))],
    "a gap where another table hides the records": [
        "CREATE TEMP TABLE records (sequence bigint)",
        "INSERT INTO pg_temp.records VALUES (90)",
        f"INSERT INTO lymphorisk.records {_FORGED.replace(f'{_LAST} + 1', '91').replace('records', 'lymphorisk.records')}",
    ],
    "a record brought in by COPY": ["COPY records FROM PROGRAM 'true'"],
    "a data key altered": ["UPDATE data_keys SET wrapped = ''"],
    "a data key deleted": ["DELETE FROM data_keys"],
    "all data keys deleted": ["TRUNCATE data_keys"],
    "the store's key": ["UPDATE store SET public_key = ''"],
    "the store removed": ["DELETE FROM store"],
    "another store": ["INSERT INTO store SELECT 'another', created, public_key, format FROM store"],
    "a trigger dropped": ["DROP TRIGGER no_alteration_of_records ON records"],
    "a trigger disabled": ["ALTER TABLE records DISABLE TRIGGER ALL"],
    "triggers left out, as for a replica": ["SET session_replication_role = replica"],
    "what the triggers do": [f"CREATE OR REPLACE FUNCTION lymphorisk.never() RETURNS trigger LANGUAGE plpgsql AS $${_NOTHING}$$"],
    "the table dropped": ["DROP TABLE records"],
    "a table added": ["CREATE TABLE lymphorisk.more (a int)"],
    "a column added": ["ALTER TABLE records ADD COLUMN more text"],
    "a rule": ["CREATE RULE r AS ON INSERT TO records DO INSTEAD NOTHING"],
    "an index dropped": ["DROP INDEX ix_records_subject"],
    "a right taken": ["GRANT UPDATE ON records TO service", "UPDATE records SET payload = ''"],
    "the owner's role": ["SET ROLE owner"],
    "the version of the tables": ["UPDATE alembic_version SET version_num = '0'"],
    "the program that reads files": ["SELECT pg_read_file('PG_VERSION')"],
}
FOUND: Mapping[str, Sequence[str]] = {
    "a record forged at the end": [f"INSERT INTO records {_FORGED}"],
    "a data key added": ["INSERT INTO data_keys VALUES ('" + "f" * 32 + "', '', decode(repeat('00', 60), 'hex'))"],
}


def sit(folder: Path, advance: Callable[..., object], every: int = 1) -> list[Mark]:
    """Each manipulation (or one in `every`) on a database of its own, before `audit verify` and before the outside verifier."""
    folder.mkdir(exist_ok=True)
    owner, service = list(OWNER.items())[::every], [*REFUSED.items(), *FOUND.items()][::every]
    missed, open_to = list[str](), list[str]()
    with server(programs() or "") as postgres:
        honest = served(postgres, folder)
        alarms = [*operator_says(honest, [honest.witness], [honest.receipt]), *filter(None, [export_says(honest)])]
        for place, (name, one) in enumerate(owner, 1):
            made = honest.elsewhere(folder / f"owner-{place}")
            missed += [f"{name} ({who})" for who in missed_as_owner(one, made)]
            made.gone()
            advance("as the owner", place, len(owner))
        for place, (name, statements) in enumerate(service, 1):
            made = honest.elsewhere(folder / f"service-{place}")
            open_to += [name] * (name in REFUSED and not refused(statements, made))
            missed += [f"{name} ({who}, as the service)" for who in missed_as_service(statements, made)]
            made.gone()
            advance("as the service", place, len(service))
    return [
        Mark(f"missed: {len(owner)} manipulations with the owner's role, {len(service)} with the service's",
             len(missed), most=0, note="; ".join(missed)),
        Mark("not refused to the service's role", len(open_to), most=0, note="; ".join(open_to)),
        Mark("false alarms before anything was done", len(alarms), most=0, note="; ".join(alarms)),
    ]  # fmt: skip
