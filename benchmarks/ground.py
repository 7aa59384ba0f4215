"""The ground of all arms: one embedded Postgres with the product's own settings, and templates.

Every arm gets a database of its own, copied from a template, read once into memory, right after
a checkpoint. So no arm sees what another one did, and all pay for the same full-page images.
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
    """What the whole server wrote ahead: bytes, and in them full-page images and records."""

    bytes: int
    images: int
    records: int


class Ground:
    """The Postgres of a run, in a folder that belongs to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.postgres = EmbeddedPostgres(self.data_dir)

    def __enter__(self) -> Self:
        self.postgres.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.postgres.stop()

    def url(self, database: str) -> str:
        """The owner's address of a database."""
        return self.postgres.url(database)

    @property
    def sockets(self) -> Path:
        """The socket file of the server."""
        found = re.search(r"host=([^&]+)&", self.postgres.url())
        assert found
        return Path(found[1].replace("%2F", "/")) / f".s.PGSQL.{PORT}"

    def administer(self, command: sql.Composed | sql.SQL, database: str = SUPERUSER) -> None:
        """Runs one statement as superuser, outside a transaction."""
        with psycopg.connect(self.postgres.url(database, SUPERUSER), autocommit=True) as connection:
            connection.execute(command)

    def exists(self, database: str) -> bool:
        """Whether there is such a database."""
        with psycopg.connect(self.postgres.url(SUPERUSER, SUPERUSER)) as connection:
            return connection.execute("select from pg_database where datname = %s", [database]).rowcount > 0

    def create(self, database: str) -> None:
        """An empty database of the owner."""
        names = sql.Identifier(database), sql.Identifier(OWNER_ROLE)
        self.administer(sql.SQL("create database {} owner {}").format(*names))

    def drop(self, database: str) -> None:
        """Away with it."""
        self.administer(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))

    def settle(self, database: str) -> None:
        """Vacuums and analyses a template, so that no copy of it has to."""
        self.administer(sql.SQL("vacuum (freeze, analyze)"), database)

    @contextmanager
    def copy(self, template: str, name: str) -> Iterator[str]:
        """A fresh copy of a template, in memory, after a checkpoint; gone afterwards."""
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
        """Every page of every table and index once through shared buffers, as far as they fit."""
        with psycopg.connect(self.postgres.url(database, SUPERUSER), autocommit=True) as connection:
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
        """The one row of a query, by name."""
        with psycopg.connect(self.postgres.url(database, SUPERUSER)) as connection:
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            row = cursor.fetchone()
            assert row
            return {name: int(value) for name, value in zip(names, row, strict=True)}

    def size(self, database: str) -> int:
        """Megabytes on disk."""
        return self.rows(database, "select pg_database_size(current_database()) as size")["size"] // _MEGABYTE

    def wal(self) -> Wal:
        """What the server has written ahead since it started."""
        query = "select wal_bytes::bigint as bytes, wal_fpi as images, wal_records as records from pg_stat_wal"
        return Wal(**self.rows(SUPERUSER, query))

    def checkpoints(self) -> int:
        """How many checkpoints there were since the server started."""
        query = "select num_timed + num_requested as n from pg_stat_checkpointer"
        return self.rows(SUPERUSER, query)["n"]

    def version(self) -> dict[str, Any]:
        """The server and the settings that matter here."""
        wanted = ("server_version", "shared_buffers", "max_wal_size", "checkpoint_timeout", "fsync")
        more = ("synchronous_commit", "full_page_writes", "wal_compression", "jit")
        with psycopg.connect(self.postgres.url(SUPERUSER, SUPERUSER)) as connection:
            return dict(
                connection.execute(
                    "select name, current_setting(name) from pg_settings where name = any(%s)", [[*wanted, *more]]
                ).fetchall()
            )
