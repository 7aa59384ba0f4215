"""A row of each of two spaces in every table that has spaces, with values of the right types and no meaning."""

import time
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import OWNER_ROLE

ONE, OTHER = 1_000_001, 1_000_002
SPACE_COLUMN: Final = {"space": "id"}
"""The column with the number of the space, where its name is another than `space_id`."""
WITHOUT_A_SPACE: Final = {
    "alembic_version": "the revision of the schema",
    "key_store": "the ids of the key store and the root key, one row",
    "writer_slot": "leases of the processes, which write in all spaces",
}
"""The tables without row security, and what they hold instead."""
_TABLES: Final = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relispartition, c.relname
"""
_COLUMNS: Final = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull
  AND (NOT atthasdef OR attname = ANY (%s)) AND attidentity = ''
"""
_VALUES: Final = {
    "bytea": "sha256(random()::text::bytea)", "uuid": "gen_random_uuid()", "text": "md5(random()::text)",
    "boolean": "false",
    "integer": "1", "smallint": "1", "bigint": "{now}", "timestamp with time zone": "now()", "text[]": "'{{}}'",
}  # fmt: skip


def tables(connection: psycopg.Connection) -> list[str]:
    """All tables, partitions last."""
    return [name for (name,) in connection.execute(_TABLES).fetchall()]


def space_column(table: str) -> str:
    """The column with the number of the space."""
    return SPACE_COLUMN.get(table, "space_id")


def insertion(connection: psycopg.Connection, table: str, space: int) -> sql.Composed:
    """The statement that adds a row of a space to a table."""
    column = space_column(table)
    found: dict[str, str] = dict(connection.execute(_COLUMNS, [table, [column, "public_id"]]).fetchall())
    values = {name: _VALUES[type_].format(now=time.time_ns() // 1_000 << 8) for name, type_ in found.items()}
    values[column] = str(space)
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    expressions = sql.SQL(", ".join(values.values()))
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, expressions)


def fill_two_spaces(owner: psycopg.Connection) -> list[str]:
    """Add the rows, as an owner to whom all spaces are shown; returns the tables that have them."""
    filled = [each for each in tables(owner) if each not in WITHOUT_A_SPACE and not each.startswith("event_")]
    for table in filled:
        for space in (ONE, OTHER):
            owner.execute(insertion(owner, table, space))
    return filled


def as_superuser(url: str) -> psycopg.Connection:
    """A session that no policy concerns."""
    return psycopg.connect(make_conninfo(url, user=SUPERUSER), autocommit=True)


def show_owner_nothing(url: str) -> None:
    """Take the default away that shows all spaces to the owner in tests, in one database."""
    with as_superuser(url) as superuser:
        command = sql.SQL("ALTER ROLE {} IN DATABASE {} SET onefold.space = ''")
        superuser.execute(command.format(sql.Identifier(OWNER_ROLE), sql.Identifier(superuser.info.dbname)))
    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT 1 FROM profile").fetchall() == []
