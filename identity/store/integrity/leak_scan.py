"""Reads all that a database holds as bytes: rows, statistics, statements, files and a dump of it.

Nothing is passed over in silence. What this role may not see raises `UnreadableError` with a reason. The policy of
Onefold shows the session all rows; a table under another policy is an error and not an empty one. The control is a
value in clear in a table of its own: a search that does not find it there finds nothing.
"""

import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from identity.store.embedded.data_directory import CLEAN_ENVIRONMENT, SUPERUSER, locate
from identity.store.integrity.data_files import PIECE
from identity.store.postgres.owner_address import showing_all_spaces
from identity.values.errors import DatabaseUnavailable, Misconfigured

CONTROL = "onefold_scan_control"
HIDDEN_STATISTICS = "pg_stats of tables under row security"
_ROWS = 9
_PIECE = 1 << 20
_LOCKS = "10s"
_LOCK = 0x0F01E  # any number; one scan at a time has the table of the control
_VIEWS = (
    "pg_stats", "pg_statistic", "pg_stat_activity", "pg_stat_statements", "pg_prepared_statements",
    "pg_stat_user_tables",
)  # fmt: skip
_TABLES: LiteralString = """
SELECT n.nspname, c.relname, row_security_active(c.oid) AND EXISTS (
    SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname <> 'by_space'
) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2
"""
# Nobody sees the statistics of a table who is under its policies, whatever rows these show.
_STATISTICS: LiteralString = "SELECT count(*) FROM pg_class c WHERE c.relrowsecurity AND row_security_active(c.oid)"
_HIDDEN = "row security hides it from this role; a superuser sees it"


class UnreadableError(Exception):
    """Something could not be read; the message says why and quotes nothing of it."""


class RowBytes(NamedTuple):
    """The name of a table or view, and its rows as bytes."""

    name: str
    pieces: Iterator[bytes]


class ScannedDatabase:
    """A database that is looked at, through one connection of the most powerful role there is."""

    def __init__(self, url: str, connection: psycopg.Connection[tuple[object, ...]], embedded: Path | None) -> None:
        self._url, self._connection, self._embedded = url, connection, embedded

    def tables(self) -> Iterator[RowBytes]:
        """Every table of this database, those of others in it too. Reading one may raise Unread."""
        for schema, name, hidden in self._connection.execute(_TABLES).fetchall():
            query = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(str(schema), str(name)))
            yield RowBytes(f"{schema}.{name}", self._copied(None if hidden else query))

    def views(self) -> Iterator[RowBytes]:
        """Views of the server with values and statements. Reading one may raise UnreadableError."""
        for name in _VIEWS:
            if self._connection.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,):
                continue
            query = sql.SQL("COPY (SELECT v::text FROM {} v) TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
            yield RowBytes(name, self._copied(query))
        if self._connection.execute(_STATISTICS).fetchone() != (0,):
            yield RowBytes(HIDDEN_STATISTICS, self._copied(None))

    def _copied(self, query: sql.Composed | None) -> Iterator[bytes]:
        if query is None:
            raise UnreadableError(_HIDDEN)
        # Each row comes alone; put together, most tables are one search.
        gathered = bytearray()
        try:
            with self._connection.cursor().copy(query) as copy:
                for row in copy:
                    gathered += row
                    if len(gathered) >= _PIECE:
                        yield bytes(gathered)
                        gathered.clear()
        except psycopg.errors.UndefinedTable:
            pass  # dropped meanwhile, as partitions are
        except psycopg.Error as refused:
            raise UnreadableError(_reason(refused)) from None
        yield bytes(gathered)

    def dump(self) -> Iterator[bytes]:
        """What pg_dump writes. Unread where there is none or it fails."""
        program = locate(self._embedded).programs / "bin" / "pg_dump" if self._embedded else shutil.which("pg_dump")
        if program is None:
            raise UnreadableError("there is no pg_dump on this machine")
        # A password in an argument could be read by other users of the machine.
        given = {o.envvar.decode(): o.val.decode() for o in pq.Conninfo.parse(self._url.encode()) if o.envvar and o.val}
        with subprocess.Popen(  # noqa: S603 no shell
            [str(program), "--no-password", "--enable-row-security"],
            env={**CLEAN_ENVIRONMENT, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as running:
            assert running.stdout
            while piece := running.stdout.read(PIECE):
                yield piece
        if running.returncode:
            raise UnreadableError("pg_dump failed, as it does on a server that is newer")

    def write_out(self) -> None:
        """Has everything that was committed in the files. Unread where this role may not ask for it."""
        try:
            self._connection.execute("CHECKPOINT")
        except psycopg.Error as refused:
            raise UnreadableError(_reason(refused)) from None

    def folder(self) -> Path:
        """The files of the cluster. Unread where they are not on this machine or may not be read."""
        if self._embedded:
            return self._embedded / "postgres"
        try:
            row = self._connection.execute(
                "SELECT current_setting('data_directory'), system_identifier FROM pg_control_system()"
            ).fetchone()
        except psycopg.Error as refused:
            raise UnreadableError(_reason(refused)) from None
        assert row
        folder = Path(str(row[0]))
        try:
            with (folder / "global" / "pg_control").open("rb") as file:
                (found,) = struct.unpack("=Q", file.read(8))
        except (OSError, struct.error):
            raise UnreadableError("its files are on another machine, or of another user") from None
        # A folder of the same name may be that of another server.
        if found != row[1]:
            raise UnreadableError("its files are on another machine")
        return folder


@contextmanager
def open_for_scan(url: str, data_dir: Path | None) -> Iterator[ScannedDatabase]:
    """Opens a database to be looked at; `data_dir` is that of an embedded one, whose superuser is used."""
    if data_dir:
        url = make_conninfo(url, user=SUPERUSER)
    try:
        url = showing_all_spaces(url)
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as refused:
        raise DatabaseUnavailable from refused
    with connection:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(_LOCKS)))
        yield ScannedDatabase(url, connection, data_dir.resolve() if data_dir else None)


@contextmanager
def planted_control(url: str, value: str) -> Iterator[Callable[[], None]]:
    """A table of the owner's, there while the block runs; what it yields writes a value in clear into it.

    Misconfigured where another scan has it.
    """
    table = sql.Identifier("public", CONTROL)
    drop = sql.SQL("DROP TABLE IF EXISTS {}").format(table)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            if connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone() != (True,):
                raise Misconfigured("Another scan of this database runs.")
            connection.execute(drop)
            connection.execute(sql.SQL("CREATE TABLE {} (value text)").format(table))
            insert = sql.SQL("INSERT INTO {} SELECT %s FROM generate_series(1, {})").format(table, _ROWS)

            def write() -> None:
                connection.execute(insert, [value])
                connection.execute(sql.SQL("ANALYZE {}").format(table))

            try:
                yield write
            finally:
                connection.execute(drop)
    except psycopg.Error as refused:
        raise DatabaseUnavailable from refused


def _reason(refused: psycopg.Error) -> str:
    """The name of the error, never its message, which may quote rows."""
    return re.sub(r"([A-Z])", r" \1", type(refused).__name__).strip().lower()
