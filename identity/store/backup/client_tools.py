"""Finds and runs the client programs of PostgreSQL: pg_dump, pg_restore, psql.

The embedded server comes with its own programs. For another server they are searched on PATH and where distributions
install them; the programs have to be of the server's major version or a newer one. A password never appears in the
arguments of a program, where other users of the machine could read it: it goes through a file of mode 0600.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from identity.store.postgres.owner_address import showing_all_spaces
from identity.store.postgres.refused_connections import reason_of
from identity.values.errors import Misconfigured

PROGRAMS = ("pg_dump", "pg_restore", "psql")
_INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ClientTools(NamedTuple):
    """A folder with the client programs of one major version of PostgreSQL."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """The path of a program."""
        return str(self.folder / name)


def server_major(url: str) -> int:
    """The major version of the server. Misconfigured, with what to correct, if it cannot be reached."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        raise Misconfigured(reason_of(error)) from error


def find_tools(needed: int, own: Path | None = None) -> ClientTools:
    """The oldest installed programs that fit a major version, those in the folder `own` first. Misconfigured."""
    folders = [Path(found).parent for found in [shutil.which("pg_dump")] if found]
    folders += [folder for pattern in _INSTALLED for folder in Path("/").glob(pattern.lstrip("/"))]
    if own is not None:
        folders = [own]
    found = sorted(
        (tools for tools in map(_tools, folders) if tools is not None and tools.major >= needed),
        key=lambda tools: tools.major,
    )
    if not found:
        raise Misconfigured(
            f"This needs the programs {', '.join(PROGRAMS)} of PostgreSQL {needed} or newer, and they are not on PATH. "
            f"Install the client package of PostgreSQL {needed}, for example postgresql-client-{needed}."
        )
    return found[0]


def _tools(folder: Path) -> ClientTools | None:
    if not all((folder / name).exists() for name in PROGRAMS):
        return None
    # The version of pg_dump on PATH may be that of a wrapper, which chooses the program by the server.
    asked = subprocess.run(  # noqa: S603 (a program that was found)
        [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=False
    )
    version = _VERSION.search(asked.stdout)
    return None if version is None else ClientTools(folder, int(version[1]))


@contextmanager
def connection_argument(url: str) -> Iterator[str]:
    """Yield the argument that names a database to a client program, without its password; row security shows all."""
    info = {name: str(value) for name, value in conninfo_to_dict(showing_all_spaces(url)).items() if value is not None}
    password = info.pop("password", None)
    if password is None:
        yield "--dbname=" + make_conninfo("", **info)
        return
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        passfile = Path(folder) / "password"
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        with os.fdopen(os.open(passfile, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"*:*:*:*:{escaped}\n")
        yield "--dbname=" + make_conninfo("", **info, passfile=str(passfile))


def run_psql(url: str, tools: ClientTools, arguments: list[str]) -> int:
    """Run psql on a database with the terminal of this process; returns its exit status."""
    with connection_argument(url) as database:
        return subprocess.run([tools.program("psql"), database, *arguments], check=False).returncode  # noqa: S603
