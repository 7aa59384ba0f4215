"""Dumps the database at one exported snapshot, and restores a dump in one transaction.

A dump is in the custom format of pg_dump. A restore replaces all tables of Onefold or changes nothing: the script of
pg_restore runs through psql as a single transaction.
"""

import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg import sql

from identity.store.backup.client_tools import ClientTools, connection_argument
from identity.values.database_roles import APP_ROLE
from identity.values.errors import DatabaseUnavailable, Misconfigured

Progress = Callable[[int], None]
"""Called with the number of tables that are done."""
_TABLE: Final = re.compile(r"(dumping contents of|processing data for) table")
# Postgres 17 introduced this setting; the script of a newer pg_restore has it for older servers too.
_TOO_NEW: Final = b"SET transaction_timeout = 0;\n"
_CHUNK: Final = 1 << 20
_LAST_LINES: Final = 20
_ROLE: Final = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
        CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
        EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
    END IF;
END $$;
"""


def dump(url: str, tools: ClientTools, snapshot: str, to: Path, progress: Progress) -> None:
    """Write a dump of the moment of an exported snapshot, with mode 0600. DatabaseUnavailable."""
    with connection_argument(url) as database:
        command = [
            tools.program("pg_dump"), "--format=custom", "--no-owner", "--no-comments", "--verbose",
            # Row security shows all spaces to the session (`connection_argument`); without it pg_dump refuses to run.
            "--enable-row-security", f"--snapshot={snapshot}", f"--file={to}", database,
        ]  # fmt: skip
        to.touch(mode=0o600)
        with _running(command, progress) as process:
            process.wait()
    to.chmod(0o600)


def check(tools: ClientTools, path: Path, progress: Progress) -> None:
    """Read a dump from its first to its last byte. DatabaseUnavailable if the dump is damaged."""
    with _running([tools.program("pg_restore"), "--verbose", "--file=/dev/null", str(path)], progress) as process:
        process.wait()


def count_tables(url: str) -> int:
    """How many tables with data a dump of this database has."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """
            SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname = 'public'
            """
        ).fetchone()
    return int(row[0]) if row else 0


def existing_tables(url: str) -> list[str]:
    """The tables of Onefold that a database has, partitions apart. Misconfigured if it cannot be reached."""
    from sqlmodel import SQLModel

    from identity.store import tables as _declared  # noqa: F401 (declares the tables)

    known = [*SQLModel.metadata.tables, "alembic_version"]
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY (%s) ORDER BY 1", [known]
        ).fetchall()
    return [name for (name,) in found]


def store_id(url: str) -> str | None:
    """The id of the key store that a database belongs to; None if it has had none."""
    with psycopg.connect(url) as connection:
        if "key_store" not in existing_tables(url):
            return None
        row = connection.execute("SELECT store_id FROM key_store").fetchone()
    return None if row is None else str(row[0])


def restore(url: str, tools: ClientTools, path: Path, progress: Progress, mark: str = "") -> None:
    """Replace the tables of Onefold by those of a dump, in one transaction. DatabaseUnavailable, Misconfigured.

    `mark` is SQL that runs in the same transaction.
    """
    _ensure_role(url)
    drop = [
        sql.SQL("DROP TABLE {} CASCADE;").format(sql.Identifier("public", name)).as_string(None)
        for name in existing_tables(url)
    ]
    drop += [
        f"DROP FUNCTION IF EXISTS public.{name};"
        for name in (
            "onefold_event_partitions(integer)",
            "onefold_drop_events(integer)",
            "onefold_by_space(regclass, name)",
        )
    ]
    with connection_argument(url) as database, tempfile.NamedTemporaryFile("w", prefix="onefold-") as first:
        first.write("\n".join([*drop, mark]) + "\n")
        first.flush()
        psql = subprocess.Popen(  # noqa: S603 (a program of PostgreSQL)
            [
                tools.program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
                f"--file={first.name}", "--file=-", database,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=False,
        )  # fmt: skip
        with psql:
            assert psql.stdin
            assert psql.stderr
            errors: list[str] = []
            reader = threading.Thread(target=_keep, args=(psql.stderr, errors, None), daemon=True)
            reader.start()
            try:
                _pour(tools, path, psql.stdin, progress)
            except BaseException:
                # Without the end of the script psql must not commit what it has.
                psql.kill()
                raise
            with suppress(BrokenPipeError):
                psql.stdin.close()
            psql.wait()
            reader.join()
        if psql.returncode:
            raise DatabaseUnavailable(_failed("psql", errors))


def _pour(tools: ClientTools, path: Path, into: IO[bytes], progress: Progress) -> None:
    """Write the script that pg_restore makes of a dump."""
    # The extensions and the schema belong to the server, not to Onefold.
    listed = subprocess.run(  # noqa: S603 (a program of PostgreSQL)
        [tools.program("pg_restore"), "--list", str(path)], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise DatabaseUnavailable(_failed("pg_restore", listed.stderr.splitlines()))
    wanted = [line for line in listed.stdout.splitlines() if not re.search(r" (EXTENSION|COMMENT|SCHEMA) - ", line)]
    with tempfile.NamedTemporaryFile("w", prefix="onefold-") as contents:
        contents.write("\n".join(wanted) + "\n")
        contents.flush()
        command = [
            tools.program("pg_restore"), "--no-owner", "--verbose", f"--use-list={contents.name}", "--file=-",
            str(path),
        ]  # fmt: skip
        with _running(command, progress, output=subprocess.PIPE) as process:
            assert process.stdout
            first = process.stdout.read(_CHUNK).replace(_TOO_NEW, b"")
            try:
                into.write(first)
                while chunk := process.stdout.read(_CHUNK):
                    into.write(chunk)
            except BrokenPipeError:
                # psql has ended with an error of its own, which the caller reports.
                process.kill()
                process.wait()
                process.returncode = 0
            process.wait()


@contextmanager
def _running(
    command: list[str], progress: Progress, output: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program that reports its tables on stderr, until the block has waited for it. DatabaseUnavailable."""
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 (a program of PostgreSQL)
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        reader = threading.Thread(target=_keep, args=(process.stderr, lines, progress), daemon=True)
        reader.start()
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        reader.join()
    if process.returncode:
        raise DatabaseUnavailable(_failed(Path(command[0]).name, lines))


def _keep(stream: IO[bytes], lines: list[str], progress: Progress | None) -> None:
    """Keep the last lines that a program writes, and count its tables."""
    done = 0
    for raw in stream:
        line = raw.decode(errors="replace").rstrip()
        if _TABLE.search(line) and progress is not None:
            done += 1
            progress(done)
        else:
            lines.append(line)
            del lines[:-_LAST_LINES]


def _failed(program: str, lines: list[str]) -> str:
    """What a program complains about; rows that it quotes hold hashes and ciphertext only."""
    reason = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no message")
    return f"{program} failed: {reason}"


def _ensure_role(url: str) -> None:
    try:
        with psycopg.connect(url) as connection:
            connection.execute(_ROLE)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Misconfigured(
            f"The role of ONEFOLD_DATABASE_URL may not create the role {APP_ROLE}. Let a superuser run: "
            f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO <that role>;"
        ) from error
