"""The Postgres of all arms: one embedded server with the product's own settings, and template databases.

Every arm gets a database of its own, copied from a template, read once into memory, right after
a checkpoint. So no arm sees the work of another, and all write the same full-page images.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import sql

from identity.store.embedded.data_directory import PORT, SUPERUSER
from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres

_MEGABYTE = 1 << 20


class Wal(NamedTuple):
    """The write-ahead log of the whole server: bytes, and the full-page images and records in them."""

    bytes: int
    images: int
    records: int


class BenchPostgres:
    """The Postgres of a run, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.embedded = EmbeddedPostgres(self.data_dir)

    def __enter__(self) -> Self:
        self.embedded.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.embedded.stop()

    def url(self, database: str) -> str:
        """Return the owner's URL of a database."""
        return self.embedded.url(database)

    @property
    def sockets(self) -> Path:
        """Return the socket file of the server."""
        found = re.search(r"host=([^&]+)&", self.embedded.url())
        assert found
        return Path(found[1].replace("%2F", "/")) / f".s.PGSQL.{PORT}"

    def administer(self, command: sql.Composed | sql.SQL, database: str = SUPERUSER) -> None:
        """Run one statement as superuser, outside a transaction."""
        with psycopg.connect(self.embedded.url(database, SUPERUSER), autocommit=True) as connection:
            connection.execute(command)

    def exists(self, database: str) -> bool:
        """Return whether the database exists."""
        with psycopg.connect(self.embedded.url(SUPERUSER, SUPERUSER)) as connection:
            return connection.execute("select from pg_database where datname = %s", [database]).rowcount > 0

    def create(self, database: str) -> None:
        """Create an empty database of the owner."""
        names = sql.Identifier(database), sql.Identifier(OWNER_ROLE)
        self.administer(sql.SQL("create database {} owner {}").format(*names))

    def drop(self, database: str) -> None:
        """Drop a database, if it exists."""
        self.administer(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))

    def settle(self, database: str) -> None:
        """Vacuum and analyse a template, so that no copy of it has to be."""
        self.administer(sql.SQL("vacuum (freeze, analyze)"), database)

    @contextmanager
    def copy(self, template: str, name: str) -> Iterator[str]:
        """Yield the URL of a fresh copy of a template, in memory, after a checkpoint; the end drops it."""
        self.drop(name)
        names = [sql.Identifier(each) for each in (name, OWNER_ROLE, template)]
        self.administer(sql.SQL("create database {} owner {} template {} strategy file_copy").format(*names))
        try:
            self._read_all(name)
            self.administer(sql.SQL("checkpoint"))
            yield self.url(name)
        finally:
            self.drop(name)

    def _read_all(self, database: str) -> None:
        """Read every page of every table and index once, as far as shared buffers hold them."""
        with psycopg.connect(self.embedded.url(database, SUPERUSER), autocommit=True) as connection:
            found = connection.execute(
                "select c.relname, a.attname from pg_class c "
                "join pg_index i on i.indrelid = c.oid and i.indisprimary "
                "join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] "
                "where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
            ).fetchall()
            for table, column in found:
                count = sql.SQL("select count({}) from {}").format(sql.Identifier(column), sql.Identifier(table))
                for scan in ("indexscan", "seqscan"):
                    connection.execute(sql.SQL("set enable_{} = off").format(sql.SQL(scan)))
                    connection.execute(count)
                    connection.execute("reset all")

    def rows(self, database: str, query: str) -> dict[str, int]:
        """Return the one row of a query, by column name."""
        with psycopg.connect(self.embedded.url(database, SUPERUSER)) as connection:
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            row = cursor.fetchone()
            assert row
            return {name: int(value) for name, value in zip(names, row, strict=True)}

    def size(self, database: str) -> int:
        """Return the size of a database on disk, in megabytes."""
        return self.rows(database, "select pg_database_size(current_database()) as size")["size"] // _MEGABYTE

    def wal(self) -> Wal:
        """Return how much write-ahead log the server has written since it started."""
        query = "select wal_bytes::bigint as bytes, wal_fpi as images, wal_records as records from pg_stat_wal"
        return Wal(**self.rows(SUPERUSER, query))

    def checkpoints(self) -> int:
        """Return the number of checkpoints since the server started."""
        query = "select num_timed + num_requested as n from pg_stat_checkpointer"
        return self.rows(SUPERUSER, query)["n"]

    def version(self) -> dict[str, Any]:
        """Return the version of the server and the settings that matter here."""
        wanted = ("server_version", "shared_buffers", "max_wal_size", "checkpoint_timeout", "fsync")
        more = ("synchronous_commit", "full_page_writes", "wal_compression", "jit")
        with psycopg.connect(self.embedded.url(SUPERUSER, SUPERUSER)) as connection:
            return dict(
                connection.execute(
                    "select name, current_setting(name) from pg_settings where name = any(%s)", [[*wanted, *more]]
                ).fetchall()
            )
