"""The programs of PostgreSQL fit the server, and no password is among their arguments."""

import stat
from pathlib import Path

import pytest

from identity.store.backup.client_tools import PROGRAMS, connection_argument, find_tools
from identity.values.errors import Misconfigured


def programs(folder: Path, version: str) -> Path:
    """A folder with programs that state a version."""
    for name in PROGRAMS:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("needed", [15, 16])
def test_programs_of_the_version_of_the_server_or_a_newer_one_fit(tmp_path: Path, needed: int) -> None:
    """Those of an older one do not."""
    found = find_tools(needed, programs(tmp_path, "16.4 (Debian)"))

    assert (found.major, found.program("psql")) == (16, str(tmp_path / "psql"))


@pytest.mark.parametrize("version", ["16.4", "of another maker"])
def test_other_programs_are_refused(tmp_path: Path, version: str) -> None:
    """The message names the package to install."""
    with pytest.raises(Misconfigured, match="postgresql-client-17"):
        find_tools(17, programs(tmp_path, version))


def test_a_folder_without_one_of_the_programs_does_not_fit(tmp_path: Path) -> None:
    """A backup needs all of them."""
    (programs(tmp_path, "17.0") / "pg_restore").unlink()
    with pytest.raises(Misconfigured):
        find_tools(17, tmp_path)


def test_a_password_goes_through_a_private_file() -> None:
    """With its colons and backslashes escaped; the file is gone afterwards."""
    with connection_argument("postgresql://ann:a%3Ab%5Cc@db.example.org/onefold") as argument:
        assert "a:b" not in argument
        (path,) = [Path(part.partition("=")[2]) for part in argument.split() if part.startswith("passfile=")]
        assert path.read_text() == "*:*:*:*:a\\:b\\\\c\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_an_address_without_a_password_needs_no_file() -> None:
    """The server may trust the account."""
    with connection_argument("postgresql://ann@db.example.org/onefold") as argument:
        assert "passfile" not in argument
        assert argument.startswith("--dbname=")
