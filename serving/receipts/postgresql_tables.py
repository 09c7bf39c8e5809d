"""The tables of the receipts in PostgreSQL, and in what those that are found differ: a trigger gone, a right too many.

Whoever owns a database can take away whatever protects it, and put it back; what was altered meanwhile is found by the seals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, text

SCHEMA = "lymphorisk"
MIGRATE = "lymphorisk audit migrate --database URL --service-role NAME"
_REFUSED = "RAISE EXCEPTION 'a receipt is never altered';"
FUNCTIONS = {
    "never": f"BEGIN {_REFUSED} END",
    "follows": f"BEGIN IF NEW.sequence IS DISTINCT FROM (SELECT coalesce(max(sequence), 0) + 1 FROM {SCHEMA}.records) "
    f"THEN {_REFUSED} END IF; RETURN NEW; END",
}
# name: event, table, for each what, function; a key may only go, and the rights alone say by whose hand
TRIGGERS = {
    "no_alteration_of_store": ("UPDATE OR DELETE OR TRUNCATE", "store", "STATEMENT", "never"),
    "no_alteration_of_records": ("UPDATE OR DELETE OR TRUNCATE", "records", "STATEMENT", "never"),
    "no_alteration_of_data_keys": ("UPDATE OR TRUNCATE", "data_keys", "STATEMENT", "never"),
    "no_gap_in_records": ("INSERT", "records", "ROW", "follows"),
}
ONE_STORE = f"CREATE UNIQUE INDEX one_store ON {SCHEMA}.store USING btree ((true))"
RIGHTS = {"store": "SELECT, INSERT", "records": "SELECT, INSERT", "data_keys": "SELECT, INSERT", "alembic_version": "SELECT"}
_BITS = {"ROW": 1, "STATEMENT": 0, "BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}  # pg_trigger.tgtype
_COLUMNS = """\
alembic_version.version_num character varying(32) not null
data_keys.key text not null
data_keys.subject text not null
data_keys.wrapped bytea not null
records.digest text not null
records.head bigint not null
records.key text not null
records.kind text not null
records.payload bytea not null
records.previous text not null
records.seal text not null
records.sequence bigint not null
records.subject text not null
records.time text not null
store.created text not null
store.format integer not null
store.id text not null
store.public_key text not null
"""
_INDICES = f"""\
CREATE UNIQUE INDEX alembic_version_pkc ON {SCHEMA}.alembic_version USING btree (version_num)
CREATE UNIQUE INDEX data_keys_pkey ON {SCHEMA}.data_keys USING btree (key)
CREATE INDEX ix_data_keys_subject ON {SCHEMA}.data_keys USING btree (subject)
CREATE INDEX ix_records_subject ON {SCHEMA}.records USING btree (subject)
{ONE_STORE}
CREATE UNIQUE INDEX records_pkey ON {SCHEMA}.records USING btree (sequence)
CREATE UNIQUE INDEX store_pkey ON {SCHEMA}.store USING btree (id)
"""
_SPACE = "(SELECT oid FROM pg_namespace WHERE nspname = :schema)"
# each a line a thing, in words that do not change from one version of PostgreSQL to the next
_FOUND = tuple(
    text(one.replace(":space", _SPACE))
    for one in (
        """SELECT CASE relkind WHEN 'r' THEN 'table ' ELSE 'relation of kind ' || relkind::text || ' ' END || relname
             || CASE relpersistence WHEN 'p' THEN ' kept' ELSE ' not kept' END
             || CASE WHEN relrowsecurity OR relforcerowsecurity THEN ', rows for some' ELSE ', rows for all' END
           FROM pg_class WHERE relnamespace = :space AND relkind NOT IN ('i', 't')""",
        """SELECT 'column ' || relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
             || CASE WHEN attnotnull THEN ' not null' ELSE '' END || CASE WHEN atthasdef THEN ' with a default' ELSE '' END
             || CASE WHEN attidentity <> '' OR attgenerated <> '' THEN ' generated' ELSE '' END
           FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
           WHERE relnamespace = :space AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""",
        """SELECT 'index ' || pg_get_indexdef(indexrelid) || CASE WHEN indisvalid AND indisready THEN '' ELSE ' not in use' END
           FROM pg_index JOIN pg_class ON indrelid = pg_class.oid WHERE relnamespace = :space AND relkind <> 't'""",
        """SELECT 'trigger ' || tgname || ' on ' || relname || ', kind ' || tgtype || ', calls ' || proname
             || CASE tgenabled WHEN 'A' THEN '' ELSE ', not always' END
             || CASE WHEN tgqual IS NULL AND tgnargs = 0 AND tgattr::text = '' THEN '' ELSE ', on a condition' END
             || CASE WHEN pronamespace = :space THEN '' ELSE ' of another schema' END
           FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid JOIN pg_proc ON tgfoid = pg_proc.oid
           WHERE relnamespace = :space AND NOT tgisinternal""",
        """SELECT 'function ' || proname || ' in ' || lanname || CASE WHEN prosecdef THEN ' as its owner' ELSE '' END
             || CASE WHEN proconfig IS NULL THEN '' ELSE ' with settings' END || ': ' || prosrc
           FROM pg_proc JOIN pg_language ON prolang = pg_language.oid WHERE pronamespace = :space""",
        """SELECT 'constraint ' || conname || ' of kind ' || contype::text FROM pg_constraint
           WHERE connamespace = :space AND contype NOT IN ('p', 'n')""",
        "SELECT 'rule ' || rulename FROM pg_rewrite JOIN pg_class ON ev_class = pg_class.oid WHERE relnamespace = :space",
        """SELECT 'table that inherits from ' || parent.relname FROM pg_inherits JOIN pg_class parent ON inhparent = parent.oid
           WHERE parent.relnamespace = :space AND parent.relkind <> 'i'""",
    )
)
_ROLE = "CASE WHEN grantee = 0 THEN 'everybody' ELSE pg_get_userbyid(grantee) END"
_RIGHTS = text(
    f"""SELECT {_ROLE}, 'schema', privilege_type, is_grantable FROM pg_namespace, aclexplode(nspacl)
          WHERE nspname = :schema AND grantee <> nspowner
        UNION ALL SELECT {_ROLE}, relname, privilege_type, is_grantable FROM pg_class, aclexplode(relacl)
          WHERE relnamespace = {_SPACE} AND grantee <> relowner
        UNION ALL SELECT {_ROLE}, relname || '.' || attname, privilege_type, is_grantable
          FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid, aclexplode(attacl)
          WHERE relnamespace = {_SPACE} AND grantee <> relowner"""
)
_OWNERS = text(
    f"""SELECT nspowner FROM pg_namespace WHERE nspname = :schema
        UNION SELECT relowner FROM pg_class WHERE relnamespace = {_SPACE}
        UNION SELECT proowner FROM pg_proc WHERE pronamespace = {_SPACE}"""
)
POWERS = text(
    """SELECT rolname FROM pg_roles WHERE rolname = :role AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication
          OR pg_has_role(oid, (SELECT nspowner FROM pg_namespace WHERE nspname = :schema), 'MEMBER')
          OR pg_has_role(oid, 'pg_write_all_data', 'MEMBER') OR pg_has_role(oid, 'pg_write_server_files', 'MEMBER')
          OR pg_has_role(oid, 'pg_execute_server_program', 'MEMBER'))"""
)


def differences(connection: Connection) -> Sequence[str]:
    """In what tables, indices, triggers, functions and rights differ from those that the migrations make and grant."""
    found = Counter(str(one) for asked in _FOUND for one in connection.execute(asked, {"schema": SCHEMA}).scalars())
    made = Counter(as_made())
    missing = [f"it should have the {one}" for one in made - found]
    added = [f"it has a {one}" for one in found - made]
    return [*missing, *added, *_rights(connection)]


def as_made() -> list[str]:
    """What the migrations make, a line a thing."""
    tables = [f"table {name} kept, rows for all" for name in RIGHTS]
    triggers = [
        f"trigger {name} on {table}, kind {sum(_BITS[one] for one in ('BEFORE', each, *what.split(' OR ')))}, calls {calls}"
        for name, (what, table, each, calls) in TRIGGERS.items()
    ]
    functions = [f"function {name} in plpgsql: {body}" for name, body in FUNCTIONS.items()]
    columns = [f"column {line}" for line in _COLUMNS.splitlines()]
    return [*tables, *columns, *(f"index {line}" for line in _INDICES.splitlines()), *triggers, *functions]


def _rights(connection: Connection) -> list[str]:
    """What somebody may do who may not; the owner may everything, and is one."""
    rights = connection.execute(_RIGHTS, {"schema": SCHEMA}).all()
    faults = [f"{role} may {what} on {where}{' and grant it' * given}" for role, where, what, given in rights
              if role == "everybody" or given or what not in _granted(where)]  # fmt: skip
    writers = sorted({role for role, _, what, _ in rights if what == "INSERT"})
    faults += [f"{role}, who writes, may do what only the owner should" for role in writers if powerful(connection, role)]
    owners = connection.execute(_OWNERS, {"schema": SCHEMA}).all()
    return faults + ["its tables have several owners"] * (len(owners) > 1)


def _granted(where: str) -> str:
    return "USAGE" if where == "schema" else RIGHTS.get(where, "")


def powerful(connection: Connection, role: str) -> bool:
    """Whether the role is the owner of the tables, belongs to it, or may do anything in the server that goes around rights."""
    return connection.execute(POWERS, {"role": role, "schema": SCHEMA}).first() is not None


def damage(connection: Connection) -> Sequence[str]:
    """The indices in which something else stands than in their table."""
    by_table = _counted(connection, "indexscan", "indexonlyscan", "bitmapscan")
    by_index = _counted(connection, "seqscan")
    return [f"the index of {name} does not hold what its table does" for name in by_table if by_table[name] != by_index[name]]


_COUNTED = {
    "records by number": "SELECT count(*), sum(sequence) FROM records WHERE sequence > 0",
    "records by patient": "SELECT count(*), sum(hashtextextended(subject, 0)) FROM records WHERE subject >= ''",
    "keys by name": "SELECT count(*), sum(hashtextextended(key, 0)) FROM data_keys WHERE key >= ''",
    "keys by patient": "SELECT count(*), sum(hashtextextended(subject, 0)) FROM data_keys WHERE subject >= ''",
}


def _counted(connection: Connection, *without: str) -> dict[str, object]:
    """What is found when the planner may not go these ways."""
    for way in ("indexscan", "indexonlyscan", "bitmapscan", "seqscan"):
        connection.execute(text(f"SET LOCAL enable_{way} = {'off' if way in without else 'on'}"))
    return {name: tuple(connection.execute(text(asked)).one()) for name, asked in _COUNTED.items()}
